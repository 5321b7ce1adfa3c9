"""The classification tab over HTTP: answers, lessons, and whose they are."""

import itertools
import json
import math
import time
from contextlib import closing, contextmanager
from pathlib import Path

import gradio as gr
import httpx
import pytest

from app.batch import MAX_BYTES
from app.classroom import Classroom
from app.learned import LearnedStore, SharedLesson
from app.metrics import Metrics
from app.panel import Panel
from app.runs import Runs
from app.server import BODY_BYTES
from app.shelf import await_model
from app.tabs import fewshot, fewshot_learning
from app.tabs import fewshot_learning_view as lesson_view
from app.tabs.fewshot_learning import (
    ASKED,
    LEARNED,
    LINES_LENGTH,
    ORIGINAL,
    LearnQuestion,
    request_of,
)
from app.tabs.fewshot_learning_view import Lesson
from app.wiring import MODEL_QUEUE, Desk
from demos.errors import DemoError
from demos.fewshot.examples import EXAMPLES
from demos.fewshot.labels import as_lines
from tests.fake_mask_filler import FakeMaskFiller
from tests.fakes import FakeShelf

LABELS = {"好评": "好", "差评": "差"}
PATTERN = "{text}总的来说很____。"
LINES = "".join(
    f"{char}\t{label}\n"
    for label, chars in (("好评", "香甜软糯脆鲜"), ("差评", "慢凉硬咸苦糊"))
    for char in chars
)
EXAMPLE_LIST = [
    {"text": line.split("\t")[0], "label": line.split("\t")[1]}
    for line in LINES.splitlines()
]
SETTINGS = {"max_steps": 24, "max_seconds": 60, "learning_rate": 0, "seed": 0}
SESSIONS = itertools.count()


def shelf_of(filler):
    return FakeShelf(players={"mask_filler": filler})


@contextmanager
def serving(filler, monkeypatch):
    """Serve a page that has this tab alone; yield how to speak to it."""
    stores = []
    monkeypatch.setattr(
        fewshot,
        "LearnedStore",
        lambda folder: stores.append(LearnedStore(folder)) or stores[-1],
    )
    with gr.Blocks(analytics_enabled=False) as page:
        desk = Desk(Runs(Metrics()), slots=2)
        fewshot.build(shelf_of(filler), desk, Panel(gr.Textbox()))
    page.queue(api_open=False)
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, show_error=True)
    try:
        yield Page(url, page, stores[0])
    finally:
        page.close(verbose=False)


class Page:
    """Speaks as a browser does."""

    def __init__(self, url, page, store):
        self.url, self.page, self.store = url, page, store
        self.numbers = {fn.api_name: number for number, fn in page.fns.items()}

    def session(self):
        return f"session{next(SESSIONS)}"

    def predict(self, name, *values):
        """Return what a listener outside the queue answers."""
        body = {
            "data": values,
            "fn_index": self.numbers[name],
            "session_hash": self.session(),
        }
        return httpx.post(f"{self.url}gradio_api/run/predict", json=body).json()["data"]

    def press(self, session, name, *values, language="en"):
        """Yield the events of a private listener until it completes."""
        number = self.numbers[name]
        states = [None] * (len(self.page.fns[number].inputs) - len(values))
        body = {
            "data": [*values, *states],
            "fn_index": number,
            "session_hash": session,
        }
        headers = {"accept-language": language}
        api = f"{self.url}gradio_api/"
        httpx.post(f"{api}queue/join", json=body, headers=headers).raise_for_status()
        address = f"{api}queue/data?session_hash={session}"
        with httpx.stream("GET", address, timeout=30) as stream:
            for line in stream.iter_lines():
                if line.startswith("data: "):
                    event = json.loads(line.removeprefix("data: "))
                    yield event
                    if event["msg"] == "process_completed":
                        return

    def last(self, session, name, *values):
        return list(self.press(session, name, *values))[-1]

    def learn(self, session, **given):
        return self.press(session, "learn_run", *learn_values(**given))

    def classify(self, session, text, who=ORIGINAL):
        values = [text, "", PATTERN, "好评=好\n差评=差", who, None, "auto"]
        return self.last(session, "classify_run", *values)

    def ask(self, **given):
        """Ask the public endpoint; return (event, data)."""
        known = {"text": "饭很香", "labels": LABELS, "pattern": PATTERN}
        api = f"{self.url}gradio_api/call/v2/classify"
        headers = {"accept-language": "en"}
        joined = httpx.post(api, json=known | given, headers=headers)
        joined.raise_for_status()
        kind = ""
        with httpx.stream(
            "GET", f"{api.replace('/v2', '')}/{joined.json()['event_id']}", timeout=30
        ) as stream:
            for line in stream.iter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    kind = value
                elif name == "data" and kind in ("complete", "error"):
                    return kind, json.loads(value)
        raise AssertionError("the stream ended without an answer")


