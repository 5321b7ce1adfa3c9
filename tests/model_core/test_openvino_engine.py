"""Laws of the engine that reads with OpenVINO, and what may be missing or broken."""

import ast
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keras import ops

from model_core.engines import improving, registry
from model_core.engines.base import TokenBatch, Writing, causal_steps
from model_core.engines.failures import EngineUnavailableError
from model_core.engines.improving import ImprovingEngine
from model_core.engines.keras_engine import KerasEngine
from model_core.engines.native.compiler import NativeUnavailableError
from model_core.engines.openvino import chip, engine, graphs
from model_core.engines.openvino.compiled import CompiledGraph
from model_core.engines.openvino.engine import OpenVinoEngine
from model_core.engines.openvino.export import SILENT, Order, inputs_of
from model_core.engines.openvino.failures import OpenVinoUnavailableError
from model_core.engines.openvino.proof import probe, proven
from model_core.models.heads import HEADS
from model_core.models.network import weights_by_name
from tests.model_core.tiny import (
    POST_NORM,
    PRE_NORM,
    RICH,
    RICH_POST_NORM,
    ROTARY,
    build_network,
    random_ids,
)

TOLERANCE = 1e-4
BFLOAT16_TOLERANCE = 0.1
MASKS = ("bidirectional", "causal", "prefix_lm")
EVERY_MASK = ("learned", "rotary", "relative", "buckets")
"""Configs tried with every mask; a graph is given one, and knows no kind of it."""
BODY = Order(POST_NORM)

# every way of positions and norms that the config can describe
CONFIGS = {
    "learned": POST_NORM,
    "no segments": PRE_NORM,
    "sinusoidal": replace(PRE_NORM, position_kind="sinusoidal"),
    "rotary": ROTARY,
    "neighbours": replace(ROTARY, rotary_style="neighbours"),
    "relative": replace(POST_NORM, position_kind="relative", relative_distance=3),
    "buckets": replace(
        PRE_NORM, position_kind="buckets", relative_buckets=8, relative_distance=9
    ),
    "transfer": replace(
        POST_NORM, position_kind="transfer", embedding_norm=False, type_vocab_size=0
    ),
    "sandwich": replace(PRE_NORM, norm_placement="sandwich", embedding_norm=True),
    "rms": replace(
        PRE_NORM, norm_kind="rms", gated_feed_forward=True, feed_forward_bias=False
    ),
    "shared": replace(POST_NORM, num_layer_groups=1, embedding_size=6),
    "projected first": replace(
        POST_NORM, embedding_size=6, projected_first=True, embedding_bias=False
    ),
    "speakers": replace(PRE_NORM, segments_are_tokens=True),
    "silu": replace(POST_NORM, hidden_act="silu", task_type_vocab_size=3),
    "rich": RICH,
    "rich post norm": RICH_POST_NORM,
}


HEAD_ORDERS = [
    *(Order(RICH, head) for head in HEADS if head not in SILENT),
    *(Order(CONFIGS[name], "masked_lm") for name in ("shared", "projected first")),
    Order(POST_NORM, "span"),
]


@pytest.fixture(scope="module", name="cache")
def fixture_cache(tmp_path_factory):
    """A cache with every graph of these tests, exported by one process."""
    pytest.importorskip("openvino", reason="an optional engine's package")
    folder = tmp_path_factory.mktemp("openvino")
    graphs.obtain([*map(Order, CONFIGS.values()), *HEAD_ORDERS], folder)
    return folder


def padded_batch(config):
    rows = [[1, 2, 3, 4, 5, 9, 8, 7], [6, 7, 3], [3] * 13]
    segments = [[0] * (len(row) - 2) + [1, 1] for row in rows]
    marks = None
    if config.mark_vocab_size:
        marks = [[place % config.mark_vocab_size for place in row] for row in rows]
    return TokenBatch.from_rows(rows, segments, marks=marks)


def of_network(network, batch, attention, **more):
    outputs = network(
        batch.token_ids,
        batch.segment_ids,
        batch.padding_mask,
        mark_ids=batch.mark_ids,
        attention=attention,
        **more,
    )
    return {name: ops.convert_to_numpy(value) for name, value in outputs.items()}


def exact(network, cache, **options):
    return OpenVinoEngine(network, precision="float32", cache=cache, **options)


@pytest.fixture(scope="module", name="rich")
def fixture_rich(cache):
    """An engine with every head."""
    return exact(build_network(RICH, tuple(HEADS)), cache)


