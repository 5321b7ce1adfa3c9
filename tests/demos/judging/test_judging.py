"""Classes and replaced tokens: limits, laws, records."""

import pytest

from demos.errors import InvalidRequestError
from demos.judging.classification import (
    ClassificationRequest,
    categorize,
    categorize_many,
)
from demos.judging.detection import DetectionRequest, detect, detect_many
from demos.judging.examples import (
    CLASSIFICATION_EXAMPLES,
    DETECTION_EXAMPLES,
    caption,
)
from demos.judging.record import (
    CLASSIFICATION_FIELDS,
    DETECTION_FIELDS,
    classification_record,
    classification_text,
    detection_record,
    detection_text,
)
from model_core.interfaces import TextPair
from tests.fake_sentences import FakeReplacedTokenDetector, FakeTextClassifier


def judged(*texts, model=None):
    request = ClassificationRequest(*texts)
    (result,) = categorize(request, model or FakeTextClassifier())
    return result


def inspected(text, threshold=0.5, **model):
    request = DetectionRequest(text, threshold)
    (result,) = detect(request, FakeReplacedTokenDetector(**model))
    return result


@pytest.mark.parametrize("texts", [("好",), ("坏",), ("好好", "好"), ("坏", "好")])
@pytest.mark.parametrize("labels", [("甲", "乙"), ("甲", "乙", "丙")])
def test_probabilities_sum_to_one_and_the_best_is_the_label(texts, labels):
    result = judged(*texts, model=FakeTextClassifier(labels=labels))
    assert sum(result.probabilities.values()) == pytest.approx(1)
    assert list(result.probabilities) == list(labels)
    assert result.probabilities[result.label] == max(result.probabilities.values())


def test_equals_keep_the_checkpoints_order():
    result = judged("坏", model=FakeTextClassifier(labels=("甲", "乙", "丙")))
    assert [label for label, _ in result.ranked] == ["甲", "乙", "丙"]


def test_a_second_text_of_blanks_is_none():
    model = FakeTextClassifier()
    judged("好", " \n", model=model)
    assert model.asked == [(TextPair("好"),)]


def test_many_are_asked_together_and_answered_in_order():
    model = FakeTextClassifier()
    requests = [ClassificationRequest(text) for text in ("好", "坏", "好好好")]
    results = list(categorize_many(requests, model))
    assert [one.request for one in results] == requests
    assert [one.label for one in results] == ["好评", "差评", "好评"]
    assert len(model.asked) == 1


def test_a_class_as_record_and_as_text():
    record = classification_record(judged("好好"))
    assert record.keys() == {*CLASSIFICATION_FIELDS, "text"}
    assert record["label"] == "好评"
    assert "text_b" in classification_record(judged("好", "坏"))
    assert classification_text(judged("好好")).splitlines()[0].endswith("好评")


def test_what_a_classifier_read_is_told():
    assert not judged("好" * 9, model=FakeTextClassifier(window=5)).read_whole
    assert not judged("好", "好" * 9, model=FakeTextClassifier(window=5)).read_whole
    assert judged("好", model=FakeTextClassifier(window=5)).read_whole


@pytest.mark.parametrize("text", ["今天错了", "错 一\n个错", "没有", "  错  "])
def test_spans_slice_to_their_strings_in_order_without_overlap(text):
    result = inspected(text)
    end = 0
    for token in result.tokens:
        assert end <= token.start < token.end <= len(text)
        assert result.text_of(token) == text[token.start : token.end]
        assert 0 <= token.probability <= 1
        end = token.end
    record = detection_record(result)
    for one in record["replaced"]:
        assert text[one["start"] : one["end"]] == one["text"] == "错"
    assert len(record["replaced"]) == text.count("错")


def test_a_lower_threshold_marks_no_fewer():
    marked = [len(inspected("疑有错字", cut).replaced) for cut in (0.0, 0.3, 0.5, 1.0)]
    assert marked == [4, 2, 1, 0]


def test_marks_are_brackets_and_the_rest_stays():
    result = inspected("今天错了，错了。")
    assert detection_text(result) == "今天【错】了，【错】了。"
    assert detection_text(inspected("没事")) == "没事"
    assert detection_record(result).keys() == {*DETECTION_FIELDS, "text"}


def test_what_a_detector_did_not_read_is_unmarked_and_told():
    result = inspected("错错错", window=2)
    assert (len(result.replaced), result.read_whole) == (2, False)
    assert detection_text(result) == "【错】【错】错"


def test_many_texts_are_inspected_in_order():
    requests = [DetectionRequest(text) for text in ("错", "对", "错错")]
    results = list(detect_many(requests, FakeReplacedTokenDetector()))
    assert [len(one.replaced) for one in results] == [1, 0, 2]


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: ClassificationRequest(""), "1 to 2000 characters"),
        (lambda: ClassificationRequest("好", None), "must be text"),
        (lambda: ClassificationRequest("好", "好" * 2001), "0 to 2000 characters"),
        (lambda: DetectionRequest(" "), "all blank"),
        (lambda: DetectionRequest("好", 1.5), "between 0 and 1"),
    ],
)
def test_what_lies_outside_its_limit_is_refused(ask, said):
    with pytest.raises(InvalidRequestError, match=said):
        ask()


def test_captions_show_the_texts():
    assert all(one.text in caption(one) for one in CLASSIFICATION_EXAMPLES)
    assert any(one.text_b for one in CLASSIFICATION_EXAMPLES)
    assert DETECTION_EXAMPLES
