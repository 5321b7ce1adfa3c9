"""Ask a base of facts that is brought along: from a terminal, or a file of questions.

Changes when a question that brings its base may ask something new. The page, which
knows bases by their ids, asks with a FactsRequest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

from demos import limits
from demos.limits import Label
from demos.qa.facts import (
    FactsRequest,
    FactsResult,
    NumReturn,
    QuestionText,
    answer_facts,
)
from demos.qa.facts_file import KINDS
from demos.qa.facts_held import HeldBase
from model_core.interfaces import FactFinder

BROUGHT_LABEL = Label(
    "知识库",
    "Base",
    "三元组文件，整批只建一次；不给就用示例库",
    "a file of triples, built once for all questions; the sample base without it",
)


@dataclass(frozen=True, slots=True)
class BroughtBase:
    """A base that has been read: whoever asks opens the file."""

    @property
    def summary(self) -> str:
        """Kinds of files."""
        return " ".join(KINDS)

    def check(self, label: Label, value: object) -> None:
        """Refuse a base that is only named: a line of a file opens no other file."""
        if not isinstance(value, HeldBase):
            got = limits.shown(value)
            raise label.refuse(
                f"（base）对所有问题只给一次（终端里用 --base FILE），行里不能另给，"
                f"收到 {got}；请删去这一行的 base。",
                f"(base) is given once for all questions (--base FILE in a terminal), "
                f"not by a line, got {got}: remove the line's base.",
            )


@dataclass(frozen=True, slots=True)
class BroughtRequest:
    """A question with the base that it is put to.

    Raises:
        InvalidRequestError: A field lies outside its declared limit.
    """

    ADVICE: ClassVar = FactsRequest.ADVICE

    question: QuestionText
    base: Annotated[HeldBase, BroughtBase(), BROUGHT_LABEL]
    num_return: NumReturn = 3

    def __post_init__(self) -> None:
        """Check the declared limits."""
        limits.check(self)


def answer_brought(
    request: BroughtRequest, finder: FactFinder
) -> Iterator[FactsResult]:
    """Yield the facts that the question most probably asks for.

    The base's prefix tree is built for the first question and kept for the others.

    Raises:
        ModelError: The model cannot answer.
    """
    tree, facts = request.base.tree_of(finder)
    yield answer_facts(request, finder, request.base.base, tree, facts)
