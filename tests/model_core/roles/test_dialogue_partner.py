"""A conversation is laid out as its model was trained, and answered token by token."""

import json
import threading
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from model_core.engines.improving import ImprovingEngine
from model_core.engines.keras_engine import KerasEngine
from model_core.interfaces import DIALOGUE_PARTNER, DialogueOptions, ModelError, Turn
from model_core.roles.cast import Cast
from model_core.roles.dialogue_partner import NetworkDialoguePartner
from model_core.roles.loaded import load_model
from model_core.roles.turn_format import TurnFormat, layout_of

reference = pytest.importorskip("tests.model_core.reference_models")

from tests.model_core.reference_models import torch, transformers

SPEAKERS = ("[speaker1]", "[speaker2]")
WORDS = tuple("你好吗我很晚安早上")
TOKENS = ("[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]", *SPEAKERS, *WORDS)
POSITIONS = 40
OPTIONS = DialogueOptions(max_new_tokens=6, seed=5, top_k=1)


def turns(*texts):
    """Speakers take turns; the person is last."""
    speakers = ("person", "model") if len(texts) % 2 else ("model", "person")
    return [Turn(speakers[n % 2], text) for n, text in enumerate(texts)]


def write_vocabulary(folder, tokens):
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf8")
    config = {"do_lower_case": True, "additional_special_tokens": [*SPEAKERS]}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


@pytest.fixture(name="theirs", scope="module")
def fixture_theirs():
    config = transformers.OpenAIGPTConfig(
        vocab_size=len(TOKENS), n_embd=32, n_layer=2, n_head=4, n_positions=POSITIONS
    )
    model = reference.built("OpenAIGPTLMHeadModel", config)
    with torch.no_grad():  # far from its runner-up in float32
        for parameter in model.parameters():
            parameter.mul_(1.5)
    return model


