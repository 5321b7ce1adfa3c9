"""The dialogue tab over HTTP: a conversation a visitor, from the first word to Stop."""

import itertools
import json
import threading
import time
from contextlib import contextmanager

import gradio as gr
import httpx
import pytest

from app.metrics import Metrics
from app.panel import Panel
from app.runs import Runs
from app.tabs import dialogue
from app.tabs.dialogue_replies import NextReply, begun, shown
from app.wiring import MODEL_QUEUE, Desk
from demos.dialogue.conversation import MOST_EXCHANGES, Conversation
from demos.dialogue.examples import EXAMPLES
from demos.errors import InvalidRequestError
from model_core.interfaces import ModelError
from model_core.interfaces.dialogue import Turn
from tests.fake_dialogue_partner import FakeDialoguePartner
from tests.fakes import FakeShelf, OneAble

SESSIONS = itertools.count()
SETTINGS = {
    "max_new_tokens": 64,
    "temperature": 1.0,
    "top_k": 5,
    "top_p": 1.0,
    "repetition_penalty": 1.0,
    "num_return": 1,
    "seed": "",
}
PATIENCE = 10.0


def shelf_of(partner):
    return FakeShelf(players={"dialogue_partner": partner} if partner else {})


@contextmanager
def serving(partner):
    """Serve a page that has this tab alone; yield how to speak to it."""
    with gr.Blocks(analytics_enabled=False) as page:
        desk = Desk(Runs(Metrics()), slots=2)
        dialogue.build(shelf_of(partner), desk, Panel(gr.Textbox()))
    page.queue(api_open=False)
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, show_error=True)
    try:
        with httpx.Client(timeout=PATIENCE) as client:
            yield Page(url, page, partner, client)
    finally:
        page.close(verbose=False)


class Page:
    """The tab as served, and who answers on it."""

    def __init__(self, url, page, partner, client):
        self.api, self.page, self.partner = f"{url}gradio_api/", page, partner
        self.client = client
        self.numbers = {fn.api_name: number for number, fn in page.fns.items()}

    def visitor(self, language="en"):
        return Visitor(self, language)

    def ask(self, **given):
        """Ask the public endpoint; return its last (event, data)."""
        headers = {"accept-language": "en"}
        joined = self.client.post(
            f"{self.api}call/v2/chat", json=given, headers=headers
        )
        joined.raise_for_status()
        address = f"{self.api}call/chat/{joined.json()['event_id']}"
        kind = ""
        with self.client.stream("GET", address) as stream:
            for line in stream.iter_lines():
                name, _, value = line.partition(": ")
                kind = value if name == "event" else kind
                if name == "data" and kind in ("complete", "error"):
                    return kind, json.loads(value)
        raise AssertionError("the stream ended without an answer")


class Visitor:
    """A browser's session: presses buttons by the name of their listener."""

    def __init__(self, page, language):
        self.page, self.session = page, f"visitor{next(SESSIONS)}"
        self.headers = {"accept-language": language}

    def press(self, name, *values):
        """Yield the events of a listener until it completes."""
        number = self.page.numbers[name]
        body = {"data": values, "fn_index": number, "session_hash": self.session}
        joined = self.page.client.post(
            f"{self.page.api}queue/join", json=body, headers=self.headers
        )
        event_id = joined.raise_for_status().json()["event_id"]
        address = f"{self.page.api}queue/data?session_hash={self.session}"
        with self.page.client.stream("GET", address) as stream:
            for line in stream.iter_lines():
                if line.startswith("data: "):
                    event = json.loads(line.removeprefix("data: "))
                    yield {"number": number, "event_id": event_id, **event}
                    if event["msg"] == "process_completed":
                        return

    def do(self, name, *values):
        """Return what a listener puts out at its end, or its error's sentence."""
        *_, last = self.press(name, *values)
        output = last["output"]
        return output["data"] if last["success"] else output["error"]

    def values(self, message, **given):
        named = {"message": message, "history": None, **SETTINGS, "weights": "auto"}
        return [*{**named, **given}.values()]

    def send(self, message, **given):
        """Send a message; return the page at its end, or the error's sentence."""
        return self._reply("chat", message, **given)

    def send_again(self, typed="", **given):
        return self._reply("chat_again", typed, **given)

    def _reply(self, prefix, message, **given):
        self.do(f"{prefix}_begin", None, message)
        told = self.do(f"{prefix}_run", *self.values(message, **given))
        if isinstance(told, str):
            self.do(f"{prefix}_failed", None)
            return told
        return self.do(f"{prefix}_done", None)


