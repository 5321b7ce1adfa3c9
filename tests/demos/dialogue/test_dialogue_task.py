"""A reply asks the model once, with all that was said, and passes its frames on."""

from dataclasses import fields, replace
from itertools import pairwise

import pytest

from demos.dialogue.examples import EXAMPLES, caption
from demos.dialogue.task import DialogueRequest, converse
from demos.errors import InvalidRequestError
from demos.limits import label_of, names_of
from demos.records import request_from
from model_core.interfaces import ModelError
from model_core.interfaces.dialogue import DialogueOptions, Turn
from tests.fake_dialogue_partner import FakeDialoguePartner

BEFORE = [{"speaker": "person", "text": "你好"}, {"speaker": "model", "text": "你好呀"}]


def test_defaults_sample_among_the_five_best():
    assert DialogueRequest("在吗").options == DialogueOptions()
    assert DialogueOptions().top_k == 5
    assert DialogueRequest("在吗").history == []


def test_every_setting_reaches_the_model_under_its_name():
    given = {
        "max_new_tokens": 5,
        "temperature": 0.5,
        "top_k": 3,
        "top_p": 0.7,
        "repetition_penalty": 1.5,
        "num_return": 2,
        "seed": 11,
    }
    assert given.keys() == {f.name for f in fields(DialogueOptions)}
    assert (*names_of(DialogueRequest)[:2], *given) == names_of(DialogueRequest)
    model = FakeDialoguePartner()
    list(converse(DialogueRequest("在吗", BEFORE, **given), model))
    ((turns, options),) = model.asked
    assert options == DialogueOptions(**given)
    assert turns == (
        Turn("person", "你好"),
        Turn("model", "你好呀"),
        Turn("person", "在吗"),
    )


def test_each_result_is_the_whole_so_far():
    request = DialogueRequest("在吗", num_return=2, seed=0)
    results = list(converse(request, FakeDialoguePartner()))
    assert [result.begun for result in results[:3]] == [False, True, True]
    texts = [result.reply.text for result in results]
    assert all(b.startswith(a) for a, b in pairwise(texts))
    assert [result.finished for result in results].index(True) == len(texts) - 1
    assert texts[-1] == "在吗？我也这么想。"


def test_after_a_reply_the_turns_are_those_before_the_message_and_the_reply():
    *_, result = converse(DialogueRequest("在吗", BEFORE), FakeDialoguePartner())
    assert result.turns[:3] == result.request.turns
    assert result.turns[3:] == (Turn("model", result.reply.text),)
    # and they can be sent with the next message
    turns = [{"speaker": one.speaker, "text": one.text} for one in result.turns]
    assert DialogueRequest("嗯", turns).before == result.turns


def test_without_a_reply_the_message_is_no_turn_either():
    model = FakeDialoguePartner(silent=("在吗",))
    (result,) = converse(DialogueRequest("在吗", BEFORE), model)
    assert result.finished
    assert not result.begun
    assert result.turns == result.request.before


def test_what_did_not_fit_is_told():
    model = FakeDialoguePartner(window=6)
    *_, result = converse(DialogueRequest("在吗", BEFORE), model)
    assert result.frame.num_turns_dropped == 1
    assert result.frame.num_message_chars_dropped == 0
    *_, result = converse(DialogueRequest("一二三四五六七八", BEFORE), model)
    assert result.frame.num_turns_dropped == 2
    assert result.frame.num_message_chars_dropped == 2


def test_closing_the_results_stops_the_model():
    model = FakeDialoguePartner()
    results = converse(DialogueRequest("在吗"), model)
    next(results)
    assert model.closed == 0
    results.close()
    assert model.closed == 1


def test_the_models_own_error_passes_through():
    model = FakeDialoguePartner(failures={"在吗": ModelError("busy", "忙。", "Busy.")})
    with pytest.raises(ModelError, match=r"忙。 / Busy\."):
        list(converse(DialogueRequest("在吗"), model))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("message", ""),
        ("message", " \n"),
        ("message", "长" * 501),
        ("message", "\ud800"),
        ("message", None),
        ("history", "你好"),
        ("max_new_tokens", 0),
        ("max_new_tokens", 257),
        ("temperature", 0.0),
        ("top_k", 1001),
        ("top_p", float("nan")),
        ("repetition_penalty", 2.5),
        ("num_return", 5),
        ("num_return", True),
        ("seed", 2**31),
    ],
)
def test_a_field_outside_its_limit_is_refused_by_its_label(field, value):
    label = label_of(DialogueRequest, field)
    with pytest.raises(InvalidRequestError, match=f"“{label.zh}”.* / “{label.en}” "):
        DialogueRequest(**{"message": "在吗", field: value})


def test_a_request_can_be_made_again_from_what_it_holds():
    request = DialogueRequest("在吗", tuple(BEFORE), seed=3)
    assert replace(request) == request
    assert request.history == BEFORE


def test_a_lines_history_may_be_json_text_or_a_list():
    text = '[{"speaker": "person", "text": "你好"}, {"speaker": "model", "text": "嗯"}]'
    for given in (text, [{"speaker": "person", "text": "你好"}, Turn("model", "嗯")]):
        record = {"message": "在吗", "history": given, "seed": "3"}
        request = request_from(DialogueRequest, record, {"top_k": 1})
        assert request.before == (Turn("person", "你好"), Turn("model", "嗯"))
        assert (request.seed, request.top_k) == (3, 1)


def test_examples_are_openings_told_apart():
    assert len(EXAMPLES) >= 8
    assert len({caption(example) for example in EXAMPLES}) == len(EXAMPLES)
    assert all(example.history == [] for example in EXAMPLES)
