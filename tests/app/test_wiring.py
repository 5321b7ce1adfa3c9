import inspect
import logging
from dataclasses import fields

import gradio as gr
import pytest

from app.metrics import Metrics
from app.runs import Runs
from app.tabs import generation
from app.wiring import UNEXPECTED, Desk, Form, signature_of, told
from demos.errors import InvalidRequestError
from demos.generation.task import GenerationRequest
from model_core.interfaces import ModelError
from tests.fakes import FakeShelf

DEFAULTS = {field.name: field.default for field in fields(GenerationRequest)}


def components(names):
    with gr.Blocks():
        return {name: gr.Textbox() for name in names}


def ask(shelf, *, weights="auto", **values):
    question = generation.question(shelf)
    given = {**DEFAULTS, "prompt": "春", "weights": weights, **values}
    desk = Desk(Runs(Metrics()), slots=1)
    return list(desk.ask(question, [given[name] for name in question.inputs]))


def test_the_endpoints_inputs_are_the_requests_fields_then_weights():
    question = generation.question(FakeShelf())
    assert question.inputs == (*DEFAULTS, "weights")
    visitor, *asked = signature_of(question).parameters.values()
    assert visitor.annotation is gr.Request
    assert {p.name: p.default for p in asked if p.name != "prompt"} == {
        **{name: value for name, value in DEFAULTS.items() if name != "prompt"},
        "weights": "auto",
    }
    assert asked[0].default is inspect.Parameter.empty


def test_a_form_gives_its_components_in_the_endpoints_order():
    question = generation.question(FakeShelf())
    drawn = components(reversed(question.inputs))
    assert Form(question, drawn).ordered == [drawn[name] for name in question.inputs]


def test_a_form_that_forgets_an_input_is_refused_when_the_page_is_built():
    question = generation.question(FakeShelf())
    with pytest.raises(TypeError, match=r"/generate takes \[.*'weights'\], but"):
        Form(question, components(question.inputs[:-1]))


def test_a_number_left_empty_is_none_and_other_values_stay():
    question = generation.question(FakeShelf())
    with gr.Blocks():
        drawn = {name: gr.Textbox() for name in question.inputs}
        drawn["seed"] = gr.Number()
    form = Form(question, drawn)
    values = ["" for _ in question.inputs]
    given = dict(zip(question.inputs, form.given(values), strict=True))
    assert given.pop("seed") is None
    assert set(given.values()) == {""}
    values[question.inputs.index("seed")] = 0
    assert form.given(values) == values


def test_a_question_is_asked_of_the_model_with_every_field():
    shelf = FakeShelf()
    last = ask(shelf, prompt="春风", seed=5, style="散文", max_new_tokens=3)[-1]
    (prompt, options) = shelf.generator.asked[0]
    assert (prompt, options.seed, options.style) == ("春风", 5, "散文")
    assert last.frame.num_new_tokens == 3


@pytest.mark.parametrize("weights", [None, 3, "", " ", "x" * 201, "a\0b", ["auto"]])
def test_weights_are_checked_like_any_field(weights):
    with pytest.raises(InvalidRequestError, match="“权重”"):
        ask(FakeShelf(), weights=weights)


def test_a_visitor_reads_their_own_language():
    for language, sentence in (("zh", "错了"), ("en", "wrong")):
        with pytest.raises(gr.Error) as caught, told(language, str):
            raise InvalidRequestError("错了", "wrong")
        assert caught.value.message == sentence


def test_a_models_failure_is_a_sentence_too():
    with pytest.raises(gr.Error, match="没网"), told("zh", str):
        raise ModelError("offline", "没网", "offline")


def test_anything_else_is_logged_and_not_shown(caplog):
    with (
        caplog.at_level(logging.ERROR),
        pytest.raises(gr.Error) as caught,
        told("en", str),
    ):
        raise RuntimeError("/secret/path")
    assert caught.value.message == UNEXPECTED["en"]
    assert caught.value.print_exception is False
    assert "/secret/path" in caplog.text


class SlowShelf(FakeShelf):
    """Is ready only after having been asked a few times."""

    def model(self, role, weights="auto", *, timeout_seconds=60.0):
        self.known = (*self.known, "asked")
        if len(self.known) < 7:
            raise ModelError("not_ready", "还在加载。", "Still loading.")
        return super().model(role, weights)


def test_a_run_waits_for_its_model_and_says_so():
    shown = ask(SlowShelf(), max_new_tokens=1)
    assert shown[0] is None
    assert shown[-1].frame.num_new_tokens == 1


def test_a_run_that_waits_can_be_stopped():
    question = generation.question(SlowShelf())
    run = question.frames([*{**DEFAULTS, "prompt": "春"}.values(), "auto"])
    assert next(run) is None
    run.close()


class TwoWriters(FakeShelf):
    """Its hub model knows neither styles nor sentiments; its embedded one does."""

    def model(self, role, weights="auto", *, timeout_seconds=60.0):
        generator = super().model(role, weights)
        if weights == "auto":
            return type(generator)(styles=(), conditions=())
        return generator


@pytest.mark.parametrize("wanted", [{"style": "五言绝句"}, {"condition": "负面"}])
def test_auto_takes_the_embedded_model_for_what_the_other_does_not_know(wanted):
    shelf = TwoWriters()
    assert ask(shelf, **wanted)[-1].frame.num_new_tokens
    assert shelf.generator.asked
    shelf.generator.asked.clear()
    ask(shelf)
    assert shelf.generator.asked == []


def test_styles_are_those_of_all_that_auto_may_take():
    offered = dict(generation.styles_of(TwoWriters(), "auto"))
    assert list(offered.values()) == ["", *FakeShelf().generator.styles]
    offered = dict(generation.conditions_of(TwoWriters(), "auto"))
    assert list(offered.values()) == ["", *FakeShelf().generator.conditions]


def test_asking_for_styles_never_makes_a_model_load():
    shelf = FakeShelf(loaded=[])
    assert generation.styles_of(shelf, "uer/gpt2-distil") == [generation.ANY]
    assert generation.styles_of(shelf, "auto") == [generation.ANY]
    for nonsense in (None, 3, ["auto"]):
        assert generation.styles_of(FakeShelf(), nonsense) == [generation.ANY]
