"""The benchmark of a graphics card runs where there is none, without TensorFlow."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.gpu import GpuRace, environment, measure
from benchmarks.gpu_page import page
from benchmarks.gpu_shapes import SHAPES

ROOT = Path(__file__).parents[2]
WITHOUT_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = None
from benchmarks.gpu_once import main
main()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="XLA is not everywhere")
def test_our_engine_is_measured_and_writes_the_same_both_ways():
    pytest.importorskip("jax")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, "ours", "tiny", "float32", "1"],
        env=os.environ | environment() | {"KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["device"] == "cpu"
    assert report["bytes_per_second"] > 1e8
    assert report["cases"].keys() == {"ours, whole loop", "ours, step by step"}
    for cases in report["cases"].values():
        assert cases.keys() == {"1", "3"}
        for figures in cases.values():
            assert figures["same_tokens"] == 1.0
            assert min(figures["seconds"] + figures["first_token_seconds"]) > 0


def report_of(name, seconds, **more):
    figures = {
        "seconds": [seconds, 2 * seconds, 3 * seconds],
        "first_token_seconds": [seconds / 10],
        "warming_seconds": 4.0,
    }
    cases = {name: {"1": figures | more, "3": figures | more}}
    return {"cases": cases, "device": "card", "versions": {"x": "1"}}


def test_the_page_stands_beside_the_record(tmp_path, monkeypatch):
    asked = []

    def answer(told):
        asked.append(told)
        if told[0] == "peer":
            return {"failure": "transformers was not there", "cases": {}}
        ours = report_of("ours, whole loop", 0.009, same_tokens=1.0)
        return ours | {"bytes_per_second": 1e9}

    monkeypatch.setattr("benchmarks.gpu.asked", answer)
    path = tmp_path / "speed_gpu.json"
    for _ in range(2):  # the same shape replaces what was there
        record = measure(GpuRace(("tiny",), rounds=2, texts=7), path)
    assert [told[0] for told in asked[:4]] == ["ours", "peer", "peer", "ours"]
    assert asked[0] == ("ours", "tiny", "bfloat16", "7")
    assert len(record["runs"]) == 4
    assert json.loads(path.read_text(encoding="utf8")) == record
    text = path.with_suffix(".md").read_text(encoding="utf8")
    assert text == page(record)
    # 9 tokens in 18 ms; (27,648 weights of 2 layers and a cache) of 2 bytes at 1 GB/s
    assert "| **ours, whole loop** | 500 | 2.000 | 0.058 |" in text
    assert "transformers was not there" in text


def test_a_step_reads_its_weights_and_what_it_has_seen():
    base, large = SHAPES["base"], SHAPES["large"]
    assert base.num_weights == 12 * 12 * 768**2 + 21128 * 768
    assert 1.4e9 < large.num_weights < 1.6e9
    cache = base.step_bytes(8, "bfloat16") - 2 * base.num_weights
    assert cache == 2 * 12 * 768 * 96 * 8 * 2


def test_a_person_may_name_another_backend(monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    assert environment()["KERAS_BACKEND"] == "jax"
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    assert environment()["KERAS_BACKEND"] == "tensorflow"
