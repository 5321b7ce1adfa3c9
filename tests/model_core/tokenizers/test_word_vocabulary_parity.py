"""Vocabularies of words: BERT's, jieba's before it, and lines with other parts."""

import json

import jieba
import pytest
from tokenizers.normalizers import BertNormalizer
from transformers import BertTokenizer

from model_core.tokenizers.load import load_tokenizer
from tests.model_core.tokenizers.hostile import hostile_strings, readable, without
from tests.model_core.tokenizers.tiny_vocabularies import BERT_MARKS, word_tokens

JIEBA_WORDS = (
    "天气",
    "北京大学",
    "白云机场",
    "广州",
    "我们",
    "很好",
    "hello",
    "1,000",
    "！",
)


def folder_with(folder, tokens, model_config=None, **config):
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "config.json").write_text(json.dumps(model_config or {}))
    return folder


def spelled(tokenizer, text):
    return [tokenizer.id_to_token(i) for i in tokenizer.encode(text).token_ids]


def word_by_word(bert, vocabulary, text):
    """bert4keras' reading: normalise, cut words, and BERT's pieces of the others."""
    plain = BertNormalizer(handle_chinese_chars=False).normalize_str(text)
    ids = []
    for word in JIEBA.cut(plain, HMM=False):
        if word in vocabulary and word not in BERT_MARKS:
            ids.append(vocabulary[word])
        else:
            ids += bert(word, add_special_tokens=False)["input_ids"]
    return ids


JIEBA = jieba.Tokenizer()


@pytest.mark.parametrize("lowercase", [True, False])
def test_two_thousand_hostile_strings_give_berts_ids(tmp_path, lowercase):
    tokens = word_tokens()
    ours = load_tokenizer(folder_with(tmp_path, tokens, do_lower_case=lowercase))
    theirs = BertTokenizer(
        vocab={token: i for i, token in enumerate(tokens)}, do_lower_case=lowercase
    )
    strings = without(*BERT_MARKS)
    assert len(strings) > 1700
    for text in strings:
        expected = theirs(readable(text), add_special_tokens=False)["input_ids"]
        assert list(ours.encode(text).token_ids) == expected, repr(text)


def test_two_thousand_hostile_strings_give_the_ids_of_words_first(tmp_path):
    tokens = (*word_tokens(), *JIEBA_WORDS)
    ours = load_tokenizer(folder_with(tmp_path, tokens, jieba_words=True))
    vocabulary = {token: i for i, token in enumerate(tokens)}
    theirs = BertTokenizer(vocab=dict(vocabulary))
    num_words = 0
    for text in map(readable, without(*BERT_MARKS)):
        expected = word_by_word(theirs, vocabulary, text)
        found = list(ours.encode(text).token_ids)
        assert found == expected, repr(text)
        num_words += len({*found} & {vocabulary[word] for word in JIEBA_WORDS})
    assert num_words > 100


def test_no_typed_mark_becomes_a_special_token(tmp_path):
    tokens = (*word_tokens(), "extra0", "extra17", "[speaker1]")
    for jieba_words in (False, True):
        ours = load_tokenizer(folder_with(tmp_path, tokens, jieba_words=jieba_words))
        for text in hostile_strings():
            found = set(ours.encode(text).token_ids) & ours.special_ids
            assert found <= {ours.unk_id}, repr(text)


def test_uers_sentinels_are_marks(tmp_path):
    tokens = (*word_tokens(), "extra0", "extra1", "extras")
    ours = load_tokenizer(folder_with(tmp_path, tokens))
    sentinels = [ours.token_to_id(f"extra{i}") for i in range(2)]
    assert set(sentinels) <= ours.special_ids
    assert ours.token_to_id("extras") not in ours.special_ids
    assert ours.decode([sentinels[0], tokens.index("北"), sentinels[1]]) == "北"
    # in transformers a typed extra0 is the sentinel; here it is what was typed
    assert spelled(ours, "extra0")[:2] == ["e", "##x"]


def test_the_ends_of_a_sequence_come_from_config_json(tmp_path):
    ids = {"bos_token_id": 2, "eos_token_id": 3}
    ours = load_tokenizer(folder_with(tmp_path, word_tokens(), ids))
    assert (ours.bos_id, ours.eos_id) == (2, 3)


@pytest.mark.parametrize("ids", [{}, {"bos_token_id": 50256, "eos_token_id": 50256}])
def test_ends_that_are_no_special_token_are_no_ends(tmp_path, ids):
    ours = load_tokenizer(folder_with(tmp_path, word_tokens(), ids))
    assert ours.bos_id is ours.eos_id is None
    plain = word_tokens().index("a")
    ours = load_tokenizer(folder_with(tmp_path, word_tokens(), {"eos_token_id": plain}))
    assert ours.eos_id is None
    assert plain not in ours.special_ids


