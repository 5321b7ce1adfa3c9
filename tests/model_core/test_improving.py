"""What is said about an engine that cannot be had: its cause, once."""

import pytest

from model_core.engines import improving
from model_core.engines.failures import EngineUnavailableError
from model_core.engines.improving import ImprovingEngine, say_once
from model_core.engines.native.compiler import NativeUnavailableError


class Answering:
    """An engine that has a name."""

    network, heads, device = None, (), "cpu"

    def __init__(self, name="keras"):
        self.name = name


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch):
    monkeypatch.setattr(improving, "_said", set())


def test_a_cause_is_said_once_whatever_came_of_it(caplog):
    say_once(NativeUnavailableError("no C compiler"), "keras goes on answering")
    say_once(NativeUnavailableError("no C compiler"), "keras answers")
    say_once(EngineUnavailableError("no C compiler"), "openvino answers instead")
    say_once(NativeUnavailableError("no room"), "keras answers")
    assert caplog.messages == [
        "no C compiler; keras goes on answering",
        "no room; keras answers",
    ]


def test_networks_that_lack_the_same_engine_say_so_once_and_what_helps(caplog):
    def refuse(before):
        raise NativeUnavailableError("no C compiler")

    for name in ("keras-numpy", "keras-numpy of titles"):
        assert ImprovingEngine(Answering(name), (refuse,), " (do this)").wait(30)
    assert caplog.messages == ["no C compiler; keras-numpy goes on answering (do this)"]
