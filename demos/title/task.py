"""Headlines for an article: what may be asked, what comes back, the call between.

Changes when the question put to the model changes. Knows no page, no file, no network.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Annotated, ClassVar

from demos import limits
from demos.limits import Label, Length, OptionalRange, Range
from model_core.interfaces import (
    Candidate,
    ModelError,
    RewriteFrame,
    RewriteOptions,
    Rewriting,
    TextRewriter,
    TokenScore,
)

PART = "title"
FEW = 3  # titles, where no number is asked for
NO_REPEAT_NGRAM = 3  # three tokens that come again in one headline are a loop


@dataclass(frozen=True, slots=True)
class TitleRequest:
    """An article and how to search for its headline.

    Raises:
        InvalidRequestError: A field lies outside its declared limit.
    """

    ADVICE: ClassVar = (
        "请缩短文章，或减小束宽",
        "shorten the article, or take fewer beams",
    )

    text: Annotated[
        str,
        Length(1, 20_000),
        Label("文章", "Article", "要起标题的文章", "the article to be titled"),
    ]
    num_beams: Annotated[
        int,
        Range(1, 8),
        Label("束宽", "Beams", "同时考虑几条路", "paths kept in flight"),
    ] = 4
    num_return: Annotated[
        int | None,
        OptionalRange(1, 8),
        Label(
            "标题数", "Titles", "不多于束宽，默认 3", "up to as many as beams; empty: 3"
        ),
    ] = None
    max_new_tokens: Annotated[
        int,
        Range(4, 64),
        Label("最长", "Longest", "词元数上限", "upper limit, in tokens"),
    ] = 32
    min_new_tokens: Annotated[
        int,
        Range(1, 64),
        Label("最短", "Shortest", "此前不收尾", "no ending before this many tokens"),
    ] = 4
    length_penalty: Annotated[
        float,
        Range(0.0, 2.0, 0.1),
        Label(
            "长度惩罚", "Length penalty", "越大越偏爱长标题", "favours longer titles"
        ),
    ] = 1.0

    def __post_init__(self) -> None:
        """Check the declared limits, that there are words, what binds two fields."""
        limits.check(self)
        limits.check_words(self, "text")
        if self.num_return is not None:
            self._check_at_most("num_return", "num_beams")
        self._check_at_most("min_new_tokens", "max_new_tokens")

    @property
    def num_titles(self) -> int:
        """How many are returned: as asked, else three or as many as there are beams."""
        return self.num_return or min(FEW, self.num_beams)

    @property
    def options(self) -> RewriteOptions:
        """The same settings as the core names them."""
        return RewriteOptions(
            part=PART,
            max_new_tokens=self.max_new_tokens,
            min_new_tokens=self.min_new_tokens,
            num_beams=self.num_beams,
            num_return=self.num_titles,
            length_penalty=self.length_penalty,
            no_repeat_ngram_size=NO_REPEAT_NGRAM,
        )

    def _check_at_most(self, lower: str, upper: str) -> None:
        low, high = getattr(self, lower), getattr(self, upper)
        if low > high:
            bound = limits.label_of(TitleRequest, upper)
            raise limits.label_of(TitleRequest, lower).refuse(
                f"不能多于“{bound.zh}” {high}，收到 {low}；请改小它，"
                f"或加大“{bound.zh}”。",
                f"must not exceed “{bound.en}”, {high}; got {low}: lower it, or raise "
                f"“{bound.en}”.",
            )


@dataclass(frozen=True, slots=True)
class Title:
    """One headline.

    Attributes:
        candidate: Its text, tokens and log-probability.
        score: What ranks it: log-probability over a power of the length.
    """

    candidate: Candidate
    score: float

    @property
    def text(self) -> str:
        """The headline, its halves a space apart where the model breaks the line."""
        return self.candidate.text.replace("\n", " ").strip()

    @property
    def tokens(self) -> tuple[TokenScore, ...]:
        """Its tokens, spelled as ``text`` is."""
        return tuple(
            replace(token, text=token.text.replace("\n", " "))
            for token in self.candidate.tokens
        )

    @property
    def log_prob(self) -> float:
        """Of the whole headline, in nats."""
        return self.candidate.log_prob

    @property
    def mean_log_prob(self) -> float:
        """Per token, in nats."""
        return self.log_prob / max(1, len(self.candidate.tokens))


@dataclass(frozen=True, slots=True)
class TitleResult:
    """The whole result so far.

    Attributes:
        request: What was asked.
        frame: What the model has written so far, with its weights.
    """

    request: TitleRequest
    frame: RewriteFrame

    @property
    def titles(self) -> tuple[Title, ...]:
        """The headlines, best first, each text once."""
        best: dict[str, Title] = {}
        for rewriting in self.frame.rewritings:
            title = _title_of(rewriting)
            best.setdefault(title.text, title)
        return tuple(best.values())

    @property
    def finished(self) -> bool:
        """Whether every headline has come to its end."""
        return all(title.candidate.finish for title in self.titles)

    @property
    def num_chars_read(self) -> int:
        """Characters of the article that fitted, from its start."""
        return self.frame.num_source_chars_read

    @property
    def read_whole(self) -> bool:
        """Whether nothing but blanks was left out."""
        return not self.request.text[self.num_chars_read :].strip()


def write_titles(request: TitleRequest, model: TextRewriter) -> Iterator[TitleResult]:
    """Yield the whole result so far after every decoding step.

    Raises:
        ModelError: The model cannot answer.
    """
    for frame in model.rewrite(request.text, request.options):
        yield TitleResult(request, frame)


def write_many(
    requests: Sequence[TitleRequest], model: TextRewriter
) -> Iterator[TitleResult | ModelError]:
    """Yield the last result of every request, in order.

    Neighbours that are asked alike go through the model together.
    """
    for options, alike in groupby(requests, key=lambda request: request.options):
        group = tuple(alike)
        try:
            texts = tuple(request.text for request in group)
            frames = model.rewrite_many(texts, options)
        except ModelError as error:  # it stands for all that were asked together
            frames = (error,) * len(group)
        for request, frame in zip(group, frames, strict=True):
            failed = isinstance(frame, ModelError)
            yield frame if failed else TitleResult(request, frame)


def _title_of(rewriting: Rewriting) -> Title:
    return Title(rewriting.candidate, rewriting.score)
