"""Which weights answer in the sentences tab, and what is said where nobody can.

Changes when the tab finds its weights in another way.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import gradio as gr

from app import views
from app.panel import Panel
from app.shelf import Shelf, await_able
from app.views import escape
from app.weights_choice import choices_for
from model_core.interfaces import ModelError, ModelFacts, Role

ModelT = TypeVar("ModelT")
RequestT = TypeVar("RequestT")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Part(Generic[ModelT]):
    """A part of the tab that needs weights of its own.

    Attributes:
        task: Its part of the catalogue, and of its elements' ids.
        role: What the weights must be able to play.
        zh: What cannot be done without them.
        en: The same in English.
    """

    task: str
    role: Role[ModelT]
    zh: str
    en: str

    def guide(self, shelf: Shelf) -> tuple[str, str]:
        """Return what to load and how, in both languages."""
        names = "".join(map(named, self._offers(shelf)[:1]))
        zh, en = (f"，例如 {names}", f", such as {names}") if names else ("", "")
        return (
            f"{self.zh}请打开页面上方的“模型 Models”面板，填入这样的权重{zh}，"
            "点“载入 Load”，等它就绪再来。",
            f"{self.en} Open the Models panel at the top of the page, type such weights"
            f"{en}, press Load, and come back when they are ready.",
        )

    def notice(self, shelf: Shelf) -> str:
        """Draw what must be loaded, and how large it is; nothing where it is ready."""
        _auto, *able = choices_for(shelf, self.role)
        if able:
            return ""
        rows = "".join(map(_offer, self._offers(shelf)))
        offers = f'<ul class="mp-sent-offers">{rows}</ul>' if rows else ""
        return views.note(*self.guide(shelf)) + offers

    def follow(self, shelf: Shelf, panel: Panel) -> None:
        """Place the notice, and keep it up to date."""
        notice = gr.HTML(self.notice(shelf), elem_id=f"mp-{self.task}-notice")
        panel.follow(f"{self.task}_notice", lambda: self.notice(shelf), [], notice)

    def await_able(self, shelf: Shelf, weights: str) -> Generator[None, None, ModelT]:
        """Return weights in this part, yielding None while they load.

        ``auto`` is also any weights that are ready and can.

        Raises:
            ModelError: They cannot be had; where they cannot do this, with what to
                load.
        """
        try:
            return (yield from await_able(shelf, self.role, weights))
        except ModelError as error:
            if error.kind != "missing_head":
                raise
            raise ModelError("missing_head", *self.guide(shelf)) from error

    def answering(
        self,
        shelf: Shelf,
        task: Callable[[RequestT, ModelT], Iterator[ResultT]],
    ) -> Callable[[RequestT, str], Iterator[ResultT | None]]:
        """Return what answers a request by weights of this part.

        Args:
            shelf: The models.
            task: From a request and a model to whole results so far.
        """

        def answer(request: RequestT, weights: str) -> Iterator[ResultT | None]:
            model = yield from self.await_able(shelf, weights)
            yield from task(request, model)

        return answer

    def _offers(self, shelf: Shelf) -> list[ModelFacts]:
        return [facts for facts in shelf.catalogue() if self.task in facts.tasks]


def named(facts: ModelFacts) -> str:
    """Return weights by name, with how much comes down where it is known."""
    return f"{facts.name}{f' ({_size(facts)})' if facts.disk_bytes else ''}"


def _offer(facts: ModelFacts) -> str:
    known: list[Any] = [facts.title, _size(facts), facts.license, facts.note]
    told = " · ".join(escape(one) for one in known if one)
    return f"<li><code>{escape(facts.name)}</code> <span>{told}</span></li>"


def _size(facts: ModelFacts) -> str:
    return views.size(facts.disk_bytes) if facts.disk_bytes else ""
