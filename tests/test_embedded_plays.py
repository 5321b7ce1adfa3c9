"""The shipped weights play every part, and keep each part's law on the examples."""

import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from app.samples import sample
from demos.fewshot.examples import EXAMPLES as FEWSHOT
from demos.fewshot.task import classify
from demos.qa.task import QaRequest, answer
from demos.similarity.examples import EXAMPLES as PAIRS
from demos.similarity.examples import NEAREST_EXAMPLES
from demos.similarity.nearest import search
from demos.similarity.task import compare_many
from demos.summary.record import to_record
from demos.summary.task import EXTRACT, SummaryRequest, summarize
from demos.title.task import TitleRequest, write_titles
from demos.triples.task import TripleRequest, extract
from model_core.engines.native.compiler import NativeUnavailableError
from model_core.engines.native.library import load_kernels
from model_core.interfaces import (
    DIALOGUE_PARTNER,
    FACT_FINDER,
    MASK_FILLER,
    PASSAGE_READER,
    REPLACED_TOKEN_DETECTOR,
    ROLES,
    SENTENCE_ENCODER,
    SENTENCE_REPHRASER,
    SUMMARIZER,
    TEXT_CLASSIFIER,
    TEXT_GENERATOR,
    TEXT_REWRITER,
    TRIPLE_POINTER,
    FactKey,
    GenerationOptions,
    LearningOptions,
)
from model_core.roles.cast import Cast
from model_core.roles.loaded import load_model

FOLDER = Path(__file__).parents[1] / "assets" / "embedded"
ARTICLE = sample("title/lunar_samples.txt")
HISTORY = sample("triples/historians.txt")
ROADS = json.loads(sample("qa/silk_road.json"))


@pytest.fixture(scope="module", name="cast")
def fixture_cast():
    with suppress(NativeUnavailableError):
        load_kernels()  # or Keras would say the first words, the kernels the others
    return Cast(load_model(FOLDER, name="embedded"))


def last(frames):
    *_, final = frames
    return final


def test_one_checkpoint_plays_every_part(cast):
    published_alone = (
        DIALOGUE_PARTNER,
        SENTENCE_REPHRASER,
        TEXT_CLASSIFIER,
        REPLACED_TOKEN_DETECTOR,
    )
    assert set(cast.roles) == {r.name for r in ROLES if r not in published_alone}


def test_titles_are_ranked_distinct_and_show_their_mask(cast):
    result = last(write_titles(TitleRequest(ARTICLE), cast.play(TEXT_REWRITER)))
    texts = [one.candidate.text for one in result.frame.rewritings]
    scores = [one.score for one in result.frame.rewritings]
    assert all(texts)
    assert len(set(texts)) == len(texts)
    assert scores == sorted(scores, reverse=True)
    picture = result.frame.attention
    source = picture.segment_ids.index(1)
    assert picture.mask[:source, :source].all()
    assert not picture.mask[:source, source:].any()
    assert np.array_equal(picture.mask[source:], np.tri(len(picture.tokens))[source:])


def test_triples_slice_to_their_strings_in_both_decoders(cast):
    pointer = cast.play(TRIPLE_POINTER)
    for decoder in pointer.decoders:
        result = last(extract(TripleRequest(HISTORY, decoder=decoder), pointer))
        assert result.finished
        for one in result.found:
            for words, start in (
                (one.subject, one.subject_start),
                (one.object, one.object_start),
            ):
                assert HISTORY[start : start + len(words)] == words
            assert 0 <= one.probability <= 1


def test_extractive_answers_stand_in_their_passage_in_every_mode(cast):
    reader = cast.play(PASSAGE_READER)
    passages = tuple(ROADS["passages"])
    for mode in reader.modes:
        request = QaRequest("“丝绸之路”这个名称是谁首先使用的？", passages, mode=mode)
        frame = last(answer(request, reader)).reading
        for one in frame.answers:
            assert one.start >= 0 or not one.text
            if one.text:
                found = passages[one.passage][one.start :]
                assert found.startswith(one.text)
        assert len(frame.votes) == len(passages)


def test_facts_are_found_in_the_base_and_nowhere_else(cast):
    finder = cast.play(FACT_FINDER)
    keys = [FactKey("长江", "长度"), FactKey("长江", "源头"), FactKey("黄河", "长度")]
    found = finder.find("黄河有多长？", finder.build_tree(keys)).matches
    assert keys[found[0].index].subject == "黄河"
    assert sum(match.probability for match in found) <= 1 + 1e-6


def test_probabilities_of_labels_sum_to_one(cast):
    for request in FEWSHOT[:3]:
        result = last(classify(request, cast.play(MASK_FILLER)))
        assert abs(sum(result.probabilities.values()) - 1) < 1e-9


@pytest.mark.slow
def test_learning_from_examples_never_changes_the_shared_weights(cast):
    filler = cast.play(MASK_FILLER)
    sentences = [request.sentence for request in FEWSHOT[:1]] * 4
    words = ["好", "差"]
    before = filler.log_probs(sentences, words)
    options = LearningOptions(max_steps=4, batch_size=4, learning_rate=1e-3)
    frame = last(filler.learn(sentences, words, [0, 0, 0, 0], options))
    after = frame.learned.log_probs(sentences, words)
    assert after[0, 0] > before[0, 0]
    np.testing.assert_array_equal(filler.log_probs(sentences, words), before)


def test_a_summarys_clauses_and_copies_occur_in_the_source(cast):
    request = SummaryRequest(HISTORY)
    result = last(summarize(request, cast.play(SUMMARIZER)))
    record = to_record(result)
    assert record["summary"]
    assert len(record["summary"]) <= request.max_chars
    for clause in record["extracted"]:
        start = clause["start"]
        assert HISTORY[start : start + len(clause["text"])] == clause["text"]
    for rewriting in result.frame.rewritings:
        for span in rewriting.copied:
            assert span.start < span.end <= len(rewriting.candidate.text)


def test_extraction_alone_takes_clauses_of_the_text(cast):
    request = SummaryRequest(HISTORY, mode=EXTRACT)
    record = to_record(last(summarize(request, cast.play(SUMMARIZER))))
    assert record["summary"]
    assert len(record["summary"]) <= request.max_chars


def test_a_condition_changes_what_is_written_and_none_does_not(cast):
    generator = cast.play(TEXT_GENERATOR)
    assert generator.conditions == ("正面", "负面")

    def written(condition):
        options = GenerationOptions(
            max_new_tokens=12, seed=3, style="短文", condition=condition
        )
        return last(generator.complete("这家店", options)).candidates[0].text

    assert len({written(name) for name in ("", *generator.conditions)}) > 1
    assert written("") == written("")


def test_paraphrases_are_more_alike_than_strangers(cast):
    encoder = cast.play(SENTENCE_ENCODER)
    cosines = [one.cosine for one in compare_many(PAIRS, encoder)]
    strangers = cosines[4]
    assert min(cosines[:4]) > strangers + 0.2
    assert all(0 < cosine < 1 for cosine in cosines)


def test_the_nearest_line_of_every_example_speaks_of_the_same(cast):
    wanted = (
        "快递什么时候到",
        "忘记密码了怎么办",
        "商品坏了能换吗",
        "怎么联系人工客服",
        "订单可以取消吗",
    )
    for example, text in zip(NEAREST_EXAMPLES, wanted, strict=True):
        result = last(search(example, cast.play(SENTENCE_ENCODER)))
        assert result.neighbours[0].line.text == text
