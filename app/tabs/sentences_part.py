"""A part of the sentences tab as values: what it asks, draws and fills in.

Changes when all its parts are laid out or asked in another way. Knows no task.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import gradio as gr
from gradio.components import Component

from app import views
from app.controls import control
from app.panel import Panel
from app.shelf import Shelf
from app.tabs.layout import (
    examples_list,
    fill_on_click,
    how_accordion,
    in_columns,
    settings_accordion,
)
from app.tabs.sentences_weights import Part
from app.weights_choice import weights_choice
from app.wiring import WEIGHTS, Buttons, Desk, Display, Form, Question, publish, submit

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

RequestT = TypeVar("RequestT", bound="DataclassInstance")
ResultT = TypeVar("ResultT")
Inputs = dict[str, Component]


def _nothing() -> None:
    """Draw nothing beside the words."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What stands in a part's columns besides its question.

    Attributes:
        task: Begins its elements' ids: ``mp-{task}-view`` …
        weights: Which weights it needs.
        empty: HTML of the view before anything was asked.
        how: What the network does, in words.
        names: What the buttons of its examples say.
        picture: Draws what explains it besides.
        settings: Fields of the request that stand beside the weights.
    """

    task: str
    weights: Part[Any]
    empty: str
    how: str
    names: Sequence[str]
    picture: Callable[[], None] = _nothing
    settings: tuple[str, ...] = ()

    def draw(
        self,
        shelf: Shelf,
        panel: Panel,
        request_type: "type[DataclassInstance]",
        ask: Callable[[], tuple[Inputs, Buttons]],
    ) -> tuple[Inputs, Buttons, gr.HTML, gr.Dataset]:
        """Draw the columns.

        Args:
            shelf: The models.
            panel: Tells when others are ready.
            request_type: Declares the settings.
            ask: Draws the question's side.

        Returns:
            Every input by name, the buttons, the view and the examples.
        """
        (inputs, buttons), shown, examples, more = in_columns(
            ask=ask,
            answer=self._output,
            examples=self._examples,
            more=lambda: self._settings(shelf, panel, request_type),
        )
        return {**inputs, **more}, buttons, shown, examples

    def _output(self) -> gr.HTML:
        shown = gr.HTML(self.empty, elem_id=f"mp-{self.task}-view")
        with how_accordion(f"mp-{self.task}-how"):
            gr.Markdown(views.flowing(self.how))
            self.picture()
        return shown

    def _examples(self) -> gr.Dataset:
        return examples_list(
            f"mp-{self.task}-examples", self.names, elem_classes="mp-examples-list"
        )

    def _settings(
        self, shelf: Shelf, panel: Panel, request_type: "type[DataclassInstance]"
    ) -> Inputs:
        with settings_accordion(f"mp-{self.task}-settings"):
            drawn = {name: control(request_type, name) for name in self.settings}
            drawn[WEIGHTS] = weights_choice(shelf, panel, self.weights.role)
        return drawn


@dataclass(frozen=True, slots=True)
class SentencePart(Generic[RequestT, ResultT]):
    """A part whose public question is what its form asks.

    Attributes:
        columns: How it is laid out.
        question: What it asks of a shelf's models.
        ask: Draws the question's side.
        stream: Draws a result while it grows.
        settle: Draws it at the end.
        rows: What its examples fill in.
    """

    columns: Columns
    question: Callable[[Shelf], Question[RequestT, ResultT]]
    ask: Callable[[], tuple[Inputs, Buttons]]
    stream: Callable[[ResultT | None], str]
    settle: Callable[[ResultT | None], str]
    rows: Sequence[Mapping[str, Any]]

    def build(self, shelf: Shelf, desk: Desk, panel: Panel) -> None:
        """Lay out the part and join it to the demo."""
        asked = self.question(shelf)
        self.columns.weights.follow(shelf, panel)
        inputs, buttons, shown, examples = self.columns.draw(
            shelf, panel, asked.request_type, self.ask
        )
        form = Form(asked, inputs)
        display = Display(shown, gr.State(None), self.stream, self.settle, {})
        publish(desk, asked)
        submit(desk, form, buttons, display)
        fill_on_click(form, examples, self.rows, f"{asked.name}_example")
