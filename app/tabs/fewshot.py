"""Tab: classify by a word in a blank.

Changes when the tab's layout or its question changes. Drawing is in fewshot_view,
learning from examples in fewshot_learning.
"""

import math
import secrets
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from app import views
from app.classroom import LOOK_SECONDS, Classroom, Waiting
from app.learned import LearnedStore, SharedLesson, check_teachable
from app.panel import Panel
from app.shelf import Shelf, await_model
from app.tabs import fewshot_learning, fewshot_view
from app.tabs.fewshot_learning import LEARNED, ORIGINAL, LearnQuestion
from app.tabs.fewshot_view import Answer
from app.tabs.layout import (
    QUICK,
    examples_list,
    how_accordion,
    in_columns,
    long_text,
    run_and_stop,
    settings_accordion,
)
from app.weights_choice import weights_choice
from app.wiring import (
    WEIGHTS,
    WEIGHTS_LABEL,
    WEIGHTS_LENGTH,
    Buttons,
    Desk,
    Display,
    Form,
    Question,
    publish,
    submit,
)
from demos.fewshot.examples import caption
from demos.fewshot.labels import as_lines
from demos.fewshot.learner import Learner
from demos.fewshot.pattern import SECOND_SLOT
from demos.fewshot.presets import PRESETS, Preset
from demos.fewshot.task import FewshotRequest, FewshotResult, classify
from demos.limits import LATER, Advice, Label, OneOf
from model_core.interfaces import MASK_FILLER, MaskFiller

LESSON_QUEUE = "lesson"  # learning waits apart: it never takes a slot of questions
ENDPOINT_SPARE = 30.0  # to compile and to answer, beyond the time to learn
WHO_LABEL = Label("用哪份权重", "Which copy")
FIRST = PRESETS[0]
FIELDS = ("text", "text_b", "pattern", "labels")
MASK_TEXT = "▢满意菜很香"
CAPTION = "双向遮罩：每个字都看得见所有的字 · bidirectional mask: all see all"
HOW = """
把分类变成**完形填空**：写一句带空的话，每个标签配一个词，看模型觉得哪个词填进去最像话
（PET，kexue.fm/archives/7764）。词有几个词元，空里就放几个 `[MASK]`；词的分数是它各词元
对数概率的平均，再减去**空句子**（不放文本）给它的分：不管读到什么都爱填的词不占便宜；最后在
标签之间做 softmax。模型预训练时做的就是完形填空，所以**不用再训练就能答**。

给几条带标签的例子，它还能学：在例句的空上做交叉熵，其余的词照旧随机遮住 15 % 一起猜。
学的是**一份拷贝**，别人用的权重不会变。

Classifying becomes **filling a blank**: each label has a word, and the word that the
model finds most natural decides, less what the sentence favours without a text. As it
was trained on blanks, it answers at once; a few examples teach a copy of it, never the
weights that others use.
"""


@dataclass(frozen=True, slots=True)
class LessonDesk(Desk):
    """A desk with a queue of its own for whatever may learn."""

    @property
    def queue(self) -> dict[str, Any]:
        """Which queue a listener joins, as gradio names it."""
        return {"concurrency_id": LESSON_QUEUE, "concurrency_limit": self.slots}


def question(
    shelf: Shelf, classroom: Classroom, lessons: SharedLesson, slots: int
) -> Question[FewshotRequest, FewshotResult]:
    """Return the public question: classify, after learning where there are examples.

    It has no limit of the whole, as one may wait while others learn: a lesson has its
    own, which begins with it, and an answer alone is one step.

    Args:
        shelf: The models.
        classroom: Who may learn when.
        lessons: Remembers what was learned last.
        slots: How many are answered at once; the queue of lessons lets in more.
    """
    places = threading.BoundedSemaphore(slots)

    def answer(request: FewshotRequest, weights: str) -> Iterator[FewshotResult | None]:
        model = yield from await_model(shelf, MASK_FILLER, weights)
        learner = Learner(model, lessons)
        lesson = request.lesson(model.weights)
        yield from _until_taken(places)
        try:
            if lesson is None or learner.knows(lesson):
                yield from classify(request, learner)
                return
        finally:
            places.release()
        check_teachable(model.weights)
        yield from _in_class(classroom, request, learner)

    return Question(
        name="classify",
        description="Classify a Chinese text by the word that fits a blank best; with "
        "examples, a copy of the weights learns them first.",
        request_type=FewshotRequest,
        answer=answer,
        as_json=as_json,
        num_tokens=lambda _result: 0,
        seconds=math.inf,
    )


