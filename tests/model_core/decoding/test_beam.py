from itertools import pairwise, product

import numpy as np
import pytest

from model_core.decoding.beam import BeamOptions, beam_search
from model_core.decoding.history import History
from model_core.decoding.logits import (
    ForbiddenTokens,
    MinNewTokens,
    NoRepeatNgram,
    RepetitionPenalty,
    Temperature,
    TopK,
    apply,
)
from model_core.decoding.loop import SamplingOptions, generate
from tests.model_core.decoding.toy_stepper import ToyStepper

PROMPT = [3, 1, 2]
STOP = 4


def final(stepper, prompt=PROMPT, **changes):
    return list(beam_search(stepper, prompt, beam_options(**changes)))[-1].rows


def beam_options(**changes):
    defaults = {"max_new_tokens": 8, "num_beams": 3, "stop_token_ids": {STOP}}
    merged = {**defaults, **changes}
    return BeamOptions(
        **{**merged, "stop_token_ids": frozenset(merged["stop_token_ids"])}
    )


def all_continuations(stepper, length_penalty, length):
    """Every finished continuation with its score, best first."""
    found = []
    texts = [range(STOP)] * length
    for size in range(length + 1):
        for text in product(*texts[:size]):
            ending = text if size == length else (*text, STOP)
            seen, total = list(PROMPT), 0.0
            for token in ending:
                total += float(stepper.log_probs_after(seen)[token])
                seen.append(token)
            found.append((total / len(ending) ** length_penalty, text))
    return sorted(found, reverse=True)


@pytest.mark.parametrize("length_penalty", [-1.0, 0.0, 0.6, 1.0, 2.0])
def test_enough_beams_search_exhaustively(length_penalty):
    stepper = ToyStepper(vocab_size=5, seed=2, scale=0.7)
    best = all_continuations(stepper, length_penalty, length=4)[:6]
    rows = final(
        stepper,
        max_new_tokens=4,
        num_beams=400,
        num_return=6,
        length_penalty=length_penalty,
    )
    assert [row.token_ids for row in rows] == [text for _, text in best]
    assert [row.score for row in rows] == pytest.approx(
        [score for score, _ in best], abs=1e-5
    )


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    "rules",
    [(), (RepetitionPenalty(1.4), NoRepeatNgram(2), MinNewTokens(3, (STOP,)))],
    ids=["free", "ruled"],
)
def test_one_beam_is_greedy(seed, rules):
    shared = {"max_new_tokens": 12, "stop_token_ids": frozenset({STOP})}
    greedy = SamplingOptions(rules=(*rules, TopK(1)), num_alternatives=2, **shared)
    frames = list(generate(ToyStepper(9, seed), [PROMPT], greedy))
    one = BeamOptions(
        num_beams=1, rules=rules, num_alternatives=2, length_penalty=0.0, **shared
    )
    beams = list(beam_search(ToyStepper(9, seed), PROMPT, one))
    assert [frame.rows[0].tokens for frame in beams] == [
        frame.rows[0].tokens for frame in frames
    ]
    assert beams[-1].rows[0].finish == frames[-1].rows[0].finish
    assert beams[-1].rows[0].log_prob == frames[-1].rows[0].log_prob


def patient_search(stepper, options):
    """The same search over whole sequences, without the early way out."""
    running, finished = [((), 0.0)], []
    while running and len(finished) < options.num_beams:
        candidates = []
        for text, total in running:
            seen = [*PROMPT, *text]
            logits = stepper.logits_after(seen)[None]
            history = History(
                *(np.array(x, np.int32) for x in ([seen], [len(seen)], [len(PROMPT)]))
            )
            steps = apply(options.rules, logits, history)[0].astype(np.float64)
            steps -= np.log(np.exp(logits.astype(np.float64)).sum())
            candidates += [
                ((*text, token), total + float(step))
                for token, step in enumerate(steps)
                if step > -np.inf
            ]
        candidates.sort(key=lambda candidate: -candidate[1])
        first = candidates[: options.num_beams]
        finished += [beam for beam in first if beam[0][-1] == STOP]
        others = [beam for beam in candidates if beam[0][-1] != STOP]
        running = others[: options.num_beams]
        if running and len(running[0][0]) == options.max_new_tokens:
            finished, running = finished + running, []
    scored = [(options.score(total, len(text)), text) for text, total in finished]
    return sorted(scored, reverse=True)[: options.num_return]


