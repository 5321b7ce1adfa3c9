"""Every task of the house, a line each: what the terminal and the file tab read.

Changes when a task is added. Knows how a task is asked, never how it is answered.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

from demos.generation import record as generation_record
from demos.generation.task import GenerationRequest, GenerationResult, generate
from demos.limits import Label
from model_core.interfaces import ModelState, TextGenerator

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

RequestT = TypeVar("RequestT", bound="DataclassInstance")
ResultT = TypeVar("ResultT")

Role = Literal["text_generator"]


class Shelf(Protocol):
    """What a terminal needs of the shelf that holds the models."""

    def states(self) -> tuple[ModelState, ...]:
        """Return where every model is on its way."""
        ...

    def text_generator(
        self, weights: str = "auto", *, timeout_seconds: float = 60.0
    ) -> TextGenerator:
        """Load if need be and wait for a model that continues texts.

        Raises:
            ModelError: ``not_ready`` when the time is up, or why it cannot be had.
        """
        ...

    def close(self) -> None:
        """Release what is held."""
        ...


@dataclass(frozen=True, slots=True)
class Task(Generic[RequestT, ResultT]):
    """One question that can be asked from a page, a terminal or a file.

    Attributes:
        name: As in ``python -m demos NAME`` and in the name of its tab's module.
        label: For people.
        request_type: Frozen dataclass that checks itself; its fields are the options.
        text_field: The field that TEXT, or a line of a .txt file, fills.
        role: The shelf's method that hands out the model.
        run: Yields whole results so far.
        to_record: The last result as JSON values.
        added_fields: What ``to_record`` returns beyond the request's fields.
        render_text: A result for a person; later results extend the text.
    """

    name: str
    label: Label
    request_type: type[RequestT]
    text_field: str
    role: Role
    run: Callable[[RequestT, Any], Iterator[ResultT]]
    to_record: Callable[[ResultT], dict[str, object]]
    added_fields: tuple[str, ...]
    render_text: Callable[[ResultT], str]


AnyTask = Task[Any, Any]

GENERATION: Task[GenerationRequest, GenerationResult] = Task(
    name="generation",
    label=Label("文本续写", "Generation", "接着开头往下写", "continue a text"),
    request_type=GenerationRequest,
    text_field="prompt",
    role="text_generator",
    run=generate,
    to_record=generation_record.to_record,
    added_fields=generation_record.ADDED_FIELDS,
    render_text=generation_record.render_text,
)

TASKS: dict[str, AnyTask] = {task.name: task for task in (GENERATION,)}
