"""``python -m demos TASK``: every task from a terminal. Composes, and knows no task.

Changes when the shelf is put together in another way.
"""

import io
import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as app says; before numpy
from demos.tasks import Shelf
from demos.terminal.arguments import Weights
from demos.terminal.session import PIPE_CLOSED, Streams, run


def open_shelf(weights: Weights) -> Shelf:
    """Return the shelf that holds the models; imported now, so that help is instant."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # else it talks into the answer
    from model_core.shelf import ModelShelf, ShelfSettings  # noqa: PLC0415

    return ModelShelf(
        ShelfSettings(
            weights=weights.name,
            engine=weights.engine,
            offline=weights.offline,
            allow_local=True,
            rehearse=False,
        )
    )


def main() -> int:
    """Run the command line on the process's own streams."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        encoding = sys.stdout.encoding if sys.stdout.isatty() else "utf-8"
        sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")
    status = run(sys.argv[1:], open_shelf, Streams())
    if status == PIPE_CLOSED:  # or the interpreter complains when it flushes
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status


if __name__ == "__main__":
    sys.exit(main())
