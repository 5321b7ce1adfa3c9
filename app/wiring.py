"""Join Gradio components and endpoints to a demo: the only place that calls a handler.

Changes when the way from a click or an HTTP call to a demo changes. Knows no task.
"""

import html
import inspect
import logging
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, Field, dataclass, fields
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, get_type_hints

import gradio as gr
from gradio.components import Component

from app.controls import EMPTY_NUMBER
from app.language import language_of, said
from app.lines import READERS, READING_QUEUE, readers_for
from app.runs import Runs
from app.shelf import AUTO
from demos.errors import DemoError
from demos.limits import Advice, Label, Length, advice_of
from model_core.interfaces import Language, ModelError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

RequestT = TypeVar("RequestT", bound="DataclassInstance")
ResultT = TypeVar("ResultT")
FrameT = TypeVar("FrameT")

log = logging.getLogger(__name__)

MODEL_QUEUE = "model"  # all questions wait here, but for those of app.lines
WEIGHTS = "weights"  # the trailing input of every question
WEIGHTS_LENGTH = Length(1, 200)
WEIGHTS_LABEL = Label("权重", "Weights")
TITLES: dict[Language, str] = {"zh": "没能完成", "en": "Not done"}
UNEXPECTED: dict[Language, str] = {
    "zh": "出了意外，已记入日志；请再试一次。",
    "en": "Something unexpected happened and was logged: please try again.",
}


@dataclass(frozen=True, slots=True)
class Question(Generic[RequestT, ResultT]):
    """One public question: its name, its inputs, and how it is answered.

    Attributes:
        name: Of the endpoint, without the slash.
        description: For those who read the API's page.
        request_type: Its fields are the endpoint's inputs, before ``weights``.
        answer: From a request and weights to whole results so far, None while the
            weights load; a generator, so that Stop can close it.
        as_json: What an HTTP client receives; takes None while the weights load.
        num_tokens: How many tokens a result holds so far.
        seconds: How long it may compute; None for the limit of a request.
    """

    name: str
    description: str
    request_type: type[RequestT]
    answer: Callable[[RequestT, str], Iterator[ResultT | None]]
    as_json: Callable[[ResultT | None], dict[str, Any]]
    num_tokens: Callable[[ResultT], int]
    seconds: float | None = None

    @property
    def advice(self) -> Advice:
        """What to lower where it takes too long."""
        return advice_of(self.request_type)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs, in the order of the endpoint."""
        return (*(field.name for field in fields(self.request_type)), WEIGHTS)

    def frames(self, values: Sequence[Any]) -> Generator[ResultT | None, None, None]:
        """Check the values, then yield whole results so far.

        Args:
            values: One per input, straight from the visitor.

        Raises:
            InvalidRequestError: A value lies outside its declared limit.
        """
        *of_request, weights = values
        names = self.inputs[:-1]
        request = self.request_type(**dict(zip(names, of_request, strict=True)))
        WEIGHTS_LENGTH.check(WEIGHTS_LABEL, weights)
        yield from self.answer(request, weights)


class Askable(Protocol[FrameT]):
    """What a form fills and a desk asks: a question, or a whole file of them."""

    @property
    def name(self) -> str:
        """Of its listeners."""
        ...

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs, in order."""
        ...

    @property
    def num_tokens(self) -> Callable[[FrameT], int]:
        """How many tokens a result holds so far."""
        ...

    @property
    def seconds(self) -> float | None:
        """How long it may compute; None for the limit of a request."""
        ...

    @property
    def advice(self) -> Advice:
        """What to lower where it takes longer."""
        ...

    def frames(self, values: Sequence[Any]) -> Generator[FrameT | None, None, None]:
        """Check one value per input, then yield whole results so far."""
        ...


