"""What the sentences tab draws: everything escaped, nothing lost."""

import csv
import io

import pytest

from app.tabs import sentences_nearest
from app.tabs import sentences_view as view
from demos.judging.classification import ClassificationRequest, categorize
from demos.judging.detection import DetectionRequest, detect
from demos.rephrasing.rephrasing import RephrasingRequest, rephrase
from demos.similarity.nearest import NearestRequest, search
from demos.similarity.task import SimilarityRequest, compare
from tests.fake_sentences import (
    FakeReplacedTokenDetector,
    FakeSentenceEncoder,
    FakeSentenceRephraser,
    FakeTextClassifier,
)

EVIL = "<b>错</b>&\"'"


def compared(*pair, **model):
    (result,) = compare(SimilarityRequest(*pair), FakeSentenceEncoder(**model))
    return result


def found(*given, **model):
    return list(search(NearestRequest(*given), FakeSentenceEncoder(**model)))[-1]


def judged(*texts, **model):
    (result,) = categorize(ClassificationRequest(*texts), FakeTextClassifier(**model))
    return result


def inspected(text, threshold=0.5, **model):
    request = DetectionRequest(text, threshold)
    (result,) = detect(request, FakeReplacedTokenDetector(**model))
    return result


def rephrased(text, **model):
    return list(rephrase(RephrasingRequest(text), FakeSentenceRephraser(**model)))


DRAWINGS = (
    (view.compare_stream, view.compare_settle, lambda: compared(EVIL, EVIL)),
    (view.nearest_stream, view.nearest_settle, lambda: found(EVIL, [EVIL])),
    (view.rephrase_stream, view.rephrase_settle, lambda: rephrased(EVIL)[-1]),
    (view.classify_stream, view.classify_settle, lambda: judged(EVIL, EVIL)),
    (view.detect_stream, view.detect_settle, lambda: inspected(EVIL)),
)


@pytest.mark.parametrize(("stream", "settle", "made"), DRAWINGS)
def test_what_a_person_wrote_is_escaped(stream, settle, made):
    for drawn in (stream(made()), settle(made())):
        assert "<b>错" not in drawn
        assert "<b>" not in drawn.replace('<b class="mp-rank">', "").replace(
            "<b>差评", ""
        ).replace("<b>好评", "")


@pytest.mark.parametrize(("stream", "settle", "made"), DRAWINGS)
def test_before_a_result_there_is_a_sentence(stream, settle, made):
    del made
    assert "模型还在加载" in stream(None)
    assert "mp-notice" in settle(None)


@pytest.mark.parametrize(("stream", "settle", "made"), DRAWINGS)
def test_only_the_end_has_downloads(stream, settle, made):
    assert "mp-actions" not in stream(made())
    assert "下载 Download JSON" in settle(made())


def test_a_long_text_is_told_to_be_cut():
    cut = "only the beginning was read"
    assert cut in view.compare_settle(compared("一二三", "一", window=2))
    assert cut in view.classify_settle(judged("一二三", window=2))
    assert cut in view.detect_settle(inspected("一二三", window=2))
    drawn = view.nearest_settle(found("一二三", "一二三\n一", window=2))
    assert cut in drawn
    assert "1 lines were too long" in drawn
    assert cut not in view.compare_settle(compared("一二", "一", window=2))


def test_the_table_has_every_line_with_its_number():
    result = found("甲", "甲,乙\n\n甲\n甲")
    rows = list(csv.reader(io.StringIO(view.csv_of(result))))
    assert rows[0] == ["rank", "line", "cosine", "text"]
    assert rows[1] == ["1", "3", "1.0", "甲"]
    assert rows[2][3] == "甲,乙"


def test_a_line_that_a_spreadsheet_would_run_stands_behind_an_apostrophe():
    rows = list(csv.reader(io.StringIO(view.csv_of(found("甲", "=1+1\n甲")))))
    assert [row[3] for row in rows[1:]] == ["甲", "'=1+1"]


def test_the_rules_of_a_list_are_told_in_both_languages():
    zh, en = sentences_nearest.rules().split("</p>")[0].split("贴的。 ")
    for limit in (".txt", ".csv", ".jsonl", "10000", "4 MB", "UTF-8", "GBK"):
        assert limit in zh
        assert limit in en


def test_many_equal_lines_are_shortened():
    assert "第 1、2、3、4、5… 行" in view.nearest_settle(found("甲", ["甲"] * 9))


def test_reading_shows_how_far_it_is():
    frames = list(
        search(NearestRequest("甲", list(map(str, range(300)))), FakeSentenceEncoder())
    )
    assert "读了 256 / 300" in view.nearest_stream(frames[0])
    assert "读了" not in view.nearest_stream(frames[-1])


def test_sentences_grow_before_they_are_ranked():
    first, *_, last = rephrased("去哪儿")
    drawn = view.rephrase_stream(first)
    assert "写完 2 / 6" in drawn
    assert drawn.count("<span>…</span>") == 5
    drawn = view.rephrase_settle(last)
    assert "写完" not in drawn
    assert drawn.index("0.950") < drawn.index("0.900")
    assert cut_told(last) is False
    assert cut_told(rephrased("去哪儿", window=2)[-1])


def cut_told(result):
    return "only the beginning was read" in view.rephrase_settle(result)


def test_where_nothing_else_was_written_it_is_said():
    drawn = view.rephrase_settle(rephrased("好", endings=())[-1])
    assert "Only the sentence itself was written" in drawn


def test_known_labels_have_their_chinese_beside_them():
    drawn = view.classify_settle(judged("好", labels=("Negative", "Positive")))
    assert "正面<small>Positive</small>" in drawn
    labels = tuple(f"类{n}" for n in range(12))
    drawn = view.classify_settle(judged("好", labels=labels))
    assert "另外 4 类" in drawn
    assert all(label in drawn for label in labels)


def test_marks_keep_the_text_whole():
    drawn = view.detect_stream(inspected("今天错 了疑"))
    assert drawn.count("<mark") == 1
    assert drawn.count("mp-suspect") == 1
    assert 'title="90.0%"' in drawn
    plain = "今天错 了疑"
    text = drawn.split('mp-sent-text">')[1].split("</p>")[0]
    kept = "".join(char for part in text.split("<") for char in part.rpartition(">")[2])
    assert kept == plain


@pytest.mark.parametrize(("threshold", "count"), [(0.0, 4), (0.01, 4), (0.5, 1)])
def test_as_many_are_marked_as_are_told_and_saved(threshold, count):
    result = inspected("今天错了", threshold)
    drawn = view.detect_settle(result)
    assert f"标出 {count} 处 {count} marked" in drawn
    assert drawn.count("<mark") == len(result.replaced) == count


@pytest.mark.parametrize(
    ("pair", "warned"),
    [
        (("\U0001f600", "\U0001f621"), True),
        (("好", "……"), True),
        (("好\U0001f600", "7"), False),
    ],
)
def test_signs_alone_are_no_sentence_to_compare(pair, warned):
    drawn = view.compare_settle(compared(*pair))
    assert ("这个余弦不作数" in drawn) == warned
    assert ("this cosine says nothing" in drawn) == warned


def test_a_bar_is_never_negative():
    drawn = view.compare_settle(compared("甲", "乙"))
    assert "--share:-" not in drawn
