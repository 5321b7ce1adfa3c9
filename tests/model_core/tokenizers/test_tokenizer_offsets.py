"""Laws of spans: whatever is typed, a token points at what it was made of."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers.normalizers import BertNormalizer

from model_core.tokenizers.base import Encoding
from model_core.tokenizers.load import build_tokenizer
from model_core.tokenizers.settings import TokenizerSettings
from model_core.tokenizers.vocabulary import SpecialTokens

SPECIAL = (
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "[unused1]",
    "[五言绝句]",
    "extra0",
)
TYPED = (
    *"abcehiloprtw0123.,!?()[]#中国北京大学白云机场在，。！（）ａＡ😀👨👩👧한",
    *"\u1112\u1161\u11ab\u0307\u0301é",
)
TOKENS = (*SPECIAL, "[NL]", *dict.fromkeys((*TYPED, *(f"##{c}" for c in TYPED))))
TOKENS += ("北京", "白云机场", "大学", "hello", "##rld")
MARKS = SpecialTokens(newline="[NL]", additional=frozenset(SPECIAL))

SETTINGS = {
    "uncased": TokenizerSettings(words="characters", special=MARKS),
    "cased": TokenizerSettings(words="characters", lowercase=False, special=MARKS),
    "accents": TokenizerSettings(
        words="characters", strip_accents=False, special=MARKS
    ),
    "whole runs": TokenizerSettings(
        words="characters", tokenize_chinese_chars=False, special=MARKS
    ),
    "jieba": TokenizerSettings(words="jieba", special=MARKS),
    "folding": TokenizerSettings(words="jieba", full_width="fold", special=MARKS),
}
TOKENIZERS = {
    name: build_tokenizer(TOKENS, chosen) for name, chosen in SETTINGS.items()
}

WILD = st.characters(
    exclude_categories=()
)  # lone surrogates and control characters too
TEMPTING = st.sampled_from(
    [
        *SPECIAL,
        *TYPED,
        "[NL]",
        "\n",
        "\r\n",
        "##rld",
        "Hello, WORLD",
        "e\u0301te",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "白云机场",
        "ＡＢＣ１２３，",
        "\u3000",
        "\ud83d\ude00",
        "\ud83d",
        "\x00",
        "\ufffd",
        "İ",
        "ﬁ",
        "한국",
        "≠",
        "\u0301",
    ]
)
TEXTS = st.lists(TEMPTING | WILD, max_size=24).map("".join)
EVERY_TOKENIZER = pytest.mark.parametrize("name", TOKENIZERS)


def normalised(name: str, text: str) -> str:
    """The library's own normalisation of a whole slice: an independent oracle."""
    chosen = SETTINGS[name]
    rule = BertNormalizer(
        handle_chinese_chars=False,
        strip_accents=chosen.strip_accents,
        lowercase=chosen.lowercase,
    )
    return rule.normalize_str("".join(c if c.isprintable() else " " for c in text))


@EVERY_TOKENIZER
@given(text=TEXTS)
@example(text="")
@example(text="\u0301")
@example(text="\ud83d\ude00中\udfff国")
@settings(max_examples=50, deadline=None)
def test_spans_lie_in_the_text_and_in_order(name, text):
    spans = TOKENIZERS[name].encode(text).spans
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert [s for s, _ in spans] == sorted(s for s, _ in spans)
    assert [e for _, e in spans] == sorted(e for _, e in spans)


@pytest.mark.parametrize("name", ["uncased", "cased", "accents", "whole runs", "jieba"])
@given(text=TEXTS)
@settings(max_examples=50, deadline=None)
def test_a_known_token_is_what_its_span_says(name, text):
    tokenizer = TOKENIZERS[name]
    encoding = tokenizer.encode(text)
    shared = {s for s in encoding.spans if encoding.spans.count(s) > 1}
    for token_id, span in zip(encoding.token_ids, encoding.spans, strict=True):
        slice_ = text[slice(*span)]
        if token_id == tokenizer.newline_id:
            assert slice_ == "\n"
        elif token_id != tokenizer.unk_id:
            surface = tokenizer.token_text(token_id)
            found = normalised(name, slice_).strip()
            # one typed character may spell several tokens: 한 is three jamo
            assert surface in found if span in shared else surface == found


