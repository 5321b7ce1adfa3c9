"""A pattern with a blank and a word per label for each FewCLUE task (PET).

Changes when a task is asked in other words. Knows no model. Those of the page's presets
are the same ones.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from demos.fewshot.pattern import Pattern, read_pattern
from model_core.interfaces import Blanked
from recipes.tasks_data import FewshotExample, LabelWord


@dataclass(frozen=True, slots=True)
class ClozePattern:
    """How an example becomes a sentence with a blank.

    Attributes:
        written: With one ``____``, ``{text}`` and perhaps ``{text_b}``.
        words: Label to word; the others' stand in ``labels.json``.
    """

    written: str
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def read(self) -> Pattern:
        """The pattern, read."""
        return read_pattern(self.written)

    def blanked(self, example: FewshotExample) -> Blanked:
        """Return the sentence about an example."""
        return self.read.blanked(example.text, example.text_b)

    def words_of(self, labels: Sequence[LabelWord]) -> tuple[str, ...]:
        """Return each label's word."""
        return tuple(self.words.get(one.label, one.word) for one in labels)


# chid is not here: its texts have a blank of their own, and words of their own.
PATTERNS: dict[str, ClozePattern] = {
    "eprstmt": ClozePattern("____满意。{text}", {"Positive": "很", "Negative": "不"}),
    "tnews": ClozePattern("下面报道一则____新闻。{text}"),
    "ocnli": ClozePattern(
        "{text}？____，{text_b}",
        {"entailment": "是的", "neutral": "也许", "contradiction": "不是"},
    ),
    "bustm": ClozePattern(
        "“{text}”和“{text_b}”说的是____的事。", {"1": "相同", "0": "不同"}
    ),
    "csl": ClozePattern(
        "“{text_b}”____这篇论文的关键词。{text}", {"1": "都是", "0": "不是"}
    ),
    "csldcp": ClozePattern("这是一篇____方面的论文。{text}"),
    "iflytek": ClozePattern("这是一款____类的软件。{text}"),
    "cluewsc": ClozePattern(
        "{text}这里的{text_b}，____。", {"true": "对的", "false": "错的"}
    ),
}

# Asked in other words as well while training, so that a person's own words work.
OTHER_WORDS: dict[str, tuple[ClozePattern, ...]] = {
    "eprstmt": (
        ClozePattern("____推荐。{text}", {"Positive": "很", "Negative": "不"}),
        ClozePattern("{text}总之很____。", {"Positive": "好", "Negative": "差"}),
        ClozePattern("这是一条____评。{text}", {"Positive": "好", "Negative": "差"}),
    ),
    "tnews": (
        ClozePattern("{text}这是一则____新闻。"),
        ClozePattern("____：{text}"),
    ),
    "ocnli": (
        ClozePattern(
            "“{text}”和“{text_b}”是____的关系。",
            {"entailment": "蕴含", "neutral": "中立", "contradiction": "矛盾"},
        ),
    ),
    "bustm": (ClozePattern("{text}？____，{text_b}", {"1": "是的", "0": "不是"}),),
}


def judged(
    task: str, examples: Sequence[FewshotExample], labels: Sequence[LabelWord]
) -> Iterator[tuple[Blanked, str]]:
    """Yield every example as a sentence, with the word that belongs in its blank.

    Every other one is asked in the task's own words, the rest in others in turn.
    """
    own, others = PATTERNS[task], OTHER_WORDS.get(task, ())
    turns = [pattern for other in others for pattern in (own, other)] or [own]
    places = {one.label: place for place, one in enumerate(labels)}
    for number, example in enumerate(examples):
        pattern = turns[number % len(turns)]
        word = pattern.words_of(labels)[places[example.label]]
        yield pattern.blanked(example), word
