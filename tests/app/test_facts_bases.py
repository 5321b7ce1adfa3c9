"""Bases on the server: shared, brought, bounded, and asked with the right tree."""

import codecs
import threading
import time
from dataclasses import dataclass, field, replace

import pytest

from app import facts_bases
from app.facts_bases import MAX_BASES, BaseQuestion, Bases, read_file
from app.metrics import DeadlineError, Metrics
from app.runs import Runs
from app.tabs import facts, facts_view
from app.wiring import Desk
from demos.errors import DemoError, FileError
from demos.qa.facts import FactsRequest, answer_facts
from demos.qa.facts_file import base_of
from demos.qa.facts_held import HeldBase
from model_core.interfaces import ModelError
from tests.fake_fact_finder import FakeFactFinder
from tests.fakes import EMBEDDED, FakeShelf

LINES = ("李白\t字\t太白", "李白\t号\t青莲居士", "金（元素）\t元素符号\tAu")
OTHER = replace(EMBEDDED, name="owner/other")


def held(*lines, name="库.tsv"):
    return HeldBase(name, base_of(lines or LINES, ".tsv"), 0.25)


@pytest.fixture
def bases():
    return Bases(lambda: LINES)


def test_the_sample_is_read_once_when_it_is_asked_for():
    asked = []
    bases = Bases(lambda: asked.append(1) or LINES)
    assert asked == []
    assert bases.open("") is bases.open("")
    assert asked == [1]
    assert len(bases) == 0


def test_a_tree_is_built_once_for_the_weights_that_ask():
    base, finder = held(), FakeFactFinder()
    tree, facts = base.tree_of(finder)
    assert base.tree_of(FakeFactFinder())[0] is tree  # equal weights, equal tokens
    assert finder.built == 1
    assert (facts.num_triples, facts.num_keys, facts.name) == (3, 3, "库.tsv")
    assert facts.build_seconds >= 0.25
    other = FakeFactFinder(weights=OTHER)
    assert base.tree_of(other)[0] is not tree
    assert other.built == 1


