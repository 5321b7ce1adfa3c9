"""Files too big, cut off, bent or of another kind: a sentence, and nothing more."""

import base64
import json
import os
import random

import pytest
from sentencepiece import sentencepiece_model_pb2

from model_core.tokenizers import files
from model_core.tokenizers.charsmap import check_charsmap
from model_core.tokenizers.load import load_tokenizer
from tests.model_core.tokenizers import tiny_vocabularies
from tests.model_core.tokenizers.hostile import hostile_strings
from tests.model_core.tokenizers.tiny_vocabularies import write_json

SENTENCE = "expected .*received "


def copy_of(definition):
    return json.loads(json.dumps(definition))


def refused(folder, message=SENTENCE):
    with pytest.raises(ValueError, match=message) as caught:
        load_tokenizer(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def changed(change):
    """T5's model file after a change to what it says."""
    model = tiny_vocabularies.t5_model()
    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    change(proto)
    return proto.SerializeToString()


# SentencePiece


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected a SentencePiece model in .*spiece.model; received 0 bytes"),
        (b"not a model at all", "received 18 bytes that are none"),
        (b"\x80\x02}q\x00.", "received 6 bytes that are none"),
        (tiny_vocabularies.word_piece_json, "received .* bytes that are none"),
        (tiny_vocabularies.t5_model()[:-1000], "received .* bytes that are none"),
        (lambda: changed(lambda p: p.pieces.clear()), "it has 0 pieces"),
        (
            lambda: tiny_vocabularies.t5_model().replace(
                "天".encode(), b"\xff\xff\xff"
            ),
            "a piece is not UTF-8",
        ),
        (
            lambda: changed(lambda p: setattr(p.pieces[9], "score", float("nan"))),
            "a piece's score is no finite number",
        ),
        (
            lambda: changed(lambda p: setattr(p.pieces[2], "type", 1)),
            "it has no unknown piece",
        ),
        (
            lambda: changed(lambda p: setattr(p.pieces[9], "type", 6)),
            "expected a byte like <0xE4>; received",
        ),
        (
            lambda: changed(
                lambda p: setattr(p.pieces[9], "piece", p.pieces[10].piece)
            ),
            "the library received it and said: .*already defined",
        ),
        (
            lambda: changed(
                lambda p: setattr(
                    p.normalizer_spec, "precompiled_charsmap", b"\xff" * 9
                )
            ),
            "expected a table of replacements with 4294967295 bytes of trie",
        ),
    ],
)
def test_a_broken_model_is_named(tmp_path, content, message):
    made = content() if callable(content) else content
    if isinstance(made, dict):
        made = json.dumps(made).encode()
    (tmp_path / "spiece.model").write_bytes(made)
    assert "spiece.model" in refused(tmp_path, message)


def test_no_cut_or_flipped_model_does_more_than_be_refused(tmp_path):
    whole = tiny_vocabularies.t5_model()
    draw = random.Random(3)
    path = tmp_path / "spiece.model"
    refusals = 0
    strings = ["今天ﬁ Ａ½hello é\u0301", "".join(map(chr, range(1, 0x3000)))]
    for turn in range(120):
        bent = bytearray(whole)
        if turn % 3:
            place = draw.randrange(len(bent))
            bent[place] ^= 1 << draw.randrange(8)
        else:
            del bent[draw.randrange(len(bent)) :]
        path.write_bytes(bytes(bent))
        try:
            tokenizer = load_tokenizer(tmp_path)
        except ValueError:
            refusals += 1
            continue
        for text in strings:  # whatever it says now, it says it within the laws
            encoding = tokenizer.encode(text)
            assert all(0 <= s < e <= len(text) for s, e in encoding.spans)
            tokenizer.decode(encoding.token_ids)
    assert refusals > 40


def test_several_models_without_a_usual_name_are_not_guessed_from(tmp_path):
    for name in ("a.model", "b.model"):
        (tmp_path / name).write_bytes(tiny_vocabularies.t5_model())
    refused(tmp_path, "expected one SentencePiece model at .*received a.model, b.model")
    (tmp_path / "a.model").unlink()
    assert load_tokenizer(tmp_path).encode("今天")


