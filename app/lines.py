"""Which questions wait in a line of their own, and how many of them compute at once.

Changes when one kind of question should no longer keep another waiting. Knows endpoints
by name, no task and no component.

Texts are written in step, so ten at once take little longer than one. Whole texts are
not read so: four at once take four times as long, the largest ten of them would miss
the limit of a request one and all, and each keeps its memory meanwhile (300 MB for the
triples in 20,000 characters). So fewer of those compute at once; the others of their
kind wait, told their place, and nobody who writes waits behind them.
"""

READING_QUEUE = "reading"
READERS = frozenset({"answer", "extract_triples", "nearest"})
SLOTS_PER_READER = 3


def readers_for(slots: int) -> int:
    """Return how many readers compute at once, beside so many others."""
    return -(-slots // SLOTS_PER_READER)
