"""A conversation as a value: nothing leaves it unasked, and nothing is sent twice."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demos.dialogue.conversation import MOST_EXCHANGES, Conversation
from demos.dialogue.task import DialogueRequest, converse
from demos.dialogue.turns import MOST_TURNS
from demos.errors import InvalidRequestError
from tests.fake_dialogue_partner import FakeDialoguePartner


def say(talk, message, model=None, **options):
    request = DialogueRequest(message, talk.history, **options)
    *_, result = converse(request, model or FakeDialoguePartner())
    return talk.after(result)


def talked(*messages, model=None, **options):
    talk = Conversation()
    for message in messages:
        talk = say(talk, message, model, **options)
    return talk


def test_every_message_and_reply_is_a_turn_in_order():
    talk = talked("早", "晚")
    assert [turn.speaker for turn in talk.turns] == ["person", "model"] * 2
    assert [turn.text for turn in talk.turns][::2] == ["早", "晚"]
    assert talk.turns[1].text.startswith("早？")


def test_the_next_message_is_asked_with_everything_before_it():
    model = FakeDialoguePartner()
    talk = say(talked("早", "晚"), "安", model)
    ((turns, _),) = model.asked
    assert turns == (*talked("早", "晚").turns, talk.turns[4])


def test_waiting_for_a_reply_changes_no_exchange():
    talk = talked("早")
    asking = talk.asking("晚")
    assert (asking.exchanges, asking.pending) == (talk.exchanges, "晚")
    assert say(asking, "晚").pending == ""


def test_without_the_last_is_the_conversation_before_it():
    assert talked("早", "晚").without_last() == talked("早")
    assert Conversation().without_last() == Conversation()


def test_a_message_without_a_reply_is_shown_but_never_sent():
    model = FakeDialoguePartner(silent=("嗯",))
    talk = talked("早", "嗯", "晚", model=model)
    assert [one.message for one in talk.exchanges] == ["早", "嗯", "晚"]
    assert [turn.text for turn in talk.turns][::2] == ["早", "晚"]
    assert [turn.text for turn in model.asked[-1][0]][::2] == ["早", "晚"]


def test_the_chosen_reply_is_the_one_that_is_sent():
    talk = talked("早", num_return=3, seed=0)
    other = talk.choosing(2)
    assert other.turns[1].text == talk.last.replies[2].text != talk.turns[1].text
    assert other.choosing(0) == talk


@pytest.mark.parametrize("rank", [-1, 3, None, "1", 1.0, True, [0]])
def test_a_rank_that_is_not_there_chooses_nothing(rank):
    talk = talked("早", num_return=3)
    assert talk.choosing(rank) == talk
    assert Conversation().choosing(rank) == Conversation()


@pytest.mark.parametrize(("seed", "num_return"), [(None, 1), (5, 4), (2**31 - 1, 2)])
def test_said_again_the_seed_is_none_of_those_used(seed, num_return):
    talk = talked("早", seed=seed, num_return=num_return)
    exchange, other = talk.to_repeat()
    assert exchange is talk.last
    assert other not in range(exchange.seed, exchange.seed + num_return)
    assert DialogueRequest(exchange.message, seed=other).seed == other


def test_there_is_nothing_to_say_again_at_first():
    with pytest.raises(InvalidRequestError) as caught:
        Conversation().to_repeat()
    assert "没有可以重说的话" in caught.value.zh
    assert "nothing to regenerate: send a message first" in caught.value.en


@settings(max_examples=20, deadline=None)
@given(number=st.integers(1, 30), window=st.integers(1, 120))
def test_what_the_model_has_not_read_is_counted_whoever_left_it_out(number, window):
    model = FakeDialoguePartner(window=window)
    talk = talked(*["早"] * number, model=model)
    for before, exchange in enumerate(talk.exchanges):
        sent, _ = model.asked[before]
        assert len(sent) == 1 + min(2 * before, MOST_TURNS)
        read = sent[len(sent) - 1 - (2 * before - exchange.num_turns_unread) :]
        assert sum(len(turn.text) for turn in read) <= max(window, 1)
        if exchange.num_turns_unread > max(0, 2 * before - MOST_TURNS):
            longer = sent[len(sent) - len(read) - 1 :]
            assert sum(len(turn.text) for turn in longer) > window


def test_a_conversation_is_bounded_and_says_what_to_do():
    full = replace(talked("早"), exchanges=talked("早").exchanges * MOST_EXCHANGES)
    with pytest.raises(InvalidRequestError) as caught:
        full.asking("晚")
    assert f"已有 {MOST_EXCHANGES} 轮" in caught.value.zh
    assert "press Reset to begin another" in caught.value.en
    assert full.without_last().asking("晚").pending == "晚"


def test_the_history_fits_a_request_and_opens_with_the_person():
    long = replace(talked("早"), exchanges=talked("早").exchanges * MOST_EXCHANGES)
    assert len(long.turns) == 2 * MOST_EXCHANGES
    assert len(long.history) == MOST_TURNS
    assert long.history[0]["speaker"] == "person"
    assert len(DialogueRequest("晚", json.dumps(long.history)).before) == MOST_TURNS


def test_tokens_behind_a_reply_are_not_kept():
    assert all(not reply.tokens for reply in talked("早", num_return=2).last.replies)
