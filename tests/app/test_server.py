"""The page as a script meets it: over HTTP and through gradio_client."""

import concurrent.futures
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter

import gradio_client
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import batch
from app.server import BODY_BYTES, ESCAPED, PortError, free_port
from app.settings import Settings
from app.tabs import sentences_nearest
from demos.dialogue.task import DialogueRequest
from demos.fewshot.task import FewshotRequest
from demos.generation.task import GenerationRequest
from demos.judging.classification import ClassificationRequest
from demos.judging.detection import DetectionRequest
from demos.limits import names_of
from demos.qa.facts import FactsRequest
from demos.qa.task import QaRequest
from demos.records import required_of
from demos.rephrasing.rephrasing import RephrasingRequest
from demos.similarity.nearest import NearestRequest
from demos.similarity.task import SimilarityRequest
from demos.summary.task import SummaryRequest
from demos.title.task import TitleRequest
from demos.triples.task import TripleRequest
from tests.app import http
from tests.app.conftest import serving
from tests.fakes import TEXT, FakeGenerator, FakeShelf

BUSY = 8
ASKED = {  # endpoints and their inputs, which people script against
    "/generate": GenerationRequest,
    "/title": TitleRequest,
    "/extract_triples": TripleRequest,
    "/answer": QaRequest,
    "/answer_from_facts": FactsRequest,
    "/classify": FewshotRequest,
    "/summarize": SummaryRequest,
    "/similarity": SimilarityRequest,
    "/nearest": NearestRequest,
    "/rephrase": RephrasingRequest,
    "/categorize": ClassificationRequest,
    "/detect": DetectionRequest,
    "/chat": DialogueRequest,
}
FREED_SECONDS = 1.0


@pytest.fixture
def client(served):
    return gradio_client.Client(served.url, verbose=False)