@pytest.fixture(name="model", scope="module")
def fixture_model(theirs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cdial")
    reference.save_bin(theirs, folder)
    values = json.loads((folder / "config.json").read_text())
    del values["model_type"]  # CDial-GPT's names none
    (folder / "config.json").write_text(json.dumps(values))
    write_vocabulary(folder, TOKENS)
    return load_model(folder, name="cdial")


def ids(text):
    return [TOKENS.index(character) for character in text]


def format_of(model, layout):
    return TurnFormat(layout, model.tokenizer, TOKENS.index("[SEP]"))


def test_the_vocabulary_gives_the_layout_away(model):
    assert model.info.family == "gpt"
    assert layout_of(model.tokenizer) == model.turn_layout == "speakers"
    assert DIALOGUE_PARTNER.name in Cast(model).roles


def test_speakers_stand_before_their_turns_and_under_their_tokens(model):
    laid = format_of(model, "speakers").lay_out([ids("你好"), ids("早")], 99)
    one, two = (TOKENS.index(speaker) for speaker in SPEAKERS)
    cls = TOKENS.index("[CLS]")
    assert laid.token_ids.tolist() == [cls, one, *ids("你好"), two, *ids("早"), one]
    assert laid.segment_ids.tolist() == [cls, one, one, one, two, two, one]
    assert laid.reply_segment == one


def test_segments_alternate_and_turns_are_closed(model):
    laid = format_of(model, "segments").lay_out([ids("你好"), ids("早")], 99)
    cls, sep = TOKENS.index("[CLS]"), TOKENS.index("[SEP]")
    assert laid.token_ids.tolist() == [cls, *ids("你好"), sep, *ids("早"), sep]
    assert laid.segment_ids.tolist() == [0, 0, 0, 0, 1, 1]
    assert laid.reply_segment == 0


def test_joined_turns_have_an_end_each(model):
    laid = format_of(model, "joined").lay_out([ids("你"), ids("早")], 99)
    sep = TOKENS.index("[SEP]")
    assert laid.token_ids.tolist() == [*ids("你"), sep, *ids("早"), sep]


@pytest.mark.parametrize("layout", ["speakers", "segments", "joined"])
@pytest.mark.parametrize("room", [4, 6, 9, 12, 30])
def test_the_latest_turns_that_fit_are_read(model, layout, room):
    said = [ids("你好吗"), ids("我很好"), ids("晚安"), ids("早上好你好吗")]
    laid = format_of(model, layout).lay_out(said, room)
    kept = said[laid.num_turns_dropped :]
    kept[0] = kept[0][laid.num_tokens_dropped :] if len(kept) == 1 else kept[0]
    whole = format_of(model, layout).lay_out(kept, 99)
    assert laid.token_ids.tolist() == whole.token_ids.tolist()
    assert len(laid.token_ids) <= room or len(kept[0]) == 1
    if laid.num_tokens_dropped:
        assert laid.num_turns_dropped == len(said) - 1


def test_a_reply_is_the_reference_s_own(model, theirs):
    """Greedy, with the speaker's token as every segment, recomputed each step."""
    said = turns("你好", "早", "晚安")
    *_, frame = NetworkDialoguePartner(model).reply(said, OPTIONS)
    laid = format_of(model, "speakers").lay_out([ids(t.text) for t in said], 99)
    tokens, segments = laid.token_ids.tolist(), laid.segment_ids.tolist()
    allowed = {*range(len(TOKENS))} - {
        n
        for n, token in enumerate(TOKENS)
        if token.startswith("[") and token != "[SEP]"
    }
    written = []
    for _ in range(OPTIONS.max_new_tokens):
        with torch.no_grad():
            logits = theirs(
                input_ids=torch.tensor([tokens]),
                token_type_ids=torch.tensor([segments]),
            ).logits[0, -1]
        best = max(allowed, key=lambda n: float(logits[n]))
        if TOKENS[best] == "[SEP]":
            break
        written.append(TOKENS[best])
        tokens, segments = [*tokens, best], [*segments, laid.reply_segment]
    assert frame.candidates[0].text == "".join(written)
    assert written


def test_replies_are_drawn_apart_and_the_same_again(model):
    partner = NetworkDialoguePartner(model)
    options = replace(OPTIONS, num_return=3, top_k=0, temperature=2.0)
    (*_, one), (*_, again) = (
        list(partner.reply(turns("你好"), options)) for _ in range(2)
    )
    assert [c.text for c in one.candidates] == [c.text for c in again.candidates]
    assert len({c.text for c in one.candidates}) > 1
    assert one.seed == 5
    for candidate in one.candidates:
        assert not set(candidate.text) & set("[]")


def test_what_does_not_fit_is_told(model):
    partner = NetworkDialoguePartner(model)
    said = turns("你好吗" * 6, "我很好" * 6, "晚安")
    *_, frame = partner.reply(said, OPTIONS)
    assert frame.num_turns_dropped == 1
    assert frame.num_message_chars_dropped == 0
    *_, frame = partner.reply(turns("你好" * 40), OPTIONS)
    assert frame.num_message_chars_dropped > 40
    assert frame.num_new_tokens <= OPTIONS.max_new_tokens


def test_a_message_that_cannot_be_spelled_is_refused(model):
    partner = NetworkDialoguePartner(model)
    with pytest.raises(ModelError, match="词表里没有这句话") as error:
        next(partner.reply(turns("🎉🎉"), OPTIONS))
    assert error.value.kind == "unsupported"


def test_leaving_stops_within_a_step(model):
    frames = NetworkDialoguePartner(model).reply(turns("你好"), OPTIONS)
    assert next(frames).num_new_tokens >= 1
    frames.close()
    with pytest.raises(StopIteration):
        next(frames)


def test_a_reply_is_finished_by_the_engine_that_began_it(model, monkeypatch):
    monkeypatch.setattr(NetworkDialoguePartner, "frame_seconds", 0)
    first, may_improve = KerasEngine(model.engine.network), threading.Event()
    better = SimpleNamespace(
        name="better", device="cpu", stepper=lambda _: pytest.fail("was asked")
    )
    engine = ImprovingEngine(first, (lambda _: may_improve.wait(9) and better,))
    frames = NetworkDialoguePartner(replace(model, engine=engine)).reply(
        turns("你好"), OPTIONS
    )
    next(frames)
    may_improve.set()
    assert engine.wait(9)
    assert engine.name == "better"
    *_, frame = frames
    *_, expected = NetworkDialoguePartner(model).reply(turns("你好"), OPTIONS)
    assert frame.candidates[0].text == expected.candidates[0].text


def test_weights_that_never_conversed_do_not_offer_it(tmp_path):
    model = reference.gpt2(vocab_size=len(TOKENS))
    reference.save_safetensors(model, tmp_path)
    (tmp_path / "vocab.txt").write_text(
        "\n".join(t.replace("speaker", "unused") for t in TOKENS) + "\n"
    )
    loaded = load_model(tmp_path, name="plain")
    assert DIALOGUE_PARTNER.name not in Cast(loaded).roles
    told = load_model(tmp_path, name="told", turns="joined")
    assert DIALOGUE_PARTNER.name in Cast(told).roles
    *_, frame = NetworkDialoguePartner(told).reply(turns("你好"), OPTIONS)
    assert np.isfinite(frame.candidates[0].log_prob)
