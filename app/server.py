"""Serve the page until a signal: bind, guard, launch, announce, close.

Changes when the way the server starts or ends changes. Knows no task.
"""

import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

from gradio.route_utils import FnIndexInferError
from gradio.tunneling import CURRENT_TUNNELS
from starlette.middleware import Middleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.batch import MAX_BYTES as FILE_BYTES
from app.guards import Guard, RateLimit, Rules
from app.health import health_routes
from app.metrics import Metrics
from app.one_app import without_applications
from app.page import LOGO, STYLES, TITLE, build_page, script, theme
from app.runs import RunLimits, Runs
from app.settings import Settings
from app.shelf import Shelf
from app.visits import light_visits
from app.wiring import Desk
from demos.qa.facts_file import MAX_BYTES

GRACE_SECONDS = 1  # for requests, and then for connections, that are open at the end
DELIVERY_SECONDS = 0.3  # for the last sentence to reach those who were waiting
FORM_BYTES = 10_000  # what a form adds to the file in it
ESCAPED = 3  # bytes of ASCII JSON for one of UTF-8, at most: \u00e9, \ud83d\ude00
BODY_BYTES = ESCAPED * (FILE_BYTES + FORM_BYTES)  # a list as text, as large as a file
SPARE_THREADS = 16  # for lessons, for the panel and for clicks that wait for nobody
SPARE_SIZE = 8  # of gradio's own queue, so that the guard's sentence comes first
LOOPBACK = "127.0.0.1,localhost,::1"


class PortError(Exception):
    """The address cannot be bound; the message is for the person."""


def serve(settings: Settings, shelf: Shelf) -> None:
    """Serve until SIGINT or SIGTERM, then close in good order.

    Raises:
        PortError: Something else listens there, or the address is not this machine's.
    """
    end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: end.set())
    server = Server(settings, shelf)
    sys.stdout.write(f"{TITLE}  {server.start()}\n")
    sys.stdout.flush()
    end.wait()
    server.close()


def leave() -> NoReturn:
    """End the process at once, with status 0.

    The interpreter's own end would wait for the framework's threads, which may be in
    the middle of loading, and take seconds to collect its modules.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


class Server:
    """The page behind its guards, on one port.

    Args:
        settings: Where and how.
        shelf: The models; started once the page answers.
    """

    def __init__(self, settings: Settings, shelf: Shelf) -> None:
        self._settings = settings
        self._shelf = shelf
        self._metrics = Metrics()
        limits = RunLimits(deadline_seconds=settings.deadline_seconds)
        self._runs = Runs(self._metrics, limits)
        self._folder = TemporaryDirectory(prefix="maskplay-")
        os.environ["GRADIO_TEMP_DIR"] = self._folder.name  # read when a page is built
        with without_applications():
            self._page = build_page(shelf, Desk(self._runs, settings.slots))
            queue_size = settings.queue_size + SPARE_SIZE
            self._page.queue(max_size=queue_size, api_open=False)

    def start(self) -> str:
        """Bind, serve in a thread, begin to load the models; return the address."""
        settings = self._settings
        port = free_port(settings.host, settings.port)
        loopback_without_proxy()
        with light_visits():
            _, local, public = self._page.launch(
                server_name=settings.host,
                server_port=port,
                share=settings.share,
                max_threads=threads_for(settings.slots),
                app_kwargs={"routes": self._routes(), "middleware": self._middleware()},
                **appearance(),
                **HARDENED,
            )
        self._page.server.config.timeout_graceful_shutdown = GRACE_SECONDS
        gc.freeze()  # the page and its modules live as long as the process
        gc.enable()
        self._shelf.start()
        return "  ".join(filter(None, (local, public)))

    def close(self) -> None:
        """Stop accepting, end running requests, release the models."""
        self._runs.stop(GRACE_SECONDS)
        time.sleep(DELIVERY_SECONDS)
        for tunnel in CURRENT_TUNNELS:
            tunnel.kill()
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        self._page.close(verbose=False)
        self._shelf.close()
        self._folder.cleanup()

    def queue_length(self) -> int:
        """Return how many requests wait."""
        return len(self._page._queue)  # noqa: SLF001  gradio publishes no other way

    def _routes(self) -> list[Any]:
        return list(health_routes(self._shelf, self._metrics, self.queue_length))

    def _middleware(self) -> list[Middleware]:
        settings = self._settings
        rules = Rules(
            rate_limit=RateLimit(settings.requests_per_minute),
            queue_is_full=lambda: self.queue_length() >= settings.queue_size,
            turned_away=self._metrics.turned_away,
            max_body_bytes=BODY_BYTES,
            max_upload_bytes=MAX_BYTES + FORM_BYTES,
            files_folder=self._folder.name,
            unfit=(LookupError, TypeError, ValueError, FnIndexInferError),
        )
        gateways = list(settings.trusted_proxies)
        return [
            Middleware(ProxyHeadersMiddleware, trusted_hosts=gateways),
            Middleware(Guard, rules=rules),
        ]


def appearance() -> dict[str, Any]:
    """Return what decides how the page looks, as gradio's launch takes it."""
    return {
        "theme": theme(),
        "css_paths": list(STYLES),
        "head": script(),
        "favicon_path": str(LOGO),
        "footer_links": ["api"],
    }


HARDENED: dict[str, Any] = {
    "prevent_thread_lock": True,
    "quiet": True,
    "inbrowser": False,
    "show_error": True,
    "ssr_mode": False,
    "enable_monitoring": False,
    "run_history": False,
    "pwa": False,
    "mcp_server": False,
    "allowed_paths": [],
    "max_file_size": MAX_BYTES,
}


def threads_for(slots: int) -> int:
    """Return how many handlers may run at once: of questions, readers, classifications.

    Gradio stops taking what waits, in whatever queue, at so many.
    """
    return 3 * slots + SPARE_THREADS


def free_port(host: str, port: int) -> int:
    """Return the port if it can be bound on this host, a free one for 0.

    Raises:
        PortError: It cannot; says what to do.
    """
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, proto) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return int(probe.getsockname()[1])
    except OSError as error:
        message = (
            f"不能在 {host} 的 {port} 端口上服务（{error.strerror}）。"
            "请用 --port 换一个端口，--port 0 为任选。 / "
            f"Cannot serve on port {port} of {host} ({error.strerror}). "
            "Choose another with --port, or --port 0 for any free one."
        )
        raise PortError(message) from error


def loopback_without_proxy() -> None:
    """Keep gradio's own first request off an HTTP proxy that the machine may use."""
    for name in ("no_proxy", "NO_PROXY"):
        known = os.environ.get(name, "")
        os.environ[name] = f"{known},{LOOPBACK}" if known else LOOPBACK
