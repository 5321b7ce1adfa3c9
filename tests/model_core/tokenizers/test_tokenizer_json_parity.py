"""The same ids as the tokenizers library, for every kind of tokenizer.json."""

import json

import pytest
import tokenizers
from transformers import GPT2Tokenizer, RobertaTokenizer

from model_core.tokenizers.load import load_tokenizer
from tests.model_core.tokenizers import tiny_vocabularies
from tests.model_core.tokenizers.hostile import hostile_strings, readable, without

DEFINITIONS = {
    "Unigram": tiny_vocabularies.unigram_json,
    "byte-level BPE": tiny_vocabularies.byte_pair_json,
    "BPE with bytes": tiny_vocabularies.fallback_json,
    "BPE of ended words": tiny_vocabularies.ended_word_json,
    "WordPiece": tiny_vocabularies.word_piece_json,
    "another WordPiece": tiny_vocabularies.other_word_piece_json,
}


def reference_of(definition):
    """The library's tokenizer as it stands in the file, but for cutting and filling."""
    whole = {**definition, "truncation": None, "padding": None}
    return tokenizers.Tokenizer.from_str(json.dumps(whole))


def special_of(definition):
    return [row["content"] for row in definition["added_tokens"] if row["special"]]


def plain_strings(special):
    """Strings that hold nothing special, by the file or by our own reading of it."""
    return without(*special, "[unused1]")


@pytest.fixture(scope="module", params=DEFINITIONS)
def trio(request, tmp_path_factory):
    """(ours, the library's, names of its special tokens)."""
    definition = DEFINITIONS[request.param]()
    path = tmp_path_factory.mktemp("json") / "tokenizer.json"
    folder = tiny_vocabularies.write_json(path, definition)
    return load_tokenizer(folder), reference_of(definition), special_of(definition)


def test_two_thousand_hostile_strings_give_the_same_ids(trio):
    ours, theirs, special = trio
    strings = plain_strings(special)
    assert len(strings) > 1700
    for text in strings:
        expected = theirs.encode(readable(text), add_special_tokens=False)
        assert list(ours.encode(text).token_ids) == expected.ids, repr(text)


def test_a_typed_special_token_is_text_unlike_in_the_library(trio):
    ours, theirs, special = trio
    for token in special:
        assert theirs.encode(token, add_special_tokens=False).tokens == [token]
        assert ours.token_to_id(token) in ours.special_ids
    for text in hostile_strings():
        found = set(ours.encode(text).token_ids) & ours.special_ids
        assert found <= {ours.unk_id}, repr(text)


def test_every_token_keeps_its_id(trio):
    ours, theirs, _ = trio
    vocabulary = theirs.get_vocab()
    assert {token: ours.token_to_id(token) for token in vocabulary} == vocabulary
    assert ours.vocab_size == 1 + max(vocabulary.values())


def test_a_span_holds_what_the_library_points_at(trio):
    ours, theirs, special = trio
    for text in plain_strings(special):
        given = readable(text)
        expected = theirs.encode(given, add_special_tokens=False).offsets
        for (start, end), (first, past) in zip(
            ours.encode(text).spans, expected, strict=True
        ):
            inner = given[first:past].strip()
            if inner:
                assert inner in given[start:end], repr(text)


@pytest.mark.parametrize(
    "name", ["Unigram", "byte-level BPE", "BPE with bytes", "BPE of ended words"]
)
def test_decoding_is_the_librarys(tmp_path, name):
    definition = DEFINITIONS[name]()
    folder = tiny_vocabularies.write_json(tmp_path / "tokenizer.json", definition)
    ours, theirs = load_tokenizer(folder), reference_of(definition)
    for text in without(*special_of(definition)):
        ids = list(ours.encode(text).token_ids)
        expected = theirs.decode(ids, skip_special_tokens=True)
        if name == "Unigram":  # SentencePiece itself drops every space at the start
            expected = expected.lstrip(" ")
        assert ours.decode(ids) == expected, repr(text)


def test_half_a_character_waits_unlike_in_the_library(tmp_path):
    definition = tiny_vocabularies.byte_pair_json()
    folder = tiny_vocabularies.write_json(tmp_path / "tokenizer.json", definition)
    ours, theirs = load_tokenizer(folder), reference_of(definition)
    ids = list(ours.encode("a龘b").token_ids)
    pieces = list(ours.decode_each(ids))
    assert pieces == ["a", "", "", "龘", "b"]
    assert theirs.decode(ids[:2]) == "a\ufffd"
    assert ours.decode(ids[:2]) == "a"
    # what can never become a character any more is shown
    assert ours.decode([ids[1], ids[0]]) == theirs.decode([ids[1], ids[0]]) == "\ufffda"


