"""What stands in the table: limits, agreements, medians, times."""

import json
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import alone, load, parts, plays, start, table
from benchmarks.__main__ import measured_alone
from benchmarks.clock import seconds_of
from benchmarks.contract import GreedySteps, Setup
from benchmarks.limits import (
    beam_seconds,
    decode_seconds,
    read_bytes_seconds,
    read_flops_seconds,
)
from benchmarks.parts import agreement
from benchmarks.shapes import (
    SCALES,
    SPECIAL_TOKENS,
    bart_values,
    bert_values,
    drawn_ids,
    gpt2_values,
    vocabulary,
)
from benchmarks.table import Line, lead, page, spread
from model_core.engines.automatic import native_precision
from model_core.engines.improving import ImprovingEngine
from model_core.engines.keras_engine import KerasEngine
from model_core.engines.native.engine import NAMES
from model_core.models.families import FAMILIES
from model_core.roles import loaded
from tests.model_core.playing_checkpoint import write_playing

DOCS = Path(__file__).parents[2] / "docs"
BASE = SCALES["base"]


def test_a_step_reads_the_hundred_megabytes_of_int8_weights():
    assert decode_seconds(BASE, "int8", 1e6) == pytest.approx(101.2, abs=0.1)
    whole = decode_seconds(BASE, "float32", 1e9)
    assert whole == pytest.approx(4 * decode_seconds(BASE, "int8", 1e9))


def test_a_target_costs_at_least_its_steps():
    one, both = (beam_seconds(BASE, "int8", speed) for speed in (1e9, 2e9))
    assert one == pytest.approx(2 * both)
    assert one > BASE.target_tokens * 0.06


def test_long_texts_are_limited_by_products_and_short_ones_by_bytes():
    flops, speed = 1e11, 1e10
    assert read_flops_seconds(BASE, 8, 512, flops) > read_bytes_seconds(
        BASE, "float32", speed
    )
    one = read_flops_seconds(BASE, 1, 128, flops)
    assert one == pytest.approx(read_flops_seconds(BASE, 8, 128, flops) / 8)
    # a BERT-base of 128 tokens: 22 thousand million products and sums
    assert one * flops == pytest.approx(2.24e10, rel=0.02)


def test_agreement_counts_all_and_those_before_the_first_other():
    found = np.array([[1, 2, 3, 4], [1, 9, 3, 4]])
    told = agreement(found, np.array([[1, 2, 3, 4], [1, 2, 3, 4]]))
    assert told == {"tokens": 8, "same": 7, "same_before_any_other": 5}


class Counting:
    """A network whose next token is the last plus one, at the place it is told."""

    def __init__(self):
        self.places = []

    def read(self, prompts, num_new):
        return self._logits(prompts[:, -1]), num_new

    def step(self, token_ids, positions, cache):
        self.places.append(positions.tolist())
        return self._logits(token_ids), cache

    def _logits(self, token_ids):
        return np.eye(32, dtype="float32")[token_ids + 1]


def test_greedy_steps_feed_back_the_best_token_at_its_place():
    steps = Counting()
    made = GreedySteps(steps).greedy(np.array([[1, 2, 3], [7, 8, 9]], "int32"), 4)
    assert made.tolist() == [[4, 5, 6, 7], [10, 11, 12, 13]]
    assert steps.places == [[3, 3], [4, 4], [5, 5]]


def test_the_first_of_several_runs_is_left_out(monkeypatch):
    now = iter([0.0, 3.0, 3.0, 4.0, 4.0, 5.5])
    monkeypatch.setattr("time.perf_counter", lambda: next(now))
    assert seconds_of(lambda: None, 5.0) == [1.0, 1.5]


