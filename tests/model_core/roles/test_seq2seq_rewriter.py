"""Published encoder-decoders write titles: framed, started and ended as trained."""

import json

import pytest

from model_core.interfaces import TEXT_GENERATOR, TEXT_REWRITER, RewriteOptions
from model_core.roles.cast import Cast
from model_core.roles.loaded import load_model
from model_core.roles.target_format import target_format
from model_core.tokenizers.load import load_tokenizer
from tests.model_core.playing_checkpoint import LAKE, RIVER, WRITER, tokens
from tests.model_core.tokenizers.tiny_vocabularies import (
    BERT_MARKS,
    t5_model,
    unigram_json,
)

reference = pytest.importorskip("tests.model_core.reference_models")

from tests.model_core.reference_models import torch, transformers

VOCABULARY = tuple(token for token in tokens() if token != "[NL]")
CLS, SEP = (VOCABULARY.index(token) for token in ("[CLS]", "[SEP]"))
GREEDY = RewriteOptions(part="title", max_new_tokens=8, num_beams=1)
T5 = {
    "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4,
    "feed_forward_proj": "gated-gelu",
}  # fmt: skip
BART = {
    "d_model": 32, "encoder_layers": 2, "decoder_layers": 2,
    "encoder_attention_heads": 4, "decoder_attention_heads": 4,
    "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "max_position_embeddings": 64,
}  # fmt: skip
KINDS = {
    # T5-PEGASUS: starts with [CLS], ends with [SEP]
    "t5": ("MT5", T5, {"decoder_start_token_id": CLS, "eos_token_id": SEP}, (CLS,)),
    # fnlp's BART: starts with [SEP], is made to begin with [CLS]
    "bart": (
        "Bart",
        BART,
        {
            "decoder_start_token_id": SEP,
            "eos_token_id": SEP,
            "bos_token_id": CLS,
            "forced_bos_token_id": CLS,
        },
        (SEP, CLS),
    ),
}


@pytest.fixture(scope="module", name="published", params=KINDS)
def fixture_published(request, tmp_path_factory):
    name, sizes, marks, start = KINDS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    values = {"vocab_size": len(VOCABULARY), "pad_token_id": 0} | sizes | marks
    config = getattr(transformers, f"{name}Config")(**values)
    model = reference.built(f"{name}ForConditionalGeneration", config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.5)
    reference.save_bin(model, folder)
    told = json.loads((folder / "config.json").read_text()) | marks
    (folder / "config.json").write_text(json.dumps(told))
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf8")
    return model, start, load_model(folder, name="hub/titles")


def greedy(theirs, start, model, text):
    """The reference's choices one by one, marks left out as no target holds them."""
    tokenizer = model.tokenizer
    source = [CLS, *tokenizer.encode(text).token_ids, SEP]
    allowed = {*range(len(VOCABULARY))} - ({*tokenizer.special_ids} - {SEP})
    written = list(start)
    with torch.no_grad():
        for _ in range(GREEDY.max_new_tokens):
            logits = theirs(
                input_ids=torch.tensor([source]),
                decoder_input_ids=torch.tensor([written]),
            ).logits[0, -1]
            best = max(
                allowed - {SEP} if len(written) == len(start) else allowed,
                key=lambda n: float(logits[n]),
            )
            if best == SEP:
                break
            written.append(best)
    return tokenizer.decode(written[len(start) :])


def test_they_rewrite_and_do_not_continue(published):
    _, _, model = published
    cast = Cast(model)
    assert TEXT_REWRITER.name in cast.roles
    assert TEXT_GENERATOR.name not in cast.roles
    rewriter = cast.play(TEXT_REWRITER)
    assert rewriter.parts == ("title", "summary")
    assert not rewriter.can_copy


def test_one_beam_is_the_reference_s_greedy_choice(published):
    theirs, start, model = published
    rewriter = Cast(model).play(TEXT_REWRITER)
    written = set()
    for text in (RIVER, WRITER, LAKE):
        *_, frame = rewriter.rewrite(text, GREEDY)
        title = frame.rewritings[0].candidate.text
        assert title == greedy(theirs, start, model, text)
        assert frame.num_source_chars_read == len(text)
        written.add(title)
    assert len(written) > 1


def test_many_are_written_as_alone(published):
    _, _, model = published
    rewriter = Cast(model).play(TEXT_REWRITER)
    options = RewriteOptions(
        part="summary", max_new_tokens=6, num_beams=3, num_return=2
    )
    together = rewriter.rewrite_many((RIVER, WRITER, LAKE), options)
    for text, frame in zip((RIVER, WRITER, LAKE), together, strict=True):
        *_, alone = rewriter.rewrite(text, options)
        for one, other in zip(frame.rewritings, alone.rewritings, strict=True):
            assert one.candidate.text == other.candidate.text
            assert one.score == pytest.approx(other.score, abs=1e-4)


