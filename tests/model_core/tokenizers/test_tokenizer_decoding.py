"""Laws of decoding: text only grows, and spaces stand where a reader expects them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_core.tokenizers.load import build_tokenizer
from model_core.tokenizers.settings import TokenizerSettings
from model_core.tokenizers.vocabulary import SpecialTokens

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
MARKS = ",.!?;:()[]{}'\"-/@%#&+=，。！？《》、…"
WORDS = (
    "hello",
    "world",
    "the",
    "www",
    "com",
    "play",
    "##ing",
    "##ed",
    "привет",
    "мир",
)
HAN = "今天气很好我用手机的カな"
TOKENS = (
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused1]", "[NL]", "",
    *LETTERS, *(f"##{c}" for c in LETTERS), *HAN, *(f"##{c}" for c in HAN),
    *MARKS, *WORDS, "t恤", "😀", "##",
)  # fmt: skip
SPECIAL = SpecialTokens(newline="[NL]")
BY_CHARACTERS = build_tokenizer(
    TOKENS, TokenizerSettings(words="characters", special=SPECIAL)
)
BY_WORDS = build_tokenizer(TOKENS, TokenizerSettings(words="jieba", special=SPECIAL))
BOTH = pytest.mark.parametrize("tokenizer", [BY_CHARACTERS, BY_WORDS])


def ids(*tokens: str) -> list[int]:
    return [TOKENS.index(token) for token in tokens]


@BOTH
@given(sequence=st.lists(st.integers(0, len(TOKENS) - 1), max_size=24))
@settings(max_examples=120, deadline=None)
def test_a_streamed_text_only_grows(tokenizer, sequence):
    whole = tokenizer.decode(sequence)
    assert "".join(tokenizer.decode_each(sequence)) == whole
    assert not whole.endswith(" ")
    for size in range(len(sequence)):
        assert whole.startswith(tokenizer.decode(sequence[:size]))


@BOTH
@given(sequence=st.lists(st.integers(0, len(TOKENS) - 1), max_size=20))
@settings(max_examples=100, deadline=None)
def test_special_tokens_add_nothing(tokenizer, sequence):
    special = tokenizer.special_ids
    plain = [token_id for token_id in sequence if token_id not in special]
    assert tokenizer.decode(sequence) == tokenizer.decode(plain)


@BOTH
@pytest.mark.parametrize(
    "text",
    [
        "今天天气很好。我用手机！",
        "hello world",
        "hello, world! it's the 3.14 world.",
        "1,000 and 12:30, then 50% of the rest",
        "playing played the game",
        "www.baidu.com",
        "http://www.baidu.com/a",
        "mail a@qq.com",
        "我用iphone手机，很好",
        "《hello world》，the",
        "今天\n天气\n\nhello world\nthe",
        "state-of-the-art",
        "what? yes: no; maybe ok",
        "wait... what",
        "1. hello 2. world",
        "(hello) world",
        "好,hello",
        "u.s.a",
    ],
)
def test_typical_text_comes_back_as_it_was(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text).token_ids) == text


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (("今", "##天", "天"), "今天天"),
        (("play", "##ing", "hello"), "playing hello"),
        (("##ing",), "ing"),
        (("今", "hello", "天", "world", "the"), "今hello天world the"),
        (("hello", "[SEP]", "world"), "hello world"),
        (("hello", "[UNK]", "world", "[PAD]"), "hello world"),
        (("hello", "😀", "world"), "hello😀world"),
        (("привет", "мир"), "привет мир"),
        (("な", "カ"), "なカ"),
        (("(", "hello", ")", "the"), "(hello) the"),
        (("hello", "，", "world"), "hello，world"),
        (("hello", "今", ",", "world"), "hello今,world"),
        (("t恤", "hello"), "t恤hello"),
        (("hello", "[NL]", "world"), "hello\nworld"),
        (("[NL]", "##a"), "\na"),
        (("hello", ",", "##a", "b"), "hello,a b"),
        ((), ""),
    ],
)
def test_where_spaces_go(tokens, text):
    assert BY_CHARACTERS.decode(ids(*tokens)) == text


def test_words_of_other_scripts_are_not_torn_after_jieba():
    # jieba hands out unknown scripts letter by letter
    vocabulary = ("[UNK]", *"мир")
    by_words = build_tokenizer(vocabulary, TokenizerSettings(words="jieba"))
    assert by_words.decode(by_words.encode("мир").token_ids) == "мир"


@pytest.mark.parametrize(
    ("token", "text"),
    [("##ing", "ing"), ("hello", "hello"), ("[CLS]", ""), ("[UNK]", ""),
     ("[unused1]", ""), ("[NL]", "\n"), ("##", "##"), ("", "")],
)  # fmt: skip
def test_token_text_is_a_tokens_own_characters(token, text):
    assert BY_CHARACTERS.token_text(TOKENS.index(token)) == text


def test_numpy_ids_decode_too():
    array = np.array(ids("hello", "world"), dtype=np.int32)
    assert BY_CHARACTERS.decode(array) == "hello world"


@pytest.mark.parametrize("wrong", [-1, len(TOKENS)])
@pytest.mark.parametrize(
    "question",
    [
        BY_CHARACTERS.id_to_token,
        BY_CHARACTERS.token_text,
        lambda token_id: BY_CHARACTERS.decode([token_id]),
    ],
)
def test_an_id_outside_the_vocabulary_is_refused(question, wrong):
    expected = f"token id from 0 to {len(TOKENS) - 1}; received {wrong}"
    with pytest.raises(ValueError, match=expected):
        question(wrong)


def test_newline_is_text_and_not_special():
    newline = BY_CHARACTERS.token_to_id("[NL]")
    assert newline == BY_CHARACTERS.newline_id
    assert newline not in BY_CHARACTERS.special_ids
    assert BY_CHARACTERS.special_ids == set(
        ids("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused1]")
    )