def learn_values(**given):
    known = {
        "upload": None,
        "lines": LINES,
        **SETTINGS,
        "labels": "好评=好\n差评=差",
        "pattern": PATTERN,
        "weights": "auto",
    }
    inputs = LearnQuestion(None, None, None, Path()).inputs
    return [(known | given)[name] for name in inputs]


def wait_for(condition):
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture(scope="module")
def filler():
    return FakeMaskFiller()


@pytest.fixture(scope="module")
def page(filler):
    with pytest.MonkeyPatch.context() as patch, serving(filler, patch) as running:
        yield running


@pytest.fixture
def slow(monkeypatch):
    """A page whose lessons take a while."""
    filler = FakeMaskFiller(step_seconds=0.05)
    with serving(filler, monkeypatch) as running:
        running.filler = filler
        yield running


def test_the_endpoint_answers_at_once(page):
    kind, (answer,) = page.ask()
    assert kind == "complete"
    assert answer["label"] == "好评"
    assert math.fsum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-12)
    assert answer["filled"] == "饭很香总的来说很好。"
    assert answer["learning"] is None


def test_the_endpoint_learns_examples_first_and_once(page, filler):
    taught = len(filler.lessons)
    asked = {"examples": EXAMPLE_LIST, "max_steps": 24}
    _, (answer,) = page.ask(text="慢慢凉凉", **asked)
    assert answer["label"] == "差评"
    assert answer["learning"]["step"] == 24
    _, (other,) = page.ask(text="又香又甜", **asked)
    assert other["label"] == "好评"
    assert len(filler.lessons) == taught + 1
    assert page.ask(text="慢慢凉凉")[1][0]["probabilities"] != answer["probabilities"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"text": ""}, "“Text” must have 1 to 2000 characters"),
        ({"labels": None}, "“Labels” are not given"),
        ({"labels": {"好评": "好"}}, "“Labels” must be 2 to 64, got 1."),
        ({"labels": [["a"], 3]}, "number 1: its label must be text"),
        ({"pattern": "无空"}, "“Pattern” has no blank"),
        ({"pattern": "__和__"}, "“Pattern” has 2 blanks"),
        ({"pattern": "{text}__{text_b}"}, "(text_b) is missing"),
        ({"examples": [{"text": "a", "label": "b"}] * 2}, "item 1 has the label 'b'"),
        ({"examples": "x"}, "“Examples” must be a list"),
        ({"max_steps": 10**9}, "“Max steps” must be a whole number between 1 and 300"),
        ({"weights": "../x"}, "No weights are named ../x"),
    ],
)
def test_every_bad_input_earns_a_sentence(page, given, sentence):
    kind, data = page.ask(**given)
    assert kind == "error"
    assert sentence in data["error"]


def test_the_forms_question_is_the_endpoints(page):
    session = page.session()
    done = page.classify(session, "饭很香")
    assert done["success"]
    shown = page.last(session, "classify_done")
    drawn = json.dumps(shown["output"], ensure_ascii=False)
    assert "饭很香总的来说很" in drawn
    assert "下载 Download CSV" in drawn
    failed = page.last(session, "classify_run", "", "", "", "", "", None, "auto")
    assert "“Labels” are not given" in failed["output"]["error"]


