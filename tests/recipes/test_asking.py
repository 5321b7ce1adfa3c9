from dataclasses import dataclass

import numpy as np
import pytest

from demos.fewshot.presets import PRESETS
from model_core.interfaces import MASK_FILLER, LearningFrame, ModelError
from recipes.asking import ASKS, ROLES, AskSettings, LearningOptions
from recipes.dev_sets import SHOWCASE
from recipes.patterns import PATTERNS, judged
from recipes.task_files import TaskData
from recipes.tasks_data import (
    FewshotExample,
    KgExample,
    KgFact,
    LabelWord,
    QaExample,
    SummaryExample,
    TitleExample,
    TriplesExample,
    read_labels,
)
from tests.fake_fact_finder import FakeFactFinder
from tests.fake_passage_reader import FakePassageReader
from tests.fake_text_rewriter import FakeRewriter
from tests.fake_triple_pointer import FakeTriplePointer


def asks(task, model, examples, settings=None, **data):
    loaded = TaskData(task, tuple(examples), **data)
    made = ASKS[task](model, loaded, settings or AskSettings())
    return {mode: ask(loaded.examples) for mode, ask in made.items()}


def test_titles_are_asked_for_in_batches_with_the_pages_options():
    model = FakeRewriter()
    examples = [TitleExample(f"第{n}天，下雨。", "") for n in range(40)]
    answers = asks("title", model, examples)
    assert answers["beam"][:2] == ["第0天，下雨。", "第1天，下雨。"]
    assert len(answers["beam"]) == 40
    assert model.batches == [32, 8]


def test_an_error_in_a_results_place_stops_the_evaluation():
    failure = ModelError("unsupported", "太长。", "Too long.")
    model = FakeRewriter(failures={"坏": failure})
    with pytest.raises(ModelError, match="Too long"):
        asks("title", model, [TitleExample("好", ""), TitleExample("坏", "")])


def test_triples_are_asked_of_every_decoder_above_the_threshold():
    model = FakeTriplePointer()
    examples = [
        TriplesExample("司马迁是西汉人，写了史记。", ()),
        TriplesExample("无", ()),
    ]
    known, unsure = ("史记", "作者", "司马迁"), ("司马迁", "朝代", "西汉")
    answers = asks("triples", model, examples)
    assert {mode: [set(a) for a in got] for mode, got in answers.items()} == {
        "half_pointer": [{known}, set()],
        "gplinker": [{known}, set()],
    }
    low = asks("triples", model, examples, AskSettings(triple_threshold=0.3))
    assert set(low["half_pointer"][0]) == {known, unsure}


def test_every_mode_reads_every_passage():
    model = FakePassageReader({"谁写的？": ("司马迁", "班固")})
    passage = "司马迁写了史记，班固写了汉书。"
    examples = [QaExample(passage, q, (), "span") for q in ("谁写的？", "何时？")]
    answers = asks("qa", model, examples)
    assert answers == {mode: ["司马迁", ""] for mode in model.modes}
    assert [passages for _, passages, _ in model.asked] == [(passage,)] * 4


def test_facts_come_from_the_base_whose_tree_is_built_once():
    model = FakeFactFinder()
    facts = (KgFact("李白", "朝代", "唐"), KgFact("苏轼", "朝代", "宋"))
    examples = [KgExample(f"{f.subject}的朝代？", f) for f in facts]
    answers = asks("kgqa", model, examples, facts=facts)
    assert answers == {"prefix_tree": list(facts)}
    assert model.built == 1


@dataclass
class CountingFiller:
    """Prefers the word that stands in the sentence; a lesson turns it round."""

    weights: object = None
    sign: int = 1
    lesson: object = None

    @property
    def is_taught(self):
        return self.sign < 0

    def log_probs(self, sentences, words):
        return np.array(
            [[self.sign * (w in s.before + s.after) for w in words] for s in sentences],
            dtype="float64",
        )

    def learn(self, sentences, words, answers, options):
        self.lesson = (list(sentences), tuple(words), list(answers), options)
        yield LearningFrame(0, 1, (), 0.0)
        yield LearningFrame(1, 1, (0.1,), 0.1, CountingFiller(sign=-1))

    def save(self, folder):
        raise NotImplementedError


LABELS = (LabelWord("体育", "体育"), LabelWord("财经", "财经"))
NEWS = {"labels": LABELS, "folder": "tnews"}


def test_labels_are_words_in_the_blank():
    examples = [FewshotExample(f"{w}新闻", "") for w in ("财经", "体育")]
    answers = asks("fewshot", CountingFiller(), examples, **NEWS)
    assert answers == {"zero_shot": ["财经", "体育"]}


