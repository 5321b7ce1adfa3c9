"""CPM: jieba's words, marks for spaces and newlines, and the way back."""

import json

import jieba
import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st

from model_core.tokenizers.cpm_words import has_marks
from model_core.tokenizers.load import load_tokenizer
from tests.model_core.tokenizers import tiny_vocabularies
from tests.model_core.tokenizers.hostile import hostile_strings, readable

JIEBA = jieba.Tokenizer()
MARKS = str.maketrans(" \n", "\u2582\u2583")


@pytest.fixture(scope="module")
def model():
    content = tiny_vocabularies.xlnet_model()
    return content, sentencepiece.SentencePieceProcessor(model_proto=content)


@pytest.fixture(scope="module")
def ours(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cpm")
    (folder / "spiece.model").write_bytes(model[0])
    (folder / "config.json").write_text(json.dumps({"tokenizer_class": "CpmTokenizer"}))
    return load_tokenizer(folder)


def reference_ids(processor, text):
    """The release's own code: words joined by spaces, marks for the person's own."""
    words = [word.translate(MARKS) for word in JIEBA.cut(text, cut_all=False)]
    return processor.encode(" ".join(words))


def reference_text(processor, ids):
    text = processor.decode(ids)
    return text.replace(" ", "").replace("\u2582", " ").replace("\u2583", "\n")


def test_two_thousand_hostile_strings_give_the_releases_ids(ours, model):
    _, processor = model
    for text in hostile_strings():
        if "<eop>" not in text:  # a mark there, text here
            expected = reference_ids(processor, readable(text))
            assert list(ours.encode(text).token_ids) == expected, repr(text)


def test_decoding_is_the_releases_without_unknown_pieces(ours, model):
    _, processor = model
    for text in hostile_strings():
        ids = [i for i in ours.encode(text).token_ids if i != ours.unk_id]
        assert ours.decode(ids) == reference_text(processor, ids), repr(text)


@pytest.mark.parametrize(
    "text",
    [
        "今天天气很好",
        "今天 天气\n\n很好",
        "  hello  world\n",
        "北京大学 hello，去广州！",
        "\n",
    ],
)
def test_spaces_and_newlines_come_back(ours, text):
    assert ours.decode(ours.encode(text).token_ids) == text.replace("，", ",").replace(
        "！", "!"
    )


@pytest.mark.parametrize(
    ("text", "slices"),
    [
        ("今天天气", ["今天", "天气"]),
        ("白云 机场", ["白云", " ", "机场"]),
        ("去\n北京", ["去", "\n", "北京"]),
        ("hello world", ["hello", " ", "world"]),
    ],
)
def test_spans_point_into_the_typed_text(ours, text, slices):
    encoding = ours.encode(text)
    found = [text[start:end] for start, end in encoding.spans]
    assert [*dict.fromkeys(found)] == [*dict.fromkeys(slices)]
    assert set("".join(found)) == set(text)


@given(
    text=st.text(st.sampled_from("今天气 \n\t😀a1,，\u3000\u0301\ud83d▂▁"), max_size=24)
)
@settings(max_examples=200, deadline=None)
def test_every_typed_space_and_newline_has_a_span_of_its_own(ours, text):
    encoding = ours.encode(text)
    for place, char in enumerate(text):
        if char in " \n":
            assert (place, place + 1) in encoding.spans


def test_a_prompt_cut_inside_a_word_finds_longer_ones(ours):
    for continuation in (False, True):
        ids = ours.ids_starting_with("北", continuation=continuation)
        texts = {ours.token_text(int(i)) for i in ids}
        assert texts
        assert all(text.startswith("北") for text in texts)
        assert not any(" " in text for text in texts)


@pytest.mark.parametrize(
    ("tokens", "found"),
    [
        (("<unk>", "▂", "▃", *map(str, range(400))), True),
        (("<unk>", "▁▃", "▁▂", *map(str, range(400))), True),
        (("<unk>", "▂", *map(str, range(400)), "▃"), False),
        (("<unk>", "▂", "▃"), False),
        ((*map(str, range(400)), "▂", "▃", *map(str, range(100_000))), False),
    ],
)
def test_a_vocabulary_that_uses_the_marks_is_known(tokens, found):
    assert has_marks(tokens) is found


def test_the_file_may_say_yes_or_no(model, tmp_path):
    content, processor = model
    (tmp_path / "spiece.model").write_bytes(content)
    by_words = load_tokenizer(tmp_path, words="jieba")
    assert by_words.encode("a b").token_ids == tuple(reference_ids(processor, "a b"))
    plain = load_tokenizer(tmp_path)
    assert plain.encode("a b").token_ids == tuple(processor.encode("a b"))


def test_words_come_before_a_tokenizer_json_too(tmp_path):
    folder = tiny_vocabularies.write_json(
        tmp_path / "tokenizer.json", tiny_vocabularies.unigram_json()
    )
    ours = load_tokenizer(folder, words="jieba")
    plain = load_tokenizer(folder)
    text = "今天 天气"
    words = " ".join(word.translate(MARKS) for word in JIEBA.cut(text))
    assert ours.encode(text).token_ids == plain.encode(words).token_ids
    assert ours.decode(ours.encode(text).token_ids) == text
