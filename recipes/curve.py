"""Scores against tokens, release by release, and where they would lead.

Changes when another figure is followed. A history is kept beside the weights; what lies
beyond it is a straight line through scores over the logarithm of tokens, and is called
an extrapolation wherever it is shown.
"""

import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

FEWEST_RELEASES = 3  # with different tokens: two points lie on every line
FARTHEST_TOKENS = 1e12
BITS = "bits"
FIRST_EDITION_BITS = 6.7514  # of modern prose: a tenth less must be reached


@dataclass(frozen=True, slots=True)
class Follow:
    """A figure that is followed.

    Attributes:
        name: In the history; words for people stand in the card's words.
        at: Where it stands in ``scores.json``: the set of ``tasks``, or a source.
        score: The score's name; the best mode counts.
        sources: Data sets whose mean it is; empty for the whole set.
        must: What has to be reached; None where nothing has.
        aim: What is hoped for.
        part: Whose weights are measured: those of its own, where it has some.
    """

    name: str
    at: str
    score: str
    sources: tuple[str, ...] = ()
    must: float | None = None
    aim: float | None = None
    part: str = ""


CSL, SFZY = ("csl-clge", "csl-ydli"), ("cail2020-sfzy",)
MODERN_MUST = round(0.9 * FIRST_EDITION_BITS, 4)
FOLLOWED = (
    Follow("modern", "modern", BITS, (), MODERN_MUST, 4.3, part="generation"),
    Follow("novels", "novels", BITS, part="generation"),
    Follow("poems", "poems", BITS, part="generation"),
    Follow("title", "title", "rouge_l", part="title"),
    Follow("title_xwlb", "title", "rouge_l", ("xwlb",), 0.55, 0.70, part="title"),
    Follow("title_csl", "title", "rouge_l", CSL, 0.42, 0.52, part="title"),
    Follow("triples", "triples", "f1", (), 0.55, 0.72, part="pointing"),
    Follow("qa", "qa", "f1"),
    Follow("qa_cmrc", "qa", "f1", ("cmrc2018-dev",), 0.45, 0.65),
    Follow("eprstmt", "eprstmt", "accuracy", (), 0.65, 0.80, part="words"),
    Follow("tnews", "tnews", "accuracy", (), 0.30, 0.48, part="words"),
    Follow("summary_sfzy", "summary", "spaces", SFZY, 0.40, 0.55, part="summary"),
    Follow("kgqa", "kgqa", "exact_match", (), 0.65, 0.88),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A score and what it was measured on: characters for bits, examples for others."""

    value: float
    over: int


@dataclass(frozen=True, slots=True)
class Release:
    """What one release scored.

    Attributes:
        released: The day, ``2026-11-21``.
        tokens: That its weights have seen in all runs.
        seconds: Of training steps, in all runs; 0 where it is not known.
        figures: By the name of ``FOLLOWED``.
        part: Whose own weights scored them; "" for the shared ones.
    """

    released: str
    tokens: int
    seconds: float
    figures: Mapping[str, Figure]
    part: str = ""

    def replaces(self, other: "Release") -> bool:
        """Tell whether it measures the same tokens on as much, once again."""
        mine = {name: one.over for name, one in self.figures.items()}
        theirs = {name: one.over for name, one in other.figures.items()}
        return self.tokens == other.tokens and mine == theirs


@dataclass(frozen=True, slots=True)
class Line:
    """``score = intercept + slope * log10(tokens)``, by least squares.

    Attributes:
        intercept: At one token.
        slope: Per tenfold tokens.
        residual: Root mean square of what it misses its points by.
        points: Releases it goes through.
    """

    intercept: float
    slope: float
    residual: float
    points: int

    def tokens_for(self, value: float) -> float | None:
        """Return the tokens at which the line has a value; None beyond all reason."""
        if not self.slope:
            return None
        exponent = (value - self.intercept) / self.slope
        return None if exponent > math.log10(FARTHEST_TOKENS) else 10**exponent


@dataclass(frozen=True, slots=True)
class Seen:
    """What weights have seen: tokens, and seconds of training steps, in all runs."""

    tokens: int
    seconds: float

    def __add__(self, other: "Seen") -> "Seen":
        return Seen(self.tokens + other.tokens, self.seconds + other.seconds)


def releases_of(
    scores: Mapping[str, Any],
    released: str,
    shared: Seen,
    own: Mapping[str, Seen] = MappingProxyType({}),
    apart: Collection[str] = (),
) -> tuple[Release, ...]:
    """Return the rows that a release adds to the history, the shared weights' first.

    A part with weights of its own has a row for itself: they have seen more.

    Args:
        scores: What ``scores.json`` holds; figures that it lacks are left out.
        released: The day.
        shared: What the shared weights have seen.
        own: What a part's own weights have seen besides, by part.
        apart: Those of them that did not begin with the shared ones: all they have
            seen is their own.
    """
    rows = {"": shared} | {
        part: seen if part in apart else shared + seen for part, seen in own.items()
    }
    made = []
    for part, seen in rows.items():
        found = {
            one.name: figure_of(one, scores)
            for one in FOLLOWED
            if (one.part if one.part in own else "") == part
        }
        figures = {name: figure for name, figure in found.items() if figure}
        if figures:
            seconds = round(seen.seconds, 1)
            made.append(Release(released, seen.tokens, seconds, figures, part))
    return tuple(made)


def read(path: Path) -> tuple[Release, ...]:
    """Read a history; a file that is not there has no release."""
    if not path.exists():
        return ()
    rows = json.loads(path.read_text(encoding="utf8"))
    return tuple(
        Release(
            row["released"],
            row["tokens"],
            row["seconds"],
            {name: Figure(**one) for name, one in row["figures"].items()},
            row.get("part", ""),
        )
        for row in rows
    )


def write(history: Iterable[Release], path: Path) -> None:
    """Write a history, a figure per line."""
    rows = ",\n".join(_json_of(one) for one in history)
    path.write_text(f"[\n{rows}\n]\n", encoding="utf8")


def joined(history: Sequence[Release], release: Release) -> tuple[Release, ...]:
    """Return a history with one more release, in the order of tokens and days.

    It takes the place of one that measured the same tokens on as many examples.
    """
    kept = (one for one in history if not release.replaces(one))
    return tuple(sorted([*kept, release], key=lambda one: (one.tokens, one.released)))


def points(history: Iterable[Release], name: str) -> dict[int, Figure]:
    """Return a figure by tokens: of equal tokens what was measured on most, then last.

    Args:
        history: In any order.
        name: Of ``FOLLOWED``.
    """
    found: dict[int, Figure] = {}
    for one in sorted(history, key=lambda row: (row.tokens, row.released)):
        figure = one.figures.get(name)
        before = found.get(one.tokens)
        if figure and (before is None or figure.over >= before.over):
            found[one.tokens] = figure
    return found


def line_through(found: Mapping[int, Figure]) -> Line | None:
    """Return the least-squares line; None for fewer than three different tokens."""
    return _fitted(found) if len(found) >= FEWEST_RELEASES else None


def line_of_the_last(found: Mapping[int, Figure]) -> Line | None:
    """Return the line through the last two of three or more: where it went of late."""
    if len(found) < FEWEST_RELEASES:
        return None
    return _fitted(dict(sorted(found.items())[-2:]))


def figure_of(one: Follow, scores: Mapping[str, Any]) -> Figure | None:
    """Return a figure in ``scores.json``, of the best mode; None where it is not."""
    if one.score == BITS:
        told = scores.get(one.at)
        return told and Figure(told["bits_per_character"], told["characters"])
    parts = _parts(one, scores)
    if not parts:
        return None
    means = (_mean(parts, one.score, mode) for mode in parts[0]["model"])
    return max(means, key=lambda figure: figure.value)


def baseline_of(one: Follow, scores: Mapping[str, Any]) -> Figure | None:
    """Return what the baseline scores there; None where there is none."""
    parts = _parts(one, scores)
    if not parts or not all(part["baseline"] for part in parts):
        return None
    return _mean(parts, one.score)


def _parts(one: Follow, scores: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the reports that a figure is the mean of."""
    report = scores.get("tasks", {}).get(one.at)
    if report is None or not one.sources:
        return [report] if report else []
    by_source = report["by_source"]
    return [by_source[name] for name in one.sources if name in by_source]


def _mean(parts: Sequence[Mapping[str, Any]], score: str, mode: str = "") -> Figure:
    """Return a mode's mean over parts, the baseline's where no mode is named."""
    over = sum(part["examples"] for part in parts)
    sums = (
        (part["model"][mode] if mode else part["baseline"])[score] * part["examples"]
        for part in parts
    )
    return Figure(round(float(sum(sums) / over), 4), over)


def _fitted(found: Mapping[int, Figure]) -> Line:
    x = np.log10(np.asarray(list(found), "float64"))
    y = np.asarray([one.value for one in found.values()])
    slope, intercept = np.polyfit(x, y, 1)
    missed = float(np.sqrt(np.mean((intercept + slope * x - y) ** 2)))
    return Line(float(intercept), float(slope), missed, len(found))


def _json_of(one: Release) -> str:
    figures = ",\n".join(
        f'   "{name}": {json.dumps(asdict(figure))}'
        for name, figure in one.figures.items()
    )
    head = f'"released": "{one.released}", "tokens": {one.tokens}, '
    head += f'"part": "{one.part}", ' if one.part else ""
    return f' {{{head}"seconds": {one.seconds},\n  "figures": {{\n{figures}\n  }}}}'
