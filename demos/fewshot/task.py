"""Classify by a word in a blank: what may be asked, what comes back, one text or many.

Changes when the question put to the model changes. Knows no page, no file, no network.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import groupby
from time import perf_counter
from typing import Annotated, Any, ClassVar

from demos import limits
from demos.errors import DemoError
from demos.fewshot.calibration import calibrated
from demos.fewshot.fields import (
    EXAMPLE_LIST,
    LABEL_WORDS,
    Examples,
    Labels,
    LearningRate,
    MaxSeconds,
    MaxSteps,
    PatternText,
    Seed,
    options_of,
)
from demos.fewshot.labels import LABELS_LABEL
from demos.fewshot.learner import Learner, learner_of
from demos.fewshot.lesson import EXAMPLES_LABEL, Example, Lesson, Wanted
from demos.fewshot.pattern import Pattern, read_pattern
from demos.fewshot.scoring import best_of, probabilities_of
from demos.limits import Label, Length
from model_core.interfaces import (
    Blanked,
    LearningFrame,
    MaskFiller,
    ModelError,
    WeightsInfo,
)

CHUNK = 32  # sentences put to the model at once
ANY_TEXT = "·"  # a lesson depends on no text but the examples'
SECOND_LABEL = Label(
    "第二句", "Second text", "句式里写了 {text_b} 才用到", "where {text_b} asks for it"
)


@dataclass(frozen=True, slots=True)
class FewshotRequest:
    """A text, the labels it may have, and the sentence that tells them apart.

    Raises:
        InvalidRequestError: A field cannot be used, or two do not go together.
    """

    ADVICE: ClassVar = (
        "请缩短文字，或减少示例、步数",
        "shorten the text, or give fewer examples or steps",
    )

    text: Annotated[
        str,
        Length(1, 2000),
        Label("文本", "Text", "要分类的文字", "what to classify"),
    ]
    labels: Labels = None
    pattern: PatternText = ""
    text_b: Annotated[str, Length(0, 2000), SECOND_LABEL] = ""
    examples: Examples = None
    max_steps: MaxSteps = 100
    max_seconds: MaxSeconds = 60
    learning_rate: LearningRate = 0.0
    seed: Seed = 0

    def __post_init__(self) -> None:
        """Read labels and examples, check every limit, then what binds two fields."""
        words = LABEL_WORDS.read(LABELS_LABEL, self.labels)
        object.__setattr__(self, "labels", words)
        limits.check(self)
        blank = self.blank
        if not blank.takes_pairs:  # it plays no part: no record tells of it
            object.__setattr__(self, "text_b", "")
        wanted = Wanted(tuple(words), pairs=blank.takes_pairs)
        examples = EXAMPLE_LIST.read(EXAMPLES_LABEL, self.examples, wanted)
        object.__setattr__(self, "examples", [one.record for one in examples] or None)
        if blank.takes_pairs and not self.text_b.strip():
            raise SECOND_LABEL.refuse(
                "（text_b）没有给出，而句式里写了 {text_b}；请补上，或改句式。",
                "(text_b) is missing, but the pattern has {text_b}: give it, or change "
                "the pattern.",
            )

    @property
    def blank(self) -> Pattern:
        """The pattern, read."""
        return read_pattern(self.pattern)

    @property
    def words(self) -> dict[str, str]:
        """Each label's word, in the order given."""
        return self.labels or {}

    @property
    def sentence(self) -> Blanked:
        """The pattern about this text."""
        return self.blank.blanked(self.text, self.text_b)

    def lesson(self, weights: WeightsInfo) -> Lesson | None:
        """Return what these weights would learn first, None without examples."""
        if not self.examples:
            return None
        examples = tuple(Example(**record) for record in self.examples)
        labels, options = tuple(self.words.items()), options_of(self, weights)
        return Lesson(self.blank, labels, examples, options)


