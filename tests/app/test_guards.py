import asyncio
import json

import pytest
from starlette.formparsers import MultiPartException

from app.guards import Guard, RateLimit, Rules

UPLOAD = "/gradio_api/upload"
JOIN = "/gradio_api/queue/join"


class Application:
    """An ASGI application that keeps what reaches it, and may fail."""

    def __init__(self, failure=None):
        self.bodies = []
        self.failure = failure

    async def __call__(self, scope, receive, send):
        message = await receive()
        self.bodies.append(message["body"])
        if self.failure:
            raise self.failure
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})


def call(guard, path="/", *, method="GET", chunks=(b"",), client="1.2.3.4", **headers):
    """Return (status, headers, body) of one request."""
    sent = []
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "client": (client, 5),
        "headers": [(k.replace("_", "-").encode(), v) for k, v in headers.items()],
    }
    waiting = [
        {"type": "http.request", "body": chunk, "more_body": n < len(chunks)}
        for n, chunk in enumerate(chunks, 1)
    ]

    async def receive():
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    asyncio.run(guard(scope, receive, send))
    start, *rest = sent
    answered = {k.decode(): v.decode() for k, v in start["headers"]}
    return start["status"], answered, b"".join(m["body"] for m in rest)


def detail(body):
    return json.loads(body)["detail"]


def test_what_the_page_needs_passes_and_gains_headers():
    status, headers, body = call(Guard(Application(), Rules()), "/assets/x.js")
    assert (status, body) == (200, b"ok")
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "http:" not in headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/monitoring",
        "/gradio_api/stream/x",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/proxy=http://example.org",
        "/gradio_api/component_server",
        "/gradio_api/vibe-edit/",
        "/gradio_api/openapi.json",
        "/docs",
        "/gradio_api/queue/join/../../upload",
    ],
)
def test_internals_are_not_there(path):
    application = Application()
    status, _, body = call(Guard(application, Rules()), path, method="POST")
    assert (status, detail(body)) == (404, "没有这个地址。 / No such address.")
    assert application.bodies == []


def test_a_declared_length_over_the_limit_is_refused_before_it_is_read():
    application, told = Application(), []
    rules = Rules(max_body_bytes=10, turned_away=told.append)
    status, _, body = call(
        Guard(application, rules), JOIN, method="POST", content_length=b"11"
    )
    assert status == 413
    assert "请把文字缩短，或分几次来问；名单、示例可以放进文件" in detail(body)
    assert "python -m demos TASK --help" in detail(body)
    assert (application.bodies, told) == ([], ["body"])


@pytest.mark.parametrize("length", [b"-1", b"1e3", b"x"])
def test_a_nonsensical_length_is_refused(length):
    guard = Guard(Application(), Rules())
    assert call(guard, JOIN, method="POST", content_length=length)[0] == 413


def test_a_body_in_chunks_is_counted_as_it_comes():
    application = Application()
    guard = Guard(application, Rules(max_body_bytes=10))
    assert call(guard, JOIN, method="POST", chunks=[b"12345"] * 3)[0] == 413
    assert call(guard, JOIN, method="POST", chunks=[b"12345"] * 2)[0] == 200
    assert application.bodies == [b"1234512345"]


def test_only_what_the_rate_limit_counts_may_be_large():
    guard = Guard(Application(), Rules(max_body_bytes=2 << 20))
    large = [b"1" * ((1 << 20) + 1)]
    assert call(guard, JOIN, method="POST", chunks=large)[0] == 200
    for path in ("/gradio_api/cancel", "/gradio_api/run/predict", "/"):
        assert call(guard, path, method="POST", chunks=large)[0] == 413


class Form(Application):
    """Reads a form bit by bit as gradio does, and clears away one that breaks off."""

    def __init__(self):
        super().__init__()
        self.cleared = 0

    async def __call__(self, scope, receive, send):
        more = True
        try:
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ConnectionError
                self.bodies.append(message["body"])
                more = message["more_body"]
        except MultiPartException as error:
            self.cleared += 1
            await self._say(send, 400, error.message.encode())
        else:
            await self._say(send, 200, b"ok")

    async def _say(self, send, status, body):
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})


def upload(form, *chunks, **headers):
    told = []
    rules = Rules(max_body_bytes=1, max_upload_bytes=10, turned_away=told.append)
    status, _, body = call(
        Guard(form, rules), UPLOAD, method="POST", chunks=chunks, **headers
    )
    return status, body, told


def test_an_upload_streams_through_and_may_be_larger_than_other_bodies():
    form = Form()
    assert upload(form, b"12345", b"67890") == (200, b"ok", [])
    assert form.bodies == [b"12345", b"67890"]  # never held as a whole


