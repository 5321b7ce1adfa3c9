"""Answer a question from a base of facts: every answer stands in the base.

Changes when the question put to the base changes. Knows no page, no file, no network.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Protocol

from demos import limits
from demos.limits import Label, Length, Range
from demos.qa.facts_base import KnowledgeBase
from model_core.interfaces import (
    FactFinder,
    FactKey,
    FactTree,
    WeightsInfo,
)

BASE_LABEL = Label(
    "知识库", "Base", "留空为示例库，否则为建好的库的编号", "empty is the sample base"
)
QuestionText = Annotated[
    str,
    Length(1, 200),
    Label("问题", "Question", "问谁的什么", "about a subject and one of its facts"),
]
NumReturn = Annotated[
    int, Range(1, 10), Label("候选数", "Candidates", "给出几条", "how many to return")
]


class Asked(Protocol):
    """A question to a base, wherever the base comes from."""

    @property
    def question(self) -> str:
        """What is asked."""
        ...

    @property
    def num_return(self) -> int:
        """How many facts are wanted."""
        ...


@dataclass(frozen=True, slots=True)
class FactsRequest:
    """A question to a base of facts that a page knows by its id.

    Raises:
        InvalidRequestError: A field lies outside its declared limit.
    """

    ADVICE: ClassVar = (
        "请稍后再试，或换小一些的知识库",
        "try again in a while, or use a smaller base",
    )

    question: QuestionText
    num_return: NumReturn = 3
    base: Annotated[str, Length(0, 64), BASE_LABEL] = ""

    def __post_init__(self) -> None:
        """Check the declared limits."""
        limits.check(self)


@dataclass(frozen=True, slots=True)
class MatchedFact:
    """One key that the question was led to, with all that the base says there.

    Attributes:
        key: Subject, predicate and meaning.
        subject: As the base writes it, the meaning in brackets.
        objects: All objects of the key.
        probability: Of the key among all keys, 0..1.
    """

    key: FactKey
    subject: str
    objects: tuple[str, ...]
    probability: float


@dataclass(frozen=True, slots=True)
class BaseFacts:
    """What a base weighs.

    Attributes:
        name: For people.
        num_triples: Different triples.
        num_duplicates: Triples dropped because they stood there already.
        num_keys: Subjects with one of their predicates.
        num_nodes: Of the prefix tree.
        base_bytes: Of the base's arrays.
        tree_bytes: Of the tree's arrays.
        build_seconds: Reading and building together.
    """

    name: str
    num_triples: int
    num_duplicates: int
    num_keys: int
    num_nodes: int
    base_bytes: int
    tree_bytes: int
    build_seconds: float


@dataclass(frozen=True, slots=True)
class FactsResult:
    """What came of one question.

    Attributes:
        request: What was asked.
        matches: Best first.
        elapsed_seconds: Since the question reached the model.
        weights: Which weights answered.
        base: What was asked from.
    """

    request: Asked
    matches: tuple[MatchedFact, ...]
    elapsed_seconds: float
    weights: WeightsInfo
    base: BaseFacts


def facts_of(
    name: str, base: KnowledgeBase, tree: FactTree, build_seconds: float
) -> BaseFacts:
    """Return what a base and its tree weigh."""
    return BaseFacts(
        name=name,
        num_triples=base.num_triples,
        num_duplicates=base.num_duplicates,
        num_keys=base.num_keys,
        num_nodes=tree.num_nodes,
        base_bytes=base.size_bytes,
        tree_bytes=tree.size_bytes,
        build_seconds=build_seconds,
    )


def answer_facts(
    request: Asked,
    finder: FactFinder,
    base: KnowledgeBase,
    tree: FactTree,
    facts: BaseFacts,
) -> FactsResult:
    """Return the facts that the question most probably asks for.

    Args:
        request: What is asked.
        finder: Leads the question to keys.
        base: Where the answers stand.
        tree: The finder's own, of the base's keys.
        facts: What the base weighs.

    Raises:
        ModelError: The model cannot answer.
    """
    found = finder.find(request.question, tree, num_return=request.num_return)
    keys = base.keys
    matches = tuple(
        MatchedFact(
            key=keys[match.index],
            subject=base.subject_of(match.index),
            objects=base.objects_of(match.index),
            probability=match.probability,
        )
        for match in found.matches
    )
    return FactsResult(request, matches, found.elapsed_seconds, found.weights, facts)
