"""What a pattern favours by itself is no evidence."""

import numpy as np

from demos.fewshot.calibration import calibrated
from demos.fewshot.pattern import read_pattern
from tests.fake_mask_filler import FakeMaskFiller

PATTERN = read_pattern("____满意。{text}")


def test_the_scores_are_those_beyond_the_bare_pattern():
    filler, words = FakeMaskFiller(), ("好", "差")
    sentences = [PATTERN.blanked(text) for text in ("饭很香", "又慢又凉")]
    bare = PATTERN.blanked("")
    expected = filler.log_probs(sentences, words) - filler.log_probs([bare], words)
    found = calibrated(filler, PATTERN, sentences, words)
    np.testing.assert_allclose(found, expected)
    assert filler.asked[-1] == ((*sentences, bare), words)


def test_a_text_that_says_nothing_makes_all_words_equal():
    found = calibrated(FakeMaskFiller(), PATTERN, [PATTERN.blanked("")], ("好", "差"))
    np.testing.assert_array_equal(found, [[0, 0]])


def test_no_sentence_is_no_score():
    assert calibrated(FakeMaskFiller(), PATTERN, [], ("好", "差")).shape == (0, 2)


def test_two_texts_are_scored_as_they_are():
    filler, pattern = FakeMaskFiller(), read_pattern("{text}？____，{text_b}")
    sentences = [pattern.blanked("饭很香", "好吃")]
    found = calibrated(filler, pattern, sentences, ("好", "差"))
    np.testing.assert_array_equal(found, filler.log_probs(sentences, ("好", "差")))


def test_what_was_taught_is_scored_as_it_is():
    filler = FakeMaskFiller(is_taught=True)
    sentences = [PATTERN.blanked("饭很香")]
    found = calibrated(filler, PATTERN, sentences, ("好", "差"))
    np.testing.assert_array_equal(found, filler.log_probs(sentences, ("好", "差")))
