"""Laws of the shelf: one state at a time, sentences for every failure, no waiting."""

import errno
import gc
import re
import subprocess
import sys
import threading
import time
import weakref
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest

from model_core import shelf as shelf_module
from model_core.catalog import CARDS, DEFAULT_WEIGHTS, TASKS, roles_of
from model_core.checkpoints.errors import (
    CheckpointFormatError,
    CheckpointMismatchError,
    MissingHeadError,
)
from model_core.checkpoints.hub import DownloadCancelledError, HubClient, Snapshot
from model_core.checkpoints.hub_failures import failure
from model_core.checkpoints.load_failures import EXCEPTIONS, REFUSALS
from model_core.interfaces import (
    FACT_FINDER,
    MASK_FILLER,
    PASSAGE_READER,
    ROLES,
    SUMMARIZER,
    TEXT_GENERATOR,
    TEXT_REWRITER,
    ModelError,
)
from model_core.shelf import ModelShelf, ShelfSettings
from model_core.sources import EMBEDDED_FOLDER
from tests.fakehub import COMMIT, FakeHub
from tests.fakes import EMBEDDED, FakeGenerator, FakePlayer

ROOT = Path(__file__).parents[2]
DEFAULT = DEFAULT_WEIGHTS["generation"]
POEM = "uer/gpt2-chinese-poem"
LYRIC = "uer/gpt2-chinese-lyric"
READER = DEFAULT_WEIGHTS["qa"]
WRITER = DEFAULT_WEIGHTS["title"]
PATIENCE = 5.0
SIZE = 500_000_000  # bytes of everything that FakeLoader loads


@dataclass
class FakeClient:
    """Stands where HubClient stands: fails by name, waits at a gate where told."""

    failures: dict[str, Exception] = field(default_factory=dict)
    gates: dict[str, threading.Event] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def snapshot(self, repo_id, revision=None, *, on_progress, cancelled):
        self.asked.append((repo_id, revision))
        on_progress(0, 400_000_000)
        on_progress(120_000_000, 400_000_000)
        gate = self.gates.get(repo_id)
        while gate and not gate.wait(0.005):
            if cancelled():
                raise DownloadCancelledError
        if repo_id in self.failures:
            raise self.failures[repo_id]
        return Snapshot(Path("snapshots") / repo_id, COMMIT, repo_id)


@dataclass
class FakeLoader:
    """Loads at once, unless a gate or a failure stands in the way.

    What is loaded writes; weights in ``parts`` play these instead, by the role's name.
    """

    failures: dict[str, Exception] = field(default_factory=dict)
    gates: dict[str, threading.Event] = field(default_factory=dict)
    loaded: list[tuple[str, Path]] = field(default_factory=list)
    parts: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __call__(self, folder, source, commit, settings):
        if gate := self.gates.get(source.name):
            gate.wait(PATIENCE)
        if source.name in self.failures:
            raise self.failures[source.name]
        self.loaded.append((source.name, folder))
        info = replace(EMBEDDED, name=source.name, commit=commit, size_bytes=SIZE)
        player = FakeGenerator(weights=info)
        parts = self.parts.get(source.name, (TEXT_GENERATOR.name,))
        return FakePlayer(dict.fromkeys(parts, player), info)


@dataclass
class Rehearsing(FakePlayer):
    """Rehearses until it is told to stop, or for as long as a test has patience."""

    began: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def rehearse(self, stopped):
        self.began.set()
        deadline = time.monotonic() + PATIENCE
        while not stopped() and time.monotonic() < deadline:
            time.sleep(0.005)
        if stopped():
            self.ended.set()


@pytest.fixture
def client():
    return FakeClient()


@pytest.fixture
def loader():
    return FakeLoader()


@pytest.fixture(autouse=True)
def nobody_is_waited_for(monkeypatch):
    monkeypatch.setattr(shelf_module, "FIRST_COME_SECONDS", 0.0)


@pytest.fixture
def make_shelf(client, loader):
    """Build shelves that are closed when the test ends."""
    shelves = []

    def make(*, counted=0, **settings):
        shelf = ModelShelf(
            ShelfSettings(**settings),
            hub=client,
            loader=loader,
            counter=lambda _: counted,
        )
        shelves.append(shelf)
        return shelf

    yield make
    for gate in (*client.gates.values(), *loader.gates.values()):
        gate.set()
    for shelf in shelves:
        shelf.close()


def state_of(shelf, name):
    return next(state for state in shelf.states() if state.name == name)


