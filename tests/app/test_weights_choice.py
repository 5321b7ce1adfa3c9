"""The weights that a tab offers: those ready that can play its part."""

import pytest

from app.weights_choice import AUTO_WEIGHTS, choices_for, offered
from model_core.interfaces import SUMMARIZER, TEXT_GENERATOR, ModelError
from tests.fakes import FakeShelf

HUB = "uer/gpt2-distil"


class Choosy(FakeShelf):
    """Its hub weights only continue texts; keeps what it was asked for."""

    def model(self, role, weights="auto", *, timeout_seconds=60.0):
        self.asked = [*getattr(self, "asked", ()), (weights, timeout_seconds)]
        if weights == HUB and role is not TEXT_GENERATOR:
            raise ModelError("missing_head", "不会。", "Cannot.")
        return super().model(role, weights)


def names(choices):
    return [name for _, name in choices]


def test_only_weights_that_can_play_the_part_are_offered():
    shelf = Choosy(loaded=["embedded", HUB])
    assert names(choices_for(shelf, TEXT_GENERATOR)) == ["auto", "embedded", HUB]
    assert names(choices_for(shelf, SUMMARIZER)) == ["auto", "embedded"]


def test_only_what_is_ready_is_asked_and_nobody_waits():
    shelf = Choosy(loaded=["embedded"])
    choices_for(shelf, SUMMARIZER)
    assert shelf.asked == [("embedded", 0)]
    assert choices_for(FakeShelf(loaded=[]), SUMMARIZER) == [AUTO_WEIGHTS]


@pytest.mark.parametrize(
    ("chosen", "kept"),
    [("embedded", "embedded"), (HUB, "auto"), (None, "auto"), (["embedded"], "auto")],
)
def test_a_choice_stays_as_long_as_it_is_there(chosen, kept):
    assert offered(FakeShelf(), SUMMARIZER, chosen)["value"] == kept