def _until_taken(places: threading.Semaphore) -> Iterator[None]:
    while not places.acquire(timeout=LOOK_SECONDS):
        yield None


def _in_class(
    classroom: Classroom, request: FewshotRequest, learner: Learner
) -> Iterator[FewshotResult | None]:
    seconds = request.max_seconds + ENDPOINT_SPARE
    lesson = classroom.attend(
        secrets.token_hex(8), lambda: classify(request, learner), seconds
    )
    with closing(lesson) as looks:
        for look in looks:
            yield None if isinstance(look, Waiting) else look


def as_json(result: FewshotResult | None) -> dict[str, Any]:
    """Return what an HTTP client receives; empty while the weights load."""
    if result is None:
        nothing = {"label": "", "probabilities": {}, "filled": "", "weights": ""}
        return {**nothing, "learning": None}
    return fewshot_view.answer_of(result)


@dataclass(frozen=True, slots=True)
class PersonalQuestion:
    """What the form asks: of the shared weights, or of what this visitor taught.

    Attributes:
        shelf: The models.
        store: Holds what was learned.
    """

    shelf: Shelf
    store: LearnedStore
    name: str = "classify"
    inputs: tuple[str, ...] = (*FIELDS, "who", "kept", WEIGHTS)
    seconds: float | None = None
    advice: Advice = LATER

    def num_tokens(self, _answer: Answer) -> int:
        """Return 0: nothing is written."""
        return 0

    def frames(self, values: Sequence[Any]) -> Generator[Answer | None, None, None]:
        """Check the values, then yield the answer.

        Args:
            values: One per input, straight from the visitor; what is kept is the
                server's own record.

        Raises:
            DemoError: A value cannot be used, or what was learned is gone.
            ModelError: The weights cannot be had.
        """
        given = dict(zip(self.inputs, values, strict=True))
        request = FewshotRequest(**{name: given[name] for name in FIELDS})
        WEIGHTS_LENGTH.check(WEIGHTS_LABEL, given[WEIGHTS])
        OneOf((LEARNED, ORIGINAL)).check(WHO_LABEL, given["who"])
        learned = given["who"] == LEARNED
        model: MaskFiller
        if learned:
            model = self.store.open(given["kept"])
        else:
            model = yield from await_model(self.shelf, MASK_FILLER, given[WEIGHTS])
        for result in classify(request, model):
            yield Answer(result, learned)


def build(shelf: Shelf, desk: Desk, panel: Panel) -> None:
    """Lay out the tab and join it to the demo."""
    classroom = Classroom()
    (preset, inputs, who, buttons), view, examples, weights = in_columns(
        ask=_inputs,
        answer=_output,
        examples=_examples,
        more=partial(_settings, shelf, panel),
    )
    taught = fewshot_learning.lay_out(who)
    folder = Path(taught.inputs["upload"].GRADIO_CACHE)
    store = LearnedStore(folder)
    asked = PersonalQuestion(shelf, store)
    form = Form(asked, {**inputs, "who": who, "kept": taught.kept, WEIGHTS: weights})
    display = Display(
        view, gr.State(None), fewshot_view.stream, fewshot_view.settle, {}
    )
    lessons = LessonDesk(desk.runs, classroom.seats + desk.slots)
    publish(lessons, question(shelf, classroom, SharedLesson(), desk.slots))
    submit(desk, form, buttons, display)
    learning = LearnQuestion(shelf, classroom, store, folder)
    fewshot_learning.join(lessons, learning, taught, form.components, preset)
    _join(form, preset, examples)


