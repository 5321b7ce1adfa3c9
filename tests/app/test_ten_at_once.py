"""Ten people at once, with as many slots as there are when nobody says a number."""

import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from app.batch import seats_for
from app.classroom import Classroom
from app.guards import RateLimit
from app.lines import readers_for
from app.panel import PANEL_SLOTS
from app.server import free_port, threads_for
from app.settings import Settings
from demos.title.examples import EXAMPLES
from tests.app import http
from tests.app.conftest import serving
from tests.fakes import TEXT, FakeGenerator, FakeShelf

ROOT = Path(__file__).parents[2]
PEOPLE = 10
TOKENS = 160
HEARD_ALONE = 3  # of ten; all of them take a while
PATIENCE_SECONDS = 120.0
ENGINE = "native-int8"  # what "auto" takes in the end, without one that answers before
PROMPTS = "春夏秋冬风花雪月山水"


@dataclass
class Asked:
    """What one person asked, and what came.

    Attributes:
        name: Of the endpoint.
        inputs: By name.
        seen: What happened to all who asked together, in order: (person, event).
        person: Who asks.
        answer: The last one.
    """

    name: str
    inputs: dict[str, object]
    seen: list[tuple[int, str]] = field(default_factory=list)
    person: int = 0
    answer: dict[str, object] = field(default_factory=dict)

    async def follow(self, client):
        """Ask, and read every whole result so far."""
        address = f"gradio_api/call/v2/{self.name}"
        posted = await client.post(address, json=self.inputs)
        async with client.stream("GET", f"{address}/{posted.json()['event_id']}") as it:
            event = ""
            async for line in it.aiter_lines():
                key, _, value = line.partition(": ")
                if key == "event":
                    event = value
                elif key == "data" and event != "heartbeat":
                    assert event in ("generating", "complete"), value
                    (self.answer,) = json.loads(value)
                    if any(self.answer.get(kind) for kind in ("texts", "titles")):
                        self.seen.append((self.person, event))


def ask_together(address, asked):
    """Ask everything at the same moment; return what happened, in order."""
    seen = []

    async def everyone():
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(
            base_url=address, timeout=PATIENCE_SECONDS, limits=limits
        ) as client:
            await asyncio.gather(*(one.follow(client) for one in asked))

    for person, one in enumerate(asked):
        one.person, one.seen = person, seen
    asyncio.run(everyone())
    return seen


def texts():
    return [
        Asked(
            "generate",
            {
                "prompt": prompt,
                "style": "散文",
                "max_new_tokens": TOKENS,
                "min_new_tokens": TOKENS,
                "seed": person,
            },
        )
        for person, prompt in enumerate(PROMPTS)
    ]


def titles():
    articles = 2 * "".join(request.text for request in EXAMPLES)
    return [
        Asked("title", {"text": articles[40 * person :][:300], "num_beams": 4})
        for person in range(PEOPLE)
    ]


def metric(address, name):
    text = httpx.get(f"{address}metrics").text
    return float(re.search(rf"^{name} (.*)$", text, re.MULTILINE)[1])


def test_files_and_one_visitors_burst_leave_slots_to_others():
    files = seats_for(Settings().slots)
    taken = 0
    while files.acquire(blocking=False):
        taken += 1
    assert taken == 2
    assert Settings().slots - taken >= PEOPLE
    limit = RateLimit(per_minute=30)
    burst = 0
    while not limit.wait_seconds("visitor"):
        burst += 1
    assert Settings().slots > burst


def test_ten_compute_at_once_and_those_after_them_queue(served):
    slots = Settings().slots
    body = http.inputs(prompt="春风", max_new_tokens=1024)
    with contextlib.ExitStack() as everyone:
        for asked in range(1, slots + 3):
            event_id = http.post(served.api, body).json()["event_id"]
            reading = http.events(served.api, event_id)
            everyone.callback(reading.close)
            if asked <= slots:
                assert next(reading)[0] == "generating"
                assert metric(served.url, "maskplay_running") == asked
        assert metric(served.url, "maskplay_running") == slots
        assert metric(served.url, "maskplay_queue") == 2


def test_who_reads_does_not_wait_for_who_writes():
    shelf = FakeShelf(FakeGenerator(text=TEXT * 50, step_seconds=0.01))
    with serving(Settings(port=0, slots=1), shelf) as served:
        body = http.inputs(prompt="春风", max_new_tokens=1024)
        writing = http.events(
            served.api, http.post(served.api, body).json()["event_id"]
        )
        next(writing)
        (reader,) = readers = [
            Asked("answer", {"question": "谁？", "passages": ["李春建桥。"]})
        ]
        ask_together(served.url, readers)
        assert "answer" in reader.answer
        assert metric(served.url, "maskplay_running") == 1
        writing.close()


@pytest.mark.parametrize("slots", [1, Settings().slots, 64])
def test_clicks_find_a_thread_when_every_queue_is_at_its_limit(slots):
    lessons = slots + Classroom().seats
    busy = slots + readers_for(slots) + lessons + PANEL_SLOTS
    assert threads_for(slots) > busy


@pytest.mark.parametrize(("slots", "readers"), [(1, 1), (2, 1), (4, 2), (12, 4)])
def test_a_third_as_many_read(slots, readers):
    assert readers_for(slots) == readers


@pytest.fixture(scope="module", name="address")
def fixture_address():
    """The application as people start it, with the weights it ships."""
    port = free_port("127.0.0.1", 0)
    line = [sys.executable, "app.py", "--port", str(port), "--offline"]
    line += ["--weights", "embedded", "--engine", ENGINE]
    environ = {name: v for name, v in os.environ.items() if name != "KERAS_BACKEND"}
    with subprocess.Popen(
        line, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True
    ) as running:
        address = running.stdout.readline().split()[-1]
        await_ready(address)
        yield address
        running.kill()


def await_ready(address):
    """Return when the embedded model answers."""
    end = time.monotonic() + PATIENCE_SECONDS
    while httpx.get(f"{address}readyz").status_code != httpx.codes.OK:
        assert time.monotonic() < end, httpx.get(f"{address}readyz").text
        time.sleep(0.1)


def as_alone(address, asked):
    """Return what a question gets when nobody else asks."""
    (alone,) = by_itself = [Asked(asked.name, asked.inputs)]
    ask_together(address, by_itself)
    return alone.answer


@pytest.mark.kernels
def test_ten_texts_come_side_by_side(address):
    people = texts()
    seen = ask_together(address, people)
    firsts = [seen.index((person, "generating")) for person in range(PEOPLE)]
    lasts = [seen.index((person, "complete")) for person in range(PEOPLE)]
    assert max(firsts) < min(lasts)  # nobody waited for another's whole text
    for asked in people:
        assert len(asked.answer["texts"][0]["text"]) > TOKENS / 2
    for asked in people[:HEARD_ALONE]:
        assert asked.answer["texts"] == as_alone(address, asked)["texts"]


@pytest.mark.kernels
def test_ten_people_get_their_titles(address):
    people = titles()
    ask_together(address, people)
    assert all(asked.answer["titles"] for asked in people)
    for asked in people[:HEARD_ALONE]:
        assert asked.answer["titles"] == as_alone(address, asked)["titles"]


@pytest.mark.slow
@pytest.mark.kernels
@pytest.mark.parametrize(("people", "what"), [(texts, "texts"), (titles, "titles")])
def test_each_of_ten_gets_what_it_gets_alone(people, what, address):
    together = people()
    ask_together(address, together)
    for asked in together:
        assert asked.answer[what] == as_alone(address, asked)[what]
