"""The learning part of the classification tab: examples in, a copy that learned out.

Changes when its layout or its handlers change. Drawing is in fewshot_learning_view, the
rules of learning in app.classroom, those of what was learned in app.learned.
"""

import html
import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.context import Context

from app.batch import MAX_BYTES, MEGABYTE, check_text, received
from app.classroom import Classroom, Waiting
from app.controls import control, words_of
from app.language import language_of
from app.learned import LearnedStore, check_teachable
from app.runs import throttled
from app.samples import sample
from app.shelf import Shelf, await_model
from app.tabs import fewshot_learning_view as view
from app.tabs.fewshot_learning_view import Lesson, Shown
from app.tabs.layout import QUICK, run_and_stop
from app.wiring import WEIGHTS, WEIGHTS_LABEL, WEIGHTS_LENGTH, Buttons, Desk, told
from demos import limits
from demos.errors import FileError
from demos.fewshot.examples_file import read_examples
from demos.fewshot.fields import LABEL_WORDS
from demos.fewshot.labels import LABELS_LABEL, as_lines
from demos.fewshot.learning import LearnRequest, LearnResult, learn
from demos.fewshot.lesson import EXAMPLES_LABEL, Wanted
from demos.fewshot.pattern import PATTERN_LABEL, read_pattern
from demos.fewshot.presets import PRESETS
from demos.files.reading import TABLE, decode
from demos.limits import Length
from model_core.interfaces import MASK_FILLER

ORIGINAL, LEARNED = "original", "learned"
WHO = (("学过的 what I taught", LEARNED), ("原来的 original", ORIGINAL))
SETTINGS = ("max_steps", "max_seconds", "learning_rate", "seed")
ASKED = ("labels", "pattern", WEIGHTS)
KINDS = (".tsv", ".csv", ".jsonl", ".txt")
LINES_LENGTH = Length(0, view.LINES_CHARS)
FRAME_SECONDS = 0.25
MEASURE_SECONDS = 60.0  # beyond the time to learn


@dataclass(frozen=True, slots=True)
class LearnQuestion:
    """What the learn button asks.

    Attributes:
        shelf: The models.
        classroom: Who may learn when.
        store: Holds what was learned.
        folder: Where uploads arrive.
    """

    shelf: Shelf
    classroom: Classroom
    store: LearnedStore
    folder: Path
    name: str = "learn"
    inputs: tuple[str, ...] = ("upload", "lines", *SETTINGS, *ASKED)

    def frames(
        self, person: str, values: Sequence[Any]
    ) -> Generator[Shown, None, None]:
        """Check the values, then yield how far the lesson is.

        Args:
            person: Who learns.
            values: One per input, straight from the visitor.

        Raises:
            DemoError: The examples cannot be used, or the classroom is full.
            ModelError: The weights cannot be had, or cannot learn this.
        """
        given = dict(zip(self.inputs, values, strict=True))
        WEIGHTS_LENGTH.check(WEIGHTS_LABEL, given[WEIGHTS])
        request = request_of(given, self._text(given))
        model = yield from await_model(self.shelf, MASK_FILLER, given[WEIGHTS])
        check_teachable(model.weights)
        seconds = request.max_seconds + MEASURE_SECONDS
        lesson = self.classroom.attend(person, lambda: learn(request, model), seconds)
        with closing(lesson) as looks:
            yield from self._shown(person, throttled(looks, FRAME_SECONDS))

    def _shown(
        self, person: str, looks: Iterator[LearnResult | Waiting]
    ) -> Iterator[Shown]:
        token = ""
        for look in looks:
            if not token:  # it has its seat: what was left before may go
                self.store.withdraw(person)
            if isinstance(look, Waiting):
                yield look
                continue
            if look.learned is not None and not token:  # a look may come twice
                token = self.store.offer(person, look.learned)
            yield Lesson(replace(look, learned=None), token)

    def _text(self, given: Mapping[str, Any]) -> str:
        """Return the uploaded file's text, else what was pasted."""
        if not given["upload"]:
            LINES_LENGTH.check(EXAMPLES_LABEL, given["lines"])
            return str(given["lines"])
        path = received(self.folder, given["upload"])
        check_size(path.stat().st_size)
        check_text(path)
        is_table = path.suffix.lower() == TABLE
        return decode(path.read_bytes(), keep_mark=is_table)


def check_size(num_bytes: int) -> None:
    """Refuse a file of examples that is too large for a page.

    Raises:
        FileError: It is.
    """
    if num_bytes > MAX_BYTES:
        got, most = f"{num_bytes / MEGABYTE:.1f} MB", f"{MAX_BYTES // MEGABYTE} MB"
        zh, en = view.TOO_LARGE
        raise FileError(
            f"示例文件最大 {most}，收到 {got}；{zh}",
            f"A file of examples may have {most}, got {got}: {en}",
        )