def test_chinese_is_written_without_spaces_unlike_in_the_library(tmp_path):
    definition = tiny_vocabularies.word_piece_json()
    folder = tiny_vocabularies.write_json(tmp_path / "tokenizer.json", definition)
    ours, theirs = load_tokenizer(folder), reference_of(definition)
    ids = ours.encode("北京 hello world").token_ids
    assert theirs.decode(ids) == "北 京 hello world"
    assert ours.decode(ids) == "北京hello world"


def test_a_text_is_neither_cut_off_nor_filled_up(tmp_path):
    folder = tiny_vocabularies.write_json(
        tmp_path / "tokenizer.json", tiny_vocabularies.unigram_json()
    )
    ours = load_tokenizer(folder)
    assert len(ours.encode("今天" * 100)) >= 100
    assert ours.pad_id not in ours.encode("今").token_ids


def test_dropout_of_training_is_off(tmp_path):
    definition = json.loads(json.dumps(tiny_vocabularies.byte_pair_json()))
    definition["model"]["dropout"] = 0.9
    folder = tiny_vocabularies.write_json(tmp_path / "tokenizer.json", definition)
    ours = load_tokenizer(folder)
    found = {ours.encode("hello world playing 今天天气").token_ids for _ in range(20)}
    assert len(found) == 1


def test_an_added_token_that_is_not_special_is_found_in_a_text(tmp_path):
    theirs = reference_of(tiny_vocabularies.unigram_json())
    theirs.add_tokens(["白云机场站"])
    theirs.add_special_tokens(["<new>"])
    folder = tiny_vocabularies.write_json(
        tmp_path / "tokenizer.json", json.loads(theirs.to_str())
    )
    ours = load_tokenizer(folder)
    text = "去白云机场站<new>"
    expected = theirs.encode("去白云机场站", add_special_tokens=False).ids
    assert list(ours.encode(text).token_ids[: len(expected)]) == expected
    assert ours.token_to_id("<new>") == ours.vocab_size - 1
    assert ours.vocab_size - 1 in ours.special_ids
    assert ours.decode(expected) == "去白云机场站"


# GPT-2's two files


def write_pairs(folder, definition, **config):
    model = definition["model"]
    (folder / "vocab.json").write_text(json.dumps(model["vocab"]))
    merges = "".join(f"{left} {right}\n" for left, right in model["merges"])
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize("add_prefix_space", [False, True])
def test_two_files_are_read_as_gpt2s(tmp_path, add_prefix_space):
    model = tiny_vocabularies.byte_pair_json()["model"]
    merges = [tuple(row) for row in model["merges"]]
    theirs = GPT2Tokenizer(
        vocab=dict(model["vocab"]), merges=merges, add_prefix_space=add_prefix_space
    )
    folder = write_pairs(
        tmp_path, tiny_vocabularies.byte_pair_json(), add_prefix_space=add_prefix_space
    )
    ours = load_tokenizer(folder)
    assert ours.bos_id == ours.eos_id == theirs.eos_token_id
    assert ours.pad_id is ours.cls_id is ours.mask_id is None
    for text in without("<|endoftext|>"):
        if not text:
            continue  # theirs puts a space before nothing
        expected = theirs(readable(text), add_special_tokens=False)["input_ids"]
        assert list(ours.encode(text).token_ids) == expected, repr(text)


def test_two_files_are_read_as_robertas(tmp_path):
    definition = json.loads(json.dumps(tiny_vocabularies.byte_pair_json()))
    vocabulary = definition["model"]["vocab"]
    marks = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    vocabulary |= {mark: len(vocabulary) + i for i, mark in enumerate(marks)}
    del vocabulary["<|endoftext|>"]
    merges = [tuple(row) for row in definition["model"]["merges"]]
    theirs = RobertaTokenizer(vocab=dict(vocabulary), merges=merges)
    ours = load_tokenizer(write_pairs(tmp_path, definition))
    for role in ("pad", "unk", "cls", "sep", "mask", "bos", "eos"):
        assert getattr(ours, f"{role}_id") == getattr(theirs, f"{role}_token_id"), role
    for text in without(*marks):
        expected = theirs(readable(text), add_special_tokens=False)["input_ids"]
        assert list(ours.encode(text).token_ids) == expected, repr(text)