def texts(turns):
    return [turn.text for turn in turns]


def drawn(output):
    return json.dumps(output, ensure_ascii=False)


@pytest.fixture(scope="module")
def page():
    partner = FakeDialoguePartner(
        silent=("嗯",), failures={"坏": ModelError("internal", "坏了。", "Broken.")}
    )
    with serving(partner) as running:
        yield running


def test_the_endpoints_inputs_are_the_requests_fields_then_weights(page):
    known = page.page.get_api_info()["named_endpoints"]
    assert list(known) == ["/chat"]
    names = [one["parameter_name"] for one in known["/chat"]["parameters"]]
    assert names == ["message", "history", *SETTINGS, "weights"]


def test_every_listener_is_named_and_private_but_the_endpoint(page):
    listeners = list(page.page.fns.values())
    names = [one.api_name for one in listeners]
    assert len(set(names)) == len(names)
    assert not [name for name in names if "lambda" in str(name)]
    public = [one.api_name for one in listeners if one.api_visibility != "private"]
    assert public == ["chat"]
    computing = {one.api_name for one in listeners if one.concurrency_id == MODEL_QUEUE}
    assert computing == {"chat", "chat_run", "chat_again_run"}
    assert {one.api_name for one in listeners if one.queue} == computing


def test_over_http_the_history_of_an_answer_is_sent_with_the_next_message(page):
    kind, (first,) = page.ask(message="早", seed=0)
    assert (kind, first["reply"]) == ("complete", "早？我也这么想。")
    _, (second,) = page.ask(message="晚", history=first["history"])
    turns, _ = page.partner.asked[-1]
    assert texts(turns) == ["早", "早？我也这么想。", "晚"]
    assert [turn["text"] for turn in second["history"]] == [
        *texts(turns),
        second["reply"],
    ]


def test_a_client_gets_the_same_names_while_the_weights_load(page):
    _, (answer,) = page.ask(message="早")
    loading = dialogue.as_json(None)
    assert loading.keys() == answer.keys()
    assert not any(loading.values())


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"message": ""}, "“Message” must have 1 to 500 characters, got 0"),
        ({"message": "长" * 501}, "got 501"),
        ({"history": "早"}, "“History” must be a list such as"),
        ({"history": [{"speaker": "user", "text": "早"}]}, "got 'user'"),
        (
            {"history": [{"speaker": "person", "text": "早"}]},
            "must end with a turn of the model",
        ),
        ({"history": [{"speaker": "model", "text": "早"}] * 41}, "40 turns at most"),
        ({"num_return": 9}, "“Alternatives” must be a whole number between 1 and 4"),
        ({"weights": ""}, "“Weights”"),
        ({"message": "坏"}, "Broken."),
    ],
)
def test_every_bad_input_earns_a_sentence(page, given, sentence):
    kind, data = page.ask(**{"message": "早", **given})
    assert kind == "error"
    assert sentence in data["error"]


def test_the_page_goes_on_with_what_was_said(page):
    me = page.visitor()
    me.send("早", seed=0)
    shown_at_last = me.send("晚", seed=1)
    turns, options = page.partner.asked[-1]
    assert texts(turns) == ["早", "早？我也这么想。", "晚"]
    assert options.seed == 1
    assert "早？我也这么想。" in drawn(shown_at_last)
    assert "晚？" in drawn(shown_at_last)
    assert "下载 Download jsonl" in drawn(shown_at_last)


def test_nothing_is_shared_between_visitors(page):
    me, other = page.visitor(), page.visitor()
    me.send("这是我的秘密")
    seen = other.send("早")
    assert "秘密" not in drawn(seen)
    assert texts(page.partner.asked[-1][0]) == ["早"]


def test_said_again_a_message_gets_another_reply_in_place_of_the_first(page):
    me = page.visitor()
    me.send("早")
    me.send("晚", seed=3)
    first, was = page.partner.asked[-1]
    for _ in range(2):
        me.send_again("还没打完", seed=3)
        turns, options = page.partner.asked[-1]
        assert turns == first
        assert options.seed != was.seed
        was = options
    assert len(texts(me_turns(me))) == 5


def me_turns(visitor):
    """The turns that a visitor's next message is asked with."""
    visitor.send("最后")
    return visitor.page.partner.asked[-1][0]