def test_a_class_whose_order_of_ids_is_unknown_is_named(tmp_path):
    content = tiny_vocabularies.piece_model()
    (tmp_path / "sentencepiece.bpe.model").write_bytes(content)
    write_json(
        tmp_path / "tokenizer_config.json", {"tokenizer_class": "CamembertTokenizer"}
    )
    refused(
        tmp_path,
        "tokenizer_class of XLMRobertaTokenizer, MBartTokenizer, MBart50Tokenizer; "
        "received 'CamembertTokenizer'",
    )


# The table of replacements


def charsmap():
    proto = sentencepiece_model_pb2.ModelProto.FromString(tiny_vocabularies.t5_model())
    return bytearray(proto.normalizer_spec.precompiled_charsmap)


def test_a_published_table_is_whole():
    check_charsmap(bytes(charsmap()))
    check_charsmap(b"")


@pytest.mark.parametrize(
    ("bend", "message"),
    [
        (lambda c: c[:3], "received 3 bytes in all"),
        (lambda c: c[: len(c) // 2], "bytes of trie; received"),
        (lambda c: b"\x03" + c[1:], "expected a trie of whole units"),
        (lambda c: c[:4] + b"\xff\xff\xff\xff" + c[8:], "a step to unit"),
        (lambda c: c[:-9] + b"\xff" + c[-8:], "replacements in UTF-8; received byte"),
        (lambda c: c[:-2000], "replacements within .* received one at|UTF-8"),
    ],
)
def test_a_bent_table_is_named(bend, message):
    with pytest.raises(ValueError, match=message):
        check_charsmap(bytes(bend(charsmap())))


def test_what_the_check_lets_through_the_libraries_can_walk(tmp_path):
    """Every flip either is refused or leads to no error while a text is read."""
    whole = charsmap()
    draw = random.Random(5)
    everything = "".join(map(chr, [*range(1, 0xD800), *range(0xE000, 0x10000)]))
    definition = copy_of(tiny_vocabularies.unigram_json())
    num_walked = 0
    for _ in range(60):
        bent = bytearray(whole)
        bent[draw.randrange(4, len(bent))] ^= 1 << draw.randrange(8)
        definition["normalizer"] = {
            "type": "Precompiled",
            "precompiled_charsmap": base64.b64encode(bent).decode(),
        }
        write_json(tmp_path / "tokenizer.json", definition)
        try:
            check_charsmap(bytes(bent))
        except ValueError:
            refused(tmp_path)
            continue
        load_tokenizer(tmp_path).encode(everything)
        num_walked += 1
    assert 10 < num_walked < 60


# tokenizer.json


def without_type(definition):
    return {**definition, "model": {"type": "WordLevel", "vocab": {"a": 0}}}


def with_model(**parts):
    definition = copy_of(tiny_vocabularies.byte_pair_json())
    definition["model"] |= parts
    return definition


UNKNOWN_UNK = {"unk_token": "<no>"}


def with_unigram(**parts):
    definition = copy_of(tiny_vocabularies.unigram_json())
    definition["model"] |= parts
    return definition


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ({}, "kind WordPiece, Unigram, BPE; received 'NoneType'"),
        ({"model": []}, "kind WordPiece, Unigram, BPE; received 'list'"),
        (without_type({}), "kind WordPiece, Unigram, BPE; received 'WordLevel'"),
        ({"model": {"type": "BPE", "vocab": []}}, "vocab: expected an object"),
        (with_model(vocab={}), "vocab: expected an object"),
        (with_model(vocab={"a": -1}), "vocab: 'a': expected an id .* received -1"),
        (with_model(vocab={"a": 10**9}), "'a': expected an id from 0 to 10000"),
        (with_model(vocab={"a": True}), "'a': expected an id .* received True"),
        (with_model(vocab={"a": 0, "b": 0}), "one token with the id 0; received 'a'"),
        (
            with_model(merges=[["今", "無"]]),
            "the tokenizers library can follow; it says",
        ),
        (with_model(**UNKNOWN_UNK), "unk_token: expected a token .* '<no>'"),
        (with_unigram(vocab={}), "vocab: expected a list of 1 to .* received dict"),
        (with_unigram(vocab=[]), "vocab: expected a list of 1 to"),
        (with_unigram(vocab=[["a"]]), r"a token with its score; received \['a'\]"),
        (with_unigram(unk_id=None), "unk_id: expected an id from 0 .* received None"),
        (with_unigram(unk_id=10**6), "unk_id: expected an id .* received 1000000"),
        ({**with_model(), "added_tokens": "x"}, "added_tokens: expected a list"),
        ({**with_model(), "added_tokens": [7]}, "added_tokens: expected an id .* 7"),
        (
            {**with_model(), "added_tokens": [{"id": 10**9, "content": "a"}]},
            "added_tokens: expected an id from 0 to 1000000",
        ),
        (
            {**with_model(), "added_tokens": [{"id": 90_000, "content": "a"}]},
            "added tokens right behind the .* received 'a' with id 90000",
        ),
        ({**with_model(), "decoder": {"type": "CTC"}}, "decoder: .* received CTC"),
        (
            {**with_model(), "decoder": None, "pre_tokenizer": None},
            "decoder: expected one of .* received none",
        ),
        (
            {**with_model(), "pre_tokenizer": {"type": "FixedLength", "length": 0}},
            "pre_tokenizer: expected BertPreTokenizer, .* received 'FixedLength'",
        ),
        (
            {**with_model(), "normalizer": {"type": "Sequence", "normalizers": [{}]}},
            "normalizer: expected .* or a sequence of them; received None",
        ),
        (
            {
                **with_unigram(),
                "normalizer": {
                    "type": "Precompiled",
                    "precompiled_charsmap": "////////",
                    "normalizers": [],  # not a sequence, whatever it holds
                },
            },
            "expected a table of replacements with 4294967295 bytes",
        ),
        (
            {**with_model(), "normalizer": {"type": "Replace"}},
            "the tokenizers library can follow; it says",
        ),
        (with_model(merges="a b"), "merges: expected a list; received str"),
        (with_model(merges=[["a"]]), r"merges: expected two tokens; received \['a'\]"),
        (with_model(merges=["a b c"]), "merges: expected two tokens; received 'a b c'"),
        (with_model(continuing_subword_prefix="a"), "received some without 'a'"),
        (
            {
                **with_unigram(),
                "normalizer": {"type": "Precompiled", "precompiled_charsmap": "!"},
            },
            "precompiled_charsmap: expected base64",
        ),
        (
            {
                **with_unigram(),
                "normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"},
            },
            "expected a table of replacements",
        ),
    ],
)
def test_a_definition_of_another_kind_is_named(tmp_path, definition, message):
    write_json(tmp_path / "tokenizer.json", definition)
    assert "tokenizer.json: " in refused(tmp_path, message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected JSON in .*tokenizer.json; received"),
        (b"[]", "expected a JSON object in .*; received list"),
        (b'{"model": {', "expected JSON in .*; received"),
        (b"[" * 200_000, "expected JSON in .*; received"),
        (b'{"a":' * 100_000, "expected JSON in .*; received"),
        (b'{"model": "\xff"}', "expected JSON in .*; received"),
    ],
)
def test_a_file_that_is_no_json_is_named(tmp_path, content, message):
    (tmp_path / "tokenizer.json").write_bytes(content)
    refused(tmp_path, message)


