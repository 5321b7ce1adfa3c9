"""The record as a page: ``python -m benchmarks table`` writes docs/speed.md.

Changes when the page shows something else. Every figure is the median over fresh
processes, the least and the most behind it, and the limit of the same run beside it.
"""

import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from benchmarks import alone, markdown
from benchmarks.limits import (
    beam_seconds,
    decode_seconds,
    read_bytes_seconds,
    read_flops_seconds,
)
from benchmarks.page_text import APART, FOOT, HEAD, TITLES
from benchmarks.shapes import SCALES, Scale

Run = dict[str, Any]
Round = tuple[float, ...]
NOTHING: Mapping[str, alone.Figures] = MappingProxyType({})
MILLI = 1000.0
GIGA = 1e9


@dataclass(frozen=True, slots=True)
class Line:
    """A contender at a case.

    Attributes:
        name: The contender's.
        precision: Of its weights.
        is_ours: Whether it is one of our engines.
        speed: Of the case's main figure, more is better.
        cells: What the page shows.
        rounds: The speed in each round that it ran in, by ``round_of``.
    """

    name: str
    precision: str
    is_ours: bool
    speed: float
    cells: tuple[str, ...]
    rounds: Mapping[Round, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """The runs of one contender at one case.

    Attributes:
        scale: The shapes.
        case: Its name.
        runs: At least one, in each of which the case is.
    """

    scale: Scale
    case: str
    runs: tuple[Run, ...]

    @property
    def precision(self) -> str:
        """Of the weights."""
        return str(self.runs[0]["precision"])

    def figures(self, name: str) -> list[float]:
        """Return a figure of every run; of a list of seconds the median."""
        found = [run["report"]["cases"][self.case][name] for run in self.runs]
        return [statistics.median(v) if isinstance(v, list) else v for v in found]

    def limit(self, name: str) -> float:
        """Return the median of a limit that was measured just before the runs."""
        found: list[float] = [run["limits"][name] for run in self.runs]
        return statistics.median(found)

    @property
    def sameness(self) -> str:
        """How many tokens are the reference's."""
        same, of = min(self.figures("same")), self.figures("tokens")[0]
        return f"{same:.0f}/{of:.0f}"


def page(
    record: Mapping[str, Any], measured: Mapping[str, alone.Figures] = NOTHING
) -> str:
    """Return the whole page in Markdown.

    Args:
        record: Of ``benchmarks.speed.measure``.
        measured: Of ourselves alone, by ``alone.SECTIONS``.
    """
    scale = SCALES[record["scale"]]
    blocks = [HEAD, machine_block(record)]
    for part, case in cases_of(record["runs"]):
        lines = lines_of(record["runs"], scale, part, case)
        title = TITLES[part].format(case=case, scale=record["scale"], sizes=scale)
        blocks.append(f"## {title}\n\n{grid(COLUMNS[part], lines)}")
        if told := lead(lines, BY_ITSELF[part]):
            blocks.append(told)
    blocks += [*alone.blocks(measured), failures(record["runs"]), FOOT]
    return "\n\n".join(block for block in blocks if block) + "\n"


def cases_of(runs: Iterable[Run]) -> list[tuple[str, str]]:
    """Return parts and their cases, in the order of their measuring."""
    found = ((run["part"], case) for run in runs for case in run["report"]["cases"])
    order = list(COLUMNS)
    return sorted(dict.fromkeys(found), key=lambda key: order.index(key[0]))


def lines_of(runs: Iterable[Run], scale: Scale, part: str, case: str) -> list[Line]:
    """Return a line per contender at a case, the fastest first."""
    by_name: dict[str, list[Run]] = {}
    for run in runs:
        if run["part"] == part and case in run["report"]["cases"]:
            by_name.setdefault(run["contender"], []).append(run)
    made = []
    for name, own in by_name.items():
        reading = Reading(scale, case, tuple(own))
        speed, cells = CELLS[part](reading)
        rounds = {
            round_of(run): CELLS[part](Reading(scale, case, (run,)))[0] for run in own
        }
        is_ours = own[0]["is_ours"]
        made.append(Line(name, reading.precision, is_ours, speed, cells, rounds))
    return sorted(made, key=lambda line: -line.speed)


def round_of(run: Run) -> Round:
    """Return what tells a round from every other: its limits, measured before it.

    A record is joined from several sessions, and numbers of rounds begin anew in each.
    """
    return tuple(run["limits"].values())


def decode_cells(reading: Reading) -> tuple[float, tuple[str, ...]]:
    """Milliseconds a step, tokens a second, the first token, beside the limit."""
    batch, steps = int(reading.case.split()[1]), reading.scale.new_tokens
    per_step = [seconds / steps for seconds in reading.figures("seconds")]
    least = decode_seconds(
        reading.scale, reading.precision, reading.limit("bytes_per_second")
    )
    median = statistics.median(per_step)
    cells = (
        spread(per_step, MILLI, 2),
        f"{batch / median:.1f}",
        f"{least * MILLI:.2f}",
        f"{median / least:.2f}",
        spread(reading.figures("first_token_seconds"), MILLI, 1),
        spread(reading.figures("resident_mb"), 1, 0),
        reading.sameness,
    )
    return batch / median, cells


def encoder_cells(reading: Reading) -> tuple[float, tuple[str, ...]]:
    """Milliseconds a batch and texts a second, beside both limits."""
    batch, length = map(int, reading.case.split("x"))
    seconds = reading.figures("seconds")
    by_bytes = read_bytes_seconds(
        reading.scale, reading.precision, reading.limit("bytes_per_second")
    )
    by_flops = read_flops_seconds(
        reading.scale, batch, length, reading.limit("flops_per_second")
    )
    median = statistics.median(seconds)
    cells = (
        spread(seconds, MILLI, 0),
        f"{batch / median:.2f}",
        f"{by_bytes * MILLI:.0f}",
        f"{by_flops * MILLI:.0f}",
        spread(reading.figures("resident_mb"), 1, 0),
        f"{max(reading.figures('difference')):.0e}",
    )
    return batch / median, cells


def beam_cells(reading: Reading) -> tuple[float, tuple[str, ...]]:
    """Milliseconds a target, beside the limit."""
    seconds = reading.figures("seconds")
    least = beam_seconds(
        reading.scale, reading.precision, reading.limit("bytes_per_second")
    )
    median = statistics.median(seconds)
    cells = (
        spread(seconds, MILLI, 0),
        f"{least * MILLI:.0f}",
        f"{median / least:.2f}",
        spread(reading.figures("resident_mb"), 1, 0),
        reading.sameness,
    )
    return 1 / median, cells


def stream_cells(reading: Reading) -> tuple[float, tuple[str, ...]]:
    """Tokens a second of all together and of one, and the waits."""
    together = reading.figures("tokens_per_second")
    cells = (
        spread(together, 1, 1),
        spread(reading.figures("tokens_per_second_alone"), 1, 1),
        spread(reading.figures("gain"), 1, 2),
        spread(reading.figures("first_token_seconds"), 1, 2),
        spread(reading.figures("stall_seconds"), MILLI, 0),
        spread(reading.figures("resident_mb"), 1, 0),
        reading.sameness,
    )
    return statistics.median(together), cells


def spread(values: list[float], factor: float, digits: int) -> str:
    """Return the median, the least and the most in brackets where they differ."""
    middle, least, most = (
        f"{factor * value:.{digits}f}"
        for value in (statistics.median(values), min(values), max(values))
    )
    return middle if least == most else f"{middle} ({least}–{most})"


def grid(columns: tuple[str, ...], lines: Iterable[Line]) -> str:
    """Return a table, our engines in bold."""
    rows = [
        (
            f"**{line.name}**" if line.is_ours else line.name,
            line.precision,
            str(len(line.rounds)),
            *line.cells,
        )
        for line in lines
    ]
    return markdown.table(("", "权重 weights", "轮 rounds", *columns), rows, words=2)


def lead(lines: list[Line], by_itself: str) -> str:
    """Return how many times as fast as the best peer we are, see ``ratio_of``.

    Args:
        lines: The fastest first.
        by_itself: Which engine of ours runs where nobody asked for one.
    """
    ours = [line for line in lines if line.is_ours]
    peers = [line for line in lines if not line.is_ours]
    if not ours or not peers:
        return ""
    best, peer = ours[0], peers[0]
    ratio = ratio_of(best, peer)
    told = [
        f"{best.name} 是最快的同类（{peer.name}）的 **{ratio:.2f}** 倍 · "
        f"{best.name} is **{ratio:.2f}** times as fast as the best peer, {peer.name}.",
        *_apart(best, peer),
    ]
    for line in ours[1:]:
        if line.name == by_itself:
            ratio = ratio_of(line, peer)
            told += [
                f"不指定引擎时用 {line.name}：**{ratio:.2f}** 倍 · where no engine is "
                f"asked for, {line.name} runs: **{ratio:.2f}** times.",
                *_apart(line, peer),
            ]
    return " ".join(told)


def _apart(line: Line, other: Line) -> list[str]:
    """Return what has to be said of two that ran in no common round."""
    return [] if line.rounds.keys() & other.rounds.keys() else [APART]


def ratio_of(line: Line, other: Line) -> float:
    """Return how many times as fast one is, by the rounds that both ran in.

    Where there are none, by all rounds of each: the machine may have been another's.
    """
    common = line.rounds.keys() & other.rounds.keys()
    if not common:
        return line.speed / other.speed
    mine, theirs = ([one.rounds[key] for key in common] for one in (line, other))
    return statistics.median(mine) / statistics.median(theirs)


def machine_block(record: Mapping[str, Any]) -> str:
    """Return the machine, its limits and the versions of everyone."""
    facts = ", ".join(f"{key} {value}" for key, value in record["machine"].items())
    limits = [run["limits"] for run in record["runs"]]
    read = [limit["bytes_per_second"] / GIGA for limit in limits]
    products = [limit["flops_per_second"] / GIGA for limit in limits]
    versions = {
        name: version
        for run in record["runs"]
        for name, version in run["report"]["versions"].items()
    }
    known = ", ".join(f"{name} {versions[name]}" for name in sorted(versions))
    return (
        f"- {facts}; {record['threads']} threads\n"
        f"- 读内存 · reading memory: {spread(read, 1, 1)} GB/s; "
        f"float32 乘法 · products: {spread(products, 1, 0)} GFLOP/s\n"
        f"- {known}"
    )


def failures(runs: Iterable[Run]) -> str:
    """Return who could not be measured, and why."""
    return markdown.unmeasured(
        f"{run['contender']}, {run['part']}: {run['report']['failure']}"
        for run in runs
        if "failure" in run["report"]
    )


Cells = Callable[[Reading], tuple[float, tuple[str, ...]]]
CELLS: Mapping[str, Cells] = {
    "decode": decode_cells,
    "encoder": encoder_cells,
    "beams": beam_cells,
    "streams": stream_cells,
}
BY_ITSELF: Mapping[str, str] = {
    "decode": "ours-native-int8",
    "encoder": "ours-native-int8-dynamic",
    "beams": "ours-native-int8",
    "streams": "ours-native-int8",
}
"""What runs a part unasked; see ``model_core.engines.automatic``."""
MEMORY = "内存 memory MB"
SAME = "相同 same tokens"
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "decode": (
        "毫秒/步 ms per step",
        "词元/秒 tokens/s",
        "极限 limit ms",
        "倍 times the limit",
        "首词 first token ms",
        MEMORY,
        SAME,
    ),
    "encoder": (
        "毫秒/批 ms per batch",
        "条/秒 texts/s",
        "带宽极限 limit by bytes ms",
        "乘法极限 by float32 products ms",
        MEMORY,
        "最大差 largest difference",
    ),
    "beams": (
        "毫秒 ms",
        "极限 limit ms",
        "倍 times the limit",
        MEMORY,
        SAME,
    ),
    "streams": (
        "词元/秒 tokens/s",
        "单人 alone tokens/s",
        "倍 gain",
        "最慢首词 slowest first token s",
        "最长停顿 longest stall ms",
        MEMORY,
        "与单人相同 same as alone",
    ),
}
