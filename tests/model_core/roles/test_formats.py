"""Every part's layout, token by token, as its drawing says."""

import numpy as np
import pytest

from model_core.interfaces import FactKey
from model_core.roles.formats import ANSWER_MASKS, REWRITING, Formats
from model_core.tokenizers.load import load_tokenizer
from model_core.tokenizers.word_marks import NUM_WORD_MARKS, WORD_MARKS, matched
from tests.model_core.playing_checkpoint import (
    RIVER,
    WRITER,
    tokens,
    write_vocabulary,
)


@pytest.fixture(scope="module", name="formats")
def fixture_formats(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vocabulary")
    write_vocabulary(folder, tokens())
    return Formats(load_tokenizer(folder), WORD_MARKS)


@pytest.fixture(scope="module", name="unmarked")
def fixture_unmarked(formats):
    return Formats(formats.tokenizer, None)


def spelled(formats, token_ids):
    return [formats.tokenizer.id_to_token(int(token_id)) for token_id in token_ids]


def test_a_piece_knows_where_its_tokens_stand_and_how_its_words_are_marked(formats):
    text = "长江\n2022年 Linux是人"
    piece = formats.piece(text)
    assert len(piece) == len(piece.mark_ids) == len(piece.spans)
    for token_id, (start, end) in zip(piece.token_ids, piece.spans, strict=True):
        shown = formats.tokenizer.token_text(int(token_id)) or text[start:end]
        assert text[start:end] == shown
    starts = [start for start, _ in piece.spans]
    np.testing.assert_array_equal(
        piece.mark_ids, WORD_MARKS.of_text(text)[np.array(starts)]
    )


def test_an_empty_text_is_an_empty_piece(formats):
    piece = formats.piece("")
    assert len(piece) == 0
    assert piece.token_ids.dtype == piece.mark_ids.dtype == np.int32
    source = formats.rewriting("title", piece, 10)
    assert spelled(formats, source.token_ids) == ["[CLS]", "[标题]", "[SEP]"]
    assert source.text_start == source.text_end == 2


def test_without_marks_every_mark_is_0(unmarked):
    piece = unmarked.piece(RIVER)
    assert not piece.mark_ids.any()
    assert not unmarked.reading(piece, piece).mark_ids.any()
    assert not unmarked.cloze(piece, piece, 3).mark_ids.any()


def test_a_cut_keeps_ids_marks_and_spans_together(formats):
    whole = formats.piece(RIVER)
    part = whole.cut(3, 9)
    assert len(part) == 6
    np.testing.assert_array_equal(part.token_ids, whole.token_ids[3:9])
    np.testing.assert_array_equal(part.mark_ids, whole.mark_ids[3:9])
    assert part.spans == whole.spans[3:9]


@pytest.mark.parametrize(
    ("lay", "mark"),
    [
        (lambda f, p, room: f.rewriting("title", p, room), "[标题]"),
        (lambda f, p, room: f.rewriting("summary", p, room), "[摘要]"),
        (lambda f, p, room: f.pointing(p, room), "[三元组]"),
        (lambda f, p, room: f.clause(p, room), "[抽取]"),
    ],
    ids=["title", "summary", "pointing", "clauses"],
)
@pytest.mark.parametrize("room", [200, 12, 4, 3, 1])
def test_a_text_stands_behind_its_mark_as_much_as_fits(formats, lay, mark, room):
    piece = formats.piece(RIVER)
    source = lay(formats, piece, room)
    kept = min(len(piece), max(0, room - 3))
    expected = ["[CLS]", mark, *spelled(formats, piece.token_ids[:kept]), "[SEP]"]
    assert spelled(formats, source.token_ids) == expected
    assert len(source.token_ids) <= max(room, 3)
    assert (source.text_start, source.text_end) == (2, 2 + kept)
    assert source.text.spans == piece.spans[:kept]
    marks = [0, 0, *piece.mark_ids[:kept].tolist(), 0]
    assert source.mark_ids.tolist() == marks


def test_a_question_stands_before_its_passage(formats):
    question, passage = formats.piece("长江有多长？"), formats.piece(RIVER)
    source = formats.reading(question, passage)
    asked, text = (spelled(formats, p.token_ids) for p in (question, passage))
    expected = ["[CLS]", "[问题]", *asked, "[SEP]", *text, "[SEP]"]
    assert spelled(formats, source.token_ids) == expected
    inside = slice(source.text_start, source.text_end)
    np.testing.assert_array_equal(source.token_ids[inside], passage.token_ids)
    assert source.text.spans == passage.spans


@pytest.mark.parametrize("num_masks", [1, ANSWER_MASKS])
def test_an_answers_masks_stand_before_its_question(formats, num_masks):
    question, passage = formats.piece("鲁迅是哪里人？"), formats.piece(WRITER)
    source = formats.cloze(question, passage, num_masks)
    asked, text = (spelled(formats, p.token_ids) for p in (question, passage))
    expected = ["[CLS]", "[答案]", *["[MASK]"] * num_masks, "[SEP]", *asked, "[SEP]"]
    assert spelled(formats, source.token_ids) == [*expected, *text, "[SEP]"]
    assert (source.token_ids[2 : 2 + num_masks] == formats.tokenizer.mask_id).all()
    inside = slice(source.text_start, source.text_end)
    np.testing.assert_array_equal(source.token_ids[inside], passage.token_ids)


def test_a_passage_is_marked_with_what_it_shares_with_its_question(formats):
    question, passage = formats.piece("长江有多长？"), formats.piece(RIVER)
    for source in (
        formats.reading(question, passage),
        formats.cloze(question, passage, 2),
    ):
        marks = source.mark_ids[source.text_start : source.text_end]
        np.testing.assert_array_equal(
            marks, matched(passage.mark_ids, passage.token_ids, question.token_ids)
        )
        degree = (marks - 1) // NUM_WORD_MARKS
        assert degree[:2].tolist() == [2, 2]  # 长江 stands so in the question
        assert degree[RIVER.index("全")] == 0
        assert degree[RIVER.index("长约")] == 1
        outside = np.delete(
            source.mark_ids, np.arange(source.text_start, source.text_end)
        )
        # a question's own words are marked too, never as matching
        assert (outside <= NUM_WORD_MARKS).all()
        assert np.count_nonzero(outside) == len(question)


def test_a_question_to_a_base_stands_alone(formats):
    question = formats.piece("长江有多长？")
    source = formats.facts(question)
    asked = spelled(formats, question.token_ids)
    expected = ["[CLS]", "[知识]", *asked, "[SEP]"]
    assert spelled(formats, source.token_ids) == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (FactKey("长江", "长度"), "长 江 [谓语] 长 [UNK] [SEP]"),
        (FactKey("长江", "长", "河流"), "长 江 [谓语] 长 [宾语] [UNK] 流 [SEP]"),
        (FactKey("", ""), "[谓语] [SEP]"),
    ],
)
def test_a_key_names_its_subject_predicate_and_meaning(formats, key, expected):
    assert " ".join(spelled(formats, formats.fact_key(key))) == expected


def test_typed_marks_are_text(formats):
    piece = formats.piece("[标题][SEP][MASK]")
    assert not set(piece.token_ids.tolist()) & formats.tokenizer.special_ids - {
        formats.tokenizer.unk_id
    }


def test_the_vocabulary_knows_its_own_marks(formats):
    assert all(formats.knows(mark) for mark in REWRITING.values())
    assert not formats.knows("[对话]")


def test_a_mark_that_the_vocabulary_lacks_is_named(tmp_path):
    write_vocabulary(tmp_path, [t for t in tokens() if t != "[三元组]"])
    formats = Formats(load_tokenizer(tmp_path), None)
    with pytest.raises(ValueError, match=r"the vocabulary lacks \[三元组\]"):
        formats.pointing(formats.piece(RIVER), 20)