# Randeng-Pegasus: Pegasus' tokens on lines of a BERT vocabulary

RANDENG = (*BERT_MARKS, *(f"[unused{i}]" for i in range(1, 5)), *word_tokens()[6:])


def test_randengs_tokens_stand_on_unused_lines(tmp_path):
    config = {"tokenizer_class": "PegasusTokenizer", "jieba_words": True}
    ours = load_tokenizer(folder_with(tmp_path, RANDENG, **config))
    at = RANDENG.index
    assert ours.pad_id == at("[PAD]")
    assert ours.eos_id == at("[unused1]")
    assert ours.unk_id == at("[UNK]")
    assert ours.mask_id == at("[unused3]")
    assert ours.token_to_id("</s>") == at("[unused1]")
    assert ours.token_to_id("<mask_1>") == at("[unused2]")
    assert ours.token_to_id("[PAD]") is None
    assert {*map(at, ("[unused1]", "[unused2]", "[unused3]"))} <= ours.special_ids
    assert ours.decode([at("今"), at("[unused1]"), at("[unused2]")]) == "今"


def test_randengs_names_may_be_others(tmp_path):
    config = {
        "tokenizer_class": "PegasusTokenizer",
        "eos_token": "<end>",
        "pad_token": {"content": "<fill>"},
        "mask_token_sent": "<line>",
    }
    ours = load_tokenizer(folder_with(tmp_path, RANDENG, **config))
    assert ours.eos_id == ours.token_to_id("<end>") == RANDENG.index("[unused1]")
    assert ours.pad_id == ours.token_to_id("<fill>") == RANDENG.index("[PAD]")
    assert ours.token_to_id("<line>") in ours.special_ids


def test_without_its_class_randengs_ids_are_the_same(tmp_path):
    ids = {"model_type": "pegasus", "eos_token_id": RANDENG.index("[unused1]")}
    ours = load_tokenizer(folder_with(tmp_path, RANDENG, ids))
    assert ours.eos_id == RANDENG.index("[unused1]")
    assert (ours.pad_id, ours.unk_id) == (0, 1)


def test_a_named_token_that_is_not_there_leaves_the_usual_one(tmp_path):
    config = {"pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "a"}
    ours = load_tokenizer(folder_with(tmp_path, word_tokens(), **config))
    assert (ours.pad_id, ours.unk_id) == (0, 1)
    assert ours.cls_id == word_tokens().index("a")


# Tokens beyond the vocabulary's own file


def test_added_tokens_follow_the_vocabulary(tmp_path):
    tokens = word_tokens()
    size = len(tokens)
    folder = folder_with(
        tmp_path,
        tokens,
        added_tokens_decoder={
            "0": {"content": "[PAD]", "special": True},
            str(size + 2): {"content": "<new>", "special": True},
        },
    )
    (folder / "added_tokens.json").write_text(json.dumps({"词": size}))
    ours = load_tokenizer(folder)
    assert ours.vocab_size == size + 3
    assert ours.special_ids >= {0, size + 2}
    assert ours.decode([size, size + 1, size + 2]) == "词"
    assert size not in ours.special_ids


def test_special_tokens_map_names_tokens_too(tmp_path):
    other = {"cls_token": "[X]"}
    folder = folder_with(tmp_path, (*word_tokens(), "[X]", "[Y]"), **other)
    (folder / "special_tokens_map.json").write_text(
        json.dumps({"cls_token": "[Y]", "sep_token": {"content": "[Y]"}})
    )
    ours = load_tokenizer(folder)
    assert ours.id_to_token(ours.cls_id) == "[X]"  # tokenizer_config.json wins
    assert ours.id_to_token(ours.sep_id) == "[Y]"


@pytest.mark.parametrize("lowercase", [True, False])
def test_a_tokenizer_json_of_berts_is_read_as_its_vocabulary(tmp_path, lowercase):
    from tests.model_core.tokenizers import tiny_vocabularies

    definition = tiny_vocabularies.word_piece_json(lowercase)
    (tmp_path / "json").mkdir()
    path = tmp_path / "json" / "tokenizer.json"
    by_json = load_tokenizer(tiny_vocabularies.write_json(path, definition))
    by_lines = load_tokenizer(
        folder_with(tmp_path, word_tokens(), do_lower_case=lowercase)
    )
    for text in hostile_strings():
        assert by_json.encode(text) == by_lines.encode(text), repr(text)
    assert by_json.special_ids == by_lines.special_ids
