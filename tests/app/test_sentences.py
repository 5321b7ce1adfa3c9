"""The sentences tab over HTTP: its five questions, files, and missing weights."""

import itertools
import json
from contextlib import contextmanager

import gradio as gr
import httpx
import pytest

from app.metrics import Metrics
from app.panel import Panel
from app.runs import Runs
from app.tabs import (
    sentences,
    sentences_classification,
    sentences_detection,
    sentences_nearest,
    sentences_rephrase,
    sentences_similarity,
)
from app.tabs.sentences_nearest import MAX_BYTES, NearestQuestion
from app.tabs.sentences_weights import Part
from app.wiring import Desk
from demos.errors import DemoError, FileError
from demos.judging.examples import CLASSIFICATION_EXAMPLES, DETECTION_EXAMPLES
from demos.rephrasing.examples import EXAMPLES as REPHRASING_EXAMPLES
from demos.similarity.examples import EXAMPLES, NEAREST_EXAMPLES
from model_core.interfaces import TEXT_CLASSIFIER, ModelError, ModelFacts
from tests.demos.terminal.test_session import call
from tests.fake_sentences import (
    FakeReplacedTokenDetector,
    FakeSentenceEncoder,
    FakeTextClassifier,
)
from tests.fakes import FakeShelf, OneAble

PATIENCE = 20.0
SESSIONS = itertools.count()
LINES = "怎么退货\n发票怎么开\n怎么退货\n运费"
OFFER = ModelFacts(
    "IDEA-CCNL/Erlangshen",
    "二郎神 · Erlangshen",
    "bert",
    ("classification",),
    409_000_000,
    409_000_000,
    license="apache-2.0",
)
PARTS = (
    sentences_similarity,
    sentences_classification,
    sentences_detection,
    sentences_rephrase,
)


def shelf_of(**players):
    """A shelf whose weights play these parts alone."""
    return FakeShelf(players=players)


class Offering(FakeShelf):
    """A shelf whose catalogue has classifiers, too."""

    def catalogue(self):
        return (*super().catalogue(), OFFER)


@contextmanager
def serving(shelf):
    with gr.Blocks(analytics_enabled=False) as page:
        panel = Panel(gr.Textbox())
        sentences.build(shelf, Desk(Runs(Metrics()), slots=2), panel)
    page.queue(api_open=False)
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, show_error=True)
    try:
        with httpx.Client(timeout=PATIENCE) as client:
            yield Page(f"{url}gradio_api/", page, client)
    finally:
        page.close(verbose=False)


class Page:
    """The tab as served."""

    def __init__(self, api, page, client):
        self.api, self.client = api, client
        self.numbers = {fn.api_name: number for number, fn in page.fns.items()}

    def ask(self, name, **given):
        """Ask a public endpoint; return its last (event, data)."""
        headers = {"accept-language": "en"}
        address = f"{self.api}call/v2/{name}"
        joined = self.client.post(address, json=given, headers=headers)
        joined.raise_for_status()
        kind = ""
        address = f"{self.api}call/{name}/{joined.json()['event_id']}"
        with self.client.stream("GET", address) as stream:
            for line in stream.iter_lines():
                key, _, value = line.partition(": ")
                kind = value if key == "event" else kind
                if key == "data" and kind in ("complete", "error"):
                    return kind, json.loads(value)
        raise AssertionError("the stream ended without an answer")

    def press(self, name, *values):
        """Return the last output of a listener, or the error's event."""
        body = {
            "data": values,
            "fn_index": self.numbers[name],
            "session_hash": f"visitor{next(SESSIONS)}",
        }
        headers = {"accept-language": "en"}
        self.client.post(f"{self.api}queue/join", json=body, headers=headers)
        address = f"{self.api}queue/data?session_hash={body['session_hash']}"
        with self.client.stream("GET", address) as stream:
            for line in stream.iter_lines():
                if line.startswith("data: "):
                    event = json.loads(line.removeprefix("data: "))
                    if event["msg"] == "process_completed":
                        return event["output"]
        raise AssertionError("the stream ended without an answer")


@pytest.fixture(scope="module", name="page")
def fixture_page():
    with serving(FakeShelf()) as page:
        yield page


def test_two_sentences_are_compared(page):
    kind, [answer] = page.ask("similarity", text="天气好", text_b="天气好")
    assert (kind, answer["cosine"], answer["weights"]) == ("complete", 1.0, "embedded")
    kind, error = page.ask("similarity", text="天气好", text_b="")
    assert kind == "error"
    assert "Second text" in str(error)


def test_lines_come_as_a_list_or_as_text(page):
    for lines in (LINES, LINES.split("\n")):
        kind, [answer] = page.ask("nearest", query="怎么退货", lines=lines, top_k=1)
        assert kind == "complete"
        assert answer["nearest"] == [
            {"text": "怎么退货", "cosine": 1.0, "line": 1, "lines": [1, 3]}
        ]
        assert (answer["num_lines"], answer["num_distinct"]) == (4, 3)
    kind, error = page.ask("nearest", query="退货", lines=["好", 3])
    assert (kind, "line 2 is no text" in str(error)) == ("error", True)