def test_a_long_source_is_read_as_far_as_it_fits(published):
    _, _, model = published
    *_, frame = Cast(model).play(TEXT_REWRITER).rewrite(RIVER * 40, GREEDY)
    limit = model.config.max_position_embeddings
    assert frame.num_source_chars_read < len(RIVER * 40)
    assert frame.attention is not None
    assert len(frame.attention.tokens) <= limit + GREEDY.max_new_tokens + 2


def test_no_target_is_longer_than_the_decoder_s_positions(published):
    _, start, model = published
    limit = model.config.max_position_embeddings
    long = RewriteOptions("title", max_new_tokens=900, min_new_tokens=900, num_beams=1)
    *_, frame = Cast(model).play(TEXT_REWRITER).rewrite(RIVER, long)
    assert frame.num_new_tokens == limit - len(start)


class Pieces:
    """A SentencePiece vocabulary's marks: no [CLS], an end of its own."""

    cls_id = sep_id = bos_id = None
    pad_id, eos_id = 0, 1


@pytest.mark.parametrize(
    ("values", "start", "stop"),
    [
        ({"decoder_start_token_id": 0, "eos_token_id": 1}, (0,), (1,)),  # mT5
        ({}, (0,), (1,)),  # a vocabulary alone: it starts with padding
        ({"decoder_start_token_id": 2, "forced_bos_token_id": 7}, (2, 7), (1,)),
    ],
)
def test_other_vocabularies_close_a_source_with_their_end(values, start, stop):
    found = target_format(values, Pieces())
    assert (found.opening, found.closing) == ((), stop[:1])
    assert (found.start, found.stop) == (start, stop)


def test_without_a_word_of_where_to_start_it_is_refused():
    class Silent(Pieces):
        pad_id = None

    with pytest.raises(ValueError, match="must say decoder_start_token_id"):
        target_format({}, Silent())


# Published conventions, by the vocabulary's own files and what config.json says

SPARE = ("[PAD]", "[unused1]", "[unused2]", "[unused3]", *BERT_MARKS[1:], "长", "江")
RANDENG = {"tokenizer_class": "PegasusTokenizer"}
MT5_IDS = {"decoder_start_token_id": 0, "eos_token_id": 1, "pad_token_id": 0}
BERT_IDS = {"decoder_start_token_id": 5, "eos_token_id": 6, "pad_token_id": 0}
FNLP_IDS = BERT_IDS | {"decoder_start_token_id": 6, "forced_bos_token_id": 5}
BART_IDS = {"decoder_start_token_id": 2, "forced_bos_token_id": 0, "eos_token_id": 2}
CODE_IDS = {"decoder_start_token_id": 1, "eos_token_id": 2}
BERT = ("vocab.txt", "\n".join(SPARE).encode())
ENGLISH = ("tokenizer.json", json.dumps(unigram_json()).encode())
PIECES = ("spiece.model", t5_model())
PUBLISHED = {
    "Randeng-Pegasus": (BERT, MT5_IDS, RANDENG, "", "1", "0", "1 6"),
    "T5-PEGASUS": (BERT, BERT_IDS, {}, "5", "6", "5", "6"),
    "its first config": (BERT, MT5_IDS, {}, "5", "6", "5", "6 1"),
    "a silent config": (BERT, {}, {}, "5", "6", "5", "6"),
    "fnlp's BART": (BERT, FNLP_IDS, {}, "5", "6", "6 5", "6"),
    "English BART": (ENGLISH, BART_IDS, {}, "0", "2", "2 0", "2"),
    "CodeT5": (ENGLISH, CODE_IDS, {}, "0", "2", "1", "2"),
    "mT5": (PIECES, MT5_IDS, {}, "", "1", "0", "1"),
    "Google's Pegasus": (PIECES, MT5_IDS, RANDENG, "", "1", "0", "1"),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_convention_is_kept(name, tmp_path):
    (file, content), values, options, *expected = PUBLISHED[name]
    (tmp_path / file).write_bytes(content)
    (tmp_path / "config.json").write_text(json.dumps(values))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(options))
    found = target_format(values, load_tokenizer(tmp_path))
    parts = (found.opening, found.closing, found.start, found.stop)
    assert [" ".join(map(str, ids)) for ids in parts] == expected
