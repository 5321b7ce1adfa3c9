"""A race of our own engines over tiny networks; no peer is needed."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.contenders import PEERS, Row, engine_row
from benchmarks.shapes import SCALES, bart_values, bert_values, gpt2_values
from benchmarks.speed import (
    Race,
    attempt,
    environment,
    measure,
    merged,
    prepare,
    reason,
    turns,
)
from benchmarks.table import page

TINY = SCALES["tiny"]


@pytest.fixture(name="race", scope="module")
def fixture_race(tmp_path_factory):
    pytest.importorskip("transformers")
    race = Race(
        rows=(engine_row("keras"), PEERS["recomputed"]),
        parts=("decode", "encoder", "beams"),
        rounds=1,
        room=tmp_path_factory.mktemp("room"),
        scale="tiny",
        threads=1,
    )
    assert prepare(race) == []
    return race


@pytest.fixture(name="record", scope="module")
def fixture_record(race):
    *_, whole = measure(race)
    return whole


def reports(record, part):
    return {
        run["contender"]: run["report"] for run in record["runs"] if run["part"] == part
    }


@pytest.mark.slow
def test_float32_engines_write_the_references_tokens(record):
    told = reports(record, "decode")
    assert told.keys() == {"ours-keras", "recomputed"}
    assert told["ours-keras"]["cases"].keys() == {"batch 1", "batch 2"}
    assert told["recomputed"]["cases"].keys() == {"batch 1"}
    for report in told.values():
        for batch, case in report["cases"].items():
            rows = int(batch.split()[1])
            assert case["tokens"] == rows * TINY.new_tokens
            assert case["same"] == case["same_before_any_other"] == case["tokens"]
            assert min(case["seconds"]) > 0
            assert case["resident_mb"] > 50


@pytest.mark.slow
def test_states_and_beams_are_the_references(record):
    (reading,) = reports(record, "encoder").values()
    assert reading["cases"].keys() == {"1x8", "2x8"}
    assert all(case["difference"] < 1e-4 for case in reading["cases"].values())
    (writing,) = reports(record, "beams").values()
    (case,) = writing["cases"].values()
    assert case["same"] == case["tokens"] == TINY.target_tokens


@pytest.mark.slow
def test_the_page_shows_every_contender_beside_the_limit(record):
    made = page(record)
    assert "**ours-keras**" in made
    assert "| recomputed | float32 |" in made
    assert "10/10" in made
    assert made.count("\n## ") == 6
    assert "Not measured" not in made


@pytest.mark.slow
def test_what_fails_is_told_on_the_page(race):
    row = dataclasses.replace(engine_row("keras"), engine="no-such-engine")
    report = attempt(race, row, "decode", "measure")
    assert "no-such-engine" in report["failure"]
    limits = {"bytes_per_second": 1e10, "flops_per_second": 1e11}
    run = {
        "part": "decode",
        "contender": row.name,
        "precision": "float32",
        "is_ours": True,
        "limits": limits,
        "report": report,
    }
    told = page({"machine": {}, "scale": "tiny", "threads": 1, "runs": [run]})
    assert "Not measured" in told
    assert "no-such-engine" in told


def test_a_process_that_was_ended_says_by_what():
    ended = subprocess.CalledProcessError(-15, "x", stderr="a harmless warning")
    assert reason(ended) == "ended by signal 15"
    failed = subprocess.CalledProcessError(1, "x", stderr="Trace\nValueError: no\n")
    assert reason(failed) == "ValueError: no"


@pytest.mark.slow
def test_what_is_written_is_not_one_token(race):
    answers = race.room / "tiny" / "gpt2" / "reference.npz"
    np = pytest.importorskip("numpy")
    assert len(np.unique(np.load(answers)["batch_2"])) > 2


def test_odd_rounds_go_backwards(tmp_path):
    rows = (engine_row("native"), *PEERS.values())
    race = Race(rows, ("decode",), 3, tmp_path)
    back, forth = ([row.name for _, row in turns(race, index)] for index in (1, 2))
    assert forth[0] == "ours-native"
    assert forth == back[::-1]


def test_slow_ones_run_in_the_first_round_only(tmp_path):
    race = Race((engine_row("native"), *PEERS.values()), ("decode",), 2, tmp_path)
    later = {row.name for _, row in turns(race, 1)}
    assert {"ours-native", "transformers", "openvino-int8"} <= later
    assert not later & {"keras-hub", "recomputed", "ctranslate2-float32"}


def test_only_our_engines_stream(tmp_path):
    race = Race((engine_row("keras"), *PEERS.values()), ("streams",), 1, tmp_path)
    assert [row.name for _, row in turns(race, 0)] == ["ours-keras"]


def record_of(machine, *names):
    runs = [{"part": "decode", "contender": name} for name in names]
    return {"machine": machine, "scale": "base", "threads": 2, "runs": runs}


def test_a_new_measurement_replaces_its_own_and_keeps_the_others():
    old, new = record_of({"a": "1"}, "x", "y"), record_of({"a": "1"}, "y")
    names = [run["contender"] for run in merged(old, new)["runs"]]
    assert names == ["x", "y"]
    assert merged({}, new) == new
    elsewhere = record_of({"a": "2"}, "y")
    assert merged(old, elsewhere)["runs"] == elsewhere["runs"]


@pytest.mark.parametrize(
    ("told", "precision"),
    [
        ("keras", "float32"),
        ("native", "float32"),
        ("native-int8", "int8"),
        ("keras:int8", "int8"),
    ],
)
def test_an_engine_says_what_its_weights_are(told, precision):
    row = engine_row(told)
    assert (row.engine, row.precision) == (told.split(":")[0], precision)
    assert row.is_ours


def test_an_engine_that_only_reads_is_measured_where_it_reads():
    assert engine_row("openvino").parts == ("encoder",)
    assert "decode" in engine_row("native").parts


@pytest.mark.parametrize("row", PEERS.values(), ids=PEERS)
def test_every_peer_has_its_file(row: Row):
    assert not row.is_ours
    assert (row.module == "benchmarks.peers.recomputed_peer") == bool(row.engine)
    path = Path(*row.module.split(".")).with_suffix(".py")
    written = path.read_text(encoding="utf8")
    asked = {"decode": "decoder", "encoder": "reader", "beams": "beam_writer"}
    for part in row.parts:
        assert f"def {asked[part]}(" in written


def test_the_limits_are_measured_in_a_process_of_their_own():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bandwidth", "1"],
        env=environment(1),
        check=True,
        capture_output=True,
        text=True,
    )
    assert "bytes_per_second" in done.stdout


def test_the_configs_have_the_shapes_that_are_counted():
    for scale in SCALES.values():
        assert gpt2_values(scale)["n_embd"] == bert_values(scale)["hidden_size"]
        assert bart_values(scale)["decoder_layers"] == scale.side_layers
        longest = max(length for _, length in scale.reads)
        assert longest <= scale.num_positions
        assert scale.prompt_tokens + scale.new_tokens <= scale.num_positions