def wait_for(shelf, name, status):
    deadline = time.monotonic() + PATIENCE
    while (state := state_of(shelf, name)).status != status:
        assert time.monotonic() < deadline, f"{name} is {state.status}, not {status}"
        time.sleep(0.002)
    return state


def name_of(shelf, weights="auto", role=TEXT_GENERATOR, **options):
    return shelf.model(role, weights, **options).weights.name


def caught_from(call, *arguments, **options):
    with pytest.raises(ModelError) as caught:
        call(*arguments, **options)
    return caught.value


# The profile decides who answers


def test_auto_answers_embedded_at_once_and_the_hub_weights_take_over(
    make_shelf, client
):
    client.gates[DEFAULT] = threading.Event()
    shelf = make_shelf()
    shelf.start()
    assert name_of(shelf) == "embedded"
    wait_for(shelf, DEFAULT, "downloading")
    assert name_of(shelf) == "embedded"
    client.gates[DEFAULT].set()
    ready = wait_for(shelf, DEFAULT, "ready")
    assert name_of(shelf) == DEFAULT
    assert ready.info.commit == COMMIT
    assert name_of(shelf, "embedded") == "embedded"


def test_auto_goes_on_with_the_embedded_weights_when_the_hub_fails(make_shelf, client):
    client.failures[DEFAULT] = failure("unreachable", repo=DEFAULT, endpoint="here")
    shelf = make_shelf()
    shelf.start()
    state = wait_for(shelf, DEFAULT, "failed")
    assert "连不上模型站" in state.failure.zh
    assert name_of(shelf) == "embedded"
    time.sleep(0.05)
    assert client.asked == [(DEFAULT, None)]  # nobody asks again by himself
    assert caught_from(shelf.model, TEXT_GENERATOR, DEFAULT).kind == "network"
    client.failures.clear()
    shelf.load(DEFAULT)
    wait_for(shelf, DEFAULT, "ready")
    assert name_of(shelf) == DEFAULT


def test_the_embedded_profile_never_reaches_for_the_hub(make_shelf, client):
    shelf = make_shelf(weights="embedded")
    shelf.start()
    assert name_of(shelf) == "embedded"
    for call in (shelf.load, partial(shelf.model, TEXT_GENERATOR)):
        error = caught_from(call, POEM)
        assert error.kind == "offline"
        assert "--weights auto" in error.zh
    assert client.asked == []


def test_the_hub_profile_wants_the_tabs_weights_and_answers_meanwhile(
    make_shelf, client
):
    client.gates[DEFAULT] = threading.Event()
    shelf = make_shelf(weights="hub")
    shelf.start()
    assert name_of(shelf) == "embedded"
    waiting = threading.Timer(0.05, client.gates[DEFAULT].set)
    waiting.start()
    assert name_of(shelf, "hub") == DEFAULT  # by name, it is waited for


def test_a_named_profile_wants_these_weights(make_shelf, client):
    shelf = make_shelf(weights="gpt2-chinese-poem")
    shelf.start()
    wait_for(shelf, POEM, "ready")
    assert name_of(shelf) == POEM
    assert client.asked == [(POEM, None)]


def test_a_revision_reaches_the_hub_and_shows_in_the_name(make_shelf, client):
    shelf = make_shelf()
    assert name_of(shelf, f"{POEM}@refs/pr/3") == f"{POEM}@refs/pr/3"
    assert client.asked == [(POEM, "refs/pr/3")]


def test_a_profile_that_names_nothing_fails_when_the_program_starts():
    error = caught_from(ModelShelf, ShelfSettings(weights="https://x/y"))
    assert error.kind == "unsafe_name"


# States


def test_before_the_start_everything_is_absent_in_the_panels_order(make_shelf):
    states = make_shelf().states()
    offered = (card.repo_id for card in CARDS if card.tasks)
    assert [state.name for state in states] == ["embedded", *offered]
    assert {state.status for state in states} == {"absent"}
    assert states[0].title == "内置小模型 · embedded"


def test_a_model_passes_through_its_states_with_its_bytes(make_shelf, client, loader):
    client.gates[POEM] = threading.Event()
    loader.gates[POEM] = threading.Event()
    shelf = make_shelf()
    shelf.load(POEM)
    state = wait_for(shelf, POEM, "downloading")
    while not state_of(shelf, POEM).downloaded_bytes:
        time.sleep(0.002)
    state = state_of(shelf, POEM)
    assert (state.downloaded_bytes, state.total_bytes) == (120_000_000, 400_000_000)
    shelf.load(LYRIC)
    assert state_of(shelf, LYRIC).status == "waiting"
    client.gates[POEM].set()
    assert wait_for(shelf, POEM, "loading").total_bytes == 0
    loader.gates[POEM].set()
    assert wait_for(shelf, POEM, "ready").info.name == POEM
    wait_for(shelf, LYRIC, "ready")


