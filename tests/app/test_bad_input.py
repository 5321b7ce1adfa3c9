"""Whatever is sent, a clear sentence comes back and the server lives on."""

import json
import re

import httpx
import pytest

from app.settings import Settings
from model_core.shelf import ModelShelf, ShelfSettings
from tests.app import http
from tests.app.conftest import serving
from tests.fakes import FakeGenerator, FakePlayer, every_player

ENGLISH = {"accept-language": "en"}


@pytest.fixture(scope="module")
def real():
    """A server over the real shelf, whose weights are stand-ins; no network."""
    parts = {"text_generator": FakeGenerator(), **every_player()}
    shelf = ModelShelf(
        ShelfSettings(offline=True), loader=lambda *_arguments: FakePlayer(parts)
    )
    with serving(Settings(port=0), shelf) as running:
        yield running


def check_alive(served):
    kind, data = http.ask(served.api, http.inputs(prompt="春风", max_new_tokens=2))
    assert (kind, len(data[0]["texts"][0]["text"])) == ("complete", 2)


def refusal(served, body):
    """Return the sentence that a body earns, in English."""
    kind, data = http.ask(served.api, body, **ENGLISH)
    assert kind == "error", data
    assert "Traceback" not in str(data)
    assert ".py" not in str(data)
    return data["error"]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"prompt": ""}, "“Prompt” must have 1 to 2000 characters, got 0."),
        ({"prompt": " \n\t"}, "got 3, all blank."),
        ({"prompt": "长" * 100_000}, "must have 1 to 2000 characters, got 100000."),
        ({"prompt": "a\x00b"}, "has a control character, U+0000, at character 2"),
        ({"prompt": "a\x1b[31m"}, "has a control character, U+001B, at character 2"),
        ({"prompt": None}, "“Prompt” must be text, got None."),
        ({"prompt": 3}, "“Prompt” must be text, got 3."),
        ({"prompt": ["春"]}, "“Prompt” must be text, got ['春']."),
        ({"temperature": 99}, "“Temperature” must be a number between 0.05 and 2"),
        ({"temperature": -1}, "between 0.05 and 2, got -1."),
        ({"temperature": "warm"}, "got 'warm'."),
        ({"temperature": float("nan")}, "got nan."),
        ({"top_p": float("inf")}, "got inf."),
        ({"top_k": 2.5}, "“Top-k” must be a whole number between 0 and 1000"),
        ({"num_return": 5}, "“Candidates” must be a whole number between 1 and 4"),
        ({"num_return": True}, "got True."),
        ({"max_new_tokens": "12"}, "got '12'."),
        ({"max_new_tokens": 10**300}, "got 1e+30…."),
        ({"seed": -1}, "“Seed” must be a whole number between 0 and 2147483647"),
        ({"seed": 2**31}, "got 2147483648."),
        ({"style": "打油诗"}, "“Style” must be one of 散文, 小说"),
        ({"style": 3}, "“Style” must be text, got 3."),
        ({"condition": "激动"}, "“Sentiment” must be one of 正面, 负面"),
        ({"weights": None}, "“Weights” must be text, got None."),
        ({"weights": ""}, "“Weights” must have 1 to 200 characters"),
        ({"weights": "nothing-known"}, "nothing-known"),
        ({"weights": "../../etc/passwd"}, "is not a hub id"),
        ({"weights": "owner/../name"}, "is not a hub id"),
        ({"weights": "/etc/passwd"}, "is not a hub id"),
        ({"weights": "assets/embedded/.."}, "is not a hub id"),
        ({"weights": "C:\\models"}, "is not a hub id"),
        ({"weights": "https://example.org/model"}, "is not a hub id"),
        ({"weights": "file:///etc/passwd"}, "is not a hub id"),
    ],
)
def test_every_bad_input_earns_a_sentence(real, values, sentence):
    assert sentence in refusal(real, http.inputs(**{"prompt": "春风", **values}))
    check_alive(real)


@pytest.mark.parametrize("name", ["prompt", "style", "weights"], ids="in_{}".format)
def test_a_lone_surrogate_is_named_and_never_sent_back(real, name):
    body = json.dumps({"prompt": "春风", name: "a\ud800b"}).encode()
    assert b"\\ud800" in body
    assert "a lone surrogate, U+D800, at character 2" in refusal(real, body)
    check_alive(real)


FAMILY = "\U0001f469\u200d\U0001f467"  # one picture of three characters
RIGHT_TO_LEFT = "\u200f\u05e9\u05dc\u05d5\u05dd"