def test_no_cut_definition_is_read(tmp_path):
    path = tmp_path / "tokenizer.json"
    content = json.dumps(tiny_vocabularies.unigram_json()).encode()
    draw = random.Random(1)
    for _ in range(40):
        path.write_bytes(content[: draw.randrange(len(content))])
        refused(tmp_path)


def test_no_flipped_definition_does_more_than_be_refused(tmp_path):
    path = tmp_path / "tokenizer.json"
    draw = random.Random(2)
    for build in (tiny_vocabularies.unigram_json, tiny_vocabularies.byte_pair_json):
        content = json.dumps(build()).encode()
        for _ in range(150):
            bent = bytearray(content)
            bent[draw.randrange(len(bent))] ^= 1 << draw.randrange(8)
            path.write_bytes(bytes(bent))
            try:
                tokenizer = load_tokenizer(tmp_path)
            except ValueError:
                continue
            for text in hostile_strings()[:60]:
                spans = tokenizer.encode(text).spans
                assert all(0 <= s < e <= len(text) for s, e in spans)


# vocab.json and merges.txt


def write_pairs(folder, vocabulary, merges):
    write_json(folder / "vocab.json", vocabulary)
    if merges is not None:
        (folder / "merges.txt").write_bytes(merges)


@pytest.mark.parametrize(
    ("vocabulary", "merges", "message"),
    [
        (
            {"a": 0, "b": 1},
            b"",
            "expected byte-level BPE in .*vocab.json: .*received 2",
        ),
        ({"hello</w>": 0}, b"", "expected byte-level BPE .*received 0 of them among 1"),
        (None, None, "expected merges at .*merges.txt; received no such file"),
        (None, b"a b\na b c\n", "expected two tokens on line 2 of .*received 'a b c'"),
        (None, b"\xff\xfe", "expected UTF-8 in .*merges.txt; received byte 0xff"),
        (None, "今 無\n".encode(), "the tokenizers library can follow; it says"),
    ],
)
def test_broken_byte_pairs_are_named(tmp_path, vocabulary, merges, message):
    whole = tiny_vocabularies.byte_pair_json()["model"]["vocab"]
    write_pairs(tmp_path, whole if vocabulary is None else vocabulary, merges)
    refused(tmp_path, message)


