import pytest

from recipes import scoring
from recipes.tasks_data import (
    FewshotExample,
    GoldAnswer,
    KgExample,
    KgFact,
    QaExample,
    SummaryExample,
    TitleExample,
    Triple,
    TriplesExample,
)


def test_titles_score_the_mean():
    examples = [TitleExample("", "春天"), TitleExample("", "今天天气好")]
    scores = scoring.score_title(examples, ["春天", "今天好"])
    assert scores == {"rouge_1": 0.875, "rouge_2": 0.6667, "rouge_l": 0.875}


def test_summaries_have_the_mean_of_spaces_too():
    scores = scoring.score_summary([SummaryExample("", "今天天气好")], ["今天好"])
    assert scores["spaces"] == pytest.approx(
        0.2 * 0.75 + 0.4 / 3 + 0.4 * 0.75, abs=1e-4
    )


def question(kind, answer="", yes_no=""):
    answers = (GoldAnswer(answer, 0),) if answer else ()
    return QaExample("", "", answers, kind, yes_no)


def test_each_kind_of_question_has_its_own_scores():
    examples = [
        question("span", "1918年秋"),
        question("span", "北京"),
        question("unanswerable"),
        question("unanswerable"),
        question("yes_no", yes_no="NO"),
    ]
    scores = scoring.score_qa(examples, ["1918年", "", "", "上海", "否"])
    assert scores == {
        "exact_match": 0.0,
        "f1": 0.4,
        "no_answer_accuracy": 0.5,
        "no_answer_precision": 0.5,
        "no_answer_recall": 0.5,
        "no_answer_f1": 0.5,
        "yes_no_accuracy": 1.0,
    }


def test_scores_without_questions_of_their_kind_are_left_out():
    assert scoring.score_qa([question("span", "北京")], ["北京"]) == {
        "exact_match": 1.0,
        "f1": 1.0,
    }
    assert scoring.score_qa([question("yes_no", yes_no="YES")], ["北京"]) == {
        "yes_no_accuracy": 0.0
    }


def test_types_of_triples_do_not_count():
    example = TriplesExample("", (Triple("史记", "作者", "司马迁", "书", "人"),))
    scores = scoring.score_triples([example], [[("史记", "作者", "司马迁")]])
    assert scores == {"precision": 1.0, "recall": 1.0, "f1": 1.0}


def test_a_key_is_right_as_a_whole_and_in_its_parts():
    gold = KgFact("李白", "朝代", "唐", "诗人")
    other = KgFact("李白", "朝代", "唐", "画家")
    third = KgFact("李白", "字", "太白", "诗人")
    examples = [KgExample("", gold)] * 3
    assert scoring.score_kgqa(examples, [gold, other, third]) == {
        "key_accuracy": 0.3333,
        "subject_accuracy": 1.0,
        "predicate_accuracy": 0.6667,
        "exact_match": 0.6667,
        "f1": 0.6667,
    }


def test_labels_score_their_share():
    examples = [FewshotExample("", "好"), FewshotExample("", "坏")]
    assert scoring.score_fewshot(examples, ["好", "好"]) == {"accuracy": 0.5}


@pytest.mark.parametrize(
    ("task", "example"),
    [
        ("title", TitleExample("", "春")),
        ("summary", SummaryExample("", "春")),
        ("qa", question("span", "北京")),
        ("triples", TriplesExample("", ())),
        ("kgqa", KgExample("", KgFact("李白", "字", "太白"))),
        ("fewshot", FewshotExample("", "好")),
    ],
)
def test_a_missing_prediction_is_no_score(task, example):
    with pytest.raises(ValueError, match=r"shorter|received 0 for 1"):
        scoring.SCORES[task]([example], [])
