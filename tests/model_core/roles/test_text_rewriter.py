"""The rewriter: deterministic, alone or together, and honest about what it read."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from model_core.engines.keras_engine import KerasStepper
from model_core.engines.native.stepper import NativeStepper
from model_core.interfaces import ModelError, RewriteOptions
from model_core.roles.text_rewriter import NetworkTextRewriter
from tests.model_core.playing_checkpoint import RIVER, TEXTS, load_playing

PLAIN = RewriteOptions("title", max_new_tokens=6, num_beams=3, num_return=2)
COPYING = RewriteOptions("summary", max_new_tokens=6, num_beams=2, copy=True)
SPARSE = RewriteOptions("title", max_new_tokens=5, num_beams=3, sparse_top_k=4)
BOTH = RewriteOptions(
    "summary", max_new_tokens=6, num_beams=2, copy=True, sparse_top_k=5
)
EVERY = {"plain": PLAIN, "copying": COPYING, "sparse": SPARSE, "both": BOTH}


@pytest.fixture(scope="module", name="rewriter")
def fixture_rewriter(tmp_path_factory):
    return NetworkTextRewriter(load_playing(tmp_path_factory.mktemp("rewriter")))


def last(rewriter, source, options):
    *_, frame = rewriter.rewrite(source, options)
    return frame


def told(frame):
    """What a frame says, without the time it took."""
    return [
        (one.candidate.text, one.candidate.finish, one.copied)
        for one in frame.rewritings
    ]


def test_weights_say_what_they_write(rewriter):
    assert rewriter.parts == ("title", "summary")
    assert rewriter.can_copy
    assert rewriter.weights.name == "tiny"


@pytest.mark.parametrize("options", EVERY.values(), ids=EVERY)
def test_the_same_source_is_rewritten_alike(rewriter, options):
    first, again = (last(rewriter, RIVER, options) for _ in range(2))
    assert told(first) == told(again)
    assert [one.score for one in first.rewritings] == [
        one.score for one in again.rewritings
    ]


@pytest.mark.parametrize("options", EVERY.values(), ids=EVERY)
def test_together_is_one_by_one(rewriter, options):
    sources = (*TEXTS, RIVER[:7], TEXTS[1] * 3, RIVER)
    together = rewriter.rewrite_many(sources, options)
    assert len(together) == len(sources)
    for source, frame in zip(sources, together, strict=True):
        alone = last(rewriter, source, options)
        assert told(frame) == told(alone)
        assert frame.num_source_chars_read == alone.num_source_chars_read
        for one, other in zip(frame.rewritings, alone.rewritings, strict=True):
            assert one.candidate.log_prob == pytest.approx(
                other.candidate.log_prob, abs=1e-3
            )
        np.testing.assert_array_equal(frame.attention.mask, alone.attention.mask)
        assert frame.attention.tokens == alone.attention.tokens


@pytest.mark.parametrize("options", EVERY.values(), ids=EVERY)
def test_results_come_best_first_and_spell_their_text(rewriter, options):
    frame = last(rewriter, RIVER, options)
    assert len(frame.rewritings) == options.num_return
    scores = [one.score for one in frame.rewritings]
    assert scores == sorted(scores, reverse=True)
    for one in frame.rewritings:
        candidate = one.candidate
        assert "".join(token.text for token in candidate.tokens) == candidate.text
        assert candidate.finish in ("stop", "length")
        assert "[" not in candidate.text
        steps = len(candidate.tokens) + (candidate.finish == "stop")
        assert one.score == pytest.approx(candidate.log_prob / steps, rel=1e-5)
        if candidate.finish == "length":
            total = sum(token.log_prob for token in candidate.tokens)
            assert math.isclose(candidate.log_prob, total, rel_tol=1e-6)


def test_every_frame_is_the_whole_result_so_far_and_the_last_one_shows_the_mask(
    rewriter, monkeypatch
):
    monkeypatch.setattr(rewriter, "frame_seconds", 0)
    frames = list(rewriter.rewrite(RIVER, PLAIN))
    assert len(frames) > 2
    assert [frame.attention is None for frame in frames[:-1]] == [True] * (
        len(frames) - 1
    )
    assert frames[-1].attention is not None
    counts = [frame.num_new_tokens for frame in frames]
    assert all(b >= a for a, b in itertools.pairwise(counts))
    assert all(one.weights.name == "tiny" for one in frames)


@pytest.mark.parametrize("options", [PLAIN, COPYING], ids=["plain", "copying"])
def test_the_picture_is_the_prefix_mask_of_this_very_request(rewriter, options):
    frame = last(rewriter, RIVER, options)
    picture = frame.attention
    written = len(frame.rewritings[0].candidate.tokens)
    size = len(picture.tokens)
    source = size - written
    assert picture.segment_ids == (0,) * source + (1,) * written
    mark = "[标题]" if options.part == "title" else "[摘要]"
    assert picture.tokens[:2] == ("[CLS]", mark)
    assert picture.tokens[source - 1] == "[SEP]"
    assert "".join(picture.tokens[2 : source - 1]) == RIVER
    assert "".join(picture.tokens[source:]) == frame.rewritings[0].candidate.text
    #            source target
    #   source      1      0
    #   target      1      past and itself
    expected = np.zeros((size, size), bool)
    expected[:, :source] = True
    expected[source:, source:] = np.tri(written, dtype=bool)
    np.testing.assert_array_equal(picture.mask, expected)
    assert picture.mask.dtype == np.bool_


def test_copied_spans_stand_in_the_source(rewriter):
    met = 0
    for source in TEXTS:
        for one in last(rewriter, source, COPYING).rewritings:
            text = one.candidate.text
            for span in one.copied:
                copied = text[span.start : span.end]
                assert copied
                assert source[span.source_start :].startswith(copied)
                met += 1
            ends = [span.end for span in one.copied]
            starts = [span.start for span in one.copied]
            assert all(a <= b for a, b in zip(ends, starts[1:], strict=False))
    assert met


def test_without_copying_nothing_is_called_copied(rewriter):
    assert not any(one.copied for one in last(rewriter, RIVER, PLAIN).rewritings)


def test_a_sparse_search_gives_no_other_token_a_probability(rewriter):
    plain, sparse = (
        last(rewriter, RIVER, RewriteOptions("title", 1, num_beams=1, sparse_top_k=k))
        for k in (0, 2)
    )
    assert sparse.rewritings[0].candidate.text == plain.rewritings[0].candidate.text
    assert (
        sparse.rewritings[0].candidate.log_prob > plain.rewritings[0].candidate.log_prob
    )


def test_options_hold(rewriter):
    frame = last(
        rewriter,
        RIVER,
        RewriteOptions(
            "title",
            max_new_tokens=12,
            min_new_tokens=12,
            num_beams=2,
            no_repeat_ngram_size=2,
        ),
    )
    tokens = [token.text for token in frame.rewritings[0].candidate.tokens]
    assert len(tokens) == 12
    assert frame.num_new_tokens == 12
    pairs = list(itertools.pairwise(tokens))
    assert len(pairs) == len(set(pairs))


def test_a_long_source_is_read_from_its_start_and_says_how_far(rewriter):
    source = TEXTS[2] * 40
    frame = last(rewriter, source, PLAIN)
    # 512 positions: 6 for the target, 3 for the marks
    assert frame.num_source_chars_read == 512 - 6 - 3
    assert "".join(frame.attention.tokens[2:503]) == source[:501]
    assert last(rewriter, RIVER, PLAIN).num_source_chars_read == len(RIVER)


@pytest.mark.parametrize("copy", [False, True], ids=["plain", "copying"])
def test_no_more_is_written_than_positions_are_left(rewriter, copy):
    long = RewriteOptions("summary", 500, 500, num_beams=1, copy=copy)
    together = rewriter.rewrite_many((RIVER, TEXTS[2] * 40), long)
    for frame in together:
        assert frame.num_new_tokens == 512 // 2  # of a short source as of a long one
        assert len(frame.attention.tokens) <= 512
    assert told(together[0]) == told(last(rewriter, RIVER, long))


def test_what_sources_leave_free_may_be_written(rewriter, monkeypatch):
    model = rewriter._model
    short = replace(model.parts, source_tokens={"title": 100})
    monkeypatch.setattr(rewriter, "_model", replace(model, parts=short))
    long = RewriteOptions("title", max_new_tokens=500, min_new_tokens=500, num_beams=1)
    assert last(rewriter, RIVER * 9, long).num_new_tokens == 512 - 100


def test_no_more_is_read_than_was_ever_trained(rewriter, monkeypatch):
    model = rewriter._model
    short = replace(model.parts, source_tokens={"title": 20})
    monkeypatch.setattr(rewriter, "_model", replace(model, parts=short))
    assert last(rewriter, "长江" * 50, PLAIN).num_source_chars_read == 20 - 3
    other = replace(PLAIN, part="summary")
    assert last(rewriter, "长江" * 50, other).num_source_chars_read == 100


@pytest.mark.parametrize("source", ["", "😀🎉", "\n\n", "[标题][SEP]"])
def test_any_source_can_be_rewritten(rewriter, source):
    for options in (PLAIN, BOTH):
        frame = last(rewriter, source, options)
        assert frame.rewritings[0].candidate.finish
        assert 0 <= frame.num_source_chars_read <= len(source)


def test_nothing_to_rewrite_is_nothing(rewriter):
    assert rewriter.rewrite_many((), PLAIN) == ()


def test_an_unknown_part_is_refused_with_the_known_ones(rewriter):
    options = RewriteOptions("poem")
    for ask in (rewriter.rewrite, lambda s, o: rewriter.rewrite_many((s,), o)):
        with pytest.raises(
            ModelError, match="没有学过“poem”，会的是：title、summary"
        ) as e:
            list(ask(RIVER, options))
        assert e.value.kind == "unsupported"
        assert "not trained for “poem”; they know: title、summary" in e.value.en


def test_copying_without_a_copy_head_is_refused(tmp_path):
    model = load_playing(tmp_path, heads=("language_model",), parts=("title",))
    rewriter = NetworkTextRewriter(model)
    assert not rewriter.can_copy
    assert rewriter.parts == ("title",)
    with pytest.raises(ModelError, match="没有复制头，请关闭“复制”"):
        list(rewriter.rewrite(RIVER, RewriteOptions("title", copy=True)))
    assert last(rewriter, RIVER, PLAIN).rewritings


def test_closing_stops_the_computation(rewriter, monkeypatch):
    calls = []
    for stepper in (NativeStepper, KerasStepper):  # the second without a compiler
        step = stepper.decode_one_token
        monkeypatch.setattr(
            stepper,
            "decode_one_token",
            lambda *a, step=step: calls.append(1) or step(*a),
        )
    monkeypatch.setattr(rewriter, "frame_seconds", 0)
    frames = rewriter.rewrite(RIVER, RewriteOptions("title", 30, 30))
    next(frames)
    next(frames)
    frames.close()
    assert len(calls) == 1
