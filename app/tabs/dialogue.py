"""Tab: hold a conversation.

Changes when the tab's layout or its question changes. Drawing is in dialogue_view, how
replies are asked for in dialogue_replies.
"""

from collections.abc import Generator, Iterator
from typing import Any

import gradio as gr
from gradio.components import Component

from app import views
from app.controls import control
from app.panel import Panel
from app.shelf import AUTO, Shelf, await_able
from app.tabs import dialogue_view as view
from app.tabs.dialogue_replies import Chat, join, join_examples
from app.tabs.layout import (
    controls,
    examples_list,
    how_accordion,
    long_text,
    run_and_stop,
    settings_accordion,
)
from app.weights_choice import choices_for, weights_choice
from app.wiring import WEIGHTS, Desk, Question, publish
from demos.dialogue.conversation import Conversation
from demos.dialogue.examples import EXAMPLES, caption
from demos.dialogue.record import to_record
from demos.dialogue.task import DialogueRequest, DialogueResult, converse
from model_core.interfaces import DIALOGUE_PARTNER, ModelError
from model_core.interfaces.dialogue import DialoguePartner

SETTINGS = (
    "max_new_tokens",
    "temperature",
    "top_k",
    "top_p",
    "repetition_penalty",
    "seed",
)
MASK_TOKENS = ("你", "好", "⊥", "你", "也", "好", "⊥")  # ⊥ is [SEP]
CAPTION = "因果遮罩：⊥ 是 [SEP] · causal mask over the turns; ⊥ is [SEP]"
HOW = """
对话也是**从左往右续写**：把说过的话一句句用 [SEP] 接起来，段号随说话人交替
（下图两种颜色），让同一个因果语言模型接着写下一句，写到 [SEP] 为止；每一步只在最好的
几个词元里抽（top-k 5，kexue.fm/archives/7718）。有的权重还用记号标出每句是谁说的，
道理相同。读不下的时候，先放弃最早的话，并画线说明。对话只留在这次访问里，别人看不到，
关掉页面就没有了；要留就下载。

A conversation is **continued from left to right** too: the turns are joined by [SEP],
the segment ids alternate by speaker (two colours below), and the same causal language
model writes the next turn up to its [SEP], drawing each token among the few best.
What does not fit is dropped from the oldest turn on, and a line says so. The
conversation belongs to this visit alone and is gone with it: download it to keep it.
"""


def question(shelf: Shelf) -> Question[DialogueRequest, DialogueResult]:
    """Return the tab's question: reply to a message."""

    def answer(
        request: DialogueRequest, weights: str
    ) -> Iterator[DialogueResult | None]:
        model = yield from await_partner(shelf, weights)
        yield from converse(request, model)

    return Question(
        name="chat",
        description="Reply to a message in a Chinese conversation; send the answer's "
        "history with the next message. Every frame is the whole result so far.",
        request_type=DialogueRequest,
        answer=answer,
        as_json=as_json,
        num_tokens=lambda result: result.frame.num_new_tokens,
    )


def await_partner(shelf: Shelf, weights: str) -> Generator[None, None, DialoguePartner]:
    """Return weights that chat, yielding None while they load.

    Raises:
        ModelError: They cannot be had; where they cannot chat, with what to load.
    """
    try:
        return (yield from await_able(shelf, DIALOGUE_PARTNER, weights))
    except ModelError as error:
        if error.kind != "missing_head":
            raise
        zh, en = _cannot_chat(weights)
        guide_zh, guide_en = view.GUIDE
        raise ModelError(
            "missing_head", f"{zh}{guide_zh}", f"{en} {guide_en}"
        ) from error


def _cannot_chat(weights: str) -> tuple[str, str]:
    if weights == AUTO:
        return view.NOBODY
    return f"“{weights}”不会对话。", f"{weights} cannot chat."


def as_json(result: DialogueResult | None) -> dict[str, Any]:
    """Return what an HTTP client receives; empty while the weights load."""
    if result is not None:
        return to_record(result)
    return {
        "message": "",
        "reply": "",
        "replies": [],
        "history": [],
        "num_turns_dropped": 0,
        "num_turns_forgotten": 0,
        "num_message_chars_dropped": 0,
        "seed": None,
        "weights": "",
    }


def build(shelf: Shelf, desk: Desk, panel: Panel) -> None:
    """Lay out the tab and join it to the demo."""
    asked = question(shelf)
    notice = gr.HTML(notice_for(shelf), elem_id="mp-dialogue-notice")
    panel.follow("dialogue_notice", lambda: notice_for(shelf), [], notice)
    with gr.Row(elem_classes="mp-talk-columns"):
        with gr.Column(elem_classes="mp-talk-main"):
            chat = _chat()
        with gr.Column(elem_classes="mp-talk-side"):
            examples = examples_list("mp-dialogue-examples", [*map(caption, EXAMPLES)])
            settings = _settings(shelf, panel)
    inputs = {"message": chat.message, "history": chat.talk, **settings}
    publish(desk, asked)
    join(desk, asked, inputs, chat)
    join_examples(chat, examples)


def notice_for(shelf: Shelf) -> str:
    """Draw what to load where nobody who is ready can chat; nothing otherwise."""
    _auto, *able = choices_for(shelf, DIALOGUE_PARTNER)
    return "" if able else view.nobody_here()


def _chat() -> Chat:
    with (
        gr.Column(elem_classes="mp-talk-scroll", elem_id="mp-dialogue-view"),
        gr.Column(elem_classes="mp-talk-lines"),
    ):
        past = gr.HTML("", elem_id="mp-dialogue-past")
        now = gr.HTML(view.EMPTY, elem_id="mp-dialogue-now")
    choice = gr.Radio(
        [],
        label="用哪一句 Which reply",
        visible=False,
        elem_id="mp-dialogue-choice",
    )
    message = long_text(
        DialogueRequest,
        "message",
        value="",
        lines=1,  # Enter sends, Shift+Enter breaks the line
        max_lines=6,
        info=None,
        placeholder="回车发送，Shift+回车换行 Enter sends",
        elem_id="mp-dialogue-message",
    )
    buttons = run_and_stop("mp-dialogue", "发送 Send")
    with gr.Row(elem_classes="mp-row mp-talk-steps"):
        again, undo, reset = (
            gr.Button(
                label,
                size="sm",
                interactive=False,
                min_width=96,
                elem_id=f"mp-dialogue-{name}",
            )
            for label, name in (
                ("重说 Regenerate", "again"),
                ("撤回 Undo", "undo"),
                ("清空 Reset", "reset"),
            )
        )
    tools = gr.HTML("", elem_id="mp-dialogue-tools")
    with how_accordion("mp-dialogue-how"):
        gr.Markdown(views.flowing(HOW))
        mask = causal_mask(len(MASK_TOKENS))
        gr.HTML(view.strip() + views.mask_drawing(mask, MASK_TOKENS, CAPTION))
    talk = gr.State(Conversation())
    steps = again, undo, reset
    return Chat(past, now, message, buttons, *steps, choice, tools, talk)


def causal_mask(length: int) -> list[list[bool]]:
    """Return the mask of the conversing network: key <= query."""
    return [[key <= query for key in range(length)] for query in range(length)]


def _settings(shelf: Shelf, panel: Panel) -> dict[str, Component]:
    num_return = control(DialogueRequest, "num_return")
    with settings_accordion("mp-dialogue-settings"):
        settings = controls(DialogueRequest, SETTINGS)
        weights = weights_choice(shelf, panel, DIALOGUE_PARTNER)
    return {"num_return": num_return, **settings, WEIGHTS: weights}
