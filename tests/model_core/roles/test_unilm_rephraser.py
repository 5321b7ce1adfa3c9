"""Similar sentences of a tiny SimBERT: ranked, distinct, its reference's."""

import json
import logging
import shutil

import numpy as np
import pytest

from model_core.interfaces import (
    SENTENCE_ENCODER,
    SENTENCE_REPHRASER,
    ModelError,
    RephraseOptions,
)
from model_core.roles.cast import Cast
from model_core.roles.loaded import load_model

reference = pytest.importorskip("tests.model_core.reference_models")

from tests.model_core.reference_models import torch, transformers

MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [*MARKS, *"怎么退货快递什时候到长江ab"]
CLS, SEP = 2, 3
EXACT = "keras"  # int8 comes near the reference, no more
TEXT = "怎么退货"
DRAWN = RephraseOptions(
    num_return=5, num_samples=30, max_new_tokens=4, top_k=0, top_p=1.0, seed=3
)


@pytest.fixture(scope="module", name="saved")
def fixture_saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simbert")
    config = transformers.BertConfig(
        vocab_size=len(WORDS),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=32,
    )
    model = reference.built("BertForPreTraining", config)
    reference.save_bin(model, folder)
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n", encoding="utf8")
    return model, folder


@pytest.fixture(scope="module", name="cast")
def fixture_cast(saved):
    return Cast(
        load_model(saved[1], name="me/simbert", engine=EXACT, pooling="linear_pooler")
    )


@pytest.fixture(scope="module", name="simbert")
def fixture_simbert(cast):
    return cast.play(SENTENCE_REPHRASER)


def asked(role, text=TEXT, **given):
    options = {name: getattr(DRAWN, name) for name in DRAWN.__slots__} | given
    return list(role.rephrase(text, RephraseOptions(**options)))


def greedy(theirs, text, max_new_tokens):
    """The likeliest tokens, the whole of it computed anew for every one of them."""
    source = [CLS, *map(WORDS.index, text), SEP]
    allowed = set(range(len(WORDS))) - ({*range(len(MARKS))} - {SEP})
    written = []
    for _ in range(max_new_tokens):
        segments = torch.tensor([[0] * len(source) + [1] * len(written)])
        order = segments.cumsum(-1)
        sees = order[:, None, :] <= order[:, :, None]  # arXiv 1905.03197
        hidden = torch.zeros(sees.shape).masked_fill(~sees, -1e9)
        with torch.no_grad():
            logits = theirs(
                input_ids=torch.tensor([[*source, *written]]),
                token_type_ids=segments,
                attention_mask=hidden[:, None],
            ).prediction_logits[0, -1]
        choices = allowed if written else allowed - {SEP}
        best = max(choices, key=lambda n: float(logits[n]))
        if best == SEP:
            break
        written.append(best)
    return "".join(WORDS[n] for n in written)


def pooled(theirs, text):
    """The vector of [CLS] through the pooler without its activation."""
    spelled = map(WORDS.index, text.replace(" ", ""))
    ids = torch.tensor([[CLS, *spelled, SEP]])
    with torch.no_grad():
        state = theirs.bert(input_ids=ids).last_hidden_state[:, 0]
        vector = theirs.bert.pooler.dense(state)[0].numpy()
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize("text", [TEXT, "快递", "什么时候到"])
def test_the_best_token_alone_is_the_reference_s_greedy_sentence(saved, simbert, text):
    *_, last = asked(simbert, text, top_k=1, max_new_tokens=6)
    expected = greedy(saved[0], text, 6)
    assert [one.text for one in last.rephrasings] == [expected] * (expected != text)
    assert last.num_samples == DRAWN.num_samples


def test_they_are_ranked_by_the_reference_s_cosine(saved, simbert):
    *_, last = asked(simbert)
    assert len(last.rephrasings) == DRAWN.num_return < last.num_distinct
    cosines = [one.cosine for one in last.rephrasings]
    assert cosines == sorted(cosines, reverse=True)
    source = pooled(saved[0], TEXT)
    for one in last.rephrasings:
        expected = float(pooled(saved[0], one.text) @ source)
        assert one.cosine == pytest.approx(expected, abs=1e-4)