@pytest.mark.parametrize("name", CONFIGS)
def test_it_reads_as_the_network_does(name, cache):
    config = CONFIGS[name]
    network = build_network(config, (), seed=3)
    fast, batch = exact(network, cache), padded_batch(config)
    for attention in MASKS if name in EVERY_MASK else MASKS[-1:]:
        found = fast.read(batch, attention)["hidden"]
        expected = of_network(network, batch, attention)["hidden"]
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=TOLERANCE, err_msg=attention)


def test_every_head_says_what_the_network_says(rich):
    batch = padded_batch(RICH)
    found = rich.read(batch, "bidirectional")
    expected = of_network(rich.network, batch, "bidirectional")
    assert found.keys() == expected.keys()
    for output, values in expected.items():
        np.testing.assert_allclose(
            found[output], values, atol=TOLERANCE, rtol=1e-4, err_msg=output
        )


@pytest.mark.parametrize("name", ["shared", "projected first"])
def test_tokens_are_scored_by_the_table_they_were_looked_up_in(name, cache):
    network = build_network(CONFIGS[name], ("masked_lm",))
    batch = padded_batch(CONFIGS[name])
    found = exact(network, cache).read(batch, "bidirectional")["logits"]
    expected = of_network(network, batch, "bidirectional")["logits"]
    np.testing.assert_allclose(found, expected, atol=TOLERANCE, rtol=1e-4)


def test_places_choose_what_is_read(rich):
    batch = padded_batch(RICH)
    places = np.array([[1, 4], [0, 2], [12, 3]], "int32")
    found = rich.read(batch, "causal", None, places)
    expected = of_network(rich.network, batch, "causal", places=places)
    assert found.keys() == expected.keys()
    for output, values in expected.items():
        np.testing.assert_allclose(
            found[output], values, atol=TOLERANCE, rtol=1e-4, err_msg=output
        )


def test_heads_of_batches_of_many_sizes_do_not_mix(rich):
    heads = ("half_pointer", "pooler", "language_model")
    for rows, length in ((1, 24), (3, 2), (4, 9), (1, 2), (4, 9)):
        ids = random_ids(rows, length, seed=rows)
        batch = TokenBatch(ids, np.zeros_like(ids), np.ones_like(ids, bool))
        places = random_ids(rows, 3, seed=length) % length
        for where in (None, places):
            found = rich.read(batch, "causal", heads, where)
            expected = of_network(
                rich.network, batch, "causal", heads=heads, places=where
            )
            for output, values in expected.items():
                np.testing.assert_allclose(
                    found[output], values, atol=TOLERANCE, rtol=1e-4, err_msg=output
                )


def test_what_is_asked_apart_the_reference_answers(rich):
    occurs = np.zeros((1, 31), "float32")
    expected = ops.convert_to_numpy(rich.network.apply("source_prior", occurs)["prior"])
    found = rich.apply("source_prior", occurs)["prior"]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_only_the_heads_asked_for_are_read(rich):
    assert rich.heads == tuple(HEADS)
    assert rich.read(padded_batch(RICH), "causal", ()).keys() == {"hidden"}


def test_padding_may_stand_before_a_text_and_within(rich):
    batch = padded_batch(RICH)
    mask = np.ones_like(batch.padding_mask)
    mask[0, :3], mask[2, 5:7] = False, False
    odd = replace(batch, padding_mask=mask)
    for attention in MASKS:
        found = rich.read(odd, attention, ())["hidden"]
        expected = of_network(rich.network, odd, attention)["hidden"]
        np.testing.assert_allclose(found[mask], expected[mask], atol=TOLERANCE)
        assert np.isfinite(found).all()


@pytest.mark.filterwarnings("ignore:You are using a softmax")
def test_batches_of_any_size_are_read_by_one_graph(cache):
    network = build_network(POST_NORM, ())
    fast = exact(network, cache)
    for rows, length in ((1, 1), (5, 3), (2, 24), (1, 7)):
        ids = random_ids(rows, length)
        batch = TokenBatch(ids, np.zeros_like(ids), np.ones_like(ids, bool))
        found = fast.read(batch, "bidirectional")["hidden"]
        expected = of_network(network, batch, "bidirectional")["hidden"]
        np.testing.assert_allclose(found, expected, atol=TOLERANCE)


