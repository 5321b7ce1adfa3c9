"""The same ids as SentencePiece itself, and the published orders of its ids."""

import json
import sys
import types

import pytest
import sentencepiece
from transformers import (
    AutoTokenizer,
    MBart50Tokenizer,
    MBartTokenizer,
    PegasusTokenizer,
    T5Tokenizer,
    XLMRobertaTokenizer,
)

from model_core.tokenizers.load import load_tokenizer
from tests.model_core.tokenizers import tiny_vocabularies
from tests.model_core.tokenizers.hostile import hostile_strings, readable, without

MODELS = {
    "XLNet's": tiny_vocabularies.xlnet_model,
    "T5's": tiny_vocabularies.t5_model,
    "mT5's": tiny_vocabularies.mt5_model,
    "BPE": tiny_vocabularies.bpe_model,
}
# what a person may type although the model lets it become a special token
DEFINED_MARKS = ("<eop>", "<extra_id_0>")


def folder_with(folder, content, name="spiece.model", **config):
    (folder / name).write_bytes(content)
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def processor_of(content):
    return sentencepiece.SentencePieceProcessor(model_proto=content)


@pytest.fixture(scope="module", params=MODELS)
def pair(request, tmp_path_factory):
    """(ours, the library's own object) over one model file."""
    content = MODELS[request.param]()
    folder = folder_with(tmp_path_factory.mktemp("pieces"), content)
    return load_tokenizer(folder), processor_of(content)


def test_two_thousand_hostile_strings_give_the_same_ids(pair):
    ours, theirs = pair
    strings = without(*DEFINED_MARKS)
    assert len(strings) > 1900
    for text in strings:
        expected = theirs.encode(readable(text), out_type=int)
        assert list(ours.encode(text).token_ids) == expected, repr(text)


def test_a_typed_mark_of_the_model_is_text_unlike_in_the_library(pair):
    ours, theirs = pair
    for mark in DEFINED_MARKS:
        marked = [
            i for i in theirs.encode(mark) if theirs.id_to_piece(i).endswith(mark)
        ]
        assert set(marked) <= ours.special_ids
    for text in hostile_strings():
        found = set(ours.encode(text).token_ids) & ours.special_ids
        assert found <= {ours.unk_id}, repr(text)


def test_decoding_is_the_librarys_without_unknown_pieces(pair):
    ours, theirs = pair
    for text in hostile_strings():
        ids = [i for i in ours.encode(text).token_ids if i != ours.unk_id]
        assert ours.decode(ids) == theirs.decode(ids), repr(text)


def test_offsets_are_the_librarys_but_for_space_around_them(pair):
    ours, theirs = pair

    def is_space(part):
        return not theirs.normalize("".join(part.split())).strip("▁")

    for text in without(*DEFINED_MARKS):
        given = readable(text)
        expected = theirs.encode(given, out_type="offset_mapping")["offsets"]
        spans = ours.encode(text).spans
        for (start, end), (first, past) in zip(spans, expected, strict=True):
            if first < past:  # else the character went to another piece
                assert first <= start
                assert is_space(given[first:start]), repr(text)
                assert is_space(given[end:past]), repr(text)


# Orders of ids, against transformers' own tokenizers over the same file


def with_file(tmp_path, content, name, tokenizer_class, **config):
    config = {"tokenizer_class": tokenizer_class.__name__, **config}
    folder = folder_with(tmp_path, content, name, **config)
    return load_tokenizer(folder), tokenizer_class.from_pretrained(folder)