def test_probabilities_sum_to_one(page):
    kind, [answer] = page.ask("categorize", text="好好")
    assert kind == "complete"
    assert sum(answer["probabilities"].values()) == pytest.approx(1)
    assert answer["label"] == "好评"


def test_replaced_tokens_come_with_their_offsets(page):
    kind, [answer] = page.ask("detect", text="今天错了")
    assert kind == "complete"
    (found,) = answer["replaced"]
    assert (found["text"], found["start"], found["end"]) == ("错", 2, 3)
    assert page.ask("detect", text="疑", threshold=0.2)[1][0]["replaced"]


def test_similar_sentences_come_ranked(page):
    kind, [answer] = page.ask("rephrase", text="去哪儿", num_return=3, seed=5)
    assert (kind, answer["seed"], answer["num_distinct"]) == ("complete", 5, 6)
    cosines = [one["cosine"] for one in answer["rephrasings"]]
    assert cosines == sorted(cosines, reverse=True)
    assert len(cosines) == 3
    kind, error = page.ask("rephrase", text="去哪儿", num_return=11)
    assert (kind, "between 1 and 10" in str(error)) == ("error", True)


def test_the_page_draws_what_was_found(page):
    drawn = page.press("similarity_run", "天气好", "天气好", "auto")["data"][0]
    assert "1.000" in drawn
    drawn = page.press("nearest_run", "退货", LINES, None, 10, "auto")["data"][0]
    assert "第 1、3 行" in drawn
    drawn = page.press("categorize_run", "好好", "", "auto")["data"][0]
    assert "好评" in drawn
    drawn = page.press("detect_run", "今天错了", 0.5, "auto")["data"][0]
    assert '<mark class="mp-replaced"' in drawn
    drawn = page.press("rephrase_run", "去哪儿", 5, 5, 0.95, "", "auto")["data"][0]
    assert "<bdi>去哪儿啊</bdi>" in drawn


def upload(page, name, data):
    sent = page.client.post(f"{page.api}upload", files={"files": (name, data)})
    (path,) = sent.raise_for_status().json()
    return {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}


@pytest.mark.parametrize(
    ("name", "data", "numbers"),
    [
        ("单.txt", LINES.encode("gbk"), "1、3"),
        ("单.txt", LINES.encode("utf-8-sig"), "1、3"),
        (
            "单.csv",
            f"id,text\n1,{LINES.replace(chr(10), chr(10) + '1,')}".encode(),
            "2、4",
        ),
        (
            "单.jsonl",
            "\n".join(json.dumps({"text": t}) for t in LINES.split("\n")).encode(),
            "1、3",
        ),
    ],
)
def test_a_file_goes_before_what_is_pasted(page, name, data, numbers):
    given = upload(page, name, data)
    output = page.press("nearest_run", "退货", "别的", given, 10, "auto")
    assert f"第 {numbers} 行" in output["data"][0]
    assert "别的" not in output["data"][0]


def test_a_file_that_cannot_be_read_is_refused_with_the_line(page):
    given = upload(page, "单.txt", b"abc\n\xff\xfe\xfa\n")
    output = page.press("nearest_run", "退货", "", given, 10, "auto")
    assert "Line 2" in output["error"]


def test_a_path_from_elsewhere_is_not_read(page, tmp_path):
    path = tmp_path / "secret.txt"
    path.write_text("秘密")
    given = {"path": str(path), "meta": {"_type": "gradio.FileData"}}
    output = page.press("nearest_run", "退货", "", given, 10, "auto")
    assert "秘密" not in str(output)
    assert output["error"]


SAME_LINES = {
    "单.txt": "怎么退货\n\n发票怎么开\r\n怎么退货\n[1]",
    "单.csv": "text\n怎么退货\n\n发票怎么开\n怎么退货\n[1]\n",
    "列.csv": '\ufeffid,text\r\n1,怎么退货\r\n2,"发票,\n怎么开"\r\n3\r\n4,\'=1\r\n',
    "单.jsonl": '{"text": "怎么退货"}\n\n{"id": 1}\n{"text": "怎么退货"}\n{"text": 3}',
}


@pytest.mark.parametrize("name", SAME_LINES)
@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_a_terminal_and_the_page_read_the_same_lines(tmp_path, name, encoding):
    path = tmp_path / name
    text = SAME_LINES[name]
    path.write_bytes(text.encode("utf-8" if "\ufeff" in text else encoding))
    asked = NearestQuestion(FakeShelf(), tmp_path)
    claim = {"path": str(path), "meta": {"_type": "gradio.FileData"}}
    *_, result = asked.frames(["退货", "", claim, 10, "auto"])
    given = ("--lines", path, "--json")
    told = json.loads(call("nearest", "退货", *given).out)
    assert told["nearest"] == sentences_nearest.as_json(result)["nearest"]
    assert len(told["nearest"]) == told["num_distinct"] > 1


