"""How the page asks for replies in the conversation that it keeps, and shows them.

Changes when something else can be done with a conversation on the page. The rules of a
conversation are in demos.dialogue.conversation, drawing is in dialogue_view.
"""

import html
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from app.language import language_of
from app.tabs import dialogue_view as view
from app.tabs.layout import QUICK
from app.wiring import Buttons, Desk, Form, Question, told
from demos.dialogue.conversation import Conversation, Exchange
from demos.dialogue.examples import EXAMPLES
from demos.dialogue.task import DialogueRequest, DialogueResult
from demos.limits import Advice

ChatQuestion = Question[DialogueRequest, DialogueResult]

TO_THE_LATEST = (
    "() => { document.querySelector('.mp-talk-scroll')?.scrollTo({ top: 0 }); }"
)


@dataclass(frozen=True, slots=True)
class NextReply:
    """The question as the page asks it: in a conversation that it keeps.

    Attributes:
        question: What is asked in the end. In place of its history it takes the
            whole conversation, and it yields conversations.
        again: Whether the latest message gets another reply; otherwise the message
            that was typed gets its first.
        seconds: How long it may compute; None for the limit of a request.
    """

    question: ChatQuestion
    again: bool = False
    seconds: float | None = None

    @property
    def name(self) -> str:
        """Of its listeners, and for the counters."""
        return self.question.name

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs, in order."""
        return self.question.inputs

    @property
    def advice(self) -> Advice:
        """What to lower where it takes longer."""
        return self.question.advice

    def num_tokens(self, talk: Conversation) -> int:
        """Return how many tokens the growing reply has."""
        return 0 if talk.pending or talk.last is None else talk.last.num_new_tokens

    def frames(
        self, values: Sequence[Any]
    ) -> Generator[Conversation | None, None, None]:
        """Yield the conversation with the reply so far; pending before its first word.

        Args:
            values: One per input; the history's is the conversation.

        Raises:
            InvalidRequestError: A value lies outside its declared limit, the
                conversation is full, or there is nothing to say again.
        """
        given = dict(zip(self.inputs, values, strict=True))
        talk: Conversation = given["history"]
        if self.again:
            last, given["seed"] = talk.to_repeat()
            talk, given["message"] = talk.without_last(), last.message
        given["history"] = talk.history
        asking = talk.asking(given["message"])
        for result in self.question.frames([*given.values()]):
            if result is None or not (result.begun or result.finished):
                yield asking
            else:
                yield talk.after(result)


@dataclass(frozen=True, slots=True)
class Chat:
    """The components that change in a conversation.

    Attributes:
        past: Shows all exchanges but the latest.
        now: Shows the latest.
        message: What is typed.
        buttons: What sends it and what ends a reply.
        again: Asks for another reply.
        undo: Takes the latest exchange back.
        reset: Begins anew.
        choice: Chooses among several replies.
        tools: Copies and saves the conversation.
        talk: The conversation on the server, this visitor's alone.
    """

    past: gr.HTML
    now: gr.HTML
    message: gr.Textbox
    buttons: Buttons
    again: gr.Button
    undo: gr.Button
    reset: gr.Button
    choice: gr.Radio
    tools: gr.HTML
    talk: gr.State

    @property
    def changing(self) -> list[Component]:
        """What a run changes at its beginning and at its end, in one order."""
        buttons = [self.buttons.run, self.buttons.stop, self.again, self.undo]
        shown = [self.past, self.now, self.choice, self.tools]
        return [*buttons, self.reset, self.message, *shown]

    def busy(self, talk: Conversation) -> list[Any]:
        """Return their updates while a message waits for its reply."""
        locked = gr.update(interactive=False)
        earlier = talk if talk.pending else talk.without_last()
        drawn = [past_of(earlier, talk.last), view.growing(talk)]
        hidden = gr.update(visible=False)
        return [*self.buttons.busy(), *[locked] * 4, *drawn, hidden, ""]

    def idle(self, talk: Conversation, **message: Any) -> list[Any]:
        """Return their updates while nothing runs.

        Args:
            talk: The conversation.
            message: What else changes of the message's component.
        """
        begun = gr.update(interactive=bool(talk.exchanges))
        typed = gr.update(interactive=True, **message)
        drawn = [past_of(talk.without_last(), talk.last), view.settled(talk)]
        tools = view.tools(talk)
        return [
            *self.buttons.idle(),
            *[begun] * 3,
            typed,
            *drawn,
            choice_of(talk),
            tools,
        ]


def past_of(talk: Conversation, reader: Exchange | None) -> str:
    """Draw exchanges, with a line below what a later one was made without reading."""
    return view.past(talk.exchanges, reader.num_turns_unread if reader else 0)


def choice_of(talk: Conversation) -> Any:
    """Return the update that offers the latest replies, if there are several."""
    several = view.choices(talk)
    if not several or talk.last is None:
        return gr.update(visible=False)
    return gr.update(choices=several, value=talk.last.chosen, visible=True)


def join(
    desk: Desk, asked: ChatQuestion, inputs: Mapping[str, Component], chat: Chat
) -> None:
    """Join the two ways to a reply, the one way to end it, and what needs no model.

    Args:
        desk: Where questions are asked.
        asked: The public question.
        inputs: The components of its inputs by name; the history's is ``chat.talk``.
        chat: The components that change.
    """
    sent = [chat.buttons.run.click, chat.message.submit]
    runs = [
        _join_reply(desk, Form(NextReply(asked), inputs), chat, sent, again=False),
        _join_reply(
            desk,
            Form(NextReply(asked, again=True), inputs),
            chat,
            [chat.again.click],
            again=True,
        ),
    ]
    chat.buttons.stop.click(
        chat.idle,
        chat.talk,
        chat.changing,
        cancels=runs,
        api_name="chat_stop",
        **QUICK,
    )
    gr.on(
        [*sent, chat.again.click],
        None,
        js=TO_THE_LATEST,
        api_name="chat_scroll",
        api_visibility="private",
    )
    _join_steps(chat)


def _join_reply(
    desk: Desk, form: Form, chat: Chat, triggers: Sequence[Any], *, again: bool
) -> Any:
    """Ask on a trigger, show what is yielded; return the run, for what cancels it."""
    prefix = "chat_again" if again else "chat"

    def begin(talk: Conversation, message: Any) -> list[Any]:
        return chat.busy(begun(talk, message, again=again))

    def respond(request: gr.Request, *values: Any) -> Iterator[tuple[Any, Any, Any]]:
        with told(language_of(request.headers.get("accept-language")), html.escape):
            for talk in desk.ask(form.question, form.given(values)):
                yield shown(talk, again=again)

    started = gr.on(
        triggers,
        begin,
        [chat.talk, chat.message],
        chat.changing,
        preprocess=False,
        api_name=f"{prefix}_begin",
        **QUICK,
    )
    run = started.then(
        respond,
        form.ordered,
        [chat.now, chat.talk, chat.message],
        preprocess=False,  # the request checks its values, in the visitor's language
        show_progress="minimal",
        show_progress_on=chat.now,
        api_name=f"{prefix}_run",
        api_visibility="private",
        **desk.queue,
    )
    at_the_end = (chat.idle, chat.talk, chat.changing)
    run.success(*at_the_end, api_name=f"{prefix}_done", **QUICK)
    run.failure(*at_the_end, api_name=f"{prefix}_failed", **QUICK)
    return run


def begun(talk: Conversation, message: Any, *, again: bool) -> Conversation:
    """Return the conversation as it is drawn before the model has been asked.

    Args:
        talk: The conversation.
        message: What was typed, unchecked.
        again: Whether the latest message is said again instead.
    """
    if again:
        last = talk.last
        return Conversation(talk.without_last().exchanges, last.message if last else "")
    typed = message if isinstance(message, str) and message.strip() else ""
    return Conversation(talk.exchanges, typed)


def shown(talk: Conversation | None, *, again: bool) -> tuple[Any, Any, Any]:
    """Return the updates of the latest exchange, the conversation and the message.

    A message is in its box until its reply has words, then in the conversation: it is
    never in neither. What is typed stays where a reply is said again.
    """
    if talk is None or talk.pending:
        drawn = gr.skip() if talk is None else view.growing(talk)
        return drawn, gr.skip(), gr.skip()
    return view.growing(talk), talk, gr.skip() if again else ""


def _join_steps(chat: Chat) -> None:
    """Join undo, reset and the choice among several replies."""

    def undo(talk: Conversation, typed: Any) -> list[Any]:
        back = talk.last.message if talk.last else ""
        earlier = talk.without_last()
        return [earlier, *chat.idle(earlier, value=typed or back)]

    def reset() -> list[Any]:
        return [Conversation(), *chat.idle(Conversation())]

    def choose(talk: Conversation, rank: Any) -> list[Any]:
        chosen = talk.choosing(rank)
        return [chosen, view.settled(chosen), view.tools(chosen)]

    everything = [chat.talk, *chat.changing]
    chat.undo.click(
        undo,
        [chat.talk, chat.message],
        everything,
        preprocess=False,
        api_name="chat_undo",
        **QUICK,
    )
    chat.reset.click(reset, None, everything, api_name="chat_reset", **QUICK)
    chat.choice.input(
        choose,
        [chat.talk, chat.choice],
        [chat.talk, chat.now, chat.tools],
        preprocess=False,
        api_name="chat_choose",
        **QUICK,
    )


def join_examples(chat: Chat, examples: gr.Dataset) -> None:
    """Let a click on an example fill in the message."""
    examples.click(
        lambda index: EXAMPLES[index].message,
        examples,
        chat.message,
        api_name="chat_example",
        **QUICK,
    )