def test_a_lesson_ends_in_a_comparison_and_can_be_kept(page, filler):
    me, other = page.session(), page.session()
    *_, done = page.learn(me)
    assert done["success"], done
    drawn = json.dumps(page.last(me, "learn_done")["output"], ensure_ascii=False)
    assert "学之后 few-shot" in drawn
    assert page.last(me, "learn_keep")["success"]
    mine = page.classify(me, "慢慢凉凉", LEARNED)
    assert "学过的权重 learned" in json.dumps(mine["output"], ensure_ascii=False)
    theirs = page.classify(other, "慢慢凉凉", LEARNED)
    assert not theirs["success"]
    assert "What was learned is gone" in theirs["output"]["error"]
    original = page.classify(me, "慢慢凉凉", ORIGINAL)
    assert "learned" not in json.dumps(original["output"])
    assert filler.votes == FakeMaskFiller().votes


def test_what_is_dropped_is_freed(page):
    me, held = page.session(), len(page.store)
    list(page.learn(me))
    assert len(page.store) == held + 1
    page.last(me, "learn_keep")
    assert page.last(me, "learn_drop")["success"]
    assert len(page.store) == held
    assert not page.classify(me, "慢", LEARNED)["success"]


def test_nothing_to_keep_earns_a_sentence(page):
    me = page.session()
    for button in ("learn_keep", "learn_pack"):
        event = page.last(me, button)
        assert "What was learned is gone" in event["output"]["error"]
    assert page.last(me, "learn_drop")["success"]


def test_what_was_learned_can_be_downloaded(page):
    me = page.session()
    list(page.learn(me))
    packed = page.last(me, "learn_pack")["output"]["data"][0]
    address = packed.split('href="')[1].split('"')[0]
    answer = httpx.get(page.url + address)
    assert answer.status_code == 200
    assert answer.content.startswith(b"PK")


def test_who_leaves_frees_what_they_taught(page):
    me, held = page.session(), len(page.store)
    address = f"{page.url}gradio_api/heartbeat/{me}"
    with httpx.stream("GET", address) as heartbeat:
        beats = heartbeat.iter_lines()  # forgotten, it would close the stream
        next(beats)
        list(page.learn(me))
        page.last(me, "learn_keep")
        assert len(page.store) == held + 1
    wait_for(lambda: len(page.store) == held)


def test_other_people_are_answered_while_one_learns(slow):
    events = slow.learn(slow.session(), max_steps=300)
    with closing(events):
        next(event for event in events if event["msg"] == "process_generating")
        began = time.monotonic()
        for number in range(4):
            assert slow.ask(text=f"第{number}")[0] == "complete"
            assert slow.classify(slow.session(), "饭")["success"]
        assert time.monotonic() - began < 5  # the lesson sleeps for six
        assert slow.filler.closed == 0


def test_who_closes_the_page_ends_the_lesson(slow):
    events = slow.learn(slow.session(), max_steps=300)
    next(event for event in events if event["msg"] == "process_generating")
    events.close()
    wait_for(lambda: slow.filler.closed == 1)
    assert len(slow.store) == 0


def test_one_lesson_each_and_a_few_in_line(slow):
    sessions = [slow.session() for _ in range(5)]
    begun = [slow.learn(session, max_steps=300) for session in sessions[:4]]
    for events in begun:
        next(event for event in events if event["msg"] == "process_generating")
    *_, refused = slow.learn(sessions[4])
    assert "4 people are learning or waiting" in refused["output"]["error"]
    kind, data = slow.ask(examples=EXAMPLE_LIST)
    assert (kind, "4 people are learning" in data["error"]) == ("error", True)
    assert slow.ask()[0] == "complete"
    for events in begun:
        events.close()
    wait_for(lambda: slow.filler.closed == len(slow.filler.lessons))


def test_a_lesson_that_is_refused_leaves_the_last_one(slow, monkeypatch):
    def late(*asked):
        yield None
        return (yield from await_model(*asked))

    me, *others = (slow.session() for _ in range(5))
    list(slow.learn(me, max_steps=2))
    begun = [slow.learn(other, max_steps=300) for other in others]
    for events in begun:
        next(event for event in events if event["msg"] == "process_generating")
    monkeypatch.setattr(fewshot_learning, "await_model", late)
    *_, refused = slow.learn(me)
    assert "are learning or waiting" in refused["output"]["error"]
    shown = slow.last(me, "learn_failed")
    assert "学之后 few-shot" in json.dumps(shown["output"], ensure_ascii=False)
    assert slow.last(me, "learn_keep")["success"]
    for events in begun:
        events.close()
    wait_for(lambda: slow.filler.closed == len(slow.filler.lessons))