class Asked:
    """A contender that notes which lengths it was asked for, and when it was timed."""

    def __init__(self, monkeypatch):
        self.asked = []
        monkeypatch.setattr(parts, "seconds_of", self.seconds_of)

    def decoder(self, _):
        return self

    reader = beam_writer = decoder

    def greedy(self, prompts, num_new):
        self.asked.append((len(prompts), num_new))
        return np.zeros((len(prompts), num_new), "int32")

    def read(self, token_ids):
        self.asked.append(token_ids.shape)
        return np.zeros((1, 1, 1))

    def write(self, _, __, num_new):
        self.asked.append(num_new)
        return np.zeros((1, num_new), "int32")

    def seconds_of(self, call, *_):
        before = list(self.asked)
        call()
        assert self.asked[-1] in before  # or compiling it would be timed
        return [1.0]


@pytest.mark.parametrize("part", parts.PARTS)
def test_what_is_timed_was_run_once_unheard(part, tmp_path, monkeypatch):
    tiny = SCALES["tiny"]
    answers = {f"batch_{n}": np.zeros((n, 1)) for n in tiny.decode_batches}
    answers |= {f"read_{n}x{of}": np.zeros((1, 1, 1)) for n, of in tiny.reads}
    np.savez(tmp_path / "reference.npz", target=np.zeros((1, 1)), **answers)
    setup = Setup(tmp_path, tmp_path, "float32", 1)
    contender = Asked(monkeypatch)
    cases = parts.PARTS[part].measure(contender, setup, tiny, 9)
    assert len(contender.asked) >= 2 * len(cases) > 0


def test_tabs_are_timed_once_no_better_engine_is_to_come(tmp_path, monkeypatch):
    folder, asked = write_playing(tmp_path), []

    def improving(_, network):
        first = KerasEngine(network)
        wait, better = Event(), SimpleNamespace(name="better", device="cpu")
        return ImprovingEngine(first, (lambda _: wait.wait(0.2) or better,))

    monkeypatch.setattr(loaded, "build_engine", improving)
    monkeypatch.setattr(plays, "tabs", lambda player, *_: asked.append(player) or {})
    monkeypatch.setattr(plays, "reading", lambda *_: {})
    monkeypatch.setattr(plays, "batch_gain", lambda *_: {})
    plays.measure(folder, 1)
    assert asked[0].weights.engine == "better"


