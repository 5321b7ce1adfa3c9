"""A reduced vocabulary cuts the texts that it was made of as the whole one did."""

import json

import pytest
from transformers import AutoTokenizer

from model_core.tokenizers.choosing import listed_ids, needed_ids, occurring_ids
from model_core.tokenizers.load import load_tokenizer
from model_core.tokenizers.reduction import write_reduced
from tests.model_core.tokenizers import tiny_vocabularies as tiny
from tests.model_core.tokenizers.hostile import hostile_strings

DEFINITIONS = {
    "Unigram": tiny.unigram_json,
    "byte-level BPE": tiny.byte_pair_json,
    "BPE with bytes": tiny.fallback_json,
    "BPE of ended words": tiny.ended_word_json,
    "WordPiece": tiny.word_piece_json,
    "another WordPiece": tiny.other_word_piece_json,
}
MODELS = {
    "XLNet's": (tiny.xlnet_model, "spiece.model", "XLNetTokenizer"),
    "T5's": (tiny.t5_model, "spiece.model", "T5Tokenizer"),
    "mT5's": (tiny.mt5_model, "spiece.model", "T5Tokenizer"),
    "Pegasus'": (tiny.t5_model, "spiece.model", "PegasusTokenizer"),
    "mBART's": (tiny.piece_model, "sentencepiece.bpe.model", "MBartTokenizer"),
    "BPE of pieces": (tiny.bpe_model, "tokenizer.model", "LlamaTokenizer"),
}


def write_words(folder):
    lines = "".join(f"{token}\n" for token in tiny.word_tokens())
    (folder / "vocab.txt").write_text(lines, encoding="utf8")
    added = {"[NEW]": len(tiny.word_tokens()) + 3}  # a gap, as after padding
    (folder / "added_tokens.json").write_text(json.dumps(added))


def write_pairs(folder):
    model = tiny.byte_pair_json()["model"]
    (folder / "vocab.json").write_text(json.dumps(model["vocab"]))
    merges = "".join(f"{' '.join(pair)}\n" for pair in model["merges"])
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}")


def write_model(folder, name):
    make, file_name, tokenizer_class = MODELS[name]
    (folder / file_name).write_bytes(make())
    config = {"tokenizer_class": tokenizer_class}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


def write_definition(folder, name):
    tiny.write_json(folder / "tokenizer.json", DEFINITIONS[name]())


WRITERS = {
    "vocab.txt": write_words,
    "vocab.json": write_pairs,
    **{n: lambda folder, n=n: write_model(folder, n) for n in MODELS},
    **{n: lambda folder, n=n: write_definition(folder, n) for n in DEFINITIONS},
}


@pytest.fixture(params=WRITERS)
def folders(request, tmp_path):
    """(the whole vocabulary's, an empty one)."""
    for name in ("whole", "reduced"):
        (tmp_path / name).mkdir()
    WRITERS[request.param](tmp_path / "whole")
    return tmp_path / "whole", tmp_path / "reduced"


def test_texts_become_the_same_tokens_and_the_same_text(folders):
    texts = hostile_strings()[::17]
    whole = load_tokenizer(folders[0])
    keep = sorted(occurring_ids(texts, whole, folders[0]))
    write_reduced(*folders, keep)
    reduced = load_tokenizer(folders[1])
    assert reduced.vocab_size == len([i for i in keep if i < whole.vocab_size])
    assert reduced.vocab_size < whole.vocab_size
    for text in texts:
        ids = reduced.encode(text).token_ids
        assert [keep[i] for i in ids] == list(whole.encode(text).token_ids), repr(text)
        assert reduced.decode(ids) == whole.decode(keep[i] for i in ids)
    for role in ("pad_id", "unk_id", "cls_id", "sep_id", "mask_id", "eos_id"):
        old, new = getattr(whole, role), getattr(reduced, role)
        assert (old is None) == (new is None)
        assert old is None or keep[new] == old


def test_the_library_reads_the_reduced_file_as_we_do(tmp_path):
    for name in ("whole", "reduced"):
        (tmp_path / name).mkdir()
    write_definition(tmp_path / "whole", "WordPiece")
    config = {"tokenizer_class": "BertTokenizerFast", "model_type": "bert"}
    (tmp_path / "whole" / "tokenizer_config.json").write_text(json.dumps(config))
    whole = load_tokenizer(tmp_path / "whole")
    keep = sorted(occurring_ids(["今天 hello"], whole, tmp_path / "whole"))
    write_reduced(tmp_path / "whole", tmp_path / "reduced", keep)
    theirs = AutoTokenizer.from_pretrained(tmp_path / "reduced")
    ours = load_tokenizer(tmp_path / "reduced")
    ids = theirs.encode("今天 hello", add_special_tokens=False)
    assert ids == list(ours.encode("今天 hello").token_ids)
    assert len(theirs) == ours.vocab_size == len(keep)


def test_what_the_order_of_ids_needs_cannot_be_left_out(tmp_path):
    for name in ("whole", "reduced"):
        (tmp_path / name).mkdir()
    write_model(tmp_path / "whole", "T5's")
    whole = load_tokenizer(tmp_path / "whole")
    keep = [i for i in range(whole.vocab_size) if i != whole.vocab_size - 7]
    with pytest.raises(ValueError, match="cannot be reduced to these tokens"):
        write_reduced(tmp_path / "whole", tmp_path / "reduced", keep)


def test_a_list_names_tokens_or_ids(tmp_path):
    write_words(tmp_path)
    tokenizer = load_tokenizer(tmp_path)
    lines, ids, mixed = (tmp_path / n for n in ("a.txt", "b.json", "c.json"))
    lines.write_text("[CLS]\n北京\n", encoding="utf8")
    expected = {2, tokenizer.token_to_id("北京")}
    ids.write_text(json.dumps(sorted(expected)))
    mixed.write_text(json.dumps([2, "北京"]))
    for path in (lines, ids, mixed):
        assert listed_ids(path, tokenizer) == expected
    assert needed_ids(tokenizer) == {0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.txt", "", "at least one"),
        ("a.txt", "火星文\n", "expected tokens of the vocabulary.*'火星文'"),
        ("a.json", "{}", "expected tokens in lines"),
        ("a.json", "[", "is no JSON"),
        ("a.json", "[true]", "received 'True'"),
        ("a.json", "[100000]", "received '100000'"),
    ],
)
def test_a_list_that_is_none_is_refused(name, text, message, tmp_path):
    write_words(tmp_path)
    (tmp_path / name).write_text(text, encoding="utf8")
    with pytest.raises(ValueError, match=message):
        listed_ids(tmp_path / name, load_tokenizer(tmp_path))
