"""The routes that machines ask: /healthz, /readyz, /metrics.

Changes when an orchestrator or a monitor asks something else. Knows no gradio.
"""

from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.metrics import Metrics
from app.shelf import Shelf


def health_routes(
    shelf: Shelf, metrics: Metrics, queue_length: Callable[[], int]
) -> list[Route]:
    """Return the routes, over a shelf and counters that live elsewhere."""

    def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    def readyz(_request: Request) -> Response:
        readiness = shelf.readiness()
        answer = {"ready": readiness.ready, "zh": readiness.zh, "en": readiness.en}
        return JSONResponse(answer, status_code=200 if readiness.ready else 503)

    def scrape(_request: Request) -> Response:
        text = metrics.text(shelf.states(), queue_length())
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", scrape),
    ]
