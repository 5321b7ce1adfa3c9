"""Speak to the page's endpoints as a script would, byte by byte."""

import json
from collections.abc import Iterator
from typing import Any

import httpx

PATIENCE = httpx.Timeout(30.0)


def post(api: str, body: bytes, **headers: str) -> httpx.Response:
    """Post a raw body to /generate by named inputs."""
    return httpx.post(
        f"{api}call/v2/generate",
        content=body,
        headers={"content-type": "application/json", **headers},
        timeout=PATIENCE,
    )


def events(api: str, event_id: str) -> Iterator[tuple[str, Any]]:
    """Yield (event, data) until the server ends the stream."""
    address = f"{api}call/v2/generate/{event_id}"
    with httpx.stream("GET", address, timeout=PATIENCE) as response:
        kind = ""
        for line in response.iter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "data" and kind != "heartbeat":
                yield kind, json.loads(value)


def ask(api: str, body: bytes, **headers: str) -> tuple[str, Any]:
    """Return the last event of a question: ("complete", [answer]) or ("error", why)."""
    response = post(api, body, **headers)
    assert response.status_code == 200, (response.status_code, response.text)
    return list(events(api, response.json()["event_id"]))[-1]


def inputs(**values: Any) -> bytes:
    """Return named inputs as JSON; escapes make lone surrogates possible."""
    return json.dumps(values).encode()
