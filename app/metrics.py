"""What is counted, and its Prometheus text. Knows no page and no route.

Changes when something else is worth counting.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client import generate_latest as as_text

from demos.errors import DemoError
from model_core.interfaces import ModelError, ModelState, ModelStatus

FIRST_TEXT_BUCKETS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0, 60.0)


class DeadlineError(DemoError):
    """A request computed for as long as one may."""


OUTCOMES: tuple[tuple[type[BaseException], str], ...] = (
    (GeneratorExit, "cancelled"),
    (DeadlineError, "deadline"),
    (DemoError, "refused"),
    (ModelError, "model_error"),
    (BaseException, "failed"),
)


@dataclass(slots=True)
class Run:
    """One request on its way: what it has shown so far."""

    started: float = field(default_factory=monotonic)
    num_tokens: int = 0
    first_text_seconds: float | None = None

    def saw(self, num_tokens: int) -> None:
        """Note how many tokens a frame holds."""
        if num_tokens and self.first_text_seconds is None:
            self.first_text_seconds = monotonic() - self.started
        self.num_tokens = max(self.num_tokens, num_tokens)


class Metrics:
    """The counters of one server."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._scrape = threading.Lock()
        self._requests = Counter(
            "maskplay_requests",
            "Requests that reached a demo, by how they ended.",
            ("endpoint", "outcome"),
            registry=registry,
        )
        self._turned_away = Counter(
            "maskplay_turned_away",
            "HTTP requests refused before any demo, by reason.",
            ("reason",),
            registry=registry,
        )
        self._running = Gauge(
            "maskplay_running", "Requests computing now.", registry=registry
        )
        self._queue = Gauge(
            "maskplay_queue", "Requests waiting for a slot.", registry=registry
        )
        self._tokens = Counter(
            "maskplay_generated_tokens", "Tokens generated.", registry=registry
        )
        self._first_text = Histogram(
            "maskplay_first_text_seconds",
            "From the start of a request to its first text.",
            buckets=FIRST_TEXT_BUCKETS,
            registry=registry,
        )
        self._models = Gauge(
            "maskplay_model_state",
            "1 for the state that a model is in.",
            ("model", "state"),
            registry=registry,
        )

    @contextmanager
    def run(self, endpoint: str) -> Iterator[Run]:
        """Count one request from its start to its end, however it ends."""
        run = Run()
        outcome = "ok"
        self._running.inc()
        try:
            yield run
        except BaseException as error:
            outcome = outcome_of(error)
            raise
        finally:
            self._running.dec()
            self._requests.labels(endpoint, outcome).inc()
            self._tokens.inc(run.num_tokens)
            if run.first_text_seconds is not None:
                self._first_text.observe(run.first_text_seconds)

    def turned_away(self, reason: str) -> None:
        """Count one HTTP request refused at the door."""
        self._turned_away.labels(reason).inc()

    def text(self, states: Iterable[ModelState], queue_length: int) -> bytes:
        """Return the Prometheus text, with the models and the queue as they are now."""
        with self._scrape:
            self._queue.set(queue_length)
            self._models.clear()
            for state in states:
                for status in get_args(ModelStatus):
                    value = float(state.status == status)
                    self._models.labels(state.name, status).set(value)
            return as_text(self._registry)


def outcome_of(error: BaseException) -> str:
    """Name how a request ended."""
    return next(name for kind, name in OUTCOMES if isinstance(error, kind))
