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
from app.guards import RateLimit
from app.server import free_port
from app.settings import Settings
from demos.title.examples import EXAMPLES
from tests.app import http

ROOT = Path(__file__).parents[2]
PEOPLE = 10
TOKENS = 160
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


@pytest.mark.kernels
def test_ten_texts_come_side_by_side_each_as_it_comes_alone(address):
    together = texts()
    seen = ask_together(address, together)
    firsts = [seen.index((person, "generating")) for person in range(PEOPLE)]
    lasts = [seen.index((person, "complete")) for person in range(PEOPLE)]
    assert max(firsts) < min(lasts)  # nobody waited for another's whole text
    for asked in together:
        (alone,) = by_itself = [Asked(asked.name, asked.inputs)]
        ask_together(address, by_itself)
        assert asked.answer["texts"] == alone.answer["texts"]
        assert len(asked.answer["texts"][0]["text"]) > TOKENS / 2


@pytest.mark.kernels
def test_ten_people_get_the_titles_that_each_gets_alone(address):
    together = titles()
    ask_together(address, together)
    for asked in together:
        (alone,) = by_itself = [Asked(asked.name, asked.inputs)]
        ask_together(address, by_itself)
        assert asked.answer["titles"] == alone.answer["titles"]
        assert asked.answer["titles"]
