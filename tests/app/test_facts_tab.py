"""A visitor's own base over HTTP: what is said to be in use, whose Stop is heard."""

import json
import secrets
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from app.settings import Settings
from tests.app import http
from tests.app.conftest import serving
from tests.fake_fact_finder import FakeFactFinder
from tests.fakes import TEXT, FakeGenerator, FakeShelf

LARGE = "甲\t乙\t丙\n" * 3 + "甲\t丁\t戊\n"  # two keys
SMALL = "甲\t乙\t丙\n"
TREE_SECONDS = 10.0
HEARD_SECONDS = 2.0


@dataclass
class SlowFinder(FakeFactFinder):
    """Takes its time for a tree of two keys, unless the test is over."""

    over: threading.Event = field(default_factory=threading.Event)

    def build_tree(self, keys):
        if len(keys) == 2:
            self.over.wait(TREE_SECONDS)
        return super().build_tree(keys)


class Visitor:
    """Presses the page's buttons as a browser does."""

    def __init__(self, served):
        self.served, self.session = served, secrets.token_hex(4)
        fns = served.server._page.fns.items()
        self.listeners = {fn.api_name: (number, fn) for number, fn in fns}

    def brings(self, name, text):
        """Upload a file; return what its component then holds."""
        files = {"files": (name, text.encode())}
        (path,) = self.posts("upload", files=files)
        return {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}

    def does(self, name, *values):
        """Return what a listener outside the queue answers."""
        answer = httpx.post(
            f"{self.served.api}run/predict", json=self.body(name, values)
        )
        return json.dumps(answer.json()["data"], ensure_ascii=False)

    def begins(self, name, *values):
        """Join the queue; return the event's id."""
        joined = httpx.post(
            f"{self.served.api}queue/join", json=self.body(name, values)
        )
        return joined.json()["event_id"]

    @contextmanager
    def listening(self):
        """Yield the events of what was begun, as they come."""
        address = f"{self.served.api}queue/data?session_hash={self.session}"
        with httpx.stream("GET", address, timeout=http.PATIENCE) as stream:
            lines = (line for line in stream.iter_lines() if line.startswith("data: "))
            yield (json.loads(line.removeprefix("data: ")) for line in lines)

    def ends(self, name, *values):
        """Join the queue; return the last event."""
        self.begins(name, *values)
        with self.listening() as events:
            return next(one for one in events if one["msg"] == "process_completed")

    def stops(self, name, event_id):
        """Ask the server to end what was begun, and wait for no answer."""
        body = {
            "fn_index": self.listeners[name][0],
            "session_hash": self.session,
            "event_id": event_id,
        }
        asking = threading.Thread(
            target=self.posts, args=["cancel"], kwargs={"json": body}, daemon=True
        )
        asking.start()

    def posts(self, path, **content):
        address = f"{self.served.api}{path}"
        return httpx.post(address, timeout=http.PATIENCE, **content).json()

    def body(self, name, values):
        number, listener = self.listeners[name]
        given = list(values) or [None] * len(listener.inputs)
        return {"data": given, "fn_index": number, "session_hash": self.session}


@pytest.fixture
def finder():
    slow = SlowFinder()
    yield slow
    slow.over.set()


@pytest.fixture
def served(finder):
    writer = FakeGenerator(text=TEXT * 50, step_seconds=0.01)
    shelf = FakeShelf(writer)
    shelf.players["fact_finder"] = finder
    with serving(Settings(port=0), shelf) as running:
        yield running
        finder.over.set()


def begin_to_write(visitor):
    """Begin a generation; return its event's id once something is written."""
    values = [part.value for part in visitor.listeners["generate_run"][1].inputs]
    event_id = visitor.begins("generate_run", "春风", *values[1:])
    since = time.monotonic()
    while not visitor.served.generator.asked:
        assert time.monotonic() - since < 5
        time.sleep(0.02)
    return event_id


def test_who_stops_in_a_long_step_keeps_nobody_elses_stop_waiting(served):
    builder, writer = Visitor(served), Visitor(served)
    claim = builder.brings("a.tsv", LARGE)
    building = builder.begins("facts_base_run", claim, None, "auto")
    with builder.listening() as events, writer.listening():
        next(
            one for one in events if "在建前缀树" in json.dumps(one, ensure_ascii=False)
        )
        writing = begin_to_write(writer)
        assert "maskplay_running 2.0" in httpx.get(f"{served.url}metrics").text
        builder.stops("facts_base_run", building)
        time.sleep(0.1)
        writer.stops("generate_run", writing)
        since = time.monotonic()
        while "maskplay_running 0.0" not in httpx.get(f"{served.url}metrics").text:
            assert time.monotonic() - since < HEARD_SECONDS, "somebody is not heard"
            time.sleep(0.05)
    assert served.generator.closed == 1
    assert served.generator.asked


def test_a_base_that_was_left_for_the_sample_never_comes_back_as_in_use(served):
    visitor = Visitor(served)
    done = visitor.ends("facts_base_run", visitor.brings("a.tsv", SMALL), None, "auto")
    assert done["success"], done
    assert "a.tsv" in visitor.does("facts_base_done")
    assert "示例库" in visitor.does("facts_use_sample")
    for end in ("facts_base_stop", "facts_base_failed"):  # before the first frame
        assert "a.tsv" not in visitor.does(end)
    asked = visitor.ends("answer_from_facts_run", "红楼梦的作者是谁？", 3, None, "auto")
    assert asked["success"], asked