def test_an_upload_in_chunks_is_refused_once_it_is_too_large():
    form = Form()
    status, body, told = upload(form, b"12345", b"67890", b"1", b"2")
    assert (status, told) == (413, ["body"])
    assert "文件太大，请切成几份" in detail(body)
    assert form.bodies == [b"12345", b"67890"]  # the rest was not asked for
    assert form.cleared == 1


def test_an_upload_of_a_declared_length_is_refused_before_it_is_read():
    form = Form()
    status, body, _ = upload(form, b"1", content_length=b"11", accept_language=b"en")
    assert status == 413
    assert "split it; many questions can also be answered in the t" in detail(body)
    assert form.bodies == []


def test_an_upload_whose_sender_leaves_is_cleared_away():
    form, sent = Form(), []
    waiting = [
        {"type": "http.request", "body": b"1", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive():
        return waiting.pop(0)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": UPLOAD, "headers": []}
    asyncio.run(Guard(form, Rules())(scope, receive, send))
    assert (form.cleared, form.bodies) == (1, [b"1"])


def test_an_upload_that_fits_nothing_is_the_clients_mistake():
    guard = Guard(Application(KeyError("boundary")), Rules())
    assert call(guard, UPLOAD, method="POST")[0] == 400


def test_leaving_after_the_whole_upload_is_no_broken_one():
    class Lingering(Form):
        async def __call__(self, scope, receive, send):
            await receive()
            assert (await receive())["type"] == "http.disconnect"
            await self._say(send, 200, b"ok")

    assert upload(Lingering(), b"1") == (200, b"ok", [])


def test_the_refusal_speaks_the_visitors_language():
    rules = Rules(queue_is_full=lambda: True)
    guard = Guard(Application(), rules)
    status, headers, body = call(guard, JOIN, method="POST", accept_language=b"en")
    assert status == 429
    assert detail(body) == "The queue is full: try again in a while."
    assert int(headers["retry-after"]) > 0
    assert detail(call(guard, JOIN, method="POST")[2]).startswith("排队的人已满")


def test_a_full_queue_keeps_out_only_what_would_join_it():
    guard = Guard(Application(), Rules(queue_is_full=lambda: True))
    assert call(guard, "/gradio_api/cancel", method="POST")[0] == 200
    assert call(guard, "/gradio_api/run/predict", method="POST")[0] == 200
    assert call(guard, "/gradio_api/call/v2/generate/1", method="GET")[0] == 200
    assert call(guard, "/gradio_api/call/v2/generate", method="POST")[0] == 429


def test_a_client_that_asks_too_often_waits_and_others_do_not():
    now = [0.0]
    limit = RateLimit(60, burst=2, clock=lambda: now[0])
    guard = Guard(Application(), Rules(rate_limit=limit))

    def ask(client):
        return call(guard, JOIN, method="POST", client=client)

    assert [ask("a")[0] for _ in range(3)] == [200, 200, 429]
    assert ask("b")[0] == 200
    assert ask("a")[1]["retry-after"] == "2"
    now[0] += 1.01
    assert [ask("a")[0] for _ in range(2)] == [200, 429]


def test_reading_and_stopping_are_never_rate_limited():
    guard = Guard(Application(), Rules(rate_limit=RateLimit(1, burst=1)))
    for _ in range(5):
        assert call(guard, "/gradio_api/queue/data")[0] == 200
        assert call(guard, "/gradio_api/cancel", method="POST")[0] == 200


def test_no_limit_is_no_limit():
    assert not any(RateLimit(0).wait_seconds("a") for _ in range(1000))


def test_the_buckets_of_many_clients_are_bounded():
    limit = RateLimit(1, burst=1, max_clients=3)
    for client in "abcd":
        limit.wait_seconds(client)
    assert limit.wait_seconds("d") > 0
    assert limit.wait_seconds("a") == 0  # forgotten


def test_a_post_that_fits_nothing_is_the_clients_mistake():
    told = []
    guard = Guard(Application(KeyError(99)), Rules(turned_away=told.append))
    status, _, body = call(guard, JOIN, method="POST")
    assert (status, told) == (400, ["unfit"])
    assert "/gradio_api/info" in detail(body)
    assert "Traceback" not in detail(body)


def test_any_other_failure_is_the_servers():
    with pytest.raises(RuntimeError):
        call(Guard(Application(RuntimeError()), Rules()), JOIN, method="POST")
    with pytest.raises(KeyError):
        call(Guard(Application(KeyError()), Rules()), "/")