@EVERY_TOKENIZER
@given(text=TEXTS)
@settings(max_examples=50, deadline=None)
def test_no_text_becomes_a_special_token(name, text):
    tokenizer = TOKENIZERS[name]
    found = set(tokenizer.encode(text).token_ids) & tokenizer.special_ids
    assert found <= {tokenizer.unk_id}


@pytest.mark.parametrize("name", ["uncased", "jieba"])
@given(text=TEXTS)
@settings(max_examples=50, deadline=None)
def test_every_line_break_is_one_token(name, text):
    tokenizer = TOKENIZERS[name]
    assert tokenizer.encode(text).token_ids.count(tokenizer.newline_id) == text.count(
        "\n"
    )


@pytest.mark.parametrize("token", [*SPECIAL, "[NL]"])
@EVERY_TOKENIZER
def test_a_typed_special_token_is_plain_text(name, token):
    tokenizer = TOKENIZERS[name]
    token_id = tokenizer.token_to_id(token)
    assert token_id is not None
    assert token_id not in set(tokenizer.encode(token).token_ids) - {tokenizer.unk_id}


@pytest.mark.parametrize(
    ("text", "tokens", "slices"),
    [
        ("Hé中", ["h", "##e", "中"], ["H", "é", "中"]),
        ("e\u0301te", ["e", "##t", "##e"], ["e\u0301", "t", "e"]),
        ("\x00a\x00", ["a"], ["a"]),
        ("\ud83d中\ude00国", ["中", "国"], ["中", "国"]),
        ("a\n\nb", ["a", "[NL]", "[NL]", "b"], ["a", "\n", "\n", "b"]),
        ("😀a", ["😀", "##a"], ["😀", "a"]),
        ("👨\u200d👩", ["👨", "##👩"], ["👨\u200d", "👩"]),
        ("Ａ，", ["ａ", "，"], ["Ａ", "，"]),
        ("한 a", ["\u1112", "##\u1161", "##\u11ab", "a"], ["한", "한", "한", "a"]),
        ("\u3000中\u3000", ["中"], ["中"]),
        ("中QQQ国", ["中", "[UNK]", "国"], ["中", "QQQ", "国"]),
        ("", [], []),
    ],
)
def test_spans_point_into_the_typed_text(text, tokens, slices):
    tokenizer = TOKENIZERS["uncased"]
    encoding = tokenizer.encode(text)
    assert [tokenizer.id_to_token(i) for i in encoding.token_ids] == tokens
    assert [text[start:end] for start, end in encoding.spans] == slices


@pytest.mark.parametrize(
    ("full_width", "tokens"),
    [
        ("keep", ["[UNK]", "，", "[UNK]", "[UNK]"]),
        ("fold", ["b", "##b", "，", "1", "##2", "?"]),
    ],
)
def test_full_width_forms_fold_where_the_vocabulary_lacks_them(full_width, tokens):
    text = "Ｂb，１２？"
    chosen = TokenizerSettings(words="characters", full_width=full_width)
    vocabulary = ("[UNK]", "b", "##b", "1", "##2", "?", "，", ",", "２")
    tokenizer = build_tokenizer(vocabulary, chosen)
    encoding = tokenizer.encode(text)
    assert [tokenizer.id_to_token(i) for i in encoding.token_ids] == tokens
    assert "".join(text[start:end] for start, end in encoding.spans) == text


def test_an_encoding_holds_one_span_per_id():
    with pytest.raises(ValueError, match="one span per token id; received 2 ids and 1"):
        Encoding((1, 2), ((0, 1),))


def test_twenty_thousand_characters_are_quick():
    tokenizer = TOKENIZERS["uncased"]
    text = "在北京大学，hello world 白云机场。\n" * 1000
    started = time.process_time()
    encoding = tokenizer.encode(text)
    tokenizer.decode(encoding.token_ids)
    assert len(text) >= 20_000
    assert time.process_time() - started < 0.5