@pytest.mark.parametrize("length_penalty", [-0.5, 0.0, 1.0, 1.7])
@pytest.mark.parametrize("num_return", [1, 3])
@pytest.mark.parametrize("rules", [(), (RepetitionPenalty(1.2),)], ids=["", "ruled"])
def test_leaving_early_never_changes_the_result(length_penalty, num_return, rules):
    for seed in range(6):
        stepper = ToyStepper(vocab_size=7, seed=seed)
        options = beam_options(
            max_new_tokens=10,
            num_beams=5,
            num_return=num_return,
            length_penalty=length_penalty,
            rules=rules,
        )
        expected = patient_search(stepper, options)
        rows = list(beam_search(stepper, PROMPT, options))[-1].rows
        stopped = [(*row.token_ids, *[STOP] * (row.finish == "stop")) for row in rows]
        assert stopped == [text for _, text in expected]
        assert [row.score for row in rows] == pytest.approx(
            [score for score, _ in expected], abs=1e-5
        )


def test_a_search_that_is_decided_ends_before_its_limits():
    def num_frames(num_return):
        options = beam_options(
            max_new_tokens=200,
            num_beams=6,
            num_return=num_return,
            length_penalty=0.0,
        )
        return len(list(beam_search(ToyStepper(7, seed=1), PROMPT, options)))

    assert num_frames(1) < num_frames(6) < 200


def test_a_higher_length_penalty_never_prefers_shorter_texts():
    lengths = []
    for penalty in (-1.0, 0.0, 1.0, 3.0):
        rows = [
            final(
                ToyStepper(6, seed, scale=1.0),
                max_new_tokens=5,
                num_beams=1500,
                length_penalty=penalty,
            )[0]
            for seed in range(2)
        ]
        lengths.append(sum(row.num_steps for row in rows))
    assert lengths == sorted(lengths)
    assert lengths[0] < lengths[-1]


def test_the_score_is_the_log_prob_over_a_power_of_the_length():
    assert BeamOptions(9, 1, length_penalty=2.0).score(-18.0, 3) == -2.0
    assert BeamOptions(9, 1, length_penalty=0.0).score(-18.0, 3) == -18.0
    rows = final(ToyStepper(9), num_return=3, length_penalty=0.5)
    for row in rows:
        assert row.score == pytest.approx(row.log_prob / row.num_steps**0.5)


@pytest.mark.parametrize("rules", [(), (RepetitionPenalty(1.5),)], ids=["", "ruled"])
def test_log_probs_equal_the_recomputed_ones(rules):
    stepper = ToyStepper(9, seed=1)
    rows = final(stepper, num_beams=4, num_return=4, rules=rules)
    assert any(row.stop_token for row in rows)
    for row in rows:
        seen, total = list(PROMPT), 0.0
        for token in [*row.tokens, *([row.stop_token] if row.stop_token else [])]:
            total += stepper.log_probs_after(seen)[token.token_id]
            seen.append(token.token_id)
        assert row.log_prob == pytest.approx(total, abs=1e-4)
        assert row.score <= row.log_prob / row.num_steps + 1e-6


def test_frames_are_ranked_and_hold_distinct_texts():
    frames = list(
        beam_search(
            ToyStepper(9, seed=5), PROMPT, beam_options(num_beams=4, num_return=4)
        )
    )
    for frame in frames:
        scores = [row.score for row in frame.rows]
        assert scores == sorted(scores, reverse=True)
        texts = {(row.token_ids, row.finish) for row in frame.rows}
        assert len(texts) == len(frame.rows)
    assert frames[-1].is_finished
    assert not any(frame.is_finished for frame in frames[:-1])


