"""Laws of the scores of manners: loops, rhymes, numbers kept."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.metrics import keeping, rhyme
from recipes.metrics.repetition import is_loop, most_repeated


@pytest.mark.parametrize(
    ("tokens", "times", "loop"),
    [
        ("", 0, False),
        ("一二三", 0, False),
        ("一二三四", 1, False),
        ("一二三四" * 4, 4, False),
        ("一二三四" * 5, 5, True),
        ("哈" * 7, 4, False),
        ("哈" * 8, 5, True),
        ("一二三" * 20, 19, True),
    ],
)
def test_a_loop_has_a_4_gram_more_than_4_times(tokens, times, loop):
    assert most_repeated(tuple(tokens)) == times
    assert is_loop(tuple(tokens)) is loop


def test_tokens_are_counted_not_characters():
    assert most_repeated(("hello",) * 4) == 1
    assert most_repeated(("a", "b") * 3, size=2) == 3


@given(st.text("一二三", max_size=30), st.text("一二三", max_size=5))
def test_more_text_never_loops_less(text, more):
    assert most_repeated(text + more) >= most_repeated(text)


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ("疑是地上霜", "低头思故乡", True),  # shuang, xiang: 唐
        ("黄河入海流", "更上一层楼", True),  # liu, lou: 尤
        ("锄禾日当午", "汗滴禾下土", True),
        ("处处闻啼鸟", "花落知多少", True),
        ("举头望明月", "低头思故乡", False),
        ("白日依山尽", "黄河入海流", False),
        ("不可知", "谁家诗", True),  # zhi, shi: 支
        ("不可知", "东与西", False),  # zhi, xi: 支 and 齐 apart
        ("水上鱼", "东与西", True),  # yu, xi: 齐 together
        ("天上月", "山中叶", True),  # yue, ye: 皆
        ("好风光", "旧风光", False),  # the same character
        ("", "故乡", False),
        ("故乡", "abc", False),
        ("故乡", "。", False),
    ],
)
def test_lines_rhyme_where_their_finals_stand_in_one_group(first, second, told):
    assert rhyme.rhymes(first, second) is told
    assert rhyme.rhymes(second, first) is told


def test_a_last_character_is_read_in_its_line():
    assert rhyme.rhyme_group("快乐") == rhyme.rhyme_group("唱歌")  # le
    assert rhyme.rhyme_group("音乐") == rhyme.rhyme_group("圆缺")  # yue


def test_every_final_stands_in_one_group_of_fourteen():
    finals = [final for group in rhyme.GROUPS for final in group.split()]
    assert len(finals) == len(set(finals))
    assert len(rhyme.GROUPS) == 14


def test_chance_puts_every_line_beside_those_of_other_poems():
    pairs = [("上霜", "故乡"), ("海流", "层楼")]
    assert rhyme.chance(pairs) == 0
    assert rhyme.chance([*pairs, ("月光", "东西")]) == pytest.approx(1 / 6)
    assert rhyme.chance(pairs[:1]) == 0
    assert rhyme.chance([]) == 0


def test_without_the_reader_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pypinyin", None)
    with pytest.raises(ImportError, match=r"pip install -r requirements-recipes.txt"):
        rhyme.check_reader()


SOURCE = "2019年3月，原告付款1,200.5元，利率6.5%。甲公司（ABC Ltd）欠１２０元。"


@pytest.mark.parametrize(
    ("pieces", "text", "kept"),
    [
        ("digits", "2019年欠78元", (6, 4)),
        ("digits", "没有数字", (0, 0)),
        ("numbers", "2019年付1,200.5元，又120元", (3, 3)),
        ("numbers", "付200元，利率6.5，6和5", (4, 1)),
        ("numbers", "付１２０元", (1, 1)),
        ("latin_words", "abc与ＡＢＣ和Ab", (3, 2)),
    ],
)
def test_what_a_text_says_is_looked_for_in_its_source(pieces, text, kept):
    found = keeping.kept([(SOURCE, text)], keeping.PIECES[pieces])
    assert (found.said, found.kept) == kept


def test_shares_are_over_all_texts_and_silence_makes_nothing_up():
    pairs = [("1", "1"), ("2", "3"), ("4", "")]
    assert keeping.kept(pairs, keeping.PIECES["numbers"]).share == 0.5
    assert keeping.kept([], keeping.PIECES["numbers"]).share == 1


def test_names_are_those_that_jieba_tags_and_stand_anywhere_in_the_source():
    assert keeping.names("王安石住在北京，清华大学的人都认识他。") == [
        "王安石",
        "北京",
        "清华大学",
    ]
    assert keeping.names("他昨天吃了三碗面") == keeping.names("") == []
    text = "王安石去过北京和上海"
    found = keeping.kept([("北京大学的王安石", text)], keeping.PIECES["names"])
    assert (found.said, found.kept) == (3, 2)


@given(st.text())
def test_a_text_keeps_everything_of_itself(text):
    for pieces in keeping.PIECES.values():
        assert keeping.kept([(text, text)], pieces).share == 1
