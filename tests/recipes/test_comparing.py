"""What is compared differs in one thing only."""

from dataclasses import asdict

import numpy as np
import pytest

from model_core.tokenizers.word_marks import NUM_MARKS, NUM_WORD_MARKS, matched
from model_core.training.objectives import Batch
from recipes import comparing, joint


def flat(options):
    values = asdict(options)
    return {
        f"{name}.{part}": value
        for name, held in values.items()
        for part, value in (held if isinstance(held, dict) else {"": held}).items()
    }


def test_the_base_is_what_a_run_does_when_nothing_is_switched():
    base = comparing.VARIANTS["base"]
    assert base.options == joint.Options()
    marks = np.arange(NUM_MARKS, dtype="int32")
    np.testing.assert_array_equal(base.marks(marks), marks)


def test_without_matches_words_keep_their_borders_and_kinds():
    word_marks = np.arange(1, NUM_WORD_MARKS + 1, dtype="int32")
    passage, question = np.array([5, 6, 7, 8]), np.array([9, 6, 7, 8])
    marks = matched(word_marks[:4], passage, question)
    assert (marks > NUM_WORD_MARKS).any()
    alone = comparing.VARIANTS["no matches"].marks
    np.testing.assert_array_equal(alone(marks), word_marks[:4])
    np.testing.assert_array_equal(alone(np.zeros(3, "int32")), np.zeros(3, "int32"))
    nothing = comparing.VARIANTS["no marks"].marks(marks)
    assert (nothing.dtype, nothing.tolist()) == (marks.dtype, [0, 0, 0, 0])


def test_a_variants_marks_are_what_its_network_reads():
    marks = np.array([[1, NUM_WORD_MARKS + 3, 0]], "int32")
    batch = Batch("cloze", "cloze", {"mark_ids": marks, "other": marks}, marks, 3)
    made = comparing._marked(batch, comparing.VARIANTS["no matches"])
    assert made.inputs["mark_ids"].tolist() == [[1, 3, 0]]
    assert made.inputs["other"] is marks
    assert batch.inputs["mark_ids"] is marks


@pytest.mark.parametrize(
    "name", [name for name in comparing.VARIANTS if name != "base"]
)
def test_a_variant_switches_one_thing(name):
    found = comparing.VARIANTS[name]
    base, variant = flat(comparing.BASE), flat(found.options)
    switched = sum(base[key] != variant[key] for key in base)
    marks = found.marks is not comparing.VARIANTS["base"].marks
    assert switched + marks == 1


def test_the_time_of_a_step_is_that_between_two_batches(monkeypatch):
    clock = iter([0.0, 3.0, 5.0, 6.0])
    monkeypatch.setattr(comparing.time, "monotonic", lambda: next(clock))
    batches = comparing._timed(iter("abcd"))
    assert [next(batches) for _ in range(4)] == list("abcd")
    assert batches.median_seconds == 2.0