def metric(served, line):
    text = httpx.get(f"{served.url}metrics").text
    found = re.search(rf"^{re.escape(line)} (.*)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def await_idle(served, since, seconds=FREED_SECONDS):
    """Return how long after ``since`` nothing ran any more."""
    while metric(served, "maskplay_running"):
        assert time.monotonic() - since < seconds, "the slot is still taken"
        time.sleep(0.01)
    return time.monotonic() - since


def test_the_prompt_is_the_only_input_that_must_be_given(client):
    answer = client.predict(prompt="春风", style="", api_name="/generate")
    assert answer["texts"][0]["text"] == (TEXT * 50)[7 : 7 + 128]
    assert answer["texts"][0]["finish"] == "length"
    assert answer.keys() >= {"texts", "seed", "weights", "tokens_per_second"}
    assert (answer["seed"], answer["weights"]) == (7, "embedded")


def test_frames_stream_and_each_is_the_whole_result_so_far(client):
    job = client.submit(prompt="春风", max_new_tokens=60, api_name="/generate")
    texts = [frame["texts"][0]["text"] for frame in job]
    assert len(texts) > 4
    assert [len(text) for text in texts] == sorted(len(text) for text in texts)
    assert len(texts[-1]) == 60
    assert all(texts[-1].startswith(text) for text in texts)


def test_the_api_and_the_page_are_what_they_were_promised(served):
    info = httpx.get(f"{served.api}info").json()["named_endpoints"]
    assert list(info) == list(ASKED)
    for name, request_type in ASKED.items():
        inputs = {
            one["parameter_name"]: one["parameter_has_default"]
            for one in info[name]["parameters"]
        }
        assert list(inputs) == [*names_of(request_type), "weights"]
        needed = [one for one, has_default in inputs.items() if not has_default]
        assert tuple(needed) == required_of(request_type)
        assert needed
        assert needed == list(inputs)[: len(needed)]  # what must be given comes first


def test_stop_frees_the_slot_in_under_a_second(served, client):
    closed = served.generator.closed
    job = client.submit(prompt="春风", max_new_tokens=1024, api_name="/generate")
    next(iter(job))
    job.cancel()
    await_idle(served, time.monotonic())
    assert served.generator.closed == closed + 1


def test_a_client_that_leaves_frees_its_slot(served):
    body = http.inputs(prompt="春风", max_new_tokens=1024)
    event_id = http.post(served.api, body).json()["event_id"]
    reading = http.events(served.api, event_id)
    next(reading)
    assert metric(served, "maskplay_running") == 1
    reading.close()
    await_idle(served, time.monotonic())


def test_eight_clients_at_once_lose_nothing(served):
    assert set(drive(served, seconds=3)) == set(range(BUSY))


def drive(served, seconds):
    """Let clients ask again and again; return how many answers came back whole."""
    end = time.monotonic() + seconds
    whole = Counter()

    def ask(number):
        asked = 0
        while time.monotonic() < end or not asked:
            length = 20 + number
            body = http.inputs(prompt="春风", max_new_tokens=length, seed=number)
            kind, data = http.ask(served.api, body)
            assert kind == "complete", data
            text = data[0]["texts"][0]["text"]
            assert text == (TEXT * 3)[number : number + length]
            asked += 1
            whole[number] += 1

    with concurrent.futures.ThreadPoolExecutor(BUSY) as clients:
        for done in [clients.submit(ask, number) for number in range(BUSY)]:
            done.result()
    await_idle(served, time.monotonic())
    return whole


@pytest.mark.slow
def test_eight_clients_for_a_minute_lose_nothing(served):
    assert set(drive(served, seconds=60)) == set(range(BUSY))


def test_a_full_queue_says_so_and_loses_nobody_in_it():
    shelf = FakeShelf(FakeGenerator(text=TEXT * 9, step_seconds=0.02))
    with serving(Settings(port=0, slots=1, queue_size=2), shelf) as served:
        body = http.inputs(prompt="春风", max_new_tokens=100)
        posts = []
        for _ in range(6):
            posts.append(http.post(served.api, body))
            time.sleep(0.05)
        statuses = [post.status_code for post in posts]
        assert statuses[:3] == [200] * 3
        assert statuses[-1] == 429
        assert "排队的人已满" in posts[-1].json()["detail"]
        for post in posts:
            if post.status_code == 200:
                kind, _ = list(http.events(served.api, post.json()["event_id"]))[-1]
                assert kind == "complete"


def test_a_run_ends_at_its_deadline_with_a_sentence():
    shelf = FakeShelf(FakeGenerator(text=TEXT * 50, step_seconds=0.02))
    with serving(Settings(port=0, deadline_seconds=0.3), shelf) as served:
        kind, data = http.ask(served.api, http.inputs(prompt="春", max_new_tokens=999))
        assert kind == "error"
        assert "超过了每次 0.3 秒的限时" in data["error"]
        assert metric(
            served, 'maskplay_requests_total{endpoint="generate",outcome="deadline"}'
        )


def test_health_readiness_and_metrics_answer(served):
    assert httpx.get(f"{served.url}healthz").json() == {"status": "ok"}
    assert httpx.get(f"{served.url}readyz").status_code == 200
    text = httpx.get(f"{served.url}metrics")
    assert text.headers["content-type"].startswith("text/plain")
    assert 'maskplay_model_state{model="embedded",state="ready"} 1.0' in text.text


def test_not_ready_is_503_with_the_reason(served):
    ready = served.shelf.ready
    try:
        served.shelf.ready = type(ready)(ready=False, zh="还在加载。", en="Loading.")
        answer = httpx.get(f"{served.url}readyz")
        assert answer.status_code == 503
        assert answer.json() == {"ready": False, "zh": "还在加载。", "en": "Loading."}
        assert httpx.get(f"{served.url}healthz").status_code == 200
    finally:
        served.shelf.ready = ready


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t"))
)
def test_escapes_make_a_text_so_much_larger_and_no_more(text):
    assert len(json.dumps(text)) - len('""') <= ESCAPED * len(text.encode())