def test_learning_uses_the_train_split_and_answers_with_the_copy():
    model = CountingFiller()
    settings = AskSettings(learn=True, learning=LearningOptions(max_steps=7))
    train = (FewshotExample("球赛", "体育"), FewshotExample("股市", "财经"))
    answers = asks(
        "fewshot", model, [FewshotExample("财经", "")], settings, train=train, **NEWS
    )
    assert answers == {"zero_shot": ["财经"], "few_shot": ["体育"]}
    sentences, words, indices, options = model.lesson
    assert (sentences[0].before, sentences[0].after) == ("下面报道一则", "新闻。球赛")
    assert (words, indices, options.max_steps) == (("体育", "财经"), [0, 1], 7)


def test_an_idiom_is_chosen_among_the_examples_own_words():
    example = FewshotExample(
        "他#idiom#地走了一心一意", "1", candidates=("三心二意", "一心一意")
    )
    labels = (LabelWord("0", ""), LabelWord("1", ""))
    answers = asks("fewshot", CountingFiller(), [example], labels=labels, folder="chid")
    assert answers == {"zero_shot": ["1"]}


def test_a_folder_without_a_pattern_is_refused():
    with pytest.raises(ValueError, match=r"expected one of bustm, .* received 'poems'"):
        asks("fewshot", CountingFiller(), [FewshotExample("", "")], folder="poems")


class ClauseRewriter(FakeRewriter):
    """Scores a clause by whether it speaks of money."""

    max_clauses = 64

    def score_clauses(self, clauses):
        return np.array([0.9 if "元" in clause else 0.1 for clause in clauses])


def test_summaries_are_extracted_and_written_within_their_limit():
    text = "今天天气很好，他付了三百元，大家都回家了，又还了五十元。"
    settings = AskSettings(summary_chars=20)
    answers = asks("summary", ClauseRewriter(), [SummaryExample(text, "")], settings)
    (extracted,) = answers["extract"]
    assert "三百元" in extracted
    assert "五十元" in extracted
    assert "天气" not in extracted
    assert all(len(a) <= 20 for got in answers.values() for a in got)
    assert set(answers) == {"extract", "full"}


@pytest.mark.parametrize("copies", [True, False])
def test_summaries_are_also_asked_for_without_copies(copies):
    asked = []

    class Watched(ClauseRewriter):
        can_copy = True

        def rewrite_many(self, sources, options):
            asked.append(options.copy)
            return super().rewrite_many(sources, options)

    text = "今天天气很好，他付了三百元，大家都回家了，又还了五十元。"
    settings = AskSettings(summary_chars=20, summary_copies=copies)
    asks("summary", Watched(), [SummaryExample(text, "")], settings)
    assert asked == [copies]


def test_every_task_has_a_role():
    assert ROLES.keys() == ASKS.keys()
    assert ROLES["fewshot"] is MASK_FILLER


@pytest.mark.parametrize(
    ("preset", "task"),
    [
        ("sentiment", "eprstmt"),
        ("topics", "tnews"),
        ("entailment", "ocnli"),
        ("similarity", "bustm"),
    ],
)
def test_patterns_are_those_that_the_page_offers(preset, task):
    (offered,) = (p for p in PRESETS if p.name == preset)
    pattern = PATTERNS[task]
    assert pattern.written == offered.pattern
    assert set(pattern.words.values()) <= set(offered.labels.values())


@pytest.mark.parametrize("task", sorted(PATTERNS))
def test_a_pattern_holds_the_example_once_and_one_blank(task):
    blanked = PATTERNS[task].blanked(FewshotExample("正文", "", "又一段"))
    assert (blanked.before + blanked.after).count("正文") == 1
    pairs = {"ocnli", "bustm", "csl", "cluewsc"}
    assert ((blanked.before + blanked.after).count("又一段") == 1) == (task in pairs)


def test_training_asks_every_other_example_in_the_words_of_the_score():
    labels = read_labels(SHOWCASE / "fewshot" / "eprstmt" / "labels.json")
    examples = [FewshotExample(f"第{n}条。", "Positive") for n in range(6)]
    asked = list(judged("eprstmt", examples, labels))
    own = PATTERNS["eprstmt"]
    kept = [s == own.blanked(e) for e, (s, _) in zip(examples, asked, strict=True)]
    assert kept == [True, False] * 3
    assert [word for _, word in asked] == ["很", "很", "很", "好", "很", "好"]


@pytest.mark.parametrize("task", sorted(PATTERNS))
def test_every_set_can_be_asked(task):
    words = {"eprstmt": "Positive", "ocnli": "neutral", "cluewsc": "true"}
    label = words.get(task, "1")
    examples = [FewshotExample("正文", label, "又一段")] * 8
    asked = list(judged(task, examples, [LabelWord(label, "词")]))
    assert len(asked) == 8
    assert all(word and "正文" in s.before + s.after for s, word in asked)