@dataclass(frozen=True, slots=True)
class FewshotResult:
    """The whole result so far.

    Attributes:
        request: What was asked.
        weights: Which weights answer, or were copied and taught.
        log_probs: Mean log-probability of each label's word per token beyond that in
            the pattern alone, in nats; none while the model still learns.
        learning: Where learning stands, or stood at its end; None without.
        elapsed_seconds: Of the answer itself.
    """

    request: FewshotRequest
    weights: WeightsInfo
    log_probs: tuple[float, ...] = ()
    learning: LearningFrame | None = None
    elapsed_seconds: float = 0.0

    @property
    def finished(self) -> bool:
        """Whether there is an answer."""
        return bool(self.log_probs)

    @property
    def probabilities(self) -> dict[str, float]:
        """Every label's probability, in the order given; they sum to 1."""
        if not self.log_probs:
            return {}
        return probabilities_of(tuple(self.request.words), self.log_probs)

    @property
    def label(self) -> str:
        """The most probable label, "" while the model still learns."""
        return best_of(self.probabilities) if self.log_probs else ""

    @property
    def word(self) -> str:
        """The word of that label."""
        return self.request.words.get(self.label, "")

    @property
    def filled(self) -> str:
        """The sentence with that word in its blank."""
        sentence = self.request.sentence
        return sentence.before + self.word + sentence.after if self.log_probs else ""

    @property
    def mixes_lengths(self) -> bool:
        """Whether words of different lengths were compared."""
        return len({len(word) for word in self.request.words.values()}) > 1


def classify(
    request: FewshotRequest, model: MaskFiller | Learner
) -> Iterator[FewshotResult]:
    """Yield where learning stands, if there are examples, and at last the answer.

    Args:
        request: What is asked.
        model: A filler, or a learner that remembers earlier requests' examples.

    Raises:
        ModelError: The model cannot answer, or cannot spell a word.
    """
    learner = learner_of(model)
    filler, weights = learner.filler, learner.filler.weights
    learning: LearningFrame | None = None
    lesson = request.lesson(weights)
    if lesson is not None:
        with closing(learner.teach(lesson)) as frames:
            for frame in frames:
                filler, learning = frame.learned or filler, replace(frame, learned=None)
                yield FewshotResult(request, weights, learning=learning)
    (answer,) = _answered([request], filler, weights)
    yield replace(answer, learning=learning)


def learn_first(
    options: Mapping[str, object], learner: Learner
) -> Iterator[LearningFrame]:
    """Yield the steps of the lesson that requests with these options would begin with.

    They then find it learned. Nothing is learned where the options lack the examples,
    the labels or the pattern.

    Raises:
        InvalidRequestError: An option cannot be used, or two do not go together.
        ModelError: The model cannot learn this.
    """
    if not all(options.get(name) for name in ("examples", "labels", "pattern")):
        return
    given: dict[str, Any] = {**options, "text": ANY_TEXT, "text_b": ANY_TEXT}
    lesson = FewshotRequest(**given).lesson(learner.filler.weights)
    if lesson is not None:
        yield from learner.teach(lesson)


def classify_many(
    requests: Sequence[FewshotRequest], model: MaskFiller | Learner
) -> Iterator[FewshotResult | DemoError | ModelError]:
    """Yield one result per request, in order; neighbours that ask alike go together.

    What cannot be answered yields its error in its place.
    """
    learner = learner_of(model)
    for _, alike in groupby(requests, lambda one: _kind(one, learner.filler.weights)):
        group = list(alike)
        for start in range(0, len(group), CHUNK):
            yield from _chunk(group[start : start + CHUNK], learner)


def _chunk(
    requests: Sequence[FewshotRequest], learner: Learner
) -> Sequence[FewshotResult | DemoError | ModelError]:
    lesson = requests[0].lesson(learner.filler.weights)
    filler: MaskFiller | None = learner.filler
    try:
        if lesson is not None:
            *_, last = learner.teach(lesson)
            filler = last.learned
        return _answered(requests, filler or learner.filler, learner.filler.weights)
    except (DemoError, ModelError) as error:
        return [error] * len(requests)


def _kind(request: FewshotRequest, weights: WeightsInfo) -> object:
    """Return what requests must share to be put to the model together."""
    return request.pattern, tuple(request.words.items()), request.lesson(weights)


def _answered(
    requests: Sequence[FewshotRequest],
    filler: MaskFiller,
    weights: WeightsInfo,
) -> list[FewshotResult]:
    begun = perf_counter()
    words, pattern = tuple(requests[0].words.values()), requests[0].blank
    sentences = [request.sentence for request in requests]
    scores = calibrated(filler, pattern, sentences, words)
    seconds = (perf_counter() - begun) / len(requests)
    return [
        FewshotResult(request, weights, tuple(map(float, row)), elapsed_seconds=seconds)
        for request, row in zip(requests, scores, strict=True)
    ]
