"""Laws that every tokenizer of pieces keeps, whatever is typed or generated."""

import json
import threading
import time

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from model_core.tokenizers.load import load_tokenizer
from tests.model_core.tokenizers import tiny_vocabularies
from tests.model_core.tokenizers.hostile import POOLS, hostile_strings
from tests.model_core.tokenizers.tiny_vocabularies import (
    BERT_MARKS,
    word_tokens,
    write_json,
)

MODEL, JSON = "spiece.model", "tokenizer.json"
BUILDS = {
    "unigram": (MODEL, tiny_vocabularies.t5_model, {}),
    "bytes": (MODEL, tiny_vocabularies.mt5_model, {"tokenizer_class": "T5Tokenizer"}),
    "BPE": (MODEL, tiny_vocabularies.bpe_model, {}),
    "XLNet": (
        MODEL,
        tiny_vocabularies.xlnet_model,
        {"tokenizer_class": "XLNetTokenizer", "do_lower_case": True},
    ),
    "CPM": (
        MODEL,
        tiny_vocabularies.xlnet_model,
        {"tokenizer_class": "CpmTokenizer"},
    ),
    "fairseq": (
        "sentencepiece.bpe.model",
        tiny_vocabularies.piece_model,
        {"tokenizer_class": "MBartTokenizer"},
    ),
    "Pegasus": (
        MODEL,
        tiny_vocabularies.t5_model,
        {"tokenizer_class": "PegasusTokenizer"},
    ),
    "Unigram JSON": (JSON, tiny_vocabularies.unigram_json, {}),
    "byte-level JSON": (JSON, tiny_vocabularies.byte_pair_json, {}),
    "fallback JSON": (JSON, tiny_vocabularies.fallback_json, {}),
    "ended words JSON": (JSON, tiny_vocabularies.ended_word_json, {}),
    "BERT's JSON": (JSON, tiny_vocabularies.word_piece_json, {}),
    "WordPiece JSON": (JSON, tiny_vocabularies.other_word_piece_json, {}),
    "CPM over JSON": (JSON, tiny_vocabularies.unigram_json, {"jieba_words": True}),
}
EVERY = pytest.mark.parametrize("name", BUILDS)
WILD = st.characters(
    exclude_categories=()
)  # lone surrogates and control characters too
TEMPTING = st.sampled_from(sorted({part for pool in POOLS for part in pool}))
TEXTS = st.lists(TEMPTING | WILD, max_size=20).map("".join)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Every tokenizer by its name."""
    return {
        name: build(tmp_path_factory.mktemp("laws"), *parts)
        for name, parts in BUILDS.items()
    }


def build(folder, file_name, content, config):
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    made = content()
    if isinstance(made, bytes):
        (folder / file_name).write_bytes(made)
    else:
        write_json(folder / file_name, made)
    return load_tokenizer(folder)


@EVERY
@given(text=TEXTS)
@example(text="")
@example(text="\u0301")
@example(text="\ud83d\ude00中\udfff国")
@example(text=" ﬁ ½ﬃ ")
@example(text="\x85\u3000\ufeff")
@settings(max_examples=60, deadline=None)
def test_spans_lie_in_the_text_and_in_order(built, name, text):
    encoding = built[name].encode(text)
    spans = encoding.spans
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert [s for s, _ in spans] == sorted(s for s, _ in spans)
    assert [e for _, e in spans] == sorted(e for _, e in spans)
    assert all(0 <= i < built[name].vocab_size for i in encoding.token_ids)


@EVERY
@given(text=TEXTS)
@settings(max_examples=60, deadline=None)
def test_no_text_becomes_a_special_token(built, name, text):
    tokenizer = built[name]
    found = set(tokenizer.encode(text).token_ids) & tokenizer.special_ids
    assert found <= {tokenizer.unk_id}


@EVERY
@given(text=TEXTS)
@settings(max_examples=40, deadline=None)
def test_every_letter_is_in_a_span(built, name, text):
    covered = {
        place for start, end in built[name].encode(text).spans
        for place in range(start, end)
    }  # fmt: skip
    letters = {i for i, char in enumerate(text) if char.isascii() and char.isalnum()}
    assert letters <= covered


@EVERY
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_streamed_text_only_grows(built, name, data):
    tokenizer = built[name]
    ids = st.integers(0, tokenizer.vocab_size - 1)
    sequence = data.draw(st.lists(ids, max_size=16))
    pieces = list(tokenizer.decode_each(sequence))
    whole = tokenizer.decode(sequence)
    assert "".join(pieces) == whole
    for size in range(len(sequence)):
        assert whole.startswith(tokenizer.decode(sequence[:size]))


@EVERY
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_special_tokens_add_nothing(built, name, data):
    tokenizer = built[name]
    ids = st.integers(0, tokenizer.vocab_size - 1)
    special = st.sampled_from(sorted(tokenizer.special_ids))
    sequence = data.draw(st.lists(ids | special, max_size=16))
    plain = [i for i in sequence if i not in tokenizer.special_ids]
    assert tokenizer.decode(sequence) == tokenizer.decode(plain)
    assert all(tokenizer.token_text(i) == "" for i in tokenizer.special_ids)


@EVERY
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_tokens_are_found_by_their_beginning(built, name, data):
    tokenizer = built[name]
    token_id = data.draw(st.integers(0, tokenizer.vocab_size - 1))
    text = tokenizer.token_text(token_id)
    found = {
        int(i)
        for continuation in (False, True)
        for i in tokenizer.ids_starting_with(text[:2], continuation=continuation)
    }
    assert (token_id in found) is bool(text)
    assert all(tokenizer.token_text(i).startswith(text[:2]) for i in found)


@EVERY
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_an_id_and_its_token_are_one(built, name, data):
    tokenizer = built[name]
    token_id = data.draw(st.integers(0, tokenizer.vocab_size - 1))
    token = tokenizer.id_to_token(token_id)
    assert tokenizer.id_to_token(tokenizer.token_to_id(token)) == token


@EVERY
def test_an_id_outside_the_vocabulary_is_refused(built, name):
    tokenizer = built[name]
    for wrong in (-1, tokenizer.vocab_size, np.int64(tokenizer.vocab_size)):
        expected = f"id from 0 to {tokenizer.vocab_size - 1}; received {wrong}"
        for question in (
            tokenizer.id_to_token,
            tokenizer.token_text,
            lambda i, t=tokenizer: t.decode([i]),
        ):
            with pytest.raises(ValueError, match=expected):
                question(wrong)


@EVERY
def test_threads_share_one_tokenizer_and_agree(built, name):
    tokenizer = built[name]
    strings = hostile_strings()[:300]
    alone = [tokenizer.encode(text) for text in strings]
    found = []

    def read():
        found.append([tokenizer.encode(text) for text in strings])

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [alone] * 4


@EVERY
def test_a_page_of_text_is_quick(built, name):
    tokenizer = built[name]
    text = ("今天天气很好，hello world 我们去北京大学。\n" * 100)[:2000]
    tokenizer.encode(text)
    started = time.process_time()
    for _ in range(5):
        tokenizer.decode(tokenizer.encode(text).token_ids)
    assert (time.process_time() - started) / 5 < 0.1


@EVERY
def test_numpy_ids_decode_too(built, name):
    tokenizer = built[name]
    ids = tokenizer.encode("今天天气 hello").token_ids
    assert tokenizer.decode(np.array(ids, np.int32)) == tokenizer.decode(ids)


@pytest.mark.parametrize("name", ["unigram", "byte-level JSON", "Unigram JSON", "CPM"])
def test_where_no_line_is_drawn_both_answers_are_the_same(built, name):
    begin, go_on = (
        built[name].ids_starting_with("天", continuation=c) for c in (False, True)
    )
    assert begin.tolist() == go_on.tolist() != []


@pytest.mark.parametrize(
    ("name", "text", "slices"),
    [
        ("unigram", "  hello 今天", ["hello", "今天"]),
        ("unigram", "½a", ["½", "½", "½", "½", "a"]),
        ("bytes", "去龘😀", ["去", "龘", "龘", "龘", "😀"]),
        ("fairseq", "去\u3000\u3000北京\n", ["去", "北京"]),
        ("XLNet", " HÉLLO  今天", ["HÉLLO", "今天"]),
        ("XLNet", "e\u0301``a''", ["e\u0301", "e\u0301", "``", "a", "''"]),
        ("XLNet", "2020, 1,000", ["2", "2", "0", "2", "0", ",", "1,000"]),
        ("byte-level JSON", " hello 龘", ["hello", " ", "龘", "龘", "龘"]),
        ("Unigram JSON", "ﬁ 今天", ["ﬁ", "ﬁ", "ﬁ", "今天"]),
        ("ended words JSON", "hello天气", ["hello", "天", "气"]),
    ],
)
def test_spans_point_into_the_typed_text(built, name, text, slices):
    spans = built[name].encode(text).spans
    assert [text[start:end] for start, end in spans] == slices


def test_berts_marks_are_special_in_its_json(built):
    tokenizer = built["BERT's JSON"]
    assert {word_tokens().index(mark) for mark in BERT_MARKS} <= tokenizer.special_ids
