"""How a conversation is drawn: whose words, what was not read, what can be done."""

import html
import json
import re

import pytest

from app.tabs import dialogue_view as view
from demos.dialogue.conversation import Conversation
from demos.dialogue.record import as_jsonl, as_text
from demos.dialogue.task import DialogueRequest, converse
from tests.fake_dialogue_partner import FakeDialoguePartner


def frames(*messages, model=None, **options):
    """Every conversation on the way through these messages; the last is whole."""
    model, talk = model or FakeDialoguePartner(), Conversation()
    for message in messages:
        request = DialogueRequest(message, talk.history, **{"seed": 0, **options})
        seen = [talk.after(result) for result in converse(request, model)]
        talk = seen[-1]
    return seen


def talked(*messages, **options):
    return frames(*messages, **options)[-1]


def bubbles(drawn):
    """(speaker, text) of every turn that is drawn, in order."""
    found = re.findall(
        r'mp-talk-turn mp-talk-(\w+).*?<p class="mp-talk-text">(.*?)</p>', drawn, re.S
    )
    plain = [(who, re.sub("<[^>]*>", "", text)) for who, text in found]
    return [(who, html.unescape(text)) for who, text in plain]


def test_the_turns_are_drawn_in_order_each_at_its_side():
    talk = talked("早", "晚")
    drawn = view.past(talk.without_last().exchanges) + view.settled(talk)
    assert bubbles(drawn) == [(turn.speaker, turn.text) for turn in talk.turns]


def test_a_message_stands_there_before_its_reply_has_words():
    drawn = view.growing(talked("早").asking("晚"))
    assert bubbles(drawn) == [("person", "晚"), ("model", "")]
    assert "mp-talk-dots" in drawn
    assert 'aria-busy="true"' in drawn


def test_a_growing_reply_says_that_it_grows_and_a_settled_one_does_not():
    *_, growing, whole = frames("早")
    assert "mp-talk-dots" in view.growing(growing)
    for drawn in (view.growing(whole), view.settled(whole), view.settled(growing)):
        assert "mp-talk-dots" not in drawn
    assert "停在这里 stopped" in view.settled(growing)
    assert "stopped" not in view.settled(whole)
    assert "到上限 length limit" in view.settled(talked("早", max_new_tokens=2))


def test_growing_frames_carry_no_buttons_and_no_earlier_words():
    drawn = view.growing(frames("早", "晚")[3])
    assert "<button" not in drawn
    assert "早" not in drawn


def test_several_replies_are_numbered_and_the_chosen_one_is_marked():
    talk = talked("早", num_return=3)
    assert view.choices(talk) == [("其一 1st", 0), ("其二 2nd", 1), ("其三 3rd", 2)]
    drawn = view.settled(talk.choosing(1))
    assert re.findall('mp-rank">(.*?)<', drawn) == ["其一 1st", "其二 2nd", "其三 3rd"]
    parts = drawn.split('class="mp-talk-reply"')[1:]
    assert ["用这句 chosen" in part for part in parts] == [False, True, False]
    copied = [
        html.unescape(one) for one in re.findall('(?s)data-mp-text="(.*?)"', drawn)
    ]
    assert copied == [reply.text for reply in talk.last.replies]
    # once it is past, the chosen one is what was said
    assert bubbles(view.past(talk.choosing(1).exchanges))[1][1] == copied[1]


def test_one_reply_leaves_no_choice():
    assert view.choices(talked("早")) == view.choices(Conversation()) == []
    assert "其一" not in view.settled(talked("早"))


def test_a_message_without_a_reply_says_so():
    talk = talked("嗯", model=FakeDialoguePartner(silent=("嗯",)))
    for drawn in (view.settled(talk), view.past(talk.exchanges)):
        assert "没有说话 said nothing" in drawn
        assert "这一轮不会带给模型 not sent on" in drawn


@pytest.mark.parametrize("unread", range(5))
def test_a_line_is_drawn_below_the_turns_that_were_not_read(unread):
    talk = talked("一", "嗯", "二", model=FakeDialoguePartner(silent=("嗯",)))
    drawn = view.past(talk.exchanges, unread)
    above, line, below = drawn.partition('<p class="mp-talk-unread"')
    assert bool(line) == bool(unread)
    if unread:
        said = [text for _, text in bubbles(above)]
        assert said[-1] == talk.turns[unread - 1].text
        assert f"以上 {unread} 句放不下" in below
        assert len(bubbles(above)) + len(bubbles(below)) == 6


def test_a_message_that_did_not_fit_is_told_with_what_to_do():
    talk = talked("一二三四五", model=FakeDialoguePartner(window=3))
    assert "开头 2 个字符没有读进去" in view.settled(talk)
    assert "Shorten it" in view.settled(talk)
    assert "did not fit" not in view.settled(talked("一二三四五"))


def test_the_facts_name_weights_seed_and_what_was_not_read():
    talk = talked("一", "二", model=FakeDialoguePartner(window=2))
    drawn = view.settled(talk)
    assert ">embedded<" in drawn
    assert "种子 seed</dt><dd>0<" in drawn
    assert "tokens/s</dt><dd>100.0<" in drawn
    assert "not read</dt><dd>2 句 turns<" in drawn
    assert "not read" not in view.settled(talked("一", "二"))


def test_the_whole_conversation_is_copied_and_saved_as_it_is():
    talk = talked('早"<&>', "晚\n安", num_return=2)
    drawn = view.tools(talk)
    payloads = [
        html.unescape(one) for one in re.findall('(?s)data-mp-talk="(.*?)"', drawn)
    ]
    assert payloads == [as_text(talk), as_jsonl(talk)]
    names = re.findall('data-mp-name="(.*?)"', drawn)
    assert names == ["maskplay-chat.txt", "maskplay-chat.jsonl"]
    (copied,) = re.findall('(?s)data-mp-text="(.*?)"', drawn)
    assert html.unescape(copied) == as_text(talk)
    assert [json.loads(line)["text"] for line in payloads[1].splitlines()][0::2] == [
        '早"<&>',
        "晚\n安",
    ]


def test_before_the_first_word_there_is_nothing_to_save():
    assert view.tools(Conversation()) == ""
    assert view.past(()) == ""
    assert "Say something" in view.settled(Conversation())


def test_what_a_person_or_a_model_writes_stays_text():
    talk = talked("<b onclick=x>'\"&{{value}}${1}", "<i>", num_return=2)
    for drawn in (
        view.past(talk.exchanges),
        view.growing(talk),
        view.growing(talk.asking("<i>")),
        view.settled(talk),
        view.tools(talk),
    ):
        assert "<b onclick" not in drawn
        assert "&lt;i&gt;" in drawn
    assert "<i>" not in view.past(talk.exchanges) + view.settled(talk)


def test_who_to_load_where_nobody_can_chat():
    drawn = view.nobody_here()
    assert "thu-coai/CDial-GPT_LCCC-base" in drawn
    assert "仅限研究用途" in drawn
    assert "research only" in drawn
    assert "模型 Models" in drawn
    assert "内置小模型会续写，但不会聊天" in drawn


def test_the_row_that_is_read_alternates_by_speaker():
    drawn = view.strip()
    whose = re.findall(r'mp-talk-cell mp-talk-(\w+)"', drawn)
    assert whose == [
        "mark",
        *["person"] * 2,
        *["model"] * 2,
        *["person"] * 2,
        "model",
    ]
