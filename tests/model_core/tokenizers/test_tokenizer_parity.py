"""The same ids and offsets as transformers' own tokenizer, on hostile strings."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import BertTokenizer

from model_core.tokenizers.load import (
    TokenizerSettings,
    build_tokenizer,
    load_tokenizer,
)

CHARACTERS = (
    *"abcdefghilmnoprstuwz0123456789.,!?()[]{}#$'\"-中国北京大学的，。！（）ａ１😀한ßſǆ",
    *"\u1112\u1161\u11ab\u0307\u0301ÉéÄäИй豈か\u3099",
)
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused1]")
TOKENS = (*SPECIAL, *dict.fromkeys((*CHARACTERS, *(f"##{c}" for c in CHARACTERS))))
TOKENS += ("hello", "##llo", "wor", "##ld", "Hello", "北京", "##ing", "[x]")

# (tokenizer_config.json for both, by name)
OPTIONS = {
    "uncased": {},
    "cased": {"do_lower_case": False},
    "accents": {"do_lower_case": True, "strip_accents": False},
    "cased without accents": {"do_lower_case": False, "strip_accents": True},
    "whole runs": {"tokenize_chinese_chars": False},
}
HOSTILE = (
    "",
    " \t\r\n ",
    "Hello, WORLD! 中国hello北京",
    "hellohello" * 12,
    "a" * 100 + " " + "a" * 101,
    "ÉÄ e\u0301 a\u0308\u0323 \u0301a",
    "İstanbul ǅ ß ſ Σας ﬁ",
    "ＡＢ１２，！ ａ１",
    "한국 \u1112\u1161\u11ab",
    "👨\u200d👩\u200d👧 😀😀 ☺\ufe0f",
    "\x00a\x01\u200bb\u00adc\ufeffd\ufffde\x7f\x85\u2028",
    "豈\uf900\U0002f800\U00020000\U0002b820\u2e80\u3007",
    "か\u3099が 々〇ヶ",
    "a##b ##ing # # ##",
    "[ cls ] [x] [unused2] [[mask",
    "http://a.b/c?d=e&f#g $3.50 50%",
    "\u00a0\u1680\u2003\u3000a\u200ab",
    "\U000e0001\U000e01ef\U0010ffff\ue000",
)


def write(folder, tokens=TOKENS):
    path = folder / "vocab.txt"
    path.write_bytes("".join(f"{token}\n" for token in tokens).encode())
    return path


@pytest.fixture(scope="module", params=OPTIONS)
def pair(request, tmp_path_factory):
    """(ours, theirs) over one vocab.txt."""
    options = OPTIONS[request.param]
    path = write(tmp_path_factory.mktemp("vocabulary"))
    theirs = BertTokenizer(vocab=str(path), **options)
    names = {"do_lower_case": "lowercase"}
    chosen = {names.get(key, key): value for key, value in options.items()}
    return build_tokenizer(TOKENS, TokenizerSettings(**chosen)), theirs


def both(pair, text):
    ours, theirs = pair
    expected = theirs(text, add_special_tokens=False, return_offsets_mapping=True)
    encoding = ours.encode(text)
    return (encoding.token_ids, encoding.spans), (
        tuple(expected["input_ids"]),
        tuple(expected["offset_mapping"]),
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_strings_give_the_same_ids(pair, text):
    (token_ids, _), (expected, _) = both(pair, text)
    assert token_ids == expected


@given(text=st.text(max_size=40).map(lambda text: text.replace("[", "#")))
@settings(max_examples=100, deadline=None)
def test_any_text_gives_the_same_ids(pair, text):
    (token_ids, spans), (expected, offsets) = both(pair, text)
    assert token_ids == expected
    # ours may end later: a taken-away accent stays with its letter
    assert [start for start, _ in spans] == [start for start, _ in offsets]
    assert all(
        ours[1] >= theirs[1] for ours, theirs in zip(spans, offsets, strict=True)
    )


@pytest.mark.parametrize("pair", ["uncased", "accents"], indirect=True)
def test_every_character_of_the_basic_plane_gives_the_same_ids(pair):
    codes = (c for c in range(0x10000) if not 0xD800 <= c < 0xE000)
    text = "".join(f"a{chr(code)}b " for code in codes)
    (token_ids, _), (expected, _) = both(pair, text)
    assert token_ids == expected


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_a_folder_without_options_is_read_as_bert(tmp_path, start, end):
    content = start + end.join(TOKENS) + end
    (tmp_path / "vocab.txt").write_bytes(content.encode())
    tokenizer = load_tokenizer(tmp_path)
    expected = BertTokenizer(vocab={token: i for i, token in enumerate(TOKENS)})
    text = "Hello É北京 ＡＢ"
    ids = expected(text, add_special_tokens=False)["input_ids"]
    assert tokenizer.vocab_size == len(TOKENS)
    assert tokenizer.pad_id == 0
    assert list(tokenizer.encode(text).token_ids) == ids
