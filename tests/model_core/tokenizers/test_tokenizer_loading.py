"""What a checkpoint's folder may say, and the sentence for what it may not."""

import json

import pytest

from model_core.tokenizers.load import (
    TokenizerSettings,
    build_tokenizer,
    load_tokenizer,
)

TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused9]", "[NL]", "[诗]")
TOKENS += ("a", "A", "é", "e", "中", "国", "中国", "##a")


def folder_with(folder, tokens=TOKENS, config=None):
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")
    if config is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def spelled(tokenizer, text):
    return [tokenizer.id_to_token(i) for i in tokenizer.encode(text).token_ids]


@pytest.mark.parametrize(
    ("config", "text", "tokens"),
    [
        ({}, "A É\n中国", ["a", "e", "中", "国"]),
        ({"do_lower_case": False}, "A é", ["A", "é"]),
        ({"do_lower_case": None}, "A é", ["a", "e"]),
        ({"strip_accents": False}, "É", ["é"]),
        ({"do_lower_case": False, "strip_accents": True}, "Aé", ["[UNK]"]),
        ({"tokenize_chinese_chars": False}, "中国", ["中国"]),
        ({"jieba_words": True}, "中国", ["中国"]),
        ({"jieba_words": False}, "中国", ["中", "国"]),
        ({"newline_token": "[NL]"}, "a\na", ["a", "[NL]", "a"]),
        ({"newline_token": {"content": "[NL]"}}, "\n", ["[NL]"]),
        ({"full_width": "fold"}, "Ａａ", ["a", "##a"]),
        ({"full_width": "keep"}, "Ａａ", ["[UNK]"]),
        ({"tokenizer_class": "BertTokenizer", "model_max_length": 512}, "a", ["a"]),
    ],
)
def test_options_change_how_text_is_read(tmp_path, config, text, tokens):
    assert spelled(load_tokenizer(folder_with(tmp_path, config=config)), text) == tokens


def test_the_caller_may_choose_the_words(tmp_path):
    folder = folder_with(tmp_path, config={"jieba_words": False})
    assert spelled(load_tokenizer(folder, words="jieba"), "中国") == ["中国"]
    folder = folder_with(tmp_path, config={"jieba_words": True})
    assert spelled(load_tokenizer(folder, words="characters"), "中国") == ["中", "国"]


def test_a_vocabulary_of_words_asks_for_words():
    han = [chr(code) for code in range(0x4E00, 0x4E00 + 1000)]
    words = [char + "国" for char in han]
    tokens = ("[UNK]", "中", "国", "中国", *dict.fromkeys(words))
    assert spelled(build_tokenizer(tokens, TokenizerSettings()), "中国") == ["中国"]
    few = tokens[:900]
    assert spelled(build_tokenizer(few, TokenizerSettings()), "中国") == ["中", "国"]


def test_special_tokens_have_their_parts(tmp_path):
    config = {"additional_special_tokens": ["[诗]", {"content": "[absent]"}]}
    tokenizer = load_tokenizer(folder_with(tmp_path, config=config))
    parts = (tokenizer.pad_id, tokenizer.unk_id, tokenizer.cls_id, tokenizer.sep_id)
    assert (*parts, tokenizer.mask_id) == (0, 1, 2, 3, 4)
    assert tokenizer.special_ids == {0, 1, 2, 3, 4, 5, TOKENS.index("[诗]")}
    assert tokenizer.token_to_id("[诗]") == TOKENS.index("[诗]")
    assert tokenizer.token_to_id("[absent]") is None


def test_parts_may_be_renamed_or_absent(tmp_path):
    config = {"pad_token": "[unused9]", "unk_token": {"content": "[PAD]"}}
    tokenizer = load_tokenizer(folder_with(tmp_path, TOKENS[:2] + TOKENS[5:], config))
    assert tokenizer.pad_id == 2
    assert tokenizer.unk_id == 0
    assert tokenizer.cls_id is tokenizer.sep_id is tokenizer.mask_id is None


def test_a_token_that_stands_twice_keeps_both_ids(tmp_path):
    tokenizer = load_tokenizer(folder_with(tmp_path, ("[UNK]", "a", "中", "a")))
    assert tokenizer.vocab_size == 4
    assert tokenizer.encode("a中").token_ids == (3, 2)
    assert tokenizer.decode([1, 2, 3]) == "a中a"


def test_an_empty_line_keeps_its_number(tmp_path):
    tokenizer = load_tokenizer(folder_with(tmp_path, ("[UNK]", "", "中")))
    assert tokenizer.encode("中").token_ids == (2,)


def test_line_separators_of_unicode_are_tokens(tmp_path):
    tokenizer = load_tokenizer(folder_with(tmp_path, ("[UNK]", "\u2028", "\x85", "中")))
    assert tokenizer.vocab_size == 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "expected a vocabulary at .*vocab.txt; received no such file"),
        (b"", "expected one token per line in .*; received an empty file"),
        (b"[PAD]\na\n", r"holds \[UNK\]; received 2 tokens: '\[PAD\]', 'a'$"),
        (b"[UNK]\n\xff\n", "expected UTF-8 in .*; received byte 0xff at offset 6"),
    ],
)
def test_a_broken_vocabulary_is_named(tmp_path, content, message):
    if content is not None:
        (tmp_path / "vocab.txt").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load_tokenizer(tmp_path)


def test_a_file_in_place_of_the_folder_is_named(tmp_path):
    path = tmp_path / "model.safetensors"
    path.touch()
    with pytest.raises(ValueError, match=r"a vocabulary at .*no such file"):
        load_tokenizer(path)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            '{"do_lower_case": "no"}',
            "do_lower_case: expected true, false or null; .*'no'",
        ),
        (
            '{"full_width": "wide"}',
            "full_width: expected \"keep\" or .*received 'wide'",
        ),
        ('{"full_width": []}', "full_width: expected .* received \\[\\]"),
        ('{"newline_token": 7}', "newline_token: expected a token; received 7"),
        (
            '{"newline_token": "[X]"}',
            r"vocabulary that holds \[X\]; received 16 tokens",
        ),
        ('{"additional_special_tokens": "x"}', "expected a list; received 'x'"),
        ('{"additional_special_tokens": [1]}', "expected a token; received 1"),
        ('{"pad_token": ""}', "pad_token: expected a token; received ''"),
        ("[1]", "expected a JSON object in .*; received list"),
        ("{", "expected JSON in .*tokenizer_config.json; received Expecting"),
        (b"\xff\xfe\xff", "expected JSON in .*tokenizer_config.json; received"),
    ],
)
def test_a_broken_option_is_named(tmp_path, config, message):
    folder_with(tmp_path)
    content = config if isinstance(config, bytes) else config.encode()
    (tmp_path / "tokenizer_config.json").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load_tokenizer(tmp_path)