@pytest.mark.parametrize("prompt", ["😀" * 20, FAMILY, "\U00020000", RIGHT_TO_LEFT])
def test_whatever_is_text_is_answered(real, prompt):
    kind, data = http.ask(real.api, http.inputs(prompt=prompt, max_new_tokens=3))
    assert (kind, data[0]["prompt"]) == ("complete", prompt)


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (b"", 400, ""),
        (b"nonsense", 422, "JSON decode error"),
        (b"[1, 2]", 422, "dictionary"),
        (b'{"prompt": "\xff\xfe"}', 400, "parsing the body"),
        (b'{"prompt": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", 400, "parsing"),
        (b'{"prompt": "a", "seed": ' + b"9" * 5_000 + b"}", 400, "parsing"),
        (b'{"prompt": "a", "beams": 3}', 400, "does not fit"),
        (b'{"prompt": "a", "\\ud800": 3}', 400, "does not fit"),
        (b"{}", 400, "does not fit"),
        (b'{"prompt": "' + b"a" * (16 << 20) + b'"}', 413, "too large"),
    ],
)
def test_what_is_no_request_is_refused_at_once(real, body, status, sentence):
    answer = http.post(real.api, body, **ENGLISH)
    assert answer.status_code in (status, 422)
    assert sentence in answer.text
    assert "Traceback" not in answer.text
    check_alive(real)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("call/nothing", {"data": []}),
        ("call/v2/nothing", {}),
        ("call/generate", {"data": "\ud800"}),
        ("run/predict", {"data": [], "fn_index": 99_999}),
        ("run/predict", {"data": []}),
        ("queue/join", {"data": [], "fn_index": 99_999, "session_hash": "a"}),
        ("queue/join", {"data": [], "fn_index": -1, "session_hash": "a"}),
        ("queue/join", {"data": [], "fn_index": 0}),
        ("cancel", {"session_hash": "a", "fn_index": 1, "event_id": "b"}),
        ("reset", {"event_id": "nobody"}),
    ],
)
def test_what_fits_no_endpoint_harms_nothing(real, path, body):
    answer = httpx.post(
        real.api + path,
        content=json.dumps(body).encode(),
        headers={"content-type": "application/json", **ENGLISH},
    )
    assert answer.status_code < 500
    assert "Traceback" not in answer.text
    check_alive(real)


def test_a_file_of_this_machine_cannot_be_asked_for(real):
    claim = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
    sentence = refusal(real, http.inputs(prompt=claim))
    assert "root:" not in sentence
    check_alive(real)


def listener(served, name):
    """Return the number by which the page calls a private listener."""
    listeners = httpx.get(f"{served.url}config").json()["dependencies"]
    (number,) = [one["id"] for one in listeners if one["api_name"] == name]
    return number


def press(served, name, *values):
    """Call a private listener as the page does; return its last message."""
    body = {"data": values, "fn_index": listener(served, name), "session_hash": name}
    joined = httpx.post(
        f"{served.api}queue/join",
        content=json.dumps(body).encode(),
        headers={"content-type": "application/json", **ENGLISH},
    )
    assert joined.status_code == 200
    address = f"{served.api}queue/data?session_hash={name}"
    with httpx.stream("GET", address) as stream:
        lines = [line for line in stream.iter_lines() if "process_completed" in line]
    return json.loads(lines[-1].removeprefix("data: "))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (None, "Choose a model first"),
        ("", "Choose a model first"),
        (3, "Choose a model first"),
        ({"a": 1}, "Choose a model first"),
        ("../..", "is not a hub id"),
        ("a/../b", "is not a hub id"),
        ("/etc", "is not a hub id"),
        ("https://example.org/a", "is not a hub id"),
        ("<img src=x onerror=alert(1)>", "&lt;img"),
        ("nothing-known", "nothing-known"),
        ("a\ud800/b", ""),
        ("x" * 100_000, ""),
    ],
)
@pytest.mark.parametrize("button", ["load", "unload"])
def test_the_panel_takes_names_and_never_places(real, button, name, sentence):
    message = press(real, button, name, "")
    assert not message["success"]
    error = message["output"]["error"]
    assert sentence in error
    assert not re.search(r"<img|Traceback", error)
    check_alive(real)


def test_the_pages_own_listener_checks_as_the_endpoint_does(real):
    message = press(real, "generate_run", "春", "x", *[None] * 11)
    assert "between 1 and 1024, got &#x27;x&#x27;" in message["output"]["error"]
    check_alive(real)


def test_the_pages_own_listener_cannot_pass_the_queue_by(real):
    body = {"data": [None] * 13, "fn_index": listener(real, "generate_run")}
    assert httpx.post(f"{real.api}run/predict", json=body).status_code == 404