def test_the_embedded_weights_come_from_the_programs_own_folder(make_shelf, loader):
    make_shelf().model(TEXT_GENERATOR, "embedded")
    assert loader.loaded == [("embedded", EMBEDDED_FOLDER)]
    assert (EMBEDDED_FOLDER.parent.name, EMBEDDED_FOLDER.name) == ("assets", "embedded")


def test_a_model_is_loaded_once_for_many_who_wait(make_shelf, loader):
    loader.gates["embedded"] = threading.Event()
    shelf = make_shelf(weights="embedded")
    shelf.start()
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(shelf.model(TEXT_GENERATOR)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    shelf.load("embedded")
    loader.gates["embedded"].set()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(found) == 8
    assert len({id(generator) for generator in found}) == 1
    assert len(loader.loaded) == 1


def test_readiness_follows_the_embedded_weights(make_shelf, loader):
    loader.gates["embedded"] = threading.Event()
    shelf = make_shelf(weights="embedded")
    assert not shelf.readiness().ready
    shelf.start()
    wait_for(shelf, "embedded", "loading")
    readiness = shelf.readiness()
    assert (readiness.ready, readiness.en) == (
        False,
        "内置小模型 · embedded is being loaded; try again shortly.",
    )
    loader.gates["embedded"].set()
    wait_for(shelf, "embedded", "ready")
    assert shelf.readiness().ready


def test_readiness_says_why_the_embedded_weights_failed(make_shelf, loader):
    loader.failures["embedded"] = CheckpointFormatError("header is cut")
    shelf = make_shelf(weights="embedded")
    shelf.start()
    wait_for(shelf, "embedded", "failed")
    readiness = shelf.readiness()
    assert not readiness.ready
    assert "header is cut" in readiness.zh


def test_without_embedded_weights_auto_waits_for_those_of_the_hub(
    make_shelf, client, loader
):
    loader.failures["embedded"] = CheckpointFormatError("header is cut")
    client.gates[DEFAULT] = threading.Event()
    shelf = make_shelf()
    shelf.start()
    wait_for(shelf, DEFAULT, "downloading")
    threading.Timer(0.05, client.gates[DEFAULT].set).start()
    assert name_of(shelf) == DEFAULT
    assert shelf.readiness().ready


# Waiting


def test_waiting_ends_with_the_progress_in_the_sentence(make_shelf, client):
    client.gates[POEM] = threading.Event()
    shelf = make_shelf()
    shelf.load(POEM)
    wait_for(shelf, POEM, "downloading")
    start = time.monotonic()
    error = caught_from(shelf.model, TEXT_GENERATOR, POEM, timeout_seconds=0.1)
    assert time.monotonic() - start < 1
    assert error.kind == "not_ready"
    assert "120 / 400 MB" in error.zh
    assert "120 of 400 MB" in error.en


def test_who_waits_hears_of_the_failure_at_once(make_shelf, client):
    client.gates[POEM] = threading.Event()
    client.failures[POEM] = failure("gated", repo=POEM)
    shelf = make_shelf()
    threading.Timer(0.05, client.gates[POEM].set).start()
    start = time.monotonic()
    assert caught_from(shelf.model, TEXT_GENERATOR, POEM).kind == "gated"
    assert time.monotonic() - start < 2


def test_who_waits_hears_of_an_unload_too(make_shelf, client):
    client.gates[POEM] = threading.Event()
    shelf = make_shelf()
    threading.Timer(0.05, shelf.unload, [POEM]).start()
    start = time.monotonic()
    error = caught_from(shelf.model, TEXT_GENERATOR, POEM, timeout_seconds=5)
    assert time.monotonic() - start < 2
    assert error.kind == "not_ready"
    assert "没有载入" in error.zh


# Unloading


def test_unloading_a_download_frees_the_worker(make_shelf, client):
    client.gates[POEM] = threading.Event()
    shelf = make_shelf()
    shelf.load(POEM)
    wait_for(shelf, POEM, "downloading")
    shelf.unload(POEM)
    assert state_of(shelf, POEM).status == "absent"
    assert name_of(shelf, LYRIC) == LYRIC
    assert state_of(shelf, POEM).status == "absent"


def test_unloading_while_it_loads_discards_the_result(make_shelf, loader):
    loader.gates[POEM] = threading.Event()
    shelf = make_shelf()
    shelf.load(POEM)
    wait_for(shelf, POEM, "loading")
    shelf.unload(POEM)
    loader.gates[POEM].set()
    assert name_of(shelf, "embedded") == "embedded"  # the worker got past it
    assert state_of(shelf, POEM).status == "absent"


def test_unloading_and_loading_again_is_a_new_load(make_shelf, client):
    client.gates[POEM] = threading.Event()
    shelf = make_shelf()
    shelf.load(POEM)
    wait_for(shelf, POEM, "downloading")
    shelf.unload(POEM)
    shelf.load(POEM)
    client.gates[POEM].set()
    wait_for(shelf, POEM, "ready")
    assert len(client.asked) == 2


def test_a_running_generator_outlives_its_place_and_nothing_else_does(make_shelf):
    shelf = make_shelf()
    generator = shelf.model(TEXT_GENERATOR, POEM)
    shelf.unload(POEM)
    assert generator.weights.name == POEM
    watch = weakref.ref(generator)
    del generator
    gc.collect()
    assert watch() is None
    assert name_of(shelf, POEM) == POEM  # and it comes back when it is wanted


@pytest.mark.parametrize(
    ("profile", "name"),
    [("auto", "embedded"), ("auto", " embedded "), ("embedded", "auto")],
)
def test_nobody_takes_the_embedded_weights_from_the_others(make_shelf, profile, name):
    shelf = make_shelf(weights=profile)
    shelf.model(TEXT_GENERATOR, "embedded")
    error = caught_from(shelf.unload, name)
    assert "内置模型不能卸下" in error.zh
    assert "请卸下别的模型" in error.zh
    assert "unload another model" in error.en
    assert state_of(shelf, "embedded").status == "ready"
    assert shelf.readiness().ready


def test_the_least_used_goes_where_another_would_not_fit_beside_it(make_shelf):
    shelf = make_shelf(memory_bytes=2 * SIZE, counted=SIZE // 4)
    shelf.model(TEXT_GENERATOR, "embedded")
    for name in (DEFAULT, POEM, DEFAULT, LYRIC):
        shelf.model(TEXT_GENERATOR, name)
    ready = {state.name for state in shelf.states() if state.status == "ready"}
    assert ready == {"embedded", DEFAULT, LYRIC}
    assert state_of(shelf, POEM).status == "absent"


def test_everything_stays_as_long_as_there_is_room(make_shelf):
    shelf = make_shelf(memory_bytes=3 * SIZE, counted=SIZE // 4)
    for name in (DEFAULT, POEM, LYRIC):
        shelf.model(TEXT_GENERATOR, name)
    assert {state_of(shelf, name).status for name in (DEFAULT, POEM, LYRIC)} == {
        "ready"
    }


def test_two_big_ones_are_never_there_at_once(make_shelf, loader):
    shelf = make_shelf(memory_bytes=int(1.5 * SIZE), counted=SIZE // 4)
    shelf.model(TEXT_GENERATOR, DEFAULT)
    loader.gates[POEM] = threading.Event()
    shelf.load(POEM)
    wait_for(shelf, POEM, "loading")
    assert state_of(shelf, DEFAULT).status == "absent"  # gone before the other comes


def test_weights_larger_than_all_may_take_are_refused_and_nothing_leaves(
    make_shelf, client
):
    shelf = make_shelf(memory_bytes=200_000_000)
    shelf.model(TEXT_GENERATOR, "someone/else")
    error = caught_from(shelf.model, TEXT_GENERATOR, DEFAULT)  # 60 M parameters
    assert error.kind == "memory"
    assert "0.2 GB" in error.zh
    assert "--memory-gb" in error.en
    assert (DEFAULT, None) not in client.asked  # before any download
    assert state_of(shelf, "someone/else").status == "ready"


def test_strangers_are_counted_once_their_files_are_there(make_shelf, loader):
    shelf = make_shelf(memory_bytes=SIZE, counted=SIZE)
    error = caught_from(shelf.model, TEXT_GENERATOR, "someone/else")
    assert error.kind == "memory"
    assert not [name for name, _ in loader.loaded if name == "someone/else"]


def test_the_catalogue_tells_sizes_without_asking_anybody(make_shelf, client):
    shelf = make_shelf(memory_bytes=123)
    facts = {row.name: row for row in shelf.catalogue()}
    assert facts[DEFAULT].memory_bytes == pytest.approx(238e6, rel=0.01)
    assert {row.budget_bytes for row in facts.values()} == {123}
    assert all(row.memory_bytes and row.disk_bytes for row in facts.values())
    assert shelf.describe(DEFAULT) == facts[DEFAULT]
    assert shelf.describe("embedded").is_here
    assert client.asked == []
    assert caught_from(shelf.describe, "../../etc").kind == "unsafe_name"


def test_closing_gives_up_a_download_and_refuses_more(make_shelf, client):
    client.gates[POEM] = threading.Event()
    shelf = make_shelf()
    shelf.load(POEM)
    wait_for(shelf, POEM, "downloading")
    start = time.monotonic()
    shelf.close()
    assert time.monotonic() - start < 1
    assert {state.status for state in shelf.states()} == {"absent"}
    assert "正在退出" in caught_from(shelf.load, POEM).zh
    shelf.close()


# Rehearsing


@pytest.fixture
def rehearsing(make_shelf, monkeypatch):
    """Build a shelf whose weights rehearse; return both."""

    def make(**settings):
        shelf = make_shelf(weights="embedded", **settings)
        player = Rehearsing({TEXT_GENERATOR.name: FakeGenerator()})
        monkeypatch.setattr(shelf, "_loader", lambda *_: player)
        shelf.start()
        wait_for(shelf, "embedded", "ready")
        return shelf, player

    return make


def test_the_embedded_weights_answer_while_they_rehearse(rehearsing):
    shelf, player = rehearsing()
    assert player.began.wait(PATIENCE)
    assert name_of(shelf) == "embedded"
    assert shelf.readiness().ready
    assert not player.ended.is_set()


def test_closing_ends_a_rehearsal_and_waits_for_its_end(rehearsing):
    shelf, player = rehearsing()
    assert player.began.wait(PATIENCE)
    start = time.monotonic()
    shelf.close()
    assert player.ended.is_set()
    assert not shelf._worker.is_alive()
    assert time.monotonic() - start < 1


def test_nobody_ends_a_rehearsal_but_the_shelf(rehearsing):
    shelf, player = rehearsing()
    assert player.began.wait(PATIENCE)
    caught_from(shelf.unload, "embedded")
    assert not player.ended.is_set()


def test_a_shelf_that_is_asked_once_does_not_rehearse(rehearsing):
    shelf, player = rehearsing(rehearse=False)
    shelf.close()
    assert not player.began.is_set()


def test_weights_of_the_hub_do_not_rehearse(make_shelf, monkeypatch):
    shelf, player = make_shelf(), Rehearsing({TEXT_GENERATOR.name: FakeGenerator()})
    monkeypatch.setattr(shelf, "_loader", lambda *_: player)
    shelf.load(POEM)
    wait_for(shelf, POEM, "ready")
    shelf.close()
    assert not player.began.is_set()


# Names


@pytest.mark.parametrize(
    ("name", "kind", "part"),
    [
        ("gpt7", "unknown_weights", "没有名为「gpt7」的权重"),
        ("古诗", "unknown_weights", DEFAULT),
        ("a/../b", "unsafe_name", "「作者/名称」"),
        ("https://huggingface.co/a/b", "unsafe_name", "不接受网址"),
        ("/etc", "unsafe_name", "路径"),
        ("../models", "unsafe_name", "路径"),
        ("C:\\models", "unsafe_name", "路径"),
        ("", "unsafe_name", "「作者/名称」"),
        ("a/b@../c", "unsafe_name", "「作者/名称」"),
        ("x/" + "y" * 100_000, "unsafe_name", "…"),
        ("chinese-roberta-wwm-ext-large", "missing_head", "完形填空头是随机数"),
        ("hfl/chinese-roberta-wwm-ext-large@main", "missing_head", "请改用 hfl/"),
    ],
)
def test_names_that_are_refused_at_once(make_shelf, client, name, kind, part):
    shelf = make_shelf()
    calls = (shelf.load, shelf.unload, partial(shelf.model, TEXT_GENERATOR))
    for call in calls:
        error = caught_from(call, name)
        assert error.kind == kind
        assert part in error.zh
        assert len(str(error)) < 1000
    assert client.asked == []


def test_a_catalogue_name_and_its_repository_are_one_place(make_shelf, client):
    shelf = make_shelf()
    assert name_of(shelf, "gpt2-chinese-poem") == POEM
    assert name_of(shelf, f" {POEM} ") == POEM
    assert len(client.asked) == 1


def test_any_hub_id_may_be_loaded_and_shows_in_the_panel(make_shelf):
    shelf = make_shelf()
    assert name_of(shelf, "somebody/some-gpt2") == "somebody/some-gpt2"
    assert shelf.states()[-1].name == "somebody/some-gpt2"


def test_a_folder_is_accepted_from_a_terminal_only(make_shelf, loader, tmp_path):
    folder = tmp_path / "my-gpt2"
    folder.mkdir()
    error = caught_from(make_shelf().model, TEXT_GENERATOR, str(folder))
    assert error.kind == "unsafe_name"
    shelf = make_shelf(allow_local=True, weights=str(folder))
    assert name_of(shelf, str(folder)) == "my-gpt2"
    assert loader.loaded == [("my-gpt2", folder.resolve())]
    assert name_of(shelf) == "my-gpt2"
    error = caught_from(shelf.load, str(tmp_path / "none"))
    assert error.kind == "not_found"
    assert "核对路径" in error.zh


def test_folders_of_the_same_name_are_two_places(make_shelf, loader, tmp_path):
    folders = [tmp_path / "a" / "gpt2", tmp_path / "b" / "gpt2"]
    shelf = make_shelf(allow_local=True)
    for folder in folders:
        folder.mkdir(parents=True)
        shelf.model(TEXT_GENERATOR, str(folder))
    assert [folder for _, folder in loader.loaded] == [f.resolve() for f in folders]


def test_a_crowd_of_names_is_refused_and_forgotten(make_shelf, client):
    client.gates["x/0"] = threading.Event()
    shelf = make_shelf()
    shelf.load("x/0")
    wait_for(shelf, "x/0", "downloading")
    for number in range(1, shelf_module.MAX_WAITING + 1):
        shelf.load(f"x/{number}")
    error = caught_from(shelf.load, "x/more")
    assert error.kind == "busy"
    assert "太多" in error.zh
    for number in range(shelf_module.MAX_STRANGERS * 2):
        caught_from(shelf.load, f"y/{number}")
    strangers = [state for state in shelf.states() if state.name[:2] in ("x/", "y/")]
    assert len(strangers) <= shelf_module.MAX_STRANGERS


# Failures of loading


@pytest.mark.parametrize(
    ("error", "kind", "zh"),
    [
        (OSError(errno.ENOSPC, "full"), "disk", "磁盘已满"),
        (PermissionError(errno.EACCES, "no"), "disk", "请检查磁盘与权限"),
        (FileNotFoundError(errno.ENOENT, "no", "vocab.txt"), "not_found", "vocab.txt"),
        (CheckpointFormatError("header is cut"), "corrupt", "header is cut"),
        (CheckpointMismatchError("lacks ['x']"), "unsupported", "lacks ['x']"),
        (
            MissingHeadError("language_model", ("lm_head.weight",), "pooler"),
            "missing_head",
            "lm_head.weight",
        ),
        (ValueError("model_type 'llama'"), "unsupported", "model_type 'llama'"),
        (MemoryError(), "unsupported", "内存不够"),
        (ModuleNotFoundError("No module named 'torch'"), "unsupported", "torch"),
        (ModelError("unsupported", "不行。", "No."), "unsupported", "不行。"),
    ],
)
def test_every_exception_becomes_a_sentence(make_shelf, loader, error, kind, zh):
    loader.failures[POEM] = error
    shelf = make_shelf()
    told = caught_from(shelf.model, TEXT_GENERATOR, POEM)
    assert (told.kind, state_of(shelf, POEM).failure.kind) == (kind, kind)
    assert zh in told.zh
    assert name_of(shelf) == "embedded"


@dataclass
class Unbuilt(FakePlayer):
    """Has parts that cannot be built."""

    failures: dict[str, Exception] = field(default_factory=dict)

    def play(self, role):
        if role.name in self.failures:
            raise self.failures[role.name]
        return super().play(role)


@pytest.mark.parametrize(
    ("error", "kind", "zh"),
    [
        (ValueError("the config must say eos_token_id"), "unsupported", "eos_token_id"),
        (CheckpointFormatError("pointing: cut"), "corrupt", "pointing: cut"),
        (FileNotFoundError(errno.ENOENT, "no", "a.json"), "not_found", "a.json"),
        (KeyError("secret"), "internal", "内部错误"),
        (ModelError("unsupported", "不行。", "No."), "unsupported", "不行。"),
    ],
)
def test_a_part_that_cannot_be_built_is_refused_in_words(
    make_shelf, monkeypatch, error, kind, zh
):
    """Parts are built when first asked for, long after the weights were loaded."""
    parts = {TEXT_GENERATOR.name: FakeGenerator(), MASK_FILLER.name: None}
    player = Unbuilt(parts, failures={MASK_FILLER.name: error})
    shelf = make_shelf(weights="embedded")
    monkeypatch.setattr(shelf, "_loader", lambda *_: player)
    told = caught_from(shelf.model, MASK_FILLER)
    assert told.kind == kind
    assert zh in told.zh
    assert name_of(shelf) == "embedded"


@pytest.mark.parametrize("failing", ["embedded", WRITER])
def test_a_summarizer_of_two_that_cannot_be_built_is_refused_in_words(
    make_shelf, monkeypatch, failing
):
    role = {"embedded": SUMMARIZER, WRITER: TEXT_REWRITER}
    players = {
        name: Unbuilt(
            {part.name: FakeGenerator()},
            replace(EMBEDDED, name=name),
            {part.name: ValueError("no start")} if name == failing else {},
        )
        for name, part in role.items()
    }
    shelf = make_shelf()
    monkeypatch.setattr(shelf, "_loader", lambda _, source, *__: players[source.name])
    shelf.start()
    wait_for(shelf, "embedded", "ready")
    told = caught_from(shelf.model, SUMMARIZER, WRITER)
    assert told.kind == "unsupported"
    assert f"「{failing}」" in told.zh


def test_an_unexpected_exception_is_internal_and_logged(make_shelf, loader, caplog):
    loader.failures[POEM] = ZeroDivisionError("secret path /x")
    told = caught_from(make_shelf().model, TEXT_GENERATOR, POEM)
    assert told.kind == "internal"
    assert "secret" not in str(told)
    assert "ZeroDivisionError: secret path" in caplog.text


def test_a_failure_can_be_raised_again_and_again(make_shelf, client):
    client.failures[POEM] = failure("not_found", repo=POEM)
    shelf = make_shelf()
    errors = [caught_from(shelf.model, TEXT_GENERATOR, POEM) for _ in range(3)]
    assert len({id(error) for error in errors}) == 3
    assert len(client.asked) == 1


def test_every_sentence_stands_in_both_languages():
    sentences = [*REFUSALS.values(), *(sentence for _, sentence in EXCEPTIONS)]
    for sentence in sentences:
        assert sentence.zh.endswith("。")
        assert sentence.en.endswith(".")


def test_every_row_of_refusals_is_used():
    files = ("shelf.py", "sources.py", "checkpoints/load_failures.py")
    source = "".join(
        (ROOT / "model_core" / name).read_text(encoding="utf8") for name in files
    )
    named = set(re.findall(r'refusal\(\s*"(\w+)"', source))
    of_states = {"absent", *shelf_module.ON_THE_WAY}  # asked for by the slot's status
    assert named | of_states == REFUSALS.keys()


def test_every_card_is_offered_or_refused_with_a_reason(make_shelf):
    shelf = make_shelf()
    offered = {card.repo_id for task in TASKS for card in shelf.cards(task)}
    panel = {state.name for state in shelf.states()} - {"embedded"}
    assert offered == panel
    for card in CARDS:
        if card.repo_id not in offered:
            assert caught_from(shelf.load, card.name).kind == "missing_head"


# Parts


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_published_weights_play_what_their_head_can_and_say_so_before_a_download(
    make_shelf, client, loader, role
):
    shelf = make_shelf()
    for card in CARDS:
        able = roles_of(card)
        loader.parts[card.repo_id] = tuple(one.name for one in able)
        if role in able:
            assert name_of(shelf, card.name, role) == card.repo_id
            continue
        asked = len(client.asked)
        error = caught_from(shelf.model, role, card.name)
        assert error.kind == "missing_head"
        assert len(client.asked) == asked
        if card.tasks:
            can = "、".join(one.zh for one in able)
            assert f"不会{role.zh}（它会的是：{can}）" in error.zh
            assert f"cannot {role.en} (it can: " in error.en


def test_auto_is_the_weights_that_the_parts_own_tab_prefers(make_shelf, loader):
    loader.parts["embedded"] = (TEXT_GENERATOR.name, PASSAGE_READER.name)
    loader.parts[READER] = (PASSAGE_READER.name,)
    shelf = make_shelf(weights="hub")
    assert name_of(shelf, role=PASSAGE_READER) == "embedded"
    shelf.load(READER)
    wait_for(shelf, READER, "ready")
    assert name_of(shelf, role=PASSAGE_READER) == READER
    assert name_of(shelf) == "embedded"
    shelf.load(DEFAULT)
    wait_for(shelf, DEFAULT, "ready")
    assert name_of(shelf) == DEFAULT
    assert name_of(shelf, role=PASSAGE_READER) == READER


def test_auto_passes_over_weights_that_cannot_play_the_part(make_shelf, loader):
    loader.parts["embedded"] = (TEXT_GENERATOR.name, TEXT_REWRITER.name)
    shelf = make_shelf(weights=POEM)
    shelf.start()
    wait_for(shelf, POEM, "ready")
    assert name_of(shelf) == POEM
    assert name_of(shelf, role=TEXT_REWRITER) == "embedded"


def test_a_part_that_nobody_plays_is_refused_and_costs_nothing(make_shelf):
    shelf = make_shelf(weights="embedded")
    error = caught_from(shelf.model, MASK_FILLER)
    assert error.kind == "missing_head"
    assert MASK_FILLER.zh in error.zh
    assert name_of(shelf) == "embedded"


def test_strangers_are_asked_what_they_can_once_they_are_here(make_shelf, loader):
    loader.parts["somebody/some-bert"] = (MASK_FILLER.name,)
    shelf = make_shelf()
    assert name_of(shelf, "somebody/some-bert", MASK_FILLER) == "somebody/some-bert"
    error = caught_from(shelf.model, TEXT_GENERATOR, "somebody/some-bert")
    assert error.kind == "missing_head"


def test_hub_is_the_weights_that_the_parts_own_tab_prefers(make_shelf, loader):
    loader.parts[READER] = (PASSAGE_READER.name,)
    shelf = make_shelf()
    assert name_of(shelf, "hub", PASSAGE_READER) == READER
    assert name_of(shelf, "hub") == DEFAULT
    error = caught_from(shelf.model, FACT_FINDER, "hub")
    assert "不会图谱问答（它会的是：续写）" in error.zh


def test_weights_that_only_write_summarise_with_our_own(make_shelf, loader):
    loader.parts["embedded"] = (SUMMARIZER.name, TEXT_REWRITER.name)
    loader.parts[WRITER] = (TEXT_REWRITER.name,)
    shelf = make_shelf()
    shelf.start()
    wait_for(shelf, "embedded", "ready")
    together = shelf.model(SUMMARIZER, WRITER)
    assert together.weights.name == WRITER
    assert together.scorer.weights.name == "embedded"
    assert shelf.model(SUMMARIZER, "embedded").weights.name == "embedded"
    assert name_of(shelf, WRITER, TEXT_REWRITER) == WRITER


def test_without_our_own_they_say_that_they_cannot(make_shelf, loader):
    loader.parts["embedded"] = (TEXT_GENERATOR.name,)
    loader.parts[WRITER] = (TEXT_REWRITER.name,)
    shelf = make_shelf()
    error = caught_from(shelf.model, SUMMARIZER, WRITER)
    assert error.kind == "missing_head"


# With the real client, from end to end


def test_hub_weights_come_down_take_over_and_need_no_network_again(
    loader, tmp_path, monkeypatch
):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    files = {"config.json": b"{}", "vocab.txt": b"a", "model.safetensors": b"w" * 10**6}
    settings = ShelfSettings(cache_dir=tmp_path)
    with FakeHub({DEFAULT: files}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        shelf = ModelShelf(settings, loader=loader)
        shelf.start()
        assert wait_for(shelf, DEFAULT, "ready").info.commit == COMMIT
        shelf.close()
    loader.loaded.clear()
    offline = ModelShelf(replace(settings, offline=True), loader=loader)
    offline.start()
    wait_for(offline, DEFAULT, "ready")
    offline.close()
    names = [name for name, _ in loader.loaded]
    assert names == ["embedded", DEFAULT]
    folder = loader.loaded[1][1]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files


def test_offline_without_a_record_falls_back_at_once(loader, tmp_path):
    hub = HubClient(tmp_path, offline=True)
    shelf = ModelShelf(ShelfSettings(offline=True), hub=hub, loader=loader)
    shelf.start()
    assert wait_for(shelf, DEFAULT, "failed").failure.kind == "offline"
    assert name_of(shelf) == "embedded"
    shelf.close()


def test_importing_the_shelf_imports_nothing_heavy():
    code = (
        "import sys, model_core.shelf;"
        "heavy = ('keras', 'tensorflow', 'torch', 'jax', 'jieba', 'huggingface_hub');"
        "print([name for name in heavy if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_engine_is_refused_before_anything_loads():
    with pytest.raises(
        ModelError, match="没有名为“warp”的引擎，可选：auto, keras"
    ) as e:
        ModelShelf(ShelfSettings(engine="warp"))
    assert e.value.kind == "unsupported"
