"""The dictionary in a trie says what jieba's own dictionaries say."""

import io
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_core.tokenizers.jieba_words import DICTIONARY
from model_core.tokenizers.lexicon import Lexicon

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import jieba

ROWS = "北 5 ns\n北京 30 ns\n北京大学 7 nt\n大学 20 n\n京大 1 j\n"
FEW = Lexicon(lambda: io.BytesIO(ROWS.encode("utf8")))


def test_a_small_one():
    assert FEW.total == 63
    assert dict(FEW.frequencies) == {
        "北": 5, "北京": 30, "北京大学": 7, "大学": 20, "京大": 1,
    }  # fmt: skip
    assert FEW.tags["北京大学"] == "nt"
    assert FEW.words_from("在北京大学", 1) == ["北", "北京", "北京大学"]
    assert FEW.words_from("在北京大学", 0) == []
    assert FEW.words_from("北京", 2) == []


def test_what_is_no_word_has_the_default_or_raises():
    assert FEW.frequencies.get("京") is None
    assert FEW.frequencies.get("京", 0) == 0
    assert FEW.tags.get("北京大", "x") == "x"
    assert "北京大" not in FEW.frequencies
    assert FEW.frequencies.get("北\ud800", 0) == 0
    assert FEW.words_from("北京\ud800大学", 0) == ["北", "北京"]
    with pytest.raises(KeyError, match="北京大"):
        FEW.frequencies["北京大"]


@pytest.fixture(scope="module")
def plain():
    cutter = jieba.Tokenizer()
    cutter.FREQ, cutter.total = cutter.gen_pfdict(cutter.get_dict_file())
    cutter.initialized = True
    return cutter


def test_every_word_of_jiebas_counts_as_often_here(plain):
    words = {word: count for word, count in plain.FREQ.items() if count}
    assert dict(DICTIONARY.cutter.FREQ) == words
    assert DICTIONARY.cutter.total == plain.total


LETTERS = "南京市长江大桥在北研究生命起源，中华人民共和国 ab1。的\ud800\udfff"
TEXTS = st.text(LETTERS, max_size=40)


@given(text=TEXTS)
def test_words_begin_and_end_where_jiebas_do(plain, text):
    assert DICTIONARY.cutter.get_DAG(text) == plain.get_DAG(text)


@given(text=TEXTS | st.text(st.characters(exclude_categories=()), max_size=20))
def test_texts_are_cut_as_jieba_cuts_them(plain, text):
    assert list(DICTIONARY.cut(text)) == list(plain.cut(text, HMM=False))
    assert list(DICTIONARY.cut_guessing(text)) == list(plain.cut(text, HMM=True))