def test_what_a_tab_takes_as_a_file_may_come_as_text_too():
    largest = max(batch.MAX_BYTES, sentences_nearest.MAX_BYTES)
    assert ESCAPED * largest < BODY_BYTES < 16 << 20


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("answer", {"question": "谁" * 200, "passages": ["😀" * 20_000] * 10}),
        ("nearest", {"query": "退货", "lines": ["怎么退货，" * 20] * 10_000}),
        (
            "chat",
            {
                "message": "😀" * 500,
                "history": [
                    {"speaker": speaker, "text": "😀" * 2_000}
                    for speaker in ("person", "model") * 20
                ],
            },
        ),
        ("summarize", {"text": "😀" * 20_000}),
    ],
)
def test_what_is_declared_usable_comes_through_the_door(served, name, asked):
    body = json.dumps(asked).encode()  # escapes all but ASCII, as many clients do
    answer = httpx.post(
        f"{served.api}call/v2/{name}",
        content=body,
        headers={"content-type": "application/json"},
        timeout=http.PATIENCE,
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["event_id"]


GATEWAY, NEIGHBOUR = "127.0.0.9", "127.0.0.8"


def test_only_a_trusted_gateway_says_who_a_visitor_is():
    settings = Settings(port=0, rate_limit=1, trusted_proxies=(f"{GATEWAY}/32",))
    with serving(settings, FakeShelf(FakeGenerator())) as served:
        asked = f"{served.api}call/v2/nothing"

        def statuses(sender, visitors):
            transport = httpx.HTTPTransport(local_address=sender)
            with httpx.Client(transport=transport) as client:
                return [
                    client.post(asked, headers={"x-forwarded-for": one}).status_code
                    for one in visitors
                ]

        burst = 10
        of_one = statuses(GATEWAY, ["198.51.100.1"] * (burst + 1))
        assert [status == 429 for status in of_one] == [False] * burst + [True]
        forged = [f"{made_up}, 198.51.100.2" for made_up in range(burst + 1)]
        assert statuses(GATEWAY, forged)[-1] == 429  # who connected to it stands last
        assert 429 not in statuses(GATEWAY, ["198.51.100.3"])
        direct = [f"198.51.100.{number}" for number in range(10, burst + 21)]
        assert statuses(NEIGHBOUR, direct)[burst] == 429


def test_the_shelf_is_started_once_the_page_answers(served):
    assert served.shelf.started == 1


@pytest.mark.parametrize(
    "path",
    [
        "monitoring",
        "gradio_api/stream/x",
        "gradio_api/file=/etc/passwd",
        "openapi.json",
    ],
)
def test_internals_are_hidden(served, path):
    assert httpx.get(f"{served.url}{path}").status_code == 404
    assert httpx.post(f"{served.url}{path}", content=b"x").status_code == 404


def test_the_page_names_no_other_host_to_load_from(served):
    page = httpx.get(served.url).text
    loaded = re.findall(r'(?:src|href)="(https?://[^"]+|//[^"]+)"', page)
    assert [one for one in loaded if not one.startswith(served.url)] == []


def test_a_busy_port_is_told_with_what_to_do():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortError, match=f"不能在 127.0.0.1 的 {port} 端口"):
            free_port("127.0.0.1", port)


def test_an_address_that_is_not_ours_is_told():
    with pytest.raises(PortError, match=r"port 7860 of 203\.0\.113\.9"):
        free_port("203.0.113.9", 7860)


@pytest.fixture
def process():
    port = free_port("127.0.0.1", 0)
    command = [sys.executable, "-m", "tests.app.serve_fake", str(port), "0.02", "50"]
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ,
    ) as running:
        address = running.stdout.readline()
        yield running, port, address
        running.kill()


def test_one_line_with_the_address_and_a_clean_end_while_generating(process):
    running, port, line = process
    assert line.strip().endswith(f"http://127.0.0.1:{port}/")
    api = f"http://127.0.0.1:{port}/gradio_api/"
    body = http.inputs(prompt="春风", max_new_tokens=1024)
    reading = http.events(api, http.post(api, body).json()["event_id"])
    next(reading)
    asked_to_end = time.monotonic()
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=5) == 0
    assert time.monotonic() - asked_to_end < 5
    kind, data = list(reading)[-1]
    said = (
        "服务正在关闭，请稍后再来。 / The server is going down: come back in a while."
    )
    assert (kind, data["error"]) == ("error", said)
    assert running.stdout.read() == ""
    assert "Traceback" not in running.stderr.read()