def test_said_again_what_is_typed_stays(page):
    me = page.visitor()
    me.send("早")
    *_, last = me.press("chat_again_run", *me.values("还没打完"))
    _, _, message = last["output"]["data"]
    assert message == {"__type__": "update"}


def test_nothing_said_there_is_nothing_to_say_again(page):
    assert "nothing to regenerate" in page.visitor().send_again()


def test_undo_takes_the_last_exchange_back_into_the_box(page):
    me = page.visitor()
    me.send("早")
    me.send("晚")
    output = me.do("chat_undo", None, "")
    assert '"value": "晚"' in drawn(output)
    assert "晚？" not in drawn(output)
    assert texts(me_turns(me))[::2] == ["早", "最后"]


def test_undo_leaves_what_is_typed(page):
    me = page.visitor()
    me.send("早")
    assert '"value": "打到一半"' in drawn(me.do("chat_undo", None, "打到一半"))
    assert me.do("chat_undo", None, "")  # nothing left: nothing happens


def test_reset_forgets_everything(page):
    me = page.visitor()
    me.send("早")
    assert "Say something" in drawn(me.do("chat_reset"))
    assert texts(me_turns(me)) == ["最后"]


def test_the_chosen_reply_is_the_one_that_is_gone_on_with(page):
    me = page.visitor()
    offered = me.send("早", seed=0, num_return=3)
    assert '["其三 3rd", 2]' in drawn(offered)
    assert "后来呢" in drawn(offered)
    chosen = me.do("chat_choose", None, 1)
    assert "用这句 chosen" in drawn(chosen)
    assert texts(me_turns(me)) == ["早", "早？后来呢？", "最后"]


@pytest.mark.parametrize("rank", [7, None, "x", -1, [1]])
def test_a_choice_that_is_not_there_changes_nothing(page, rank):
    me = page.visitor()
    me.send("早", seed=0, num_return=2)
    me.do("chat_choose", None, rank)
    assert texts(me_turns(me))[1] == "早？我也这么想。"


def test_a_refused_message_stays_in_its_box_and_the_conversation_as_it_was(page):
    me = page.visitor()
    me.send("早")
    events = list(me.press("chat_run", *me.values("长" * 501)))
    assert "“Message” must have 1 to 500" in events[-1]["output"]["error"]
    assert "process_generating" not in [event["msg"] for event in events]
    restored = me.do("chat_failed", None)
    assert "早？" in drawn(restored)
    assert '"interactive": true' in drawn(restored)
    assert texts(me_turns(me))[::2] == ["早", "最后"]


def test_a_visitor_reads_their_own_language(page):
    assert "Broken." in page.visitor("en").send("坏")
    assert "坏了。" in page.visitor("zh-CN").send("坏")


def test_to_silence_one_can_go_on_and_it_is_not_sent(page):
    me = page.visitor()
    assert "没有说话 said nothing" in drawn(me.send("嗯"))
    assert texts(me_turns(me)) == ["最后"]


def test_stop_keeps_what_was_written_and_frees_the_model():
    with serving(FakeDialoguePartner(step_seconds=0.02)) as page:
        me = page.visitor()
        events = me.press("chat_run", *me.values("说一段很长很长的话给我听听好吗"))
        for event in events:
            if "说一段" in drawn(event.get("output", "")).split("mp-talk-model")[-1]:
                break
        body = {
            "session_hash": me.session,
            "fn_index": event["number"],
            "event_id": event["event_id"],
        }
        page.client.post(f"{page.api}cancel", json=body).raise_for_status()
        events.close()
        end = time.monotonic() + PATIENCE
        while not page.partner.closed:
            assert time.monotonic() < end
            time.sleep(0.02)
        stopped = drawn(me.do("chat_stop", None))
        assert "停在这里 stopped" in stopped
        written = me_turns(me)[1].text
        assert written
        assert "说一段很长很长的话给我听听好吗？".startswith(written)


