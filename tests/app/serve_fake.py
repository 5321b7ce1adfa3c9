"""Serve the page over stand-ins: ``python -m tests.app.serve_fake PORT [SECONDS]``.

SECONDS is what one decoding step takes.
"""

import sys

from app.server import serve
from app.settings import Settings
from tests.fakes import FakeGenerator, FakeShelf


def main() -> None:
    port, *rest = sys.argv[1:]
    step_seconds = float(rest[0]) if rest else 0.02
    generator = FakeGenerator(step_seconds=step_seconds)
    serve(Settings(port=int(port)), FakeShelf(generator))


if __name__ == "__main__":
    main()