def test_a_slow_call_is_run_once(monkeypatch):
    now = iter([0.0, 9.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(now))
    assert seconds_of(lambda: None, 5.0) == [9.0]


def test_the_inputs_are_the_same_for_everyone_and_never_special():
    drawn = drawn_ids(BASE, 8, 32)
    assert np.array_equal(drawn, drawn_ids(BASE, 8, 32))
    assert drawn.min() >= len(SPECIAL_TOKENS)
    assert drawn.max() < BASE.vocab_size
    words = vocabulary(BASE)
    assert len(set(words)) == len(words) == BASE.vocab_size


def test_the_lead_is_over_the_best_peer():
    lines = [
        Line("ours-a", "int8", True, 20.0, ()),
        Line("peer-b", "int8", False, 10.0, ()),
        Line("peer-c", "int8", False, 5.0, ()),
    ]
    assert "**2.00**" in lead(lines, "ours-a")
    assert "peer-b" in lead(lines, "ours-a")
    assert lead(lines[:1], "ours-a") == lead(lines[1:], "ours-a") == ""


def race_of(name, seconds, limits):
    """Runs of a contender at beams, each in the round whose limits it is told with."""
    return [
        {
            "part": "beams",
            "contender": name,
            "precision": "int8",
            "is_ours": name.startswith("ours"),
            "limits": {"bytes_per_second": limit, "flops_per_second": 1e11},
            "report": {
                "cases": {
                    "beam 4": {
                        "seconds": [one], "resident_mb": 1.0, "same": 1, "tokens": 1,
                    }
                }
            },
        }
        for one, limit in zip(seconds, limits, strict=True)
    ]  # fmt: skip


def test_the_lead_counts_only_rounds_that_both_ran_in():
    runs = [
        *race_of("ours-a", [1.0, 3.0, 1.0], [1e10, 2e10, 3e10]),
        *race_of("peer-b", [1.5, 9.0], [2e10, 4e10]),
    ]
    ours, peer = table.lines_of(runs, BASE, "beams", "beam 4")
    assert "| **ours-a** | int8 | 3 |" in table.grid((), [ours, peer])
    assert "| peer-b | int8 | 2 |" in table.grid((), [ours, peer])
    told = lead([ours, peer], "ours-a")
    assert "**0.50**" in told  # three seconds to one and a half, when both ran
    assert "not in the same rounds" not in told


def test_a_lead_over_another_session_says_so():
    runs = [*race_of("ours-a", [1.0], [1e10]), *race_of("peer-b", [2.0], [2e10])]
    told = lead(table.lines_of(runs, BASE, "beams", "beam 4"), "ours-a")
    assert "**2.00**" in told
    assert "not in the same rounds" in told


def test_what_runs_unasked_has_its_own_figure_where_it_is_not_the_best():
    lines = [
        Line("ours-a", "int8", True, 20.0, ()),
        Line("ours-b", "int8", True, 15.0, ()),
        Line("peer-c", "int8", False, 10.0, ()),
    ]
    assert "**1.50**" in lead(lines, "ours-b")
    assert "ours-b" not in lead(lines, "ours-a")


@pytest.mark.parametrize(
    ("part", "family", "values", "head"),
    [
        ("decode", "gpt2", gpt2_values(BASE), "language_model"),
        ("encoder", "bert", bert_values(BASE), "masked_lm"),
        ("beams", "bart", bart_values(BASE), "language_model"),
    ],
)
def test_the_page_names_the_engine_that_runs_unasked(part, family, values, head):
    config = FAMILIES[family].config_from_json(values)
    chosen = native_precision(SimpleNamespace(config=config, heads={head: None}))
    assert table.BY_ITSELF[part] == f"ours-native-{NAMES[chosen]}"


def test_a_spread_is_shown_only_where_there_is_one():
    assert spread([1.0], 1, 1) == "1.0"
    assert spread([3.0, 1.0, 2.0], 1000, 0) == "2000 (1000–3000)"


def test_the_page_is_what_the_record_says():
    path = DOCS / "speed.json"
    if not path.exists():
        pytest.skip("nothing was measured yet")
    record = json.loads(path.read_text(encoding="utf8"))
    told = (DOCS / "speed.md").read_text(encoding="utf8")
    assert told == page(record, measured_alone())


def test_what_was_measured_of_ourselves_has_tables_of_its_own():
    figures = {"page_seconds": {"min": 3.0, "median": 4.125, "max": 5.0}, "other": {}}
    (block,) = alone.blocks({"start": figures})
    assert block.startswith("## 开始 · The first minute")
    assert block.endswith("| 页面可开，秒 · page, s | 4.12 | 3.00 | 5.00 |")
    assert alone.blocks({}) == []


def test_the_figures_of_loading_are_those_that_are_shown(monkeypatch):
    row = {"seconds": 1.0, "cpu_seconds": 1.0, "peak_mb": 2.0}
    monkeypatch.setattr(load, "ask", lambda *_: row)
    monkeypatch.setattr(load, "write_checkpoint", written)
    figures = load.measure(1)
    assert not alone.SECTIONS["load"].names.keys() - figures.keys()


def written(folder, name, layers):
    folder.mkdir()
    path = folder / f"{name}-{layers}"
    path.write_bytes(bytes(1 << 20))
    return path


def test_the_figures_of_a_start_are_those_that_are_shown():
    described = str(start.measure_once.__code__.co_consts)
    assert all(f"'{name}'" in described for name in alone.SECTIONS["start"].names)


@pytest.mark.parametrize(("round_of_b", "times"), [(1e10, 0), (2e10, 1)])
def test_what_runs_unasked_says_so_where_it_met_the_peer_in_no_round(round_of_b, times):
    runs = [
        *race_of("ours-a", [1.0], [1e10]),
        *race_of("ours-b", [1.2], [round_of_b]),
        *race_of("peer-c", [2.0], [1e10]),
    ]
    told = lead(table.lines_of(runs, BASE, "beams", "beam 4"), "ours-b")
    assert "ours-b runs" in told
    assert told.count("not in the same rounds") == times
