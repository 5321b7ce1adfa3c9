"""Refuse HTTP requests at the door: paths, sizes, rates, a full queue; add headers.

Changes when visitors must be kept from something else. Pure ASGI: knows no gradio
component and no demo.
"""

import json
import logging
import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from starlette.formparsers import MultiPartException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.language import language_of, said
from model_core.interfaces import Language

log = logging.getLogger(__name__)

Sentence = dict[Language, str]

# What a page and a client need of gradio's many routes; the rest is not there.
OPEN_PATHS = frozenset(
    {
        "/",
        "/config",
        "/theme.css",
        "/favicon.ico",
        "/manifest.json",
        "/robots.txt",
        "/healthz",
        "/readyz",
        "/metrics",
        "/gradio_api/app_id",
        "/gradio_api/info",
        "/gradio_api/startup-events",
        "/gradio_api/cancel",
        "/gradio_api/reset",
        "/gradio_api/queue/join",
        "/gradio_api/queue/data",
        "/gradio_api/upload",
        "/gradio_api/upload_progress",
    }
)
OPEN_PREFIXES = (
    "/assets/",
    "/static/",
    "/svelte/",
    "/gradio_api/heartbeat/",
    "/gradio_api/call/",
    "/gradio_api/run/",
)
FILE_PREFIX = "/gradio_api/file="  # gradio would fetch any address behind it
UPLOAD_PATH = "/gradio_api/upload"
# Posts that may start a computation or fill the disk.
COUNTED_PREFIXES = ("/gradio_api/call/", "/gradio_api/queue/join", UPLOAD_PATH)
SMALL_BYTES = 1 << 20  # of any other request

HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "content-security-policy": "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval'",  # gradio builds both
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'self' https://huggingface.co https://*.huggingface.co",
        )
    ),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer given at the door.

    Attributes:
        status: HTTP status code.
        reason: For the counters.
        sentence: For the visitor; gradio's page shows it, but for status 503.
    """

    status: int
    reason: str
    sentence: Sentence


NO_SUCH_PATH = Refusal(404, "path", {"zh": "没有这个地址。", "en": "No such address."})
TOO_LARGE = Refusal(
    413,
    "body",
    {
        "zh": "发来的内容太大，请把文字缩短，或分几次来问；名单、示例可以放进文件，"
        "在收文件的页签里给；再多就在终端里做：python -m demos TASK --help。",
        "en": "The request is too large: shorten the text, or ask in parts; a list or "
        "examples may come as a file where a tab takes one, and more than that in the "
        "terminal: python -m demos TASK --help.",
    },
)
FILE_TOO_LARGE = Refusal(
    413,
    "body",
    {
        "zh": "文件太大，请切成几份；成批的问题也可在终端里做："
        "python -m demos TASK --input FILE --output FILE。",
        "en": "The file is too large for this page: split it; many questions can also "
        "be answered in the terminal, python -m demos TASK --input FILE --output FILE.",
    },
)
UNFIT = Refusal(
    400,
    "unfit",
    {
        "zh": "请求与接口不符：接口与输入的名字见 /gradio_api/info。",
        "en": "The request does not fit: see /gradio_api/info for names and inputs.",
    },
)
TOO_OFTEN = Refusal(
    429,
    "rate",
    {
        "zh": "请求过于频繁，请稍等片刻再试。",
        "en": "Too many requests: wait a moment and try again.",
    },
)
QUEUE_FULL = Refusal(
    429,
    "queue",
    {
        "zh": "排队的人已满，请过一会儿再试。",
        "en": "The queue is full: try again in a while.",
    },
)


class RateLimit:
    """A token bucket per client; the clients unseen for longest are forgotten.

    Args:
        per_minute: Requests a client may make in the long run; 0 is no limit.
        burst: Requests it may make at once.
        max_clients: Buckets kept.
        clock: Seconds.
    """

    def __init__(
        self,
        per_minute: float,
        *,
        burst: int = 10,
        max_clients: int = 4096,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._per_second = per_minute / 60
        self._burst = burst
        self._max_clients = max_clients
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_seconds(self, client: str) -> float:
        """Take one request of a client: 0 when allowed, else how long it must wait."""
        if not self._per_second:
            return 0.0
        now = self._clock()
        tokens, since = self._buckets.pop(client, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - since) * self._per_second)
        allowed = tokens >= 1
        self._buckets[client] = (tokens - 1 if allowed else tokens, now)
        while len(self._buckets) > self._max_clients:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - tokens) / self._per_second


@dataclass(frozen=True, slots=True)
class Rules:
    """What the door keeps out.

    Attributes:
        rate_limit: Per client, over the posts that may start a computation.
        queue_is_full: Asked before each of them.
        max_body_bytes: Of a post that may start a computation; others are small.
        max_upload_bytes: Of an upload.
        files_folder: Where uploads and outputs lie, the only files that are served;
            "" serves none.
        turned_away: Told the reason of every refusal.
        unfit: What the application raises for a POST that fits no endpoint.
    """

    rate_limit: RateLimit = field(default_factory=lambda: RateLimit(0))
    queue_is_full: Callable[[], bool] = lambda: False
    max_body_bytes: int = 1 << 20
    max_upload_bytes: int = 1 << 20
    files_folder: str = ""
    turned_away: Callable[[str], None] = lambda _reason: None
    unfit: tuple[type[Exception], ...] = (LookupError, TypeError, ValueError)

    def opens(self, path: str) -> bool:
        """Whether there is anything at a path."""
        inside = f"{FILE_PREFIX}{self.files_folder}{os.sep}"
        return (
            (path.rstrip("/") or "/") in OPEN_PATHS
            or path.startswith(OPEN_PREFIXES)
            or (bool(self.files_folder) and path.startswith(inside))
        )

    def largest(self, path: str) -> tuple[int, Refusal]:
        """Return how many bytes a body may have there, and what a larger one earns."""
        if path.startswith(UPLOAD_PATH):
            return self.max_upload_bytes, FILE_TOO_LARGE
        asks = path.startswith(COUNTED_PREFIXES)
        most = self.max_body_bytes if asks else min(self.max_body_bytes, SMALL_BYTES)
        return most, TOO_LARGE


class Guard:
    """ASGI middleware that applies the rules."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a refusal, or pass the request on with its body already read."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        reply = _Reply(send)
        refusal, wait = self._judge(scope)
        if refusal is None:
            refusal = await self._pass_on(scope, receive, reply)
        if refusal is not None:
            self._rules.turned_away(refusal.reason)
            await _answer(scope, reply, refusal, wait)

    async def _pass_on(
        self, scope: Scope, receive: Receive, reply: "_Reply"
    ) -> Refusal | None:
        """Let the application answer; return a refusal where it cannot."""
        most, too_large = self._rules.largest(scope["path"])
        if scope["path"].startswith(UPLOAD_PATH):
            return await self._pass_on_upload(scope, receive, reply)
        body = await _read_body(receive, most)
        if body is None:
            return too_large
        return await self._ask(scope, _replay(body, receive), reply, reply)

    async def _pass_on_upload(
        self, scope: Scope, receive: Receive, reply: "_Reply"
    ) -> Refusal | None:
        """Let a file stream through while counting it: it may be as large as memory."""
        most, too_large = self._rules.largest(scope["path"])
        upload = _Counted(receive, most)

        async def send(message: Message) -> None:
            if reply.begun or not upload.too_large:  # else the refusal is the answer
                await reply(message)

        try:
            refusal = await self._ask(scope, upload, send, reply)
        except _BrokenOffError:
            refusal = None
        return too_large if upload.too_large and not reply.begun else refusal

    async def _ask(
        self, scope: Scope, receive: Receive, send: Send, reply: "_Reply"
    ) -> Refusal | None:
        """Let the application answer; return a refusal where it finds nothing to ask.

        Gradio looks up endpoints and inputs by what the client sent, and lets the
        failed look-up through: that is the client's mistake, not the server's.
        """
        try:
            await self._app(scope, receive, send)
        except self._rules.unfit:
            if reply.begun or scope["method"] != "POST":
                raise
            log.warning("a request does not fit %s", scope["path"], exc_info=True)
            return UNFIT
        return None

    def _judge(self, scope: Scope) -> tuple[Refusal | None, float]:
        """Return why the request is refused, and the seconds to wait before another."""
        path = scope["path"].rstrip("/") or "/"
        if not self._rules.opens(scope["path"]):
            return NO_SUCH_PATH, 0.0
        most, too_large = self._rules.largest(path)
        length = _header(scope, b"content-length") or "0"
        if not length.isdecimal() or int(length) > most:
            return too_large, 0.0
        if scope["method"] != "POST" or not path.startswith(COUNTED_PREFIXES):
            return None, 0.0
        wait = self._rules.rate_limit.wait_seconds((scope.get("client") or ("?",))[0])
        if wait:
            return TOO_OFTEN, wait
        return (QUEUE_FULL, 5.0) if self._rules.queue_is_full() else (None, 0.0)


