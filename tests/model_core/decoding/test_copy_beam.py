from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pytest

from model_core.decoding.beam import BeamOptions, beam_search
from model_core.decoding.copy_beam import (
    CopyOptions,
    TaggedStepper,
    copy_beam_search,
    copy_beam_search_many,
)
from model_core.decoding.copying import OUTSIDE, copied_spans
from tests.model_core.decoding.test_copying import copy_step
from tests.model_core.decoding.test_sparse import sparse_softmax
from tests.model_core.decoding.toy_stepper import ToyStepper

PROMPT = [4, 1, 2, 3, 1, 0]
STOP, MARK = 0, 4


@dataclass
class ToyCopyStepper:
    """Two toys in step: one for the tokens, one whose first three logits are tags."""

    vocab_size: int = 5
    seed: int = 0
    tokens: ToyStepper = field(init=False)
    tags: ToyStepper = field(init=False)

    def __post_init__(self):
        self.tokens = ToyStepper(self.vocab_size, self.seed, scale=0.7)
        self.tags = ToyStepper(self.vocab_size, self.seed + 1)

    def prefill(self, token_ids, lengths, capacity):
        logits, cache = self.tokens.prefill(token_ids, lengths, capacity)
        scores, of_tags = self.tags.prefill(token_ids, lengths, capacity)
        return logits, scores[:, :3], (cache, of_tags)

    def decode_one_token(self, token_ids, positions, cache):
        logits, one = self.tokens.decode_one_token(token_ids, positions, cache[0])
        scores, other = self.tags.decode_one_token(token_ids, positions, cache[1])
        return logits, scores[:, :3], (one, other)

    def reorder(self, cache, rows):
        return self.tokens.reorder(cache[0], rows), self.tags.reorder(cache[1], rows)


def search(seed=0, prompt=PROMPT, sparse_top_k=0, **changes):
    options = {"max_new_tokens": 4, "num_beams": 3, **changes}
    copy = CopyOptions(frozenset({STOP}), frozenset({MARK, STOP}), sparse_top_k)
    beams = BeamOptions(stop_token_ids=frozenset({STOP}), **options)
    frames = list(copy_beam_search(ToyCopyStepper(seed=seed), prompt, beams, copy))
    return frames[-1].rows


def next_log_probs(stepper, prompt, token_ids, tags, sparse_top_k=0):
    """Tag and log-probabilities of the next token, by the definition."""
    seen = [*prompt, *token_ids]
    scores = stepper.tags.logits_after(seen)[:3]
    copyable = np.array(prompt)
    tag, allowed = copy_step(scores, copyable, token_ids, tags, {MARK, STOP})
    logits = stepper.tokens.logits_after(seen)
    if allowed is not None:
        kept = np.full_like(logits, -np.inf)
        kept[[*allowed, STOP]] = logits[[*allowed, STOP]]
        logits = kept
    with np.errstate(divide="ignore"):
        return tag, np.log(sparse_softmax(logits[None], sparse_top_k or 5)[0])


def all_targets(stepper, prompt, length, sparse_top_k):
    """Every finished target with its tags and score, best first."""
    found = []
    for size in range(length + 1):
        for text in product(range(1, 5), repeat=size):
            tags, total = [], 0.0
            ending = text if size == length else (*text, STOP)
            for place, token in enumerate(ending):
                tag, log_probs = next_log_probs(
                    stepper, prompt, text[:place], tags, sparse_top_k
                )
                total += log_probs[token]
                tags.append(tag)
            if total > -np.inf:
                found.append((total / len(ending), text, tuple(tags[: len(text)])))
    return sorted(found, reverse=True)


@pytest.mark.parametrize("sparse_top_k", [0, 3])
@pytest.mark.parametrize("seed", range(4))
def test_enough_beams_search_exhaustively(seed, sparse_top_k):
    expected = all_targets(ToyCopyStepper(seed=seed), PROMPT, 4, sparse_top_k)[:5]
    rows = search(seed, sparse_top_k=sparse_top_k, num_beams=400, num_return=5)
    assert [(row.token_ids, row.tags) for row in rows] == [
        (text, tags) for _, text, tags in expected
    ]
    assert [row.score for row in rows] == pytest.approx(
        [score for score, _, _ in expected], abs=1e-5
    )
    assert any(any(row.tags) for row in rows)


@pytest.mark.parametrize("seed", range(10))
def test_copied_stretches_occur_in_the_prompt(seed):
    rows = search(seed, max_new_tokens=20, num_beams=4, num_return=4)
    for row in rows:
        for start, end, source_start in copied_spans(
            row.token_ids, row.tags, np.array(PROMPT)
        ):
            copied = PROMPT[source_start : source_start + end - start]
            assert list(row.token_ids[start:end]) == copied
            assert MARK not in copied


@pytest.mark.parametrize("seed", range(3))
def test_several_prompts_are_searched_as_each_alone(seed):
    prompts = [PROMPT, [4, 2, 2, 0], [4, 3, 1, 2, 3, 3, 1, 0]]
    beams = BeamOptions(7, num_beams=3, num_return=2, stop_token_ids=frozenset({STOP}))
    copy = CopyOptions(frozenset({STOP}), frozenset({MARK, STOP}))
    *_, together = copy_beam_search_many(
        ToyCopyStepper(seed=seed), prompts, beams, copy
    )
    alone = [
        list(copy_beam_search(ToyCopyStepper(seed=seed), prompt, beams, copy))[-1]
        for prompt in prompts
    ]
    assert list(together) == alone


def test_a_prompt_of_marks_leaves_the_search_free():
    prompt = [4, 4, 0]
    rows = search(3, prompt, num_beams=3, num_return=3, max_new_tokens=6)
    options = BeamOptions(6, 3, 3, stop_token_ids=frozenset({STOP}))
    *_, free = beam_search(ToyCopyStepper(seed=3).tokens, prompt, options)
    assert rows == free.rows
    assert {tag for row in rows for tag in row.tags} <= {OUTSIDE}


def test_a_row_that_repeats_its_last_token_stays_where_it_was():
    copy = CopyOptions(frozenset({STOP}), frozenset({MARK, STOP}))
    stepper = TaggedStepper(ToyCopyStepper(seed=4), copy)
    token_ids = np.array([PROMPT, PROMPT], np.int32)
    lengths = np.array([len(PROMPT)] * 2, np.int32)
    _, cache = stepper.prefill(token_ids, lengths, 9)
    one, three = np.array([1, 1], np.int32), np.array([1, 3], np.int32)
    before, cache = stepper.decode_one_token(one, lengths, cache)
    tags, targets = cache.tags, cache.targets
    places = lengths + np.array([0, 1], np.int32)
    after, cache = stepper.decode_one_token(three, places, cache)
    np.testing.assert_array_equal(after[0], before[0])
    assert cache.tags[0] == tags[0]
    assert cache.targets[0] is targets[0]
    assert cache.targets[1] is not targets[1]


def test_a_negative_k_is_refused():
    with pytest.raises(ValueError, match="sparse_top_k must be >= 0, got -1"):
        CopyOptions(frozenset(), sparse_top_k=-1)