def request_of(given: Mapping[str, Any], text: str) -> LearnRequest:
    """Return the lesson that a form asks for.

    Raises:
        InvalidRequestError: A value cannot be used, with the lines' numbers.
    """
    words = LABEL_WORDS.read(LABELS_LABEL, given["labels"])
    limits.limit_of(LearnRequest, "pattern").check(PATTERN_LABEL, given["pattern"])
    pairs = read_pattern(given["pattern"]).takes_pairs
    examples = read_examples(text, Wanted(tuple(words), pairs=pairs))
    settings = {name: given[name] for name in SETTINGS}
    records = [example.record for example in examples]
    return LearnRequest(words, given["pattern"], records, **settings)


@dataclass(frozen=True, slots=True)
class Taught:
    """The components of the learning part.

    Attributes:
        inputs: Its own, by name.
        buttons: What starts and what ends a lesson.
        sample: Fills in labelled lines of the chosen play.
        view: Shows the lesson.
        keep: Lets the form use what was learned.
        drop: Frees it.
        pack: Asks for a download.
        link: Where the download appears.
        shown: The lesson on the server, without the copy.
        kept: The token of the copy that the form may use.
        who: Chooses between the copy and the original.
    """

    inputs: dict[str, Component]
    buttons: Buttons
    sample: gr.Button
    view: gr.HTML
    keep: gr.Button
    drop: gr.Button
    pack: gr.Button
    link: gr.HTML
    shown: gr.State
    kept: gr.State
    who: gr.Radio

    @property
    def decisions(self) -> list[gr.Button]:
        """What one can do with a lesson that came to its end."""
        return [self.keep, self.drop, self.pack]


def choice_of_who() -> gr.Radio:
    """Return the choice between the original and what was learned; hidden at first."""
    return gr.Radio(
        list(WHO),
        value=ORIGINAL,
        label="用哪份权重 Which copy",
        visible=False,
        elem_id="mp-fewshot-who",
    )


def lay_out(who: gr.Radio) -> Taught:
    """Lay the part out, folded, below the form whose choice of who it moves."""
    with (
        gr.Accordion(
            "从示例中学 Learn from examples", open=False, elem_id="mp-fewshot-learn"
        ),
        gr.Row(elem_classes="mp-lesson"),
    ):
        with gr.Column(elem_classes="mp-lesson-ask"):
            inputs, fill, buttons = _inputs()
        with gr.Column(elem_classes="mp-lesson-answer"):
            drawn = gr.HTML(view.EMPTY, elem_id="mp-lesson-view")
            keep, drop, pack = _decisions()
            link = gr.HTML(elem_id="mp-lesson-link")
    states = gr.State(None), gr.State(None)
    return Taught(
        inputs, buttons, fill, drawn, keep, drop, pack, link, *states, who=who
    )


def _inputs() -> tuple[dict[str, Component], gr.Button, Buttons]:
    lines = gr.Textbox(
        lines=8,
        max_lines=14,
        placeholder="房间很干净\t好评\n等了一个小时\t差评",
        elem_id="mp-lesson-lines",
        label="示例 Examples",
    )
    fill = gr.Button("填入样例 Sample lines", size="sm", elem_id="mp-lesson-sample")
    upload = gr.File(
        label="或上传文件 Or a file",
        file_types=list(KINDS),
        height=110,
        elem_id=view.UPLOAD,
    )
    gr.HTML(view.rules())
    with gr.Accordion("怎么学 How to learn", open=False):
        settings = {name: _setting(name) for name in SETTINGS}
    buttons = run_and_stop("mp-lesson", "开始学习 Learn")
    return {"upload": upload, "lines": lines, **settings}, fill, buttons


def _setting(name: str) -> Component:
    if name == "learning_rate":  # no slider has so many places
        return gr.Number(0, **words_of(limits.label_of(LearnRequest, name)))
    return control(LearnRequest, name)


def _decisions() -> tuple[gr.Button, gr.Button, gr.Button]:
    shape: dict[str, Any] = {"interactive": False, "min_width": 110, "size": "md"}
    with gr.Row(elem_classes="mp-row mp-decide"):
        return (
            gr.Button("保留 Keep", elem_id="mp-lesson-keep", **shape),
            gr.Button("丢弃 Drop", elem_id="mp-lesson-drop", **shape),
            gr.Button("下载权重 Download", elem_id="mp-lesson-pack", **shape),
        )


def join(
    desk: Desk,
    asked: LearnQuestion,
    taught: Taught,
    form: Mapping[str, Component],
    preset: gr.Radio,
) -> None:
    """Join the part's buttons, and free what a visitor leaves behind.

    Args:
        desk: With the queue of lessons.
        asked: The question.
        taught: The components.
        form: Labels, pattern, second text and weights of the form above.
        preset: The chosen play.
    """
    _join_lesson(desk, asked, taught, form)
    _join_decisions(desk, asked.store, taught)
    _join_sample(taught, form, preset)

    def fewshot_leave(request: gr.Request) -> None:
        asked.store.leave(person_of(request))

    page = Context.root_block
    if page is not None:
        page.unload(fewshot_leave)


