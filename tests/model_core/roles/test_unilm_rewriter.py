"""An encoder behind a prefix mask writes what its reference would, mask and all."""

import json
import shutil

import pytest

from model_core.interfaces import MASK_FILLER, TEXT_REWRITER, RewriteOptions
from model_core.roles.cast import Cast
from model_core.roles.loaded import load_model
from tests.model_core.playing_checkpoint import RIVER, WRITER, tokens

reference = pytest.importorskip("tests.model_core.reference_models")

from tests.model_core.reference_models import torch, transformers

VOCABULARY = tuple(token for token in tokens() if token != "[NL]")
CLS, SEP = (VOCABULARY.index(token) for token in ("[CLS]", "[SEP]"))
GREEDY = RewriteOptions(part="title", max_new_tokens=8, num_beams=1)


@pytest.fixture(scope="module", name="saved")
def fixture_saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unilm")
    config = transformers.BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=64,
    )
    model = reference.built("BertForMaskedLM", config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.5)
    reference.save_bin(model, folder)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf8")
    return model, folder


@pytest.fixture(scope="module", name="unilm")
def fixture_unilm(saved, tmp_path_factory):
    model, plain = saved
    folder = tmp_path_factory.mktemp("told") / "unilm"
    shutil.copytree(plain, folder)
    told = json.loads((folder / "config.json").read_text()) | {"attention": "prefix_lm"}
    (folder / "config.json").write_text(json.dumps(told))
    return model, load_model(folder, name="me/unilm")


def greedy(theirs, model, text):
    """The reference's choices, the whole of it computed anew for every token."""
    tokenizer = model.tokenizer
    source = [CLS, *tokenizer.encode(text).token_ids, SEP]
    allowed = {*range(len(VOCABULARY))} - ({*tokenizer.special_ids} - {SEP})
    written = []
    for _ in range(GREEDY.max_new_tokens):
        ids = torch.tensor([[*source, *written]])
        segments = torch.tensor([[0] * len(source) + [1] * len(written)])
        order = segments.cumsum(-1)
        sees = order[:, None, :] <= order[:, :, None]  # arXiv 1905.03197
        hidden = torch.zeros(sees.shape).masked_fill(~sees, -1e9)
        with torch.no_grad():
            logits = theirs(
                input_ids=ids, token_type_ids=segments, attention_mask=hidden[:, None]
            ).logits[0, -1]
        choices = allowed if written else allowed - {SEP}
        best = max(choices, key=lambda n: float(logits[n]))
        if best == SEP:
            break
        written.append(best)
    return tokenizer.decode(written)


@pytest.mark.parametrize("text", [RIVER, WRITER, "很好"])
def test_it_writes_what_its_reference_would(unilm, text):
    theirs, model = unilm
    *_, frame = Cast(model).play(TEXT_REWRITER).rewrite(text[:40], GREEDY)
    assert frame.rewritings[0].candidate.text == greedy(theirs, model, text[:40])


def test_a_batch_writes_what_each_does_alone(unilm):
    rewriter = Cast(unilm[1]).play(TEXT_REWRITER)
    texts = (RIVER[:30], "很好", WRITER[:20])
    together = rewriter.rewrite_many(texts, GREEDY)
    alone = [[*rewriter.rewrite(text, GREEDY)][-1] for text in texts]
    assert [one.rewritings[0].candidate.text for one in together] == [
        one.rewritings[0].candidate.text for one in alone
    ]


def test_what_does_not_fit_is_left_out_and_told(unilm):
    *_, frame = Cast(unilm[1]).play(TEXT_REWRITER).rewrite("很好" * 60, GREEDY)
    assert frame.num_source_chars_read == 64 - GREEDY.max_new_tokens - 2
    assert len(frame.attention.tokens) <= 64


def test_no_more_is_written_than_positions_are_left(unilm):
    long = RewriteOptions("title", max_new_tokens=60, min_new_tokens=60, num_beams=1)
    *_, frame = Cast(unilm[1]).play(TEXT_REWRITER).rewrite("很好" * 60, long)
    assert len(frame.attention.tokens) == 64


def test_an_encoder_that_does_not_say_so_writes_nothing(saved):
    cast = Cast(load_model(saved[1], name="me/plain"))
    assert TEXT_REWRITER.name not in cast.roles
    assert MASK_FILLER.name in cast.roles
