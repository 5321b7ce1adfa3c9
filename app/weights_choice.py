"""The choice of weights on a tab: automatic, or one of those that are ready.

Changes when weights are offered differently. Knows no task.
"""

from typing import Any

import gradio as gr

from app.controls import offering, words_of
from app.panel import Panel
from app.shelf import AUTO, Shelf, able_of
from demos.limits import Label
from model_core.interfaces import Role

AUTO_WEIGHTS = ("自动 · auto", AUTO)
LABEL = Label(
    "由谁来答", "Weights", "就绪的权重；自动则由页面挑", "those ready; auto picks"
)


def weights_choice(shelf: Shelf, panel: Panel, role: Role[Any]) -> gr.Dropdown:
    """Return a dropdown of the weights that are ready and can play a part.

    It keeps itself up to date as the panel changes; what was chosen stays chosen as
    long as it is there.
    """
    choice = gr.Dropdown(choices_for(shelf, role), value=AUTO, **words_of(LABEL))
    name = f"{role.name}_weights_{choice._id}"  # noqa: SLF001
    panel.follow(name, lambda chosen: offered(shelf, role, chosen), [choice], choice)
    return choice


def offered(shelf: Shelf, role: Role[Any], chosen: object) -> Any:
    """Return the update that offers what can be chosen now.

    Args:
        shelf: The models.
        role: The part.
        chosen: What is chosen, straight from the visitor.
    """
    return offering(choices_for(shelf, role), chosen)


def choices_for(shelf: Shelf, role: Role[Any]) -> list[tuple[str, str]]:
    """Return title and name of what can be chosen now, automatic first."""
    able = able_of(shelf, role)
    return [AUTO_WEIGHTS, *((state.title, state.name) for state in able)]
