import pytest

from recipes.labelling import Splits, cross_validate, learn_sentiment
from recipes.tasks_data import FewshotExample

PRAISE = ["味道很好", "服务很好", "质量很好", "很好用", "包装很好", "价格很好"]
BLAME = ["味道太差", "服务太差", "质量太差", "太差了", "包装太差", "价格太差"]


def reviews(unlabelled=("物流很好也很快", "物流太差也很慢") * 3):
    labelled = [FewshotExample(t, "Positive") for t in PRAISE]
    labelled += [FewshotExample(t, "Negative") for t in BLAME]
    return Splits(tuple(labelled), tuple(unlabelled))


@pytest.fixture(scope="module", name="labeller")
def fixture_labeller():
    return learn_sentiment(reviews())


def test_praise_is_told_from_complaint(labeller):
    assert labeller.label(["手机很好", "手机太差"]) == ["Positive", "Negative"]


def test_a_text_it_knows_nothing_of_gets_no_label(labeller):
    assert labeller.label(["ABC", ""]) == [None, None]
    assert labeller.probability(["ABC"]) == pytest.approx(0.5)


def test_only_sure_labels_are_given(labeller):
    mixed = "味道很好但服务太差"
    (probability,) = labeller.probability([mixed])
    sure = max(probability, 1 - probability)
    assert labeller.label([mixed], confidence=sure + 1e-6) == [None]
    assert labeller.label([mixed], confidence=sure - 1e-6) != [None]


def test_unlabelled_texts_teach_words_that_go_with_known_ones():
    without = learn_sentiment(reviews(("无关",)))
    assert without.probability(["快"])[0] == pytest.approx(0.5)
    texts = ["物流很快", "物流很慢"]
    fast, slow = learn_sentiment(reviews()).probability(texts)
    assert fast > slow


def test_cross_validation_never_learns_from_the_line_it_labels():
    memorised = [FewshotExample(f"{c * 4}", "Positive") for c in "甲乙丙丁"]
    memorised += [FewshotExample(f"{c * 4}", "Negative") for c in "戊己庚辛"]
    told = cross_validate(Splits(tuple(memorised), ("无关",)), folds=4)
    assert told.accuracy <= 0.5
    assert told.confident_share == 0
    assert cross_validate(reviews(), folds=4).accuracy == 1.0
