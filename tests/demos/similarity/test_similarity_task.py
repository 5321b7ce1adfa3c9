"""How alike two sentences are: limits, laws of the cosine, records."""

import pytest

from demos.errors import InvalidRequestError
from demos.similarity.examples import EXAMPLES, caption
from demos.similarity.record import ADDED_FIELDS, render_text, to_record
from demos.similarity.task import SimilarityRequest, compare, compare_many
from model_core.interfaces import ModelError
from tests.fake_sentences import FakeSentenceEncoder

PAIRS = [("今天天气很好", "天气真好"), ("我比他高", "他比我高"), ("好", "坏")]


def cosine(*pair, model=None):
    (result,) = compare(SimilarityRequest(*pair), model or FakeSentenceEncoder())
    return result.cosine


@pytest.mark.parametrize("pair", PAIRS)
def test_it_is_symmetric(pair):
    assert cosine(*pair) == cosine(*reversed(pair))


@pytest.mark.parametrize("text", ["今天", "a", "　好　", "很长" * 900])
def test_a_sentence_is_like_itself(text):
    assert cosine(text, text) == pytest.approx(1)


def test_it_never_leaves_its_range():
    assert all(-1 <= cosine(*pair) <= 1 for pair in PAIRS)


def test_many_are_answered_as_one_by_one_and_each_sentence_is_read_once():
    model = FakeSentenceEncoder()
    requests = [SimilarityRequest(*pair) for pair in [*PAIRS, PAIRS[0]]]
    together = list(compare_many(requests, model))
    assert [one.cosine for one in together] == [
        pytest.approx(cosine(*pair)) for pair in [*PAIRS, PAIRS[0]]
    ]
    (asked,) = model.asked
    assert len(asked) == len(set(asked)) == 6
    assert [one.request for one in together] == requests


def test_what_was_read_is_told():
    model = FakeSentenceEncoder(window=4)
    (result,) = compare(SimilarityRequest("今天天气", "今天天气很好"), model)
    assert (result.num_chars_read, result.num_chars_read_b) == (4, 4)
    assert not result.read_whole
    (blank,) = compare(SimilarityRequest("今天", "今天天气  "), model)
    assert blank.read_whole


def test_a_record_has_the_pair_and_its_cosine():
    (result,) = compare(SimilarityRequest("天气", "天气"), FakeSentenceEncoder())
    record = to_record(result)
    assert record["cosine"] == 1.0
    assert (record["pooling"], record["weights"]) == ("mean", "embedded")
    assert {*ADDED_FIELDS, "text", "text_b"} == record.keys()
    assert render_text(result) == "1.0000"


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        (("", "好"), "“First text” must have 1 to 2000 characters, got 0"),
        (
            ("好", "  "),
            "“Second text” must .*, got 2, all blank",
        ),
        (("好" * 2001, "好"), "got 2001"),
        (("好", "\x00"), "U\\+0000"),
        (("好", None), "must be text, got None"),
    ],
)
def test_what_is_no_pair_is_refused(pair, said):
    with pytest.raises(InvalidRequestError, match=said):
        SimilarityRequest(*pair)


def test_the_models_failure_is_told_as_it_is():
    model = FakeSentenceEncoder(failures={"坏": ModelError("internal", "坏了", "no")})
    with pytest.raises(ModelError, match="坏了"):
        cosine("好", "坏", model=model)


def test_captions_show_both_sentences():
    for example in EXAMPLES:
        assert example.text in caption(example)
        assert example.text_b in caption(example)