def _inputs() -> tuple[gr.Radio, dict[str, Component], gr.Radio, Buttons]:
    preset = gr.Radio(
        [(f"{play.title.zh} {play.title.en}", play.name) for play in PRESETS],
        value=FIRST.name,
        label="玩法 Play",
        info="句对最难：小模型不学就常常只会一种答案，请先“从示例中学” · pairs are "
        "hardest: without learning from examples, a small model tends to one answer",
        elem_id="mp-fewshot-preset",
    )
    fields = _fields()
    who = fewshot_learning.choice_of_who()
    return preset, fields, who, run_and_stop("mp-fewshot", "分类 Classify")


def _fields() -> dict[str, Component]:
    shapes: dict[str, dict[str, Any]] = {
        "text": {"lines": 3, "max_lines": 10, "info": None},
        "text_b": {  # hidden, it would send None
            "lines": 2,
            "max_lines": 8,
            "info": None,
            "visible": False,
            "value": "",
        },
        "pattern": {"lines": 1, "max_lines": 3, "value": FIRST.pattern},
        "labels": {"lines": 3, "max_lines": 8, "value": as_lines(FIRST.labels)},
    }
    return {
        name: long_text(
            FewshotRequest,
            name,
            elem_id=f"mp-fewshot-{name.replace('_', '-')}",
            **shape,
        )
        for name, shape in shapes.items()
    }


def _output() -> gr.HTML:
    view = gr.HTML(fewshot_view.EMPTY, elem_id="mp-fewshot-view")
    with how_accordion("mp-fewshot-how"):
        gr.Markdown(views.flowing(HOW))
        gr.HTML(views.mask_drawing(open_mask(len(MASK_TEXT)), MASK_TEXT, CAPTION))
    return view


def open_mask(length: int) -> list[list[bool]]:
    """Return the mask of a network that fills blanks: all see all."""
    return [[True] * length for _ in range(length)]


def _examples() -> gr.Dataset:
    return examples_list(
        "mp-fewshot-examples",
        names_of(FIRST),
        samples_per_page=max(len(play.texts) for play in PRESETS),
        elem_classes="mp-examples-list",
    )


def names_of(play: Preset) -> list[str]:
    """Return the names of a play's examples, as its buttons show them."""
    return [caption(request) for request in play.requests]


def _settings(shelf: Shelf, panel: Panel) -> Component:
    with settings_accordion("mp-fewshot-settings"):
        weights: Component = weights_choice(shelf, panel, MASK_FILLER)
    return weights


def _join(form: Form, preset: gr.Radio, examples: gr.Dataset) -> None:
    components = [form.components[name] for name in FIELDS]
    second, pattern, labels = components[1:]
    plays = {play.name: play for play in PRESETS}

    def fill(index: int, name: str) -> list[Any]:
        example = plays[name].requests[index]
        pair = gr.update(value=example.text_b, visible=example.blank.takes_pairs)
        return [example.text, pair, example.pattern, as_lines(example.words)]

    def choose(name: str) -> list[Any]:
        play = plays[name]
        offered = gr.Dataset(samples=[[text] for text in names_of(play)])
        return [shown_for(play.pattern), play.pattern, as_lines(play.labels), offered]

    examples.click(
        fill, [examples, preset], components, api_name="classify_example", **QUICK
    )
    preset.input(
        choose,
        preset,
        [second, pattern, labels, examples],
        api_name="classify_play",
        **QUICK,
    )
    pattern.blur(shown_for, pattern, second, api_name="classify_pattern", **QUICK)


def shown_for(pattern: str) -> Any:
    """Return the update that shows the second text where a pattern asks for it."""
    return gr.update(visible=SECOND_SLOT in pattern)
