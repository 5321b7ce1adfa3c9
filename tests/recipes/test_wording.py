"""Words stand beside the tokens where jieba cuts the text."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_core.tokenizers.jieba_words import DICTIONARY
from recipes import encoding
from recipes.corpus import Document
from recipes.vocabulary import MARKS
from recipes.wording import WordCutter, word_bits

CHARACTERS = sorted(set("今天气我们去北京大学看白云机场在广州，。3.14习写信用打字"))
LATIN = ["##4", "L", "##i", "##nux", "hello", "play", "##ing", "world"]
TOKENS = [*MARKS, *CHARACTERS, *LATIN]
ENCODER, CUTTER = encoding.Encoder(TOKENS), WordCutter(TOKENS)


def encoded(text):
    (row,) = ENCODER.encode([Document("散文", text)])
    return np.array(row, "uint16")


def words_of(ids):
    """Return the words of a document, a list of tokens each, marks included."""
    begins = CUTTER.begins(ids)
    assert begins.shape == ids.shape
    assert begins[0]
    pieces = np.split(ids, np.flatnonzero(begins)[1:])
    return [[TOKENS[token] for token in piece] for piece in pieces]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("我们去北京大学看看", "我们/去/北京大学/看看"),
        ("今天\n天气", "今天/[NL]/天气"),
        ("用Linux打字", "用/L##i##nux/打字"),
        ("hello playing world", "hello/play##ing/world"),
        ("3.14，在广州。", "3.1##4/，/在/广州/。"),
        ("白云鑫机场", "白云/[UNK]/机场"),
    ],
)
def test_words_of_a_document_are_jiebas(text, words):
    found = words_of(encoded(text))
    assert found[:2] == [["[CLS]"], ["[散文]"]]
    assert found[-1] == ["[SEP]"]
    assert ["".join(word) for word in found[2:-1]] == words.split("/")


@given(st.text(st.sampled_from([*CHARACTERS, "\n"]), min_size=1, max_size=60))
@settings(deadline=None)
def test_a_word_begins_with_a_token_where_it_begins_in_the_text(text):
    numbers = "".join(c for c in text if c not in "3.14")  # several signs a token
    ids = encoded(numbers)
    starts = np.cumsum([0, *(len(w) for w in DICTIONARY.cut_guessing(numbers))])[:-1]
    expected = sorted({*(starts + 2).tolist(), 0, 1, len(ids) - 1})
    assert np.flatnonzero(CUTTER.begins(ids)).tolist() == expected


def toy(texts):
    return encoding.join("toy", [encoded(text) for text in texts], 1)


TEXTS = ("我们去北京大学", "今天天气", "hello world", "在广州打字。" * 3)


def test_a_corpus_knows_the_words_of_every_document(tmp_path):
    plain = toy(TEXTS)
    assert all(plain.begins(n).all() for n in range(4))  # nobody has cut them
    corpus = replace(plain, words=word_bits(plain, CUTTER))
    encoding.save(corpus, tmp_path)
    read = encoding.load("toy", tmp_path)
    assert len(read.words) == -(-len(read.token_ids) // 8)
    for number, text in enumerate(TEXTS):
        expected = CUTTER.begins(encoded(text))
        assert read.begins(number).tolist() == expected.tolist()
    assert encoding.load("toy", tmp_path, with_words=False).words is None


def test_words_stay_with_the_documents_that_stay():
    plain = toy(TEXTS)
    corpus = replace(plain, words=word_bits(plain, CUTTER))
    left = encoding.without(corpus, {0, 2})
    for number, text in enumerate((TEXTS[1], TEXTS[3])):
        expected = CUTTER.begins(encoded(text))
        assert left.begins(number).tolist() == expected.tolist()
    assert encoding.without(plain, {0}).words is None


def test_words_of_another_encoding_are_not_taken(tmp_path):
    corpus = toy(TEXTS)
    encoding.save(replace(corpus, words=word_bits(corpus, CUTTER)), tmp_path)
    with pytest.raises(ValueError, match=r"expected 6 bytes of words, received 3: cut"):
        replace(corpus, words=np.zeros(3, "uint8"))
    encoding.save(toy(TEXTS[:1]), tmp_path)
    assert encoding.load("toy", tmp_path).words is None


def test_a_corpus_without_documents_has_no_words():
    corpus = toy(())
    assert len(word_bits(corpus, CUTTER)) == 0