def test_the_likest_of_all_are_kept(simbert):
    *_, every = asked(simbert, num_return=DRAWN.num_samples)
    *_, few = asked(simbert, num_return=2)
    assert few.rephrasings == every.rephrasings[:2]
    assert few.num_distinct == every.num_distinct == len(every.rephrasings)


@pytest.mark.parametrize("text", [TEXT, "a", "A", " b "])
def test_each_comes_once_and_the_source_never(simbert, text):
    *_, last = asked(simbert, text, num_return=40, num_samples=40, max_new_tokens=1)
    texts = [one.text for one in last.rephrasings]
    assert len(set(texts)) == len(texts) > 0
    assert text.strip().lower() not in texts
    assert all(texts)


def test_the_same_seed_writes_the_same_another_another(simbert):
    first, again, other = (
        [one.text for one in asked(simbert, seed=seed)[-1].rephrasings]
        for seed in (3, 3, 4)
    )
    assert first == again != other


def test_without_a_seed_the_one_in_use_is_told(simbert):
    drawn = asked(simbert, seed=None)[-1]
    assert asked(simbert, seed=drawn.seed)[-1].rephrasings == drawn.rephrasings


def test_frames_grow_and_the_last_alone_is_ranked(simbert):
    *growing, last = asked(simbert)
    assert len(growing) == DRAWN.max_new_tokens
    assert last.ranked
    assert not any(frame.ranked for frame in growing)
    for frame in growing:
        assert {one.cosine for one in frame.rephrasings} == {None}
        assert len(frame.rephrasings) <= DRAWN.num_return
    written = [frame.num_written for frame in (*growing, last)]
    assert written == sorted(written)
    assert written[-1] == DRAWN.num_samples


def test_a_long_source_is_cut_and_told(simbert):
    *_, last = asked(simbert, "怎么退货" * 20)
    assert last.num_chars_read == 32 - DRAWN.max_new_tokens - 2


def test_a_sentence_of_unknown_signs_is_refused(simbert):
    with pytest.raises(ModelError, match="me/simbert") as caught:
        asked(simbert, "♞♞")
    assert caught.value.kind == "unsupported"


def test_a_config_that_says_prefix_lm_is_enough(saved, cast, tmp_path):
    folder = tmp_path / "told"
    shutil.copytree(saved[1], folder)
    told = json.loads((folder / "config.json").read_text()) | {"attention": "prefix_lm"}
    (folder / "config.json").write_text(json.dumps(told))
    role = Cast(load_model(folder, name="me/told", engine=EXACT)).play(
        SENTENCE_REPHRASER
    )
    found, known = asked(role)[-1], asked(cast.play(SENTENCE_REPHRASER))[-1]
    assert found.pooling == "linear_pooler"
    assert found.rephrasings == known.rephrasings


def test_its_rehearsal_fails_for_nobody(cast, caplog):
    with caplog.at_level(logging.ERROR):
        cast.rehearse(lambda: False)
    assert not [one for one in caplog.records if "rephraser" in one.message]


def test_the_engine_of_this_machine_keeps_the_same_laws(saved):
    model = load_model(saved[1], name="me/any", pooling="linear_pooler")
    *_, last = asked(Cast(model).play(SENTENCE_REPHRASER))
    cosines = [one.cosine for one in last.rephrasings]
    assert cosines == sorted(cosines, reverse=True)
    assert TEXT not in [one.text for one in last.rephrasings]


def test_a_plain_bert_is_refused_by_name(saved):
    plain = Cast(load_model(saved[1], name="me/plain"))
    assert SENTENCE_ENCODER.name in plain.roles
    with pytest.raises(ModelError, match="me/plain cannot write similar") as caught:
        plain.play(SENTENCE_REPHRASER)
    assert caught.value.kind == "missing_head"


@pytest.mark.parametrize("kind", ["BertModel", "BertForMaskedLM"])
def test_both_heads_are_needed(tmp_path, kind):
    reference.save_safetensors(reference.bert(kind), tmp_path)
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS) + "\n", encoding="utf8")
    model = load_model(tmp_path, name="me/half", pooling="linear_pooler")
    assert SENTENCE_REPHRASER.name not in Cast(model).roles