def test_a_lesson_that_has_its_seat_takes_the_place_of_the_last_one(question):
    first = ask_frames(question)[-1].token
    with closing(question.frames("甲", learn_values(max_steps=300))) as looks:
        next(looks)
        with pytest.raises(DemoError, match="What was learned is gone"):
            question.store.open(first)


def ask_frames(question, **given):
    return list(question.frames("甲", learn_values(**given)))


@pytest.fixture
def question(tmp_path):
    store = LearnedStore(tmp_path / "out")
    yield LearnQuestion(shelf_of(FakeMaskFiller()), Classroom(), store, tmp_path)
    store.leave("甲")


def upload(folder, name, data):
    path = folder / name
    path.write_bytes(data)
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.tsv", LINES.encode()),
        ("a.txt", LINES.encode("gbk")),
        ("a.csv", ("text,label\n" + LINES.replace("\t", ",")).encode("gbk")),
        (
            "a.jsonl",
            "\n".join(json.dumps(one) for one in EXAMPLE_LIST).encode(),
        ),
    ],
)
def test_an_uploaded_file_teaches(question, tmp_path, name, data):
    claim = upload(tmp_path, name, data)
    last = ask_frames(question, upload=claim, lines="not used")[-1]
    assert isinstance(last, Lesson)
    assert len(last.result.request.examples) == len(EXAMPLE_LIST)
    assert last.result.learned is None
    assert question.store.open(last.token)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"lines": ""}, "“Examples” are empty"),
        ({"lines": None}, "“Examples” must be text, got None."),
        pytest.param(
            {"lines": "香" * (MAX_BYTES + 1)},
            "to 5242880 characters, got 5242881",
            id="long",
        ),
        ({"lines": "香\t好评\n凉\t一般"}, "line 2 has the label '一般'"),
        ({"lines": "香\t好评\n甜\t好评"}, "two labels or more among them"),
        ({"labels": "好"}, "“Labels” must be 2 to 64, got 1."),
        ({"labels": None}, "“Labels” are not given"),
        ({"pattern": None}, "“Pattern” must be text, got None."),
        ({"pattern": "无空"}, "“Pattern” has no blank"),
        ({"pattern": "__" * 999}, "“Pattern” must have 0 to 500 characters"),
        ({"max_steps": None}, "“Max steps” must be a whole number"),
        ({"max_seconds": 10**6}, "“Max seconds” must be"),
        ({"weights": 3}, "“Weights” must be text, got 3."),
        ({"upload": {"path": "/etc/passwd"}}, "The uploaded file is gone"),
        ({"upload": "x"}, "The uploaded file is gone"),
    ],
)
def test_every_bad_value_of_a_lesson_earns_a_sentence(question, given, sentence):
    with pytest.raises(DemoError) as caught:
        ask_frames(question, **given)
    assert sentence in caught.value.en
    assert question.shelf.players["mask_filler"].asked == []


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\x89PNG\r\n\x00", "is no text file"),
        ("香\t好评".encode("utf-16"), "is no text file"),
        ("香\t好评\n".encode() + b"\xff\xff\t\xff", "line 2 has bytes that cannot be"),
        (b"", "“Examples” are empty"),
    ],
)
def test_a_file_that_cannot_teach_earns_a_sentence(question, tmp_path, data, sentence):
    with pytest.raises(DemoError) as caught:
        ask_frames(question, upload=upload(tmp_path, "a.tsv", data))
    assert sentence in caught.value.en


def test_a_file_that_is_too_large_is_refused_before_it_is_read(question, tmp_path):
    claim = upload(tmp_path, "a.tsv", b"")
    with Path(claim["path"]).open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)  # a sparse file of NULs
    with pytest.raises(DemoError) as caught:
        ask_frames(question, upload=claim)
    assert "最大 5 MB，收到 5.0 MB；请只留 2000 条以内的示例" in caught.value.zh
    assert "5 MB, got 5.0 MB: keep 2000 examples at most" in caught.value.en


def test_lines_fit_what_the_page_takes(question):
    given = dict(zip(question.inputs, learn_values(), strict=True))
    request = request_of(given, LINES)
    assert len(request.examples) == len(EXAMPLE_LIST)
    assert MAX_BYTES >= 2000 * 2000
    assert LINES_LENGTH.high >= MAX_BYTES  # a file may have a byte a character
    assert 3 * LINES_LENGTH.high < BODY_BYTES  # of UTF-8 a character