def test_a_blank_row_of_a_table_is_skipped_and_still_numbered(page):
    table = "text\n怎么退货\n\n密码忘了怎么办\n"
    given = upload(page, "单.csv", table.encode())
    drawn = page.press("nearest_run", "怎么退货", "", given, 10, "auto")["data"][0]
    assert "第 2 行" in drawn
    assert "第 4 行" in drawn
    given = upload(page, "单.csv", f"{table}甲,乙\n".encode())
    output = page.press("nearest_run", "怎么退货", "", given, 10, "auto")
    assert "Line 5: This line does not fit" in output["error"]


def test_a_file_that_is_too_large_is_refused(tmp_path):
    path = tmp_path / "单.txt"
    path.write_bytes(b"a\n" * (MAX_BYTES // 2 + 1))
    asked = NearestQuestion(FakeShelf(), tmp_path)
    claim = {"path": str(path), "meta": {"_type": "gradio.FileData"}}
    with pytest.raises(FileError, match="4 MB"):
        list(asked.frames(["退货", "", claim, 3, "auto"]))


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("similarity_example", len(EXAMPLES)),
        ("nearest_example", len(NEAREST_EXAMPLES)),
        ("rephrase_example", len(REPHRASING_EXAMPLES)),
        ("categorize_example", len(CLASSIFICATION_EXAMPLES)),
        ("detect_example", len(DETECTION_EXAMPLES)),
    ],
)
def test_every_example_fills_in_its_form(page, name, rows):
    for index in range(rows):
        filled = page.press(name, index)["data"]
        assert filled[0]


def test_the_pages_questions_remember_their_lists(tmp_path):
    encoder = FakeSentenceEncoder()
    asked = NearestQuestion(shelf_of(sentence_encoder=encoder), tmp_path)
    for _ in range(2):
        *_, result = asked.frames(["退货", LINES, None, 3, "auto"])
    assert result.finished
    assert len(encoder.asked) == 3  # two queries, the lines once
    with pytest.raises(DemoError, match="Lines"):
        list(asked.frames(["退货", "", None, 3, "auto"]))


# Weights


@pytest.mark.parametrize("module", PARTS, ids=lambda one: one.PART.task)
def test_where_nobody_can_the_sentence_says_what_to_load(module):
    part, shelf = module.PART, shelf_of()
    with pytest.raises(ModelError) as caught:
        list(part.await_able(shelf, "auto"))
    assert caught.value.kind == "missing_head"
    assert part.zh in caught.value.zh
    assert "模型 Models" in caught.value.zh
    assert "press Load" in caught.value.en


def test_the_notice_names_weights_with_their_size_and_licence():
    part = sentences_classification.PART
    drawn = part.notice(Offering(players={}))
    for told in ("IDEA-CCNL/Erlangshen", "409.0 MB", "apache-2.0", "二郎神"):
        assert told in drawn
    assert part.notice(Offering()) == ""
    zh, en = part.guide(Offering(players={}))
    assert "例如 IDEA-CCNL/Erlangshen (409.0 MB)" in zh
    assert "such as IDEA-CCNL/Erlangshen (409.0 MB)" in en


def test_auto_is_any_weights_that_are_ready_and_can():
    part = Part("classification", TEXT_CLASSIFIER, "不会。", "Cannot.")
    waiting = part.await_able(OneAble(), "auto")
    with pytest.raises(StopIteration) as end:
        next(waiting)
    assert isinstance(end.value.value, FakeTextClassifier)
    with pytest.raises(ModelError, match="Cannot"):
        list(part.await_able(OneAble(), "embedded"))


def test_other_failures_are_told_as_they_are():
    with pytest.raises(ModelError, match="No weights are named nobody"):
        list(sentences_detection.PART.await_able(FakeShelf(), "nobody"))


def test_each_part_answers_with_the_weights_that_play_it():
    shelf = shelf_of(replaced_token_detector=FakeReplacedTokenDetector())
    asked = sentences_detection.question(shelf)
    (result,) = asked.answer(asked.request_type("错"), "auto")
    assert result.replaced
    with pytest.raises(ModelError):
        list(sentences_classification.question(shelf).frames(["好", "", "auto"]))


@pytest.mark.parametrize(
    "module", [*PARTS, sentences_nearest], ids=lambda one: one.__name__
)
def test_an_empty_answer_has_the_fields_of_a_full_one(module):
    shelf = FakeShelf()
    if module is sentences_nearest:
        asked = NearestQuestion(shelf, None)
        *_, result = asked.frames(["退货", LINES, None, 3, "auto"])
    else:
        asked = module.question(shelf)
        values = {"text": "好", "text_b": "", "threshold": 0.5, "weights": "auto"}
        values |= {"num_return": 2, "top_k": 5, "top_p": 0.9, "seed": None}
        values["text_b"] = "好" if module is sentences_similarity else ""
        *_, result = asked.frames([values[name] for name in asked.inputs])
    assert module.as_json(None).keys() == module.as_json(result).keys()
