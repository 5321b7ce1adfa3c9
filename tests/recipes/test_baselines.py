import pytest

from recipes import baselines
from recipes.tasks_data import (
    FewshotExample,
    KgExample,
    KgFact,
    QaExample,
    SummaryExample,
    TitleExample,
    Triple,
    TriplesExample,
)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("春天来了。花开了。", "春天来了"),
        ("\n“真的吗？！”他问。", "“真的吗"),
        ("没有句号", "没有句号"),
        ("温度是3.5度，很冷.下雪了", "温度是3.5度，很冷"),
        ("。。春天。", "春天"),
        ("。", ""),
    ],
)
def test_a_title_is_the_first_sentence(text, title):
    assert baselines.first_sentences([TitleExample(text, "")]) == [title]


def test_a_summary_is_as_many_characters_as_train_summaries_have():
    train = [SummaryExample("", "一二三"), SummaryExample("", "一二三四")]
    examples = [SummaryExample("春夏秋冬东南西北", ""), SummaryExample("春", "")]
    assert baselines.first_characters(train, examples) == ["春夏秋冬", "春"]


def answer(question, passage):
    return baselines.likeliest_sentences([QaExample(passage, question, (), "span")])[0]


def test_an_answer_is_the_sentence_nearest_to_the_question():
    passage = "小明住在北京。小红住在上海。他们是朋友。"
    assert answer("小红住在哪里？", passage) == "小红住在上海"
    assert answer("住在哪里？", passage) == "小明住在北京"
    assert answer("谁？", "") == ""


TRAIN = [
    TriplesExample(
        "",
        (
            Triple("史记", "作者", "司马迁", "书", "人"),
            Triple("红楼梦", "作者", "曹雪芹", "书", "人"),
            Triple("红楼梦", "主角", "宝玉", "书", "人"),
            Triple("水浒", "出版者", "曹雪芹", "书", "人"),
        ),
    )
]


def triples(text, guess=baselines.dictionary_triples):
    return guess(TRAIN, [TriplesExample(text, ())])[0]


def test_a_pair_of_known_types_gets_its_most_frequent_predicate():
    assert triples("史记里没有宝玉") == (("史记", "作者", "宝玉"),)
    assert triples("司马迁和宝玉") == ()


def test_a_pair_seen_together_keeps_its_own_predicate():
    assert triples("曹雪芹写水浒") == (("水浒", "出版者", "曹雪芹"),)
    assert triples("红楼梦的宝玉") == (("红楼梦", "主角", "宝玉"),)


def test_names_are_matched_longest_first_and_each_once():
    train = [TriplesExample("", (Triple("红楼", "在", "红楼梦", "地", "书"),))]
    found = baselines.dictionary_triples(train, [TriplesExample("红楼梦，红楼梦", ())])
    assert found == [()]


def test_memory_knows_only_pairs_that_it_has_seen():
    assert triples("史记里没有宝玉", baselines.remembered_triples) == ()
    assert triples("红楼梦的宝玉", baselines.remembered_triples) == (
        ("红楼梦", "主角", "宝玉"),
    )


def labelled(*pairs):
    return [FewshotExample(text, label) for text, label in pairs]


def test_no_constant_answer_is_better_than_the_commonest_of_what_is_scored():
    scored = labelled(("a", "坏"), ("b", "好"), ("c", "好"), ("d", "坏"))
    assert baselines.commonest_labels(scored) == ["坏"] * 4  # the first of equals
    assert baselines.commonest_labels(scored[1:]) == ["好"] * 3


def test_naive_bayes_learns_from_the_split():
    train = labelled(("味道很好", "好"), ("服务很差", "坏"))
    asked = labelled(("服务差", ""), ("味道好", ""))
    assert baselines.naive_bayes_labels(train, asked) == ["坏", "好"]


def key(question, *facts):
    (found,) = baselines.overlapping_facts(facts, [KgExample(question, facts[0])])
    return found


def test_the_key_with_most_of_the_questions_characters_is_found():
    tang, song = KgFact("李白", "朝代", "唐"), KgFact("苏轼", "朝代", "宋")
    assert key("苏轼是哪个朝代的？", tang, song) == song
    assert (
        key("苏轼的号是什么？", tang, song, KgFact("苏轼", "号", "东坡")).object
        == "东坡"
    )


def test_of_equals_the_shorter_key_then_the_first_is_taken():
    long, short = KgFact("李白诗集", "朝代", ""), KgFact("李白", "朝代", "")
    assert key("李白的朝代", long, short) == short
    twin = KgFact("李白", "朝代", "另一个", "画家")
    assert key("李白的朝代", twin, short) == twin


@pytest.mark.parametrize(
    "guess",
    [
        lambda: baselines.first_characters([], []),
        lambda: baselines.dictionary_triples([], []),
        lambda: baselines.remembered_triples([], []),
        lambda: baselines.naive_bayes_labels([], []),
    ],
)
def test_a_baseline_that_learns_says_what_it_lacks(guess):
    with pytest.raises(ValueError, match="give the train file with --train FILE"):
        guess()


def test_an_empty_base_is_refused():
    with pytest.raises(ValueError, match="received an empty base"):
        baselines.overlapping_facts([], [])
