"""Where recipes cut a text: into sentences and into clauses.

Changes when a cut is placed elsewhere. Both cuts lose nothing: the parts joined are
the text.
"""

import re

from demos.summary import clauses

SENTENCE_MARKS = "。！？!?"
CLOSING_MARKS = "”’」』）》】)"  # of the sentence before them, where tokens are cut
# A half-width stop ends a sentence only after a Han character: numbers keep theirs.
_SENTENCE_END = re.compile(
    rf"[{SENTENCE_MARKS}\n]+|(?<=[\u3400-\u9fff])\.(?![\da-zA-Z])"
)


def cut_sentences(text: str) -> list[str]:
    """Return a text's sentences, each with the marks that end it."""
    parts, start = [], 0
    for end in _SENTENCE_END.finditer(text):
        parts.append(text[start : end.end()])
        start = end.end()
    return [*parts, text[start:]] if start < len(text) else parts


def cut_clauses(text: str) -> list[str]:
    """Return a text's clauses as the summary's page cuts them."""
    return [clause.text for clause in clauses.cut_clauses(text)]
