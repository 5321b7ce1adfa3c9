"""Writing by the chunk gives what stepping gives, over a toy that steps by itself."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_core.decoding.batch import advance
from model_core.decoding.chunks import Chunk, Writer
from model_core.decoding.logits import (
    AllowedFirst,
    MinNewTokens,
    NoRepeatNgram,
    RepetitionPenalty,
    TopK,
    TopP,
)
from model_core.decoding.loop import SamplingOptions, generate
from model_core.decoding.sampling import choose
from model_core.decoding.scoring import chosen_tokens, log_normalizers
from tests.model_core.decoding.toy_stepper import ToyStepper

PROMPTS = ([3, 1, 4, 1], [5], [9, 2, 6])
STOPS = frozenset({0, 7})


@dataclass(frozen=True)
class OnlyHere:
    """A rule that only the host knows, for some tokens."""

    num_tokens_ruled: int

    def __call__(self, logits, history):
        changed = logits.copy()
        changed[history.num_new_tokens < self.num_tokens_ruled, 3] += 5.0
        return changed


@dataclass
class ToyLoop:
    """Steps a toy by itself and says what it was asked; rows are padded by one."""

    stepper: ToyStepper
    longest: int = 8
    asked: list[int] = field(default_factory=list)
    fetched: int = 0

    def plan(self, options):
        if any(isinstance(rule, OnlyHere) for rule in options.rules):
            return None
        return options

    def begin(self, plan, batch, running, uniforms):
        return self._written(plan, batch, running.copy(), uniforms, steps=False)

    def go_on(self, plan, flight, uniforms):
        return self._written(plan, *flight, uniforms, steps=True)

    def fetch(self, pending, num_steps, num_rows):
        self.fetched += 1
        return Chunk(*(part[:num_steps, :num_rows] for part in pending))

    def _written(self, plan, batch, running, uniforms, *, steps):
        self.asked.append(len(uniforms))
        rows, most = len(running), plan.num_alternatives
        made = [np.zeros((self.longest, rows + 1), t) for t in ("i4", "f4", "f4")]
        made += [np.zeros((self.longest, rows + 1, most), t) for t in ("i4", "f4")]
        for step, drawn in enumerate(uniforms):
            if steps:
                if not running.any():
                    break
                batch = advance(self.stepper, batch, self.last, running)
            ids = choose(plan.rules, batch.logits, batch.history, drawn)
            self.last = ids.astype("int32")
            told = chosen_tokens(
                batch.logits,
                np.where(running, log_normalizers_or_0(batch.logits), 0),
                ids,
                [most] * rows,
            )
            made[0][step, :rows] = ids
            made[1][step, :rows] = [token.log_prob for token in told]
            made[2][step, :rows] = batch.logits.max(axis=1)
            for row, token in enumerate(told):
                for rank, (other, share) in enumerate(token.alternatives):
                    made[3][step, row, rank] = other
                    made[4][step, row, rank] = share
            running = running & ~np.isin(ids, list(plan.stop_token_ids))
            steps = True
        return (batch, running), made


def log_normalizers_or_0(logits):
    try:
        return log_normalizers(logits)
    except FloatingPointError:
        return np.zeros(len(logits))


def options(**changes):
    return SamplingOptions(**{"max_new_tokens": 24, **changes})


def writer(longest=8, **toy):
    stepper = ToyStepper(**{"vocab_size": 12, **toy})
    return Writer(stepper, ToyLoop(stepper, longest))


def assert_alike(found, expected):
    assert found.is_finished == expected.is_finished
    for one, two in zip(found.rows, expected.rows, strict=True):
        assert (one.token_ids, one.finish) == (two.token_ids, two.finish)
        assert one.num_steps == two.num_steps
        np.testing.assert_allclose(one.log_prob, two.log_prob, rtol=1e-5)
        assert one.score == one.log_prob
        for mine, theirs in zip(one.tokens, two.tokens, strict=True):
            np.testing.assert_allclose(mine.log_prob, theirs.log_prob, atol=1e-5)
            ids = [other for other, _ in theirs.alternatives]
            assert [other for other, _ in mine.alternatives] == ids


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 9999),
    st.sampled_from(
        [
            (),
            (TopK(1),),
            (RepetitionPenalty(1.3), NoRepeatNgram(3), TopK(6), TopP(0.9)),
            (MinNewTokens(9, (0, 7)), AllowedFirst((2, 5)), TopP(0.8)),
            (OnlyHere(3), TopK(4)),
            (OnlyHere(30), TopK(4)),
        ]
    ),
    st.sampled_from([(), STOPS]),
    st.integers(1, 25),
    st.sampled_from([PROMPTS, [PROMPTS[0]] * 3, PROMPTS[:1]]),
)
def test_chunks_give_what_steps_give(seed, rules, stops, most, prompts):
    asked = options(
        seed=seed,
        rules=rules,
        stop_token_ids=frozenset(stops),
        max_new_tokens=most,
        num_alternatives=2,
    )
    by_chunks = writer(longest=1 + seed % 9)
    *_, found = by_chunks.generate(prompts, asked)
    *_, expected = generate(ToyStepper(vocab_size=12), prompts, asked)
    assert_alike(found, expected)


def test_chunks_grow_and_end_with_the_text():
    by_chunks = writer(longest=8)
    frames = list(by_chunks.generate(PROMPTS, options(rules=(TopK(1),))))
    assert by_chunks.itself.asked == [1, 2, 4, 8, 8, 1]
    lengths = [len(frame.rows[0].tokens) for frame in frames]
    assert lengths == [1, 3, 7, 15, 23, 24]
    assert [frame.is_finished for frame in frames] == [False] * 5 + [True]


def test_every_frame_is_the_whole_result_so_far():
    asked = options(seed=4, stop_token_ids=STOPS)
    frames = list(writer(longest=2).generate(PROMPTS, asked))
    steps = list(generate(ToyStepper(vocab_size=12), PROMPTS, asked))
    by_count = {max(r.num_steps for r in frame.rows): frame for frame in steps}
    for frame in frames:
        assert_alike(frame, by_count[max(row.num_steps for row in frame.rows)])


def test_closing_ends_within_a_chunk():
    by_chunks = writer(longest=8)
    frames = by_chunks.generate(PROMPTS, options())
    assert by_chunks.stepper.calls == []  # nothing before the first frame
    next(frames)
    frames.close()
    assert by_chunks.itself.asked == [1, 2]
    assert by_chunks.itself.fetched == 1


def test_what_only_the_host_knows_is_followed_by_steps():
    by_chunks = writer()
    frames = list(by_chunks.generate(PROMPTS, options(rules=(OnlyHere(5), TopK(1)))))
    assert [len(frame.rows[0].tokens) for frame in frames][:7] == [1, 2, 3, 4, 5, 6, 8]
    assert by_chunks.itself.asked[:2] == [1, 2]
    by_chunks = writer()
    lasting = options(rules=(NoRepeatNgram(2), OnlyHere(99)))
    assert len(list(by_chunks.generate(PROMPTS, lasting))) == 24
    assert by_chunks.itself.asked == []


def test_a_row_that_stops_at_once_ends_the_text():
    by_chunks = writer()
    everything = frozenset(range(12))
    (frame,) = by_chunks.generate(PROMPTS, options(stop_token_ids=everything))
    assert [row.finish for row in frame.rows] == ["stop"] * 3
    assert by_chunks.itself.asked == [1]


def test_logits_that_are_no_numbers_are_an_error():
    by_chunks = writer()
    by_chunks.stepper._place[9] = np.nan
    frames = by_chunks.generate(PROMPTS, options(rules=(TopK(1),)))
    with pytest.raises(FloatingPointError, match="run the model in float32"):
        list(frames)


def test_a_prompt_without_a_token_is_refused_at_once():
    with pytest.raises(ValueError, match="at least one"):
        writer().generate([[]], options())
