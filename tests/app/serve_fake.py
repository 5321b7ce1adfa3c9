"""Serve the page over stand-ins: ``python -m tests.app.serve_fake PORT [SECONDS] [N]``.

SECONDS is what one decoding step takes; the text is repeated N times.
"""

import sys

from app.server import leave, serve
from app.settings import Settings
from tests.fakes import TEXT, FakeGenerator, FakeShelf


def main() -> None:
    port, *rest = sys.argv[1:]
    step_seconds = float(rest[0]) if rest else 0.02
    repeats = int(rest[1]) if len(rest) > 1 else 1
    generator = FakeGenerator(text=TEXT * repeats, step_seconds=step_seconds)
    serve(Settings(port=int(port)), FakeShelf(generator))
    leave()


if __name__ == "__main__":
    main()