def test_a_burst_of_visitors_is_answered_each_their_own(page):
    visitors = [page.visitor() for _ in range(8)]
    replies = {}

    def chat(number, visitor):
        visitor.send(f"我是{number}")
        replies[number] = drawn(visitor.send("再见"))

    threads = [threading.Thread(target=chat, args=pair) for pair in enumerate(visitors)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(replies) == len(visitors)
    for number, reply in replies.items():
        assert f"我是{number}？" in reply
        assert all(f"我是{n}" not in reply for n in replies if n != number)


def ask(talk, message="早", *, again=False, partner=None, **given):
    asked = NextReply(
        dialogue.question(shelf_of(partner or FakeDialoguePartner())), again
    )
    values = {"message": message, "history": talk, **SETTINGS, "seed": None}
    return asked, list(asked.frames([*{**values, "weights": "auto", **given}.values()]))


def test_a_message_is_pending_until_its_reply_has_words():
    asked, frames = ask(Conversation())
    assert [frame.pending for frame in frames][:2] == ["早", ""]
    assert frames[0].exchanges == ()
    assert [asked.num_tokens(frame) for frame in frames[:3]] == [0, 1, 2]
    assert frames[-1].turns[0] == Turn("person", "早")


def test_a_message_is_in_its_box_or_in_the_conversation_never_in_neither():
    for frame in ask(Conversation())[1]:
        _, kept, box = shown(frame, again=False)
        assert (box == "") == isinstance(kept, Conversation)


def test_the_old_reply_stays_until_the_new_one_has_words():
    talk = ask(Conversation())[1][-1]
    for frame in ask(talk, again=True)[1]:
        _, kept, box = shown(frame, again=True)
        assert not isinstance(box, str)
        if isinstance(kept, Conversation):
            assert len(kept.exchanges) == 1
            assert kept.last.seed != talk.last.seed
            assert kept.last.reply.text


def test_a_full_conversation_is_refused_with_what_to_do():
    talk = ask(Conversation())[1][-1]
    full = Conversation(talk.exchanges * MOST_EXCHANGES)
    with pytest.raises(InvalidRequestError, match="press Reset to begin another"):
        ask(full)
    assert ask(full, again=True)[1][-1].last.reply.text


@pytest.mark.parametrize("typed", ["", "  ", None, 3])
def test_nothing_typed_is_drawn_as_nothing(typed):
    talk = ask(Conversation())[1][-1]
    assert begun(talk, typed, again=False) == talk


def test_said_again_the_message_waits_anew():
    talk = ask(Conversation())[1][-1]
    assert begun(talk, "打到一半", again=True) == Conversation((), "早")
    assert begun(Conversation(), "", again=True) == Conversation()


@pytest.mark.parametrize(
    ("weights", "zh", "en"),
    [
        ("auto", "已载入的权重都不会对话", "None of the weights that are loaded"),
        ("embedded", "“embedded”不会对话", "embedded cannot chat"),
    ],
)
def test_where_nobody_can_chat_the_sentence_says_what_to_load_and_how(weights, zh, en):
    question = dialogue.question(shelf_of(None))
    asked = [question.request_type("早"), weights]
    with pytest.raises(ModelError) as caught:
        list(question.answer(*asked))
    assert caught.value.kind == "missing_head"
    for part in (zh, "thu-coai/CDial-GPT_LCCC-base", "仅限研究用途", "模型 Models"):
        assert part in caught.value.zh
    for part in (en, "thu-coai/CDial-GPT_LCCC-base", "research only", "press Load"):
        assert part in caught.value.en


def test_auto_is_any_weights_that_are_ready_and_can_chat():
    question = dialogue.question(OneAble())
    *_, last = question.answer(question.request_type("早"), "auto")
    assert last.reply.text.startswith("早")
    with pytest.raises(ModelError, match="embedded cannot chat"):
        list(question.answer(question.request_type("早"), "embedded"))


def test_other_failures_of_the_weights_are_told_as_they_are():
    question = dialogue.question(shelf_of(FakeDialoguePartner()))
    with pytest.raises(ModelError, match="No weights are named nobody"):
        list(question.answer(question.request_type("早"), "nobody"))


def test_the_notice_is_there_as_long_as_nobody_can_chat():
    assert "CDial-GPT" in dialogue.notice_for(shelf_of(None))
    assert dialogue.notice_for(shelf_of(FakeDialoguePartner())) == ""
    assert "CDial-GPT" in dialogue.notice_for(FakeShelf(loaded=[]))


def test_the_mask_shows_every_turn_its_past_alone():
    mask = dialogue.causal_mask(3)
    assert mask == [[True, False, False], [True, True, False], [True, True, True]]


def test_an_example_fills_in_its_message(page):
    numbers = range(len(EXAMPLES))
    filled = [page.visitor().do("chat_example", number) for number in numbers]
    assert filled == [[example.message] for example in EXAMPLES]