def test_rules_hold_in_every_beam():
    rules = (ForbiddenTokens((0, 1)), NoRepeatNgram(2), MinNewTokens(6, (STOP,)))
    rows = final(
        ToyStepper(12, seed=1), num_beams=5, num_return=5, max_new_tokens=9, rules=rules
    )
    assert len(rows) == 5
    for row in rows:
        text = (*PROMPT, *row.token_ids)
        pairs = list(pairwise(text))
        assert len(set(pairs)) == len(pairs)
        assert not {0, 1} & set(row.token_ids)
        assert len(row.tokens) >= 6


def test_all_beams_share_one_decode_and_the_search_is_deterministic():
    one, two = ToyStepper(9), ToyStepper(9)
    assert final(one, stop_token_ids=()) == final(two, stop_token_ids=())
    assert [call for call in one.calls if call[0] == "decode"] == [("decode", 3)] * 7
    assert one.calls[:2] == [("prefill", 1), ("reorder", 3)]


def test_closing_computes_nothing_more():
    stepper = ToyStepper(9)
    frames = beam_search(stepper, PROMPT, beam_options())
    assert stepper.calls == []
    next(frames)
    next(frames)
    calls = list(stepper.calls)
    frames.close()
    assert stepper.calls == calls
    assert stepper.count("decode") == 1


def test_fewer_possible_texts_than_beams_are_all_returned():
    rules = (ForbiddenTokens((0, 1, 2)),)  # leaves 3 and the stop
    rows = final(
        ToyStepper(5), num_beams=9, num_return=9, max_new_tokens=2, rules=rules
    )
    found = {(row.token_ids, row.finish) for row in rows}
    assert found == {((), "stop"), ((3,), "stop"), ((3, 3), "length")}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_beams": 0}, "num_beams must be >= 1, got 0"),
        ({"num_return": 4}, "between 1 and num_beams = 3, got 4"),
        ({"num_return": 0}, "between 1 and num_beams = 3, got 0"),
        ({"max_new_tokens": 0}, "max_new_tokens must be >= 1, got 0"),
        ({"rules": (Temperature(0.5),)}, "must not hold a Temperature"),
    ],
)
def test_what_cannot_be_searched_is_refused_by_name(changes, message):
    with pytest.raises(ValueError, match=message):
        beam_options(**changes)


def test_an_empty_prompt_is_refused_at_once():
    with pytest.raises(ValueError, match="at least one token id, got none"):
        beam_search(ToyStepper(9), [], beam_options())


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
def test_a_search_until_sure_only_ever_finds_better(seed, length_penalty):
    options = {"length_penalty": length_penalty, "max_new_tokens": 7, "num_beams": 2}
    stepper = ToyStepper(6, seed, scale=2.0)
    early, sure = (
        final(stepper, until_sure=sure, **options)[0] for sure in (False, True)
    )
    assert sure.score >= early.score - 1e-9


def test_a_list_that_may_stop_after_each_item_is_written_to_its_end():
    """Stopping ranks second at every step, going on is as good as certain."""

    class Lister(ToyStepper):
        def logits_after(self, seen):
            logits = np.full(self.vocab_size, -20.0, np.float32)
            item = len(seen) - len(PROMPT)
            logits[STOP], logits[item % 2] = (0.0, 4.0) if item < 6 else (4.0, 0.0)
            return logits

    options = {"length_penalty": 0.0, "max_new_tokens": 9, "num_beams": 3}
    early, sure = (
        final(Lister(6, 0), until_sure=sure, **options)[0] for sure in (False, True)
    )
    assert len(early.tokens) < 6
    assert len(sure.tokens) == 6
    assert sure.score > early.score