@dataclass(frozen=True, slots=True)
class Form:
    """The components that fill one question's inputs, by name."""

    question: Askable[Any]
    components: Mapping[str, Component]

    def __post_init__(self) -> None:
        """Refuse a form that forgets an input or invents one."""
        declared = set(self.question.inputs)
        if declared != self.components.keys():
            message = (
                f"/{self.question.name} takes {sorted(declared)}, "
                f"but the form has {sorted(self.components)}"
            )
            raise TypeError(message)

    @property
    def ordered(self) -> list[Component]:
        """The components in the order of the endpoint's inputs."""
        return [self.components[name] for name in self.question.inputs]

    def given(self, values: Sequence[Any]) -> list[Any]:
        """Return the page's values as the question takes them: no number is None."""
        return [
            None if value == EMPTY_NUMBER and isinstance(drawn, gr.Number) else value
            for drawn, value in zip(self.ordered, values, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Desk:
    """Where every question is asked, from the page or over HTTP.

    Attributes:
        runs: The rules that hold for every run.
        slots: How many run at once.
    """

    runs: Runs
    slots: int

    @property
    def queue(self) -> dict[str, Any]:
        """Which queue a listener joins, as gradio names it."""
        return {"concurrency_id": MODEL_QUEUE, "concurrency_limit": self.slots}

    def queue_of(self, name: str) -> dict[str, Any]:
        """Which queue the listeners of a question join, by the question's name."""
        if name not in READERS:
            return self.queue
        limit = readers_for(self.slots)
        return {"concurrency_id": READING_QUEUE, "concurrency_limit": limit}

    def ask(
        self, question: Askable[FrameT], values: Sequence[Any]
    ) -> Iterator[FrameT | None]:
        """Yield whole results so far, under the rules of every run."""

        def num_tokens(result: FrameT | None) -> int:
            return 0 if result is None else question.num_tokens(result)

        frames = question.frames(values)
        return self.runs.watch(
            question.name,
            frames,
            num_tokens,
            seconds=question.seconds,
            advice=question.advice,
        )


def publish(desk: Desk, question: Question[RequestT, ResultT]) -> None:
    """Publish a question as an HTTP endpoint that streams JSON."""

    def respond(request: gr.Request, *values: Any) -> Iterator[dict[str, Any]]:
        with told(language_of(request.headers.get("accept-language")), str):
            for result in desk.ask(question, values):
                yield question.as_json(result)

    signature = signature_of(question)
    respond.__signature__ = signature  # type: ignore[attr-defined]
    respond.__annotations__ = {
        name: parameter.annotation for name, parameter in signature.parameters.items()
    }
    gr.api(
        respond,
        api_name=question.name,
        api_description=question.description,
        **desk.queue_of(question.name),
    )


def signature_of(question: Question[Any, Any]) -> inspect.Signature:
    """Return the endpoint's signature: the request's fields, then weights."""
    hints = get_type_hints(question.request_type)
    visitor = inspect.Parameter(
        "request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=gr.Request
    )
    asked = [
        _parameter(field.name, _default(field), hints[field.name])
        for field in fields(question.request_type)
    ]
    return inspect.Signature(
        [visitor, *asked, _parameter(WEIGHTS, AUTO, str)],
        return_annotation=dict[str, Any],
    )


def _parameter(name: str, default: Any, annotation: Any) -> inspect.Parameter:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def _default(field: "Field[Any]") -> Any:
    return inspect.Parameter.empty if field.default is MISSING else field.default


@dataclass(frozen=True, slots=True)
class Buttons:
    """What starts and what ends a run."""

    run: gr.Button
    stop: gr.Button

    def idle(self) -> list[Any]:
        """Updates for the two while nothing runs."""
        return [gr.update(interactive=True), gr.update(interactive=False)]

    def busy(self) -> list[Any]:
        """Updates for the two while something runs."""
        return [gr.update(interactive=False), gr.update(interactive=True)]


@dataclass(frozen=True, slots=True)
class Display(Generic[ResultT]):
    """Where results appear.

    Attributes:
        view: The component that shows a result.
        shown: Keeps the last result on the server, for what is done with it next.
        stream: Draws a result that is still growing, or None while weights load;
            light, as it is drawn many times a second.
        settle: Draws the last result at the end of a run, with everything one can do;
            None where there has never been one.
        after: Components that change once there is a result, and their updates.
    """

    view: Component
    shown: gr.State
    stream: Callable[[ResultT | None], Any]
    settle: Callable[[ResultT | None], Any]
    after: Mapping[Component, Callable[[ResultT], Any]]


def submit(desk: Desk, form: Form, buttons: Buttons, display: Display[Any]) -> None:
    """Run the form's question on a click, show what it yields, stop on a click."""
    question = form.question
    pair = [buttons.run, buttons.stop]
    after = list(display.after)
    ending = [*pair, display.view, *after]

    def respond(request: gr.Request, *values: Any) -> Iterator[tuple[Any, Any]]:
        with told(language_of(request.headers.get("accept-language")), html.escape):
            for result in desk.ask(question, form.given(values)):
                kept = gr.skip() if result is None else result
                yield display.stream(result), kept

    def settle(shown: Any) -> list[Any]:
        changes = [
            gr.skip() if shown is None else change(shown)
            for change in display.after.values()
        ]
        return [*buttons.idle(), display.settle(shown), *changes]

    def named(step: str) -> dict[str, Any]:
        return {"api_name": f"{question.name}_{step}", "api_visibility": "private"}

    begun = buttons.run.click(buttons.busy, None, pair, queue=False, **named("begin"))
    run = begun.then(
        respond,
        form.ordered,
        [display.view, display.shown],
        preprocess=False,  # the request checks its values, in the visitor's language
        show_progress="minimal",
        **desk.queue_of(question.name),
        **named("run"),
    )
    at_the_end = (settle, display.shown, ending)
    run.success(*at_the_end, queue=False, **named("done"))
    run.failure(*at_the_end, queue=False, **named("failed"))  # then() is not called
    buttons.stop.click(*at_the_end, cancels=[run], queue=False, **named("stop"))


@contextmanager
def told(language: Language, escape: Callable[[str], str]) -> Iterator[None]:
    """Turn what goes wrong into one sentence for the visitor.

    Args:
        language: The visitor's.
        escape: What their side needs; a toast renders HTML.
    """
    try:
        yield
    except (DemoError, ModelError) as error:
        raise _toast(escape(error.text(language)), language) from error
    except Exception as error:
        log.exception("a request failed unexpectedly")
        raise _toast(said(UNEXPECTED, language), language) from error


def _toast(sentence: str, language: Language) -> gr.Error:
    return gr.Error(sentence, title=said(TITLES, language), print_exception=False)