def test_threads_that_ask_at_once_get_their_own(rich):
    batches = [
        TokenBatch.from_rows([[first] * (1 + first % 5)] * 2) for first in range(12)
    ]
    alone = [rich.read(one, "causal", ())["hidden"] for one in batches]
    with ThreadPoolExecutor(6) as pool:
        together = list(
            pool.map(lambda one: rich.read(one, "causal", ())["hidden"], batches)
        )
    for found, expected in zip(together, alone, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.slow  # nobody has had such a chip yet: look at it when you do
@pytest.mark.skipif(
    not chip.has_bfloat16(chip.chip_flags()), reason="this chip has no bfloat16"
)
def test_bfloat16_comes_near(cache):
    network = build_network(POST_NORM, ())
    batch = padded_batch(POST_NORM)
    fast = OpenVinoEngine(network, cache=cache)
    assert fast.name == "openvino-bfloat16"
    found = fast.read(batch, "bidirectional")["hidden"]
    expected = of_network(network, batch, "bidirectional")["hidden"]
    spread = BFLOAT16_TOLERANCE * expected.std()
    np.testing.assert_allclose(found, expected, atol=spread)


# steps are others'


def test_steps_are_the_engines_that_was_given(rich, cache):
    class Steps:
        name = "steps"

        def stepper(self, writing):
            return "asked", writing

    engine = exact(rich.network, cache, steps=Steps())
    assert engine.stepper(Writing()) == ("asked", Writing())
    assert engine.name == "openvino-float32+steps"


@pytest.mark.parametrize("has_kernels", [False, True])
def test_steps_are_the_kernels_where_they_are_built(rich, monkeypatch, has_kernels):
    class Kernels:
        def __init__(self, network):
            self.stepper = lambda writing: "kernels"

    monkeypatch.setattr(engine.library, "is_ready", lambda: has_kernels)
    monkeypatch.setattr(engine, "_kernels", Kernels)
    monkeypatch.setattr(rich, "_steps", None)
    stepper = rich.stepper(Writing())
    assert (stepper == "kernels") is has_kernels
    if not has_kernels:
        logits, _ = causal_steps(rich).prefill(
            random_ids(1, 4), np.array([4], "int32"), 8
        )
        assert logits.shape == (1, 31)


# the cache


class Exports:
    """Stands in for the process; counts how often it is asked."""

    def __init__(self, monkeypatch, cache):
        (self.real,) = graphs.obtain([BODY], cache)
        self.count = 0
        monkeypatch.setattr(graphs, "export_graphs", self)

    def __call__(self, orders):
        self.count += 1
        return (self.real,) * len(orders)


def test_a_graph_is_exported_once(monkeypatch, cache, tmp_path):
    exports = Exports(monkeypatch, cache)
    for _ in range(3):
        assert graphs.obtain([BODY], tmp_path) == (exports.real,)
    assert exports.count == 1
    graphs.obtain([BODY, Order(replace(POST_NORM, hidden_act="relu"))], tmp_path)
    assert exports.count == 2
    assert len(list(tmp_path.iterdir())) == 2  # nothing half-written is left


def test_other_weights_of_a_config_share_its_graph(monkeypatch, cache, tmp_path):
    exports = Exports(monkeypatch, cache)
    batch, seen = padded_batch(POST_NORM), []
    for seed in (1, 2):
        network = build_network(POST_NORM, (), seed=seed)
        found = exact(network, tmp_path).read(batch, "causal")["hidden"]
        expected = of_network(network, batch, "causal")["hidden"]
        np.testing.assert_allclose(found, expected, atol=TOLERANCE)
        seen.append(found)
    assert exports.count == 1
    assert np.abs(seen[0] - seen[1]).max() > 0.1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_graph_is_never_another_graph(cache, tmp_path, data):
    (whole,) = graphs.obtain([BODY], cache)
    path = tmp_path / "graph.zip"
    graphs.keep(whole, path)
    damaged = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(damaged) - 1))
    damaged[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(damaged)
    assert graphs._kept(path) in (whole, None)


@pytest.mark.parametrize("what", ["cut short", "a byte", "no archive", "empty", "part"])
def test_a_broken_graph_is_exported_again(what, monkeypatch, cache, tmp_path):
    exports = Exports(monkeypatch, cache)
    path = graphs.path_of(BODY, tmp_path)
    graphs.keep(exports.real, path)
    whole = path.read_bytes()
    broken = {
        "cut short": whole[: len(whole) // 2],
        "a byte": whole[:900] + bytes([whole[900] ^ 0xFF]) + whole[901:],
        "no archive": b"<net>",
        "empty": b"",
        "part": None,
    }[what]
    if broken is None:
        with zipfile.ZipFile(path, "w") as file:
            file.writestr(graphs.XML, exports.real.xml)
    else:
        path.write_bytes(broken)
    assert graphs.obtain([BODY], tmp_path) == (exports.real,)
    assert exports.count == 1
    graphs.obtain([BODY], tmp_path)
    assert exports.count == 1  # what was written in its place is sound


def test_where_nothing_can_be_written_it_is_exported_each_time(
    monkeypatch, cache, tmp_path
):
    exports = Exports(monkeypatch, cache)
    blocked = tmp_path / "a file"
    blocked.write_text("")
    for _ in range(2):
        assert graphs.obtain([BODY], blocked) == (exports.real,)
    assert exports.count == 2
    assert blocked.read_text() == ""


@pytest.mark.parametrize("package", graphs.PACKAGES)
def test_another_version_asks_for_another_graph(package, monkeypatch, tmp_path):
    monkeypatch.setattr(graphs, "version", lambda _: "1")
    before = graphs.path_of(BODY, tmp_path)
    monkeypatch.setattr(graphs, "version", lambda name: "12"[name == package])
    assert graphs.path_of(BODY, tmp_path) != before


def test_other_sources_ask_for_another_graph(monkeypatch, tmp_path):
    monkeypatch.setattr(graphs, "version", lambda _: "1")
    core = tmp_path / "core"
    (core / "layers").mkdir(parents=True)
    (core / "layers" / "attention.py").write_text("1")
    monkeypatch.setattr(graphs, "CORE", core)
    before = graphs.path_of(BODY, tmp_path)
    (core / "layers" / "attention.py").write_text("2")
    assert graphs.path_of(BODY, tmp_path) != before


def test_the_sources_of_a_graph_are_there():
    names = {path.name for path in graphs._sources()}
    assert names >= {"config.py", "attention.py", "transformer.py", "export.py"}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"MASKPLAY_CACHE": "/a"}, "/a/openvino"),
        ({"XDG_CACHE_HOME": "/b"}, "/b/maskplay/openvino"),
        ({"HOME": "/c"}, "/c/.cache/maskplay/openvino"),
    ],
)
def test_graphs_lie_in_the_persons_cache(told, expected, monkeypatch):
    for name in ("MASKPLAY_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    assert str(graphs.default_cache()) == expected


# what may be missing or broken


def test_without_the_package_it_says_what_to_install(monkeypatch, tmp_path):
    def absent(name):
        raise PackageNotFoundError

    monkeypatch.setattr(graphs, "version", absent)
    with pytest.raises(
        OpenVinoUnavailableError,
        match=r"openvino is not installed \(pip install -r requirements-openvino.txt",
    ):
        graphs.obtain([BODY], tmp_path)


def test_a_package_that_cannot_be_loaded_is_no_engine(monkeypatch):
    graph = graphs.Graph(b"<net>", b"")
    monkeypatch.setattr(graphs, "obtain", lambda orders, cache: (graph,))
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(OpenVinoUnavailableError, match="could not be imported"):
        exact(build_network(POST_NORM, ()), None)


def test_others_answer_where_it_is_not_installed_and_it_is_said_once(
    monkeypatch, caplog
):
    def absent(name):
        raise PackageNotFoundError

    monkeypatch.setattr(graphs, "version", absent)
    monkeypatch.setattr(improving, "_said", set())
    monkeypatch.setattr(engine, "_kernels", lambda _: Plain("the kernels"))
    network = build_network(POST_NORM, ())
    for _ in range(2):
        made = registry.build_engine("openvino", network)
        assert made.wait(30)
        assert made.name == "the kernels"
    (said,) = [one.getMessage() for one in caplog.records]
    assert said == (
        "the package openvino is not installed (pip install -r "
        "requirements-openvino.txt); the kernels goes on answering"
    )


def test_networks_with_a_decoder_are_refused_by_their_config():
    config = replace(POST_NORM, num_decoder_layers=2)
    with pytest.raises(OpenVinoUnavailableError, match="num_decoder_layers 2"):
        OpenVinoEngine(SimpleNamespace(config=config))


def test_an_export_that_fails_is_quoted(monkeypatch, tmp_path):
    for text, said in (
        ("import sys; sys.exit('no such backend')", r"failed \(1\): no such backend"),
        ("import os; os.abort()", r"failed \(-6\)"),
        ("pass", "wrote no graph"),
    ):
        fake = tmp_path / "python"
        fake.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{text}"\n')
        fake.chmod(0o755)
        monkeypatch.setattr(graphs.sys, "executable", str(fake))
        with pytest.raises(OpenVinoUnavailableError, match=said):
            graphs.export_graphs([BODY])
        monkeypatch.undo()


def test_an_export_that_hangs_is_ended(monkeypatch):
    def hanging(command, **options):
        raise subprocess.TimeoutExpired(command, options["timeout"])

    monkeypatch.setattr(graphs.subprocess, "run", hanging)
    with pytest.raises(OpenVinoUnavailableError, match=r"did not end.*300 seconds"):
        graphs.export_graphs([BODY])


def test_a_graph_with_gaps_is_refused(cache):
    network = build_network(POST_NORM, ())
    weights = weights_by_name(network)
    (graph,) = graphs.obtain([BODY], cache)
    known = inputs_of(BODY)
    assert "token_ids" in known
    less = {name: weights[name] for name in weights if "block_1" not in name}
    with pytest.raises(OpenVinoUnavailableError, match=r"asks for \['block_1/att"):
        CompiledGraph(graph, known, less, "float32")
    with pytest.raises(OpenVinoUnavailableError, match=r"for \['mask'\], which nobody"):
        CompiledGraph(graph, set(known) - {"mask"}, weights, "float32")


def test_a_graph_that_does_not_compile_is_refused(cache):
    (whole,) = graphs.obtain([BODY], cache)
    for graph in (replace(whole, xml=b"<net>"), replace(whole, xml=whole.xml[:5000])):
        with pytest.raises(OpenVinoUnavailableError, match="could not compile"):
            CompiledGraph(graph, (), {}, "float32")


def test_where_it_fails_while_reading_keras_answers_and_says_so_once(
    cache, monkeypatch, caplog
):
    class Broken:
        def infer(self, given):
            raise RuntimeError("out of\nmemory\n")

    monkeypatch.setattr(improving, "_said", set())
    network, batch = build_network(POST_NORM, ()), padded_batch(POST_NORM)
    fast = exact(network, cache)
    fast._body._request = Broken()
    for _ in range(2):
        found = fast.read(batch, "causal")["hidden"]
    beside = exact(network, cache, steps=Plain("beside"))
    beside._body._request = Broken()
    assert beside.read(batch, "causal")[0] == "beside"
    expected = of_network(network, batch, "causal")["hidden"]
    np.testing.assert_allclose(found, expected, atol=TOLERANCE)
    assert caplog.messages == [
        f"OpenVINO could not run: memory; {fast._reference.name} answers instead"
    ]


def test_what_reads_as_the_one_before_may_take_over(cache):
    network = build_network(RICH_POST_NORM, ())
    fast = exact(network, cache)
    assert proven(fast, KerasEngine(network), network.config) is fast


@pytest.mark.parametrize(
    ("factor", "said"), [(-1, "off by 2.00 of what keras"), (np.nan, "off by nan of")]
)
def test_what_reads_something_else_may_not(factor, said):
    before, wrong = Plain("keras"), Plain("wrong")
    states = np.random.default_rng(0).normal(0, 3, (2, 16, 4)).astype("float32")
    before.read = lambda *asked: {"hidden": states}
    wrong.read = lambda *asked: {"hidden": states * factor}
    with pytest.raises(OpenVinoUnavailableError, match=said):
        proven(wrong, before, POST_NORM)


def test_a_network_of_few_positions_is_looked_at_within_them():
    short = replace(POST_NORM, max_position_embeddings=3, vocab_size=5)
    batch = probe(short)
    assert batch.padding_mask.sum(axis=1).tolist() == [3, 3]
    assert batch.token_ids.max() < 5
    assert probe(POST_NORM).padding_mask.sum(axis=1).tolist() == [16, 5]


# who answers meanwhile


class Plain:
    """An engine that answers its name."""

    device = "cpu"
    heads = ("span",)
    network = None

    def __init__(self, name):
        self.name = name

    def read(self, *asked):
        return self.name, "read", *asked

    def apply(self, *asked):
        return self.name, "apply", *asked

    def stepper(self, *asked):
        return self.name, "stepper", *asked


def test_the_first_engine_answers_until_a_better_one_is_there():
    go_on = [Event(), Event()]
    made = ImprovingEngine(
        Plain("first"),
        (
            lambda before: go_on[0].wait(30) and Plain(before.name + "+"),
            lambda before: go_on[1].wait(30) and Plain(before.name + "*"),
        ),
    )
    assert made.heads == ("span",)
    for place, name in enumerate(("first", "first+", "first+*")):
        deadline = time.monotonic() + 30
        while made.name != name and time.monotonic() < deadline:
            time.sleep(0.001)
        assert made.read("batch", "causal") == (
            name,
            "read",
            "batch",
            "causal",
            None,
            None,
        )
        assert made.apply("span", 1) == (name, "apply", "span", 1)
        assert made.stepper("how") == (name, "stepper", "how")
        assert made.wait(0) is (place == 2)
        if place < 2:
            go_on[place].set()
    assert made.wait()


def test_an_engine_that_cannot_be_had_is_left_out(monkeypatch, caplog):
    monkeypatch.setattr(improving, "_said", set())

    def refusing(error):
        def improve(before):
            raise error

        return improve

    made = ImprovingEngine(
        Plain("first"),
        (
            refusing(NativeUnavailableError("no C compiler")),
            refusing(EngineUnavailableError("no memory")),
            lambda before: Plain(before.name + "!"),
        ),
    )
    assert made.wait(30)
    assert made.name == "first!"
    assert [one.getMessage() for one in caplog.records] == [
        "no C compiler; first goes on answering",
        "no memory; first goes on answering",
    ]


def test_asked_for_by_name_others_answer_until_it_is_ready(cache, monkeypatch):
    def no_kernels(network):
        raise NativeUnavailableError("no C compiler")

    ready = Event()
    monkeypatch.setattr(engine, "_kernels", no_kernels)
    real = graphs.obtain
    monkeypatch.setattr(engine, "best_precision", lambda: "float32")
    monkeypatch.setattr(
        graphs,
        "obtain",
        lambda orders, _: ready.wait(30) and real(orders, cache),
    )
    network, batch = build_network(POST_NORM, ()), padded_batch(POST_NORM)
    made = registry.build_engine("openvino", network)
    assert "keras" in made.name
    first = made.read(batch, "bidirectional")["hidden"]
    ready.set()
    assert made.wait(30)
    assert made.name == "openvino-float32"
    second = made.read(batch, "bidirectional")["hidden"]
    np.testing.assert_allclose(first, second, atol=TOLERANCE)
    assert "openvino" in registry.OPTIONAL


def test_kernels_are_packed_once_for_what_writes(rich, cache, monkeypatch):
    packed, real = [], graphs.obtain

    def kernels(network):
        packed.append(KerasEngine(network))
        return packed[-1]

    monkeypatch.setattr(engine.library, "is_ready", lambda: True)
    monkeypatch.setattr(engine, "_kernels", kernels)
    monkeypatch.setattr(engine, "best_precision", lambda: "float32")
    monkeypatch.setattr(graphs, "obtain", lambda orders, _: real(orders, cache))
    made = registry.build_engine("openvino", rich.network)
    assert made.wait(60)
    assert made.name.startswith("openvino-float32")
    assert made.stepper(Writing()) is packed[0].stepper(Writing())
    assert len(packed) == 1


# where it is chosen although nobody asked


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("avx2 fma", False),
        ("avx512f avx512_vnni", False),
        ("avx512f avx512_bf16", True),
        ("amx_tile amx_bf16", True),
        ("", False),
    ],
)
def test_chips_that_multiply_bfloat16(flags, expected):
    assert chip.has_bfloat16(frozenset(flags.split())) is expected


def test_flags_are_read_as_the_kernel_writes_them(tmp_path):
    facts = tmp_path / "cpuinfo"
    facts.write_text("processor\t: 0\nflags\t\t: fpu amx_bf16\n\nflags\t: other\n")
    assert chip.chip_flags(facts) == {"fpu", "amx_bf16"}
    facts.write_text("Features : fp asimd\n")
    assert chip.chip_flags(facts) == frozenset()
    assert chip.chip_flags(tmp_path / "none") == frozenset()


def test_its_package_is_imported_only_where_it_is_used():
    core = Path(graphs.__file__).parents[2]
    found = [
        path.name
        for path in core.rglob("*.py")
        for node in ast.parse(path.read_text("utf8")).body
        for name in _imported(node)
        if name.split(".")[0] == "openvino"
    ]
    assert not found


def _imported(node):
    if isinstance(node, ast.ImportFrom):
        return [node.module]
    return [one.name for one in node.names] if isinstance(node, ast.Import) else []