def person_of(request: gr.Request) -> str:
    """Return what tells one visitor's page from another's."""
    return str(request.session_hash or "")


def _join_lesson(
    desk: Desk, asked: LearnQuestion, taught: Taught, form: Mapping[str, Component]
) -> None:
    components = {**taught.inputs, **{name: form[name] for name in ASKED}}
    buttons, pair = taught.buttons, [taught.buttons.run, taught.buttons.stop]

    def respond(request: gr.Request, *values: Any) -> Iterator[tuple[Any, Any]]:
        with told(language_of(request.headers.get("accept-language")), html.escape):
            frames = asked.frames(person_of(request), values)
            for shown in desk.runs.watch("learn", frames, _no_tokens, seconds=math.inf):
                kept = gr.skip() if shown is None else shown
                yield view.stream(shown), kept

    def begin() -> list[Any]:
        return [*buttons.busy(), *_allowed(taught, "")]

    def settle(shown: Shown) -> list[Any]:
        allowed = _allowed(taught, token_of(shown))
        return [*buttons.idle(), view.settle(shown), "", *allowed]

    begun = buttons.run.click(
        begin, None, [*pair, *taught.decisions], api_name="learn_begin", **QUICK
    )
    run = begun.then(
        respond,
        [components[name] for name in asked.inputs],
        [taught.view, taught.shown],
        preprocess=False,  # the request checks its values, in the visitor's language
        show_progress="minimal",
        api_name="learn_run",
        api_visibility="private",
        **desk.queue,
    )
    ending = [*pair, taught.view, taught.link, *taught.decisions]
    at_the_end = (settle, taught.shown, ending)
    run.success(*at_the_end, api_name="learn_done", **QUICK)
    run.failure(*at_the_end, api_name="learn_failed", **QUICK)
    buttons.stop.click(*at_the_end, cancels=[run], api_name="learn_stop", **QUICK)


def token_of(shown: Shown) -> str:
    """Return the token of what a lesson left, "" where it left nothing."""
    return shown.token if isinstance(shown, Lesson) else ""


def _no_tokens(_shown: Shown) -> int:
    return 0


def _allowed(taught: Taught, token: str) -> list[Any]:
    """Return updates for what one can do with a lesson."""
    return [gr.update(interactive=bool(token)) for _ in taught.decisions]


def _join_decisions(desk: Desk, store: LearnedStore, taught: Taught) -> None:
    def keep(request: gr.Request, shown: Shown) -> list[Any]:
        with told(language_of(request.headers.get("accept-language")), html.escape):
            store.keep(token_of(shown))
        return [
            token_of(shown),
            gr.update(visible=True, value=LEARNED),
            gr.update(interactive=False),
        ]

    def drop(shown: Shown, kept: str | None) -> list[Any]:
        store.release(token_of(shown))
        none_left = kept == token_of(shown)
        hidden = gr.update(visible=False, value=ORIGINAL) if none_left else gr.skip()
        remaining = None if none_left else kept
        return [None, remaining, hidden, view.EMPTY, "", *_allowed(taught, "")]

    def pack(request: gr.Request, shown: Shown) -> str:
        with told(language_of(request.headers.get("accept-language")), html.escape):
            return view.download_link(store.pack(token_of(shown)))

    # queued, as only a queued listener's error is a toast
    queued = {**desk.queue, "show_progress": "hidden", "api_visibility": "private"}
    taught.keep.click(
        keep,
        taught.shown,
        [taught.kept, taught.who, taught.keep],
        api_name="learn_keep",
        **queued,
    )
    taught.drop.click(
        drop,
        [taught.shown, taught.kept],
        [
            taught.shown,
            taught.kept,
            taught.who,
            taught.view,
            taught.link,
            *taught.decisions,
        ],
        api_name="learn_drop",
        **queued,
    )
    packed = taught.pack.click(
        pack, taught.shown, taught.link, api_name="learn_pack", **queued
    )
    packed.success(
        None,
        js="() => setTimeout(() => "
        "document.querySelector('#mp-lesson-link [data-mp-fetch]')?.click(), 200)",
        api_name="learn_fetch",
        api_visibility="private",
    )


def _join_sample(
    taught: Taught, form: Mapping[str, Component], preset: gr.Radio
) -> None:
    plays = {play.name: play for play in PRESETS}

    def fill(name: str) -> list[Any]:
        play = plays[name]
        pairs = gr.update(visible=read_pattern(play.pattern).takes_pairs)
        no_file = None  # it would go before the lines
        labels = as_lines(play.labels)
        return [sample(play.lesson), no_file, labels, play.pattern, pairs]

    own = [taught.inputs[name] for name in ("lines", "upload")]
    taught.sample.click(
        fill,
        preset,
        [*own, *(form[name] for name in ("labels", "pattern", "text_b"))],
        api_name="learn_sample",
        **QUICK,
    )
