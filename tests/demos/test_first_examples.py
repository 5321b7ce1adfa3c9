"""The first thing a stranger clicks is answered right by the shipped weights.

Changes when the first example of a tab does. Later examples may be hard.
"""

from pathlib import Path

import pytest

from app.samples import sample
from app.tabs import summary, title
from demos.fewshot.presets import PRESETS
from demos.fewshot.task import classify
from demos.qa.examples import SAMPLES, requests_of
from demos.qa.task import answer
from demos.similarity.examples import EXAMPLES as PAIRS
from demos.similarity.examples import NEAREST_EXAMPLES
from demos.similarity.nearest import search
from demos.similarity.searcher import LineMemory, Searcher
from demos.similarity.task import compare
from demos.summary.task import EXTRACT, summarize
from demos.title.task import write_titles
from demos.triples.examples import EXAMPLES as TEXTS
from demos.triples.task import extract
from model_core.interfaces import (
    MASK_FILLER,
    PASSAGE_READER,
    SENTENCE_ENCODER,
    SUMMARIZER,
    TEXT_REWRITER,
    TRIPLE_POINTER,
)
from model_core.roles.cast import Cast
from model_core.roles.loaded import load_model

FOLDER = Path(__file__).parents[2] / "assets" / "embedded"


@pytest.fixture(scope="module", name="cast")
def fixture_cast():
    return Cast(load_model(FOLDER, name="embedded"))


def last(frames):
    *_, final = frames
    return final


def test_the_first_text_gives_its_triples_and_no_other(cast):
    result = last(extract(TEXTS[0], cast.play(TRIPLE_POINTER)))
    film = "霸王别姬"
    said = {(film, "导演", "陈凯歌"), (film, "上映时间", "1993年")} | {
        (film, "主演", name) for name in ("张国荣", "张丰毅", "巩俐")
    }
    found = {(one.subject, one.predicate, one.object) for one in result.triples}
    assert len(found & said) >= 4
    assert found <= said


def test_the_first_title_names_what_the_article_is_about(cast):
    result = last(write_titles(title.examples_of()[0], cast.play(TEXT_REWRITER)))
    assert "古籍" in result.titles[0].text


def test_the_first_question_is_answered(cast):
    request = requests_of(sample(SAMPLES[0]))[0]
    reading = last(answer(request, cast.play(PASSAGE_READER))).reading
    assert reading.answers[0].text == "李希霍芬"


@pytest.mark.parametrize(("play", "label"), [(0, "好评"), (1, "汽车")])
def test_the_first_text_of_a_play_gets_its_label(cast, play, label):
    result = last(classify(PRESETS[play].requests[0], cast.play(MASK_FILLER)))
    assert result.label == label


def test_the_first_summary_is_extracted_at_once_and_says_how_it_ended(cast):
    request = summary.examples_of()[0]
    assert request.mode == EXTRACT
    result = last(summarize(request, cast.play(SUMMARIZER)))
    assert "归还原告王甲借款本金八万元" in result.draft.text


def test_sentences_alike_are_nearer_than_sentences_unlike(cast):
    encoder = cast.play(SENTENCE_ENCODER)
    alike, unlike = (last(compare(PAIRS[place], encoder)).cosine for place in (0, 4))
    assert alike > unlike + 0.2
    searcher = Searcher(encoder, LineMemory())
    nearest = last(search(NEAREST_EXAMPLES[0], searcher)).neighbours[0]
    assert nearest.line.text == "快递什么时候到"