def test_a_paste_may_be_as_large_as_a_file(question, tmp_path):
    labels = itertools.cycle(LABELS)
    lines = "".join(f"{'长' * 850}{n}\t{next(labels)}\n" for n in range(2000))
    size = len(lines.encode())
    assert 0.95 * MAX_BYTES < size <= MAX_BYTES
    claim = upload(tmp_path, "a.tsv", lines.encode())
    for given in ({"lines": lines}, {"upload": claim, "lines": ""}):
        known = dict(zip(question.inputs, learn_values(**given), strict=True))
        request = request_of(known, question._text(known))
        assert len(request.examples) == 2000


def test_a_marked_table_teaches_what_was_written(question, tmp_path):
    table = "\ufefftext,label\r\n'-5℃也香,好评\r\n慢,差评\r\n".encode()
    last = ask_frames(question, upload=upload(tmp_path, "a.csv", table))[-1]
    assert last.result.request.examples[0]["text"] == "-5℃也香"


def test_a_shared_lesson_is_not_given_twice_even_after_waiting():
    filler, room, memory = FakeMaskFiller(), Classroom(), SharedLesson()
    question = fewshot.question(shelf_of(filler), room, memory, slots=2)
    values = {
        "text": "慢",
        "labels": LABELS,
        "pattern": PATTERN,
        "text_b": "",
        "examples": EXAMPLE_LIST,
        **SETTINGS,
        "weights": "auto",
    }
    runs = [question.frames([values[n] for n in question.inputs]) for _ in range(3)]
    for run in itertools.zip_longest(*runs):
        assert any(run)
    assert len(filler.lessons) == 1
    memory.forget()


def test_learning_waits_in_a_queue_of_its_own(page):
    learning = {"classify", "learn_run", "learn_keep", "learn_drop", "learn_pack"}
    queues = {fn.api_name: fn.concurrency_id for fn in page.page.fns.values()}
    assert {queues[name] for name in learning} == {fewshot.LESSON_QUEUE}
    assert queues["classify_run"] == MODEL_QUEUE


def test_every_listener_has_a_name_and_only_one_is_public(page):
    names = [fn.api_name for fn in page.page.fns.values()]
    assert all(name and "lambda" not in str(name) for name in names)
    assert len(set(names)) == len(names)
    shown = [f.api_name for f in page.page.fns.values() if f.api_visibility == "public"]
    assert shown == ["classify"]


def test_every_example_fills_the_form_with_its_play(page):
    examples = iter(EXAMPLES)
    for play in fewshot.PRESETS:
        for index, name in enumerate(fewshot.names_of(play)):
            example = next(examples)
            answer = page.predict("classify_example", index, play.name)
            text, second, pattern, labels = answer
            assert text.startswith(name.removesuffix("…"))
            assert (text, pattern) == (example.text, example.pattern)
            assert second["visible"] == example.blank.takes_pairs
            assert len(labels.splitlines()) == len(example.words)
    assert next(examples, None) is None


def test_choosing_a_play_offers_its_examples(page):
    for play in fewshot.PRESETS:
        second, pattern, labels, examples = page.predict("classify_play", play.name)
        assert second["visible"] == ("{text_b}" in pattern)
        assert (pattern, labels) == (play.pattern, as_lines(play.labels))
        assert [name for (name,) in examples["samples"]] == fewshot.names_of(play)


def test_sample_lines_go_with_the_chosen_play_and_before_a_file(page):
    for play in fewshot.PRESETS:
        answer = page.predict("learn_sample", play.name)
        lines, file, labels, pattern, second = answer
        given = dict.fromkeys(ASKED) | {"labels": labels, "pattern": pattern}
        assert request_of(given | SETTINGS, lines)
        assert file is None
        assert second["visible"] == ("{text_b}" in pattern)
    listener = page.page.fns[page.numbers["learn_sample"]]
    drawn = [one.elem_id for one in listener.outputs]
    assert drawn[1] == lesson_view.UPLOAD
    assert drawn[-1] == "mp-fewshot-text-b"
