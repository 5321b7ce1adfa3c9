"""Frames made of what is new in them equal frames made of everything."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_core.decoding.frames import ChosenToken, DecodedRow
from model_core.decoding.healing import Healed
from model_core.roles.pieces import PieceMaker
from model_core.tokenizers.load import load_tokenizer

TOKENIZER = load_tokenizer(Path(__file__).parents[3] / "assets" / "embedded")
WORDS = TOKENIZER.encode(
    "the end of 3.14, http://x.com 春风又绿 Keras 3 江南岸"
).token_ids


def token(token_id, number=0):
    return ChosenToken(token_id, -0.5 - number, ((token_id, 0.5), (200, 0.25)))


def row(tokens, finish=""):
    return DecodedRow(tuple(tokens), sum(t.log_prob for t in tokens), finish)


def healed(removed=""):
    return Healed(WORDS[:3], removed, len(removed))


rows_of_tokens = st.lists(st.sampled_from(WORDS), min_size=1, max_size=30)


@settings(max_examples=60, deadline=None)
@given(
    ids=rows_of_tokens, cuts=st.lists(st.integers(0, 30), max_size=6), data=st.data()
)
def test_a_growing_row_reads_as_one_made_at_once(ids, cuts, data):
    tokens = [token(token_id, place) for place, token_id in enumerate(ids)]
    whole = TOKENIZER.decode([*WORDS[2:3], *ids])
    start = len(TOKENIZER.decode(WORDS[2:3]))
    length = data.draw(st.integers(0, min(6, len(whole) - start)))
    prompt = healed(whole[start : start + length])
    growing = PieceMaker(TOKENIZER, prompt)
    for size in [*sorted(cuts), len(tokens)]:
        asked = row(tokens[:size])
        fresh = PieceMaker(TOKENIZER, prompt).candidates((asked,))
        assert growing.candidates((asked,)) == fresh
    (candidate,) = growing.candidates((row(tokens, "length"),))
    assert candidate.finish == "length"
    assert "".join(score.text for score in candidate.tokens) == candidate.text
    assert len(candidate.tokens) == len(ids)


def test_beams_may_change_places_and_take_tokens_back():
    first, second = ([token(t, place) for t in WORDS[:8]] for place in range(2))
    pieces = PieceMaker(TOKENIZER, healed())
    pieces.candidates((row(first[:5]), row(second[:6])))
    for rows in (
        (row(second), row(first)),
        (row(first[:2]), row([*first[:2], *second[2:]])),
        (row(second[:7]),),
    ):
        fresh = PieceMaker(TOKENIZER, healed()).candidates(rows)
        assert pieces.candidates(rows) == fresh


@pytest.mark.parametrize("size", [1, 10])
def test_what_stood_in_a_frame_is_not_read_again(monkeypatch, size):
    read = []
    usual = TOKENIZER.token_text
    monkeypatch.setattr(
        type(TOKENIZER), "token_text", lambda _, i: read.append(i) or usual(i)
    )
    tokens = [token(t) for t in WORDS[:size]]
    pieces = PieceMaker(TOKENIZER, healed())
    for end in range(1, size + 1):
        pieces.candidates((row(tokens[:end]),))
    assert len(read) == 2 * size  # the runners-up of every token, once