def test_two_first_questions_at_once_build_one_tree():
    base, finder = held(), FakeFactFinder(build_seconds=0.05)
    threads = [threading.Thread(target=base.tree_of, args=(finder,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert finder.built == 1


def test_the_base_not_asked_for_longest_makes_room(bases):
    first, second, *_ = ids = [bases.keep(held()) for _ in range(MAX_BASES)]
    bases.open(first)
    newest = bases.keep(held())
    assert len(bases) == MAX_BASES
    assert len({*ids, newest}) == MAX_BASES + 1
    with pytest.raises(DemoError) as caught:
        bases.open(second)
    assert "自带的库最多同时留 4 个" in caught.value.zh
    assert "请重新建库，或改用示例库" in caught.value.zh
    assert "at most 4 brought ones are kept" in caught.value.en
    assert bases.open(first)
    assert bases.open(newest)


def test_large_bases_make_room_by_their_triples(bases, monkeypatch):
    monkeypatch.setattr(facts_bases, "MAX_TRIPLES_HELD", 5)
    first, second = bases.keep(held()), bases.keep(held())
    with pytest.raises(DemoError):
        bases.open(first)
    assert bases.open(second)
    large = bases.keep(held(*(f"甲{n}\t乙\t丙" for n in range(9))))
    assert bases.open(large).base.num_triples == 9  # alone it may stay


def test_a_new_base_takes_the_place_of_its_owners_last(bases):
    first = bases.keep(held())
    bases.keep(held(), replaces=first)
    assert len(bases) == 1
    bases.drop("unknown")
    with pytest.raises(DemoError):
        bases.open(first)


@pytest.mark.parametrize("base_id", ["x", "../etc", "0" * 32])
def test_an_id_that_is_not_there_says_so(bases, base_id):
    with pytest.raises(DemoError, match="已不在服务器上"):
        bases.open(base_id)


@pytest.fixture
def shelf():
    return FakeShelf(players={"fact_finder": FakeFactFinder()})


@pytest.fixture
def build(shelf, bases, tmp_path):
    """Build a base from a file as the page does; return every frame."""
    question = BaseQuestion(shelf, bases, tmp_path)

    def run(name, data, *, replaces="", weights="auto", upload=...):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        claim = {"path": str(path)} if upload is ... else upload
        return list(question.frames([claim, replaces, weights]))

    run.question = question
    return run


def test_a_file_becomes_a_base_that_answers(build, bases, shelf):
    frames = build("诗人.tsv", "\n".join(LINES))
    stages = dict.fromkeys(frame.stage for frame in frames)
    assert list(stages) == ["reading", "tree", "ready"]
    last = frames[-1]
    assert (last.facts.name, last.facts.num_triples) == ("诗人.tsv", 3)
    base = bases.open(last.base_id)
    finder = shelf.players["fact_finder"]
    result = answer_facts(
        FactsRequest("李白的号是什么？"), finder, base.base, *base.tree_of(finder)
    )
    assert result.matches[0].objects == ("青莲居士",)
    assert finder.built == 1


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_csv_in_gbk_or_utf8_holds_the_same_facts(build, bases, encoding, end):
    rows = (
        "subject,predicate,object",
        "红楼梦（小说）,作者,曹雪芹",
        '金,说明,"甲，乙"',
    )
    last = build("库.csv", end.join(rows).encode(encoding))[-1]
    triples = list(bases.open(last.base_id).base.triples())
    assert triples == [("红楼梦（小说）", "作者", "曹雪芹"), ("金", "说明", "甲，乙")]


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.tsv", "甲\t乙\n甲\t乙\t丙\n甲\n", "共 2 行缺列"),
        ("a.tsv", "甲\t乙\n甲\t乙\t丙\n甲\n", "第 1、3 行。"),
        ("a.csv", "subject,predicate\n甲,乙\n", "少了 object 列"),
        ("a.txt", "甲\t乙\t丙\n", "须为 .csv .tsv .jsonl 之一，收到 .txt"),
        ("a.tsv", "", "文件里没有三元组"),
        ("a.tsv", codecs.BOM_UTF16_LE + "甲\t乙".encode("utf-16-le"), "UTF-16"),
        ("a.tsv", b"\x89PNG\r\n\x1a\n\0\0\0\xff", "缺列"),
    ],
)
def test_a_file_that_cannot_be_used_earns_a_sentence(
    build, bases, name, data, sentence
):
    with pytest.raises(FileError) as caught:
        build(name, data)
    assert sentence in caught.value.zh
    assert len(bases) == 0


def test_two_hundred_megabytes_are_refused_before_they_are_read(build, tmp_path):
    path = tmp_path / "大.tsv"
    with path.open("wb") as stream:
        stream.truncate(200 << 20)  # a sparse file
    with pytest.raises(FileError, match=r"最大 64 MB，收到 200\.0 MB"):
        build("b.tsv", "", upload={"path": str(path)})


@pytest.mark.parametrize("upload", [None, "a", {"path": "/etc/passwd"}, {"path": 3}])
def test_only_what_was_uploaded_is_read(build, upload):
    with pytest.raises(FileError):
        build("a.tsv", "甲\t乙\t丙", upload=upload)


@pytest.mark.parametrize("weights", [None, "", 3])
def test_weights_are_checked(build, weights):
    with pytest.raises(DemoError, match="“权重”"):
        build("a.tsv", "甲\t乙\t丙", weights=weights)


def test_a_base_that_fails_leaves_the_last_one_in_place(build, bases):
    last = build("a.tsv", "甲\t乙\t丙")[-1]
    with pytest.raises(FileError):
        build("b.tsv", "甲\t乙", replaces=last.base_id)
    assert bases.open(last.base_id)


def watched(build, replaces, **limits):
    """Build a base as the page does; yield the frames that a visitor sees."""
    question = replace(build.question, **limits)
    path = question.folder / "新.tsv"
    path.write_text("\n".join(LINES))
    desk = Desk(Runs(Metrics()), slots=1)
    return desk.ask(question, [{"path": str(path)}, replaces, "auto"])


def test_stop_during_the_building_leaves_the_last_base_in_place(build, bases, shelf):
    last, finder = build("a.tsv", "甲\t乙\t丙")[-1], shelf.players["fact_finder"]
    run = watched(build, last.base_id)
    for _ in run:  # gradio lets a step end, and closes only then
        if finder.built > 1:
            break
    run.close()
    assert bases.open(last.base_id)
    assert list(watched(build, last.base_id))[-1].stage == "ready"


def test_a_tree_that_comes_late_is_kept(build, bases, shelf):
    shelf.players["fact_finder"].build_seconds = 0.5
    last = list(watched(build, "", gather_seconds=0.3))[-1]
    assert last.stage == "ready"
    assert bases.open(last.base_id)


def test_a_tree_is_not_begun_late(build, bases, shelf):
    last, finder = build("a.tsv", "甲\t乙\t丙")[-1], shelf.players["fact_finder"]
    with pytest.raises(DeadlineError, match=r"0 秒.*把文件拆小.* / .*split the file"):
        list(watched(build, last.base_id, gather_seconds=0))
    assert finder.built == 1
    assert bases.open(last.base_id)


@dataclass
class Gated(FakeFactFinder):
    """Builds a tree of more than one fact once a gate is open, or after a while."""

    gate: threading.Event = field(default_factory=threading.Event)

    def build_tree(self, keys):
        if len(keys) > 1:
            self.gate.wait(10)
        return super().build_tree(keys)


@pytest.fixture
def gated(shelf):
    shelf.players["fact_finder"] = finder = Gated()
    yield finder
    finder.gate.set()


def until_tree(run):
    return next(frame for frame in run if frame is not None and frame.stage == "tree")


def test_stop_is_heard_while_a_tree_is_built_and_drops_it(build, bases, gated):
    last = build("a.tsv", "甲\t乙\t丙")[-1]
    run = watched(build, last.base_id)
    until_tree(run)
    began = time.monotonic()
    assert next(run).stage == "tree"  # it goes on
    run.close()
    assert time.monotonic() - began < 1
    gated.gate.set()
    assert bases.open(last.base_id)
    assert len(bases) == 1
    assert list(watched(build, last.base_id))[-1].stage == "ready"


def test_stop_is_heard_while_a_file_is_looked_at(build, bases, monkeypatch):
    seen = threading.Event()

    def looking(path, name):
        seen.wait(5)
        yield from ()

    monkeypatch.setattr(facts_bases, "reading_base", looking)
    run = watched(build, "")
    began = time.monotonic()
    assert [next(run).stage for _ in range(3)] == ["reading"] * 3
    run.close()
    assert time.monotonic() - began < 1.5
    seen.set()
    monkeypatch.undo()
    assert list(watched(build, ""))[-1].stage == "ready"


def test_a_question_waits_for_a_tree_and_can_be_stopped(build, bases, shelf, gated):
    bases._sample_lines = lambda: LINES[:1]
    gated.gate.set()
    base_id = build("诗人.tsv", "\n".join(LINES))[-1].base_id
    gated.gate.clear()
    gated.weights = OTHER  # its tree is another
    asked = facts.question(shelf, bases)
    values = [FactsRequest("李白的号是什么？").question, 3, base_id, "auto"]
    run = asked.frames(values)
    began = time.monotonic()
    assert next(run) is None
    run.close()
    assert time.monotonic() - began < 1
    assert list(asked.frames([*values[:2], "", "auto"]))  # the sample waits for nobody
    gated.gate.set()
    assert list(asked.frames(values))[-1].matches[0].objects == ("青莲居士",)


def test_a_small_file_is_seen_to_be_built(build, shelf):
    finder = shelf.players["fact_finder"]
    told = [(frame.stage, finder.built) for frame in watched(build, "")]
    assert told[0] == ("reading", 0)
    assert ("tree", 0) in told


def test_one_base_is_built_at_a_time_and_a_stopped_one_frees_its_place(build, tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("甲\t乙\t丙")
    values = [{"path": str(path)}, "", "auto"]
    first, second = (build.question.frames(values) for _ in range(2))
    next(first), next(first), next(second)
    with pytest.raises(DemoError, match="Another base is being built"):
        next(second)
    first.close()
    assert list(build.question.frames(values))[-1].base_id


def test_weights_that_cannot_be_had_say_so(build):
    with pytest.raises(ModelError):
        build("a.tsv", "甲\t乙\t丙", weights="owner/unknown")


def test_a_long_file_tells_how_far_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr("demos.qa.facts_file.LINES_PER_FRAME", 100)
    path = tmp_path / "a.tsv"
    path.write_text("甲\t乙\t丙\n" * 250)
    frames = list(read_file(path))
    assert [frame.num_lines for frame in frames] == [100, 200, 250]
    assert "读了 100 行" in facts_view.build_stream(frames[0])