# Any file


@pytest.mark.parametrize(
    "name", ["vocab.txt", "tokenizer.json", "spiece.model", "vocab.json"]
)
def test_a_file_beyond_the_limit_is_not_read(tmp_path, monkeypatch, name):
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 2 * 1024 * 1024)
    path = tmp_path / name
    path.touch()
    os.truncate(path, 3 * 1024 * 1024)  # a hole: the disk holds nothing of it
    refused(tmp_path, f"expected at most 2 MiB in .*{name}; received 3 MiB")


@pytest.mark.parametrize("name", ["vocab.txt", "tokenizer.json", "spiece.model"])
def test_a_folder_or_a_pipe_in_place_of_a_file_is_named(tmp_path, name):
    (tmp_path / name).mkdir()
    refused(tmp_path, f"{name}; received no regular file")
    (tmp_path / name).rmdir()
    os.mkfifo(tmp_path / name)
    refused(tmp_path, f"{name}; received no regular file")


def test_a_folder_without_a_vocabulary_is_told_what_would_do(tmp_path):
    message = refused(tmp_path, "received no such file")
    for name in ("vocab.txt", "tokenizer.json", "spiece.model", "vocab.json"):
        assert name in message


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("special_tokens_map.json", "[]", "JSON object in .*special_tokens_map.json"),
        ("added_tokens.json", '{"a": -1}', "added_tokens.json: a: expected an id"),
        ("added_tokens.json", '{"a": 1e9}', "added_tokens.json: a: expected an id"),
        ("added_tokens.json", '{"a": 90000}', "added tokens right behind"),
        (
            "tokenizer_config.json",
            '{"added_tokens_decoder": [1]}',
            "expected an object",
        ),
        (
            "tokenizer_config.json",
            '{"added_tokens_decoder": {"-1": {"content": "a"}}}',
            "added_tokens_decoder: expected ids from 0",
        ),
        (
            "tokenizer_config.json",
            '{"added_tokens_decoder": {"1": {}}}',
            "added_tokens_decoder: expected a token; received {}",
        ),
        ("tokenizer_config.json", '{"extra_ids": -1}', "extra_ids: expected a number"),
        (
            "tokenizer_config.json",
            '{"extra_ids": true}',
            "extra_ids: expected a number",
        ),
        ("tokenizer_config.json", '{"offset": "2"}', "offset: expected a number"),
        ("tokenizer_config.json", '{"keep_accents": 1}', "keep_accents: expected true"),
        ("tokenizer_config.json", '{"jieba_words": 1}', "jieba_words: expected true"),
        ("config.json", "{", "expected JSON in .*config.json"),
    ],
)
def test_a_broken_option_is_named(tmp_path, name, content, message):
    (tmp_path / "spiece.model").write_bytes(tiny_vocabularies.t5_model())
    (tmp_path / name).write_text(content)
    refused(tmp_path, message)


def test_a_pickle_in_place_of_any_file_is_never_run(tmp_path):
    marker = tmp_path / "ran"
    pickle = f"cos\nsystem\n(S'touch {marker}'\ntR.".encode()
    for name in ("vocab.txt", "tokenizer.json", "spiece.model", "vocab.json"):
        path = tmp_path / name
        path.write_bytes(pickle)
        refused(tmp_path)
        path.unlink()
    assert not marker.exists()


def test_the_library_is_quiet_about_what_is_refused(tmp_path, capfd):
    (tmp_path / "spiece.model").write_bytes(
        changed(lambda p: setattr(p.pieces[9], "piece", p.pieces[10].piece))
    )
    refused(tmp_path)
    assert capfd.readouterr() == ("", "")