def _header(scope: Scope, name: bytes) -> str | None:
    found = dict(scope["headers"]).get(name)
    return None if found is None else found.decode("latin-1")


class _Reply:
    """Sends an answer with the headers added, and knows whether it has begun."""

    ADDED = tuple((name.encode(), value.encode()) for name, value in HEADERS.items())

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False

    async def __call__(self, message: Message) -> None:
        """Send one message."""
        if message["type"] == "http.response.start":
            self.begun = True
            message["headers"] = [*message.get("headers", ()), *self.ADDED]
        await self._send(message)


async def _read_body(receive: Receive, max_bytes: int) -> bytes | None:
    """Return the body, None where it is too large; a chunked one declares no length."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > max_bytes:
            return None
    return bytes(body)


class _BrokenOffError(MultiPartException):
    """An upload is cut short: the parser of its form deletes what it has written."""

    def __init__(self) -> None:
        super().__init__("the upload broke off")


class _Counted:
    """A receiver that cuts an upload short once it is too large, or its sender gone.

    Attributes:
        too_large: Whether more has come than may.
    """

    def __init__(self, receive: Receive, max_bytes: int) -> None:
        self._receive = receive
        self._left = max_bytes
        self._more = False
        self.too_large = False

    async def __call__(self) -> Message:
        """Return the next message.

        Raises:
            _BrokenOffError: There will be no whole upload.
        """
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        self.too_large = self._left < 0
        gone = self._more and message["type"] == "http.disconnect"
        if self.too_large or gone:
            raise _BrokenOffError
        self._more = message.get("more_body", False)
        return message


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a receiver that gives the body once, then what the server has next."""
    waiting: list[Message] = [{"type": "http.request", "body": body}]

    async def receive_again() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_again


async def _answer(scope: Scope, send: Send, refusal: Refusal, wait: float) -> None:
    language = language_of(_header(scope, b"accept-language"))
    detail = {"detail": said(refusal.sentence, language)}
    body = json.dumps(detail, ensure_ascii=False).encode()
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]
    if wait:
        headers.append((b"retry-after", str(int(wait) + 1).encode()))
    start = {"type": "http.response.start", "status": refusal.status}
    await send({**start, "headers": headers})
    await send({"type": "http.response.body", "body": body})