CASES = {
    "XLM-R": (
        tiny_vocabularies.piece_model,
        "sentencepiece.bpe.model",
        XLMRobertaTokenizer,
        "cls sep mask pad unk bos eos",
    ),
    "mBART-50": (
        tiny_vocabularies.piece_model,
        "sentencepiece.bpe.model",
        MBart50Tokenizer,
        "mask pad unk eos",
    ),
    "mBART": (
        tiny_vocabularies.piece_model,
        "sentencepiece.bpe.model",
        MBartTokenizer,
        "cls sep mask pad unk bos eos",
    ),
    "T5": (tiny_vocabularies.t5_model, "spiece.model", T5Tokenizer, "pad unk eos"),
    "Pegasus": (
        tiny_vocabularies.t5_model,
        "spiece.model",
        PegasusTokenizer,
        "mask pad unk eos",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_published_orders_of_ids_are_those_of_transformers(tmp_path, name):
    model, file_name, tokenizer_class, roles = CASES[name]
    ours, theirs = with_file(tmp_path, model(), file_name, tokenizer_class)
    expected = theirs.get_vocab()
    assert {t: ours.token_to_id(t) for t in expected} == expected
    assert ours.vocab_size == len(theirs)
    for role in roles.split():
        assert getattr(ours, f"{role}_id") == getattr(theirs, f"{role}_token_id"), role
    assert set(theirs.all_special_ids) <= ours.special_ids
    # plain text: transformers 5 leaves mBART's normalisation out, and splits at spaces
    text = "今天天气很好 hello world北京大学的 playing tokens 1,000"
    ids = theirs(text, add_special_tokens=False)["input_ids"]
    assert list(ours.encode(text).token_ids) == ids
    assert ours.decode(ids) == theirs.decode(ids)


def test_pegasus_shifts_its_pieces(tmp_path):
    content = tiny_vocabularies.t5_model()
    ours = load_tokenizer(
        folder_with(tmp_path, content, tokenizer_class=PegasusTokenizer.__name__)
    )
    theirs = processor_of(content)
    assert [ours.id_to_token(i) for i in (0, 1, 2, 3, 4, 104)] == [
        "<pad>", "</s>", "<mask_1>", "<mask_2>", "<unk_2>", "<unk_102>"
    ]  # fmt: skip
    assert (ours.pad_id, ours.eos_id, ours.mask_id, ours.unk_id) == (0, 1, 3, 105)
    assert ours.vocab_size == theirs.get_piece_size() + 103
    for text in without():
        expected = [i + 103 for i in theirs.encode(readable(text), out_type=int)]
        assert list(ours.encode(text).token_ids) == expected


def test_fairseq_shifts_its_pieces_by_one(tmp_path):
    content = tiny_vocabularies.piece_model()
    ours = load_tokenizer(folder_with(tmp_path, content, "sentencepiece.bpe.model"))
    theirs = processor_of(content)
    for text in without():
        ids = theirs.encode(readable(text), out_type=int)
        assert list(ours.encode(text).token_ids) == [i + 1 if i else 3 for i in ids]


@pytest.mark.parametrize(
    ("config", "extra"),
    [
        ({"tokenizer_class": "T5Tokenizer"}, 100),
        ({"tokenizer_class": "T5TokenizerFast", "extra_ids": 7}, 7),
        ({"tokenizer_class": "T5Tokenizer", "extra_ids": 0}, 0),
        ({}, 0),
    ],
)
def test_t5_appends_its_sentinels_the_last_first(tmp_path, config, extra):
    content = tiny_vocabularies.t5_model()
    ours = load_tokenizer(folder_with(tmp_path, content, **config))
    size = processor_of(content).get_piece_size()
    assert ours.vocab_size == size + extra
    assert ours.token_to_id("<extra_id_0>") == (size + extra - 1 if extra else None)
    assert set(range(size, size + extra)) <= ours.special_ids


def test_a_model_with_sentinels_of_its_own_gets_no_others(tmp_path):
    content = tiny_vocabularies.mt5_model()
    (tmp_path / "config.json").write_text('{"model_type": "mt5"}')
    ours = load_tokenizer(folder_with(tmp_path, content))
    assert ours.vocab_size == processor_of(content).get_piece_size()
    assert ours.token_to_id("▁<extra_id_0>") in ours.special_ids


# XLNet's and ALBERT's cleaning, against the one that transformers still has


@pytest.fixture(scope="module")
def xlnet(tmp_path_factory):
    """(folder, transformers' tokenizer with XLNet's own code)."""
    folder = folder_with(
        tmp_path_factory.mktemp("xlnet"), tiny_vocabularies.xlnet_model()
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "rjieba", types.ModuleType("rjieba"))
        from transformers.models.cpm.tokenization_cpm import CpmTokenizer

        return folder, CpmTokenizer


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"do_lower_case": True},
        {"keep_accents": True},
        {"remove_space": False},
        {"do_lower_case": True, "keep_accents": True, "remove_space": False},
    ],
)
def test_xlnets_own_cleaning_gives_the_same_ids(xlnet, options):
    folder, tokenizer_class = xlnet
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "rjieba", types.ModuleType("rjieba"))
        theirs = tokenizer_class(str(folder / "spiece.model"), **options)
    config = {"tokenizer_class": "XLNetTokenizer", **options}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    ours = load_tokenizer(folder)
    for text in without(*DEFINED_MARKS):
        # special tokens are looked for before _tokenize, which is all we compare with
        expected = theirs._tokenize(readable(text))
        found = ours.encode(text).token_ids
        spelled = [ours.id_to_token(i) for i in found]
        known = [ours.token_to_id(piece) is not None for piece in expected]
        assert [
            piece if is_known else "<unk>"
            for piece, is_known in zip(expected, known, strict=True)
        ] == spelled, repr(text)


def test_albert_takes_the_lower_case_by_itself(tmp_path):
    content = tiny_vocabularies.xlnet_model()
    ours = load_tokenizer(
        folder_with(tmp_path, content, tokenizer_class="AlbertTokenizer")
    )
    assert ours.encode("HELLO Éa").token_ids == ours.encode("hello ea").token_ids


def test_transformers_reads_the_same_folder(tmp_path):
    """The order of ids is the published one also where a class is not named."""
    content = tiny_vocabularies.t5_model()
    folder = folder_with(tmp_path, content)
    (folder / "config.json").write_text('{"model_type": "t5"}')
    theirs = AutoTokenizer.from_pretrained(folder)
    assert load_tokenizer(folder).vocab_size == len(theirs)
