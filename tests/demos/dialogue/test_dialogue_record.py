"""What people script against, and what they keep of a conversation."""

import json
from itertools import pairwise

import pytest

from demos.dialogue.conversation import Conversation
from demos.dialogue.record import (
    ADDED_FIELDS,
    as_jsonl,
    as_text,
    render_text,
    to_record,
)
from demos.dialogue.task import DialogueRequest, converse
from demos.dialogue.turns import MOST_TURNS
from demos.errors import InvalidRequestError
from tests.fake_dialogue_partner import FakeDialoguePartner

EXCHANGE = [{"speaker": "person", "text": "早"}, {"speaker": "model", "text": "嗯"}]


def results(message="早", model=None, **settings):
    request = DialogueRequest(message, **{"seed": 0, **settings})
    return list(converse(request, model or FakeDialoguePartner()))


def test_the_record_has_its_names():
    assert to_record(results(max_new_tokens=3, num_return=2)[-1]) == {
        "message": "早",
        "reply": "早？我",
        "replies": [
            {"text": "早？我", "log_prob": -3.0, "finish": "length"},
            {"text": "早？后", "log_prob": -3.0, "finish": "length"},
        ],
        "history": [
            {"speaker": "person", "text": "早"},
            {"speaker": "model", "text": "早？我"},
        ],
        "num_turns_dropped": 0,
        "num_turns_forgotten": 0,
        "num_message_chars_dropped": 0,
        "seed": 0,
        "weights": "embedded",
    }


def test_added_fields_are_those_that_the_record_adds():
    assert {"message", *ADDED_FIELDS} == to_record(results()[-1]).keys()


@pytest.mark.parametrize("num_turns", [0, 2, MOST_TURNS - 2, MOST_TURNS])
def test_the_history_can_be_sent_again_and_what_it_leaves_out_is_counted(num_turns):
    history = EXCHANGE * (num_turns // 2)
    record = to_record(results(history=history)[-1])
    whole = [*history, {"speaker": "person", "text": "早"}]
    whole.append({"speaker": "model", "text": record["reply"]})
    assert record["history"] == whole[record["num_turns_forgotten"] :]
    assert len(DialogueRequest("晚", record["history"]).before) <= MOST_TURNS
    assert (record["num_turns_forgotten"] > 0) == (len(whole) > MOST_TURNS)


def test_without_a_reply_the_history_stays_as_it_was():
    record = to_record(results("嗯", FakeDialoguePartner(silent=("嗯",)))[-1])
    assert (record["reply"], record["history"]) == ("", [])
    assert record["replies"][0]["finish"] == "stop"


def test_one_reply_is_shown_alone_and_several_under_their_numbers():
    assert render_text(results(max_new_tokens=3)[-1]) == "早？我"
    several = render_text(results(max_new_tokens=3, num_return=2)[-1])
    assert several == "【1】\n早？我\n\n【2】\n早？后"


@pytest.mark.parametrize("num_return", [1, 2, 4])
def test_every_later_text_extends_the_one_before(num_return):
    texts = [render_text(result) for result in results(num_return=num_return)]
    assert all(b.startswith(a) for a, b in pairwise(texts))


def conversation(*messages, **settings):
    model, talk = FakeDialoguePartner(silent=("嗯",)), Conversation()
    for message in messages:
        last = results(message, model, history=talk.history, **settings)[-1]
        talk = talk.after(last)
    return talk


def test_a_kept_conversation_can_be_gone_on_with():
    talk = conversation("早", "晚\n安", num_return=2)
    kept = as_jsonl(talk.choosing(1))
    assert DialogueRequest("好", kept).before == talk.choosing(1).turns
    records = [json.loads(line) for line in kept.splitlines()]
    assert records[0] == {"speaker": "person", "text": "早"}
    assert records[3]["others"] == [talk.last.replies[0].text]
    assert (records[3]["seed"], records[3]["weights"]) == (0, "embedded")


def test_a_message_without_a_reply_is_kept_and_not_read_as_one():
    kept = as_jsonl(conversation("嗯"))
    assert [json.loads(line)["text"] for line in kept.splitlines()] == ["嗯", ""]
    with pytest.raises(InvalidRequestError, match=r"“历史第 2 句”.*收到 0 个"):
        DialogueRequest("好", kept)


def test_a_kept_text_says_who_said_what():
    text = as_text(conversation("早", "嗯"))
    assert text == (
        "我 Me：早\n模型 Model：早？我也这么想。\n"
        "我 Me：嗯\n模型 Model：（没有说话 said nothing）\n"
    )
    assert as_text(Conversation()) == as_jsonl(Conversation()) == ""
