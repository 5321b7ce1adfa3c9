"""The question answering tab end to end: endpoints, forms, a base of one's own."""

import json
import secrets

import httpx
import pytest

from app.metrics import Metrics
from app.page import build_page
from app.runs import Runs
from app.settings import Settings
from app.tabs import facts, qa
from app.wiring import Desk
from demos.qa.examples import FACTS_EXAMPLES
from tests.app.conftest import serving
from tests.fake_fact_finder import FakeFactFinder
from tests.fake_passage_reader import FakePassageReader
from tests.fakes import FakeShelf

PASSAGES = ["李白字太白。", "杜甫字子美。"]
READ = "answer_run"
LOOK_UP = "answer_from_facts_run"
BUILD = "facts_base_run"


def new_shelf():
    reader = FakePassageReader(answers={"谁字子美？": ("杜甫", "李白")})
    finder = FakeFactFinder()
    return FakeShelf(players={"passage_reader": reader, "fact_finder": finder})


@pytest.fixture(scope="module")
def served():
    with serving(Settings(port=0), new_shelf()) as running:
        yield running


def call(served, name, **inputs):
    """Return an endpoint's last event: ("complete", value) or ("error", why)."""
    address = f"{served.api}call/v2/{name}"
    joined = httpx.post(address, json=inputs, timeout=30)
    assert joined.status_code == 200, joined.text
    kind, last = "", None
    with httpx.stream(
        "GET", f"{address}/{joined.json()['event_id']}", timeout=30
    ) as got:
        for line in got.iter_lines():
            field, _, value = line.partition(": ")
            kind = value if field == "event" else kind
            if field == "data" and kind != "heartbeat":
                last = (kind, json.loads(value))
    return last


class Visitor:
    """A browser's session: presses buttons by the name of their listener."""

    def __init__(self, served):
        self.served = served
        self.session = secrets.token_hex(4)
        listeners = httpx.get(f"{served.url}config").json()["dependencies"]
        self.numbers = {one["api_name"]: one["id"] for one in listeners}

    def press(self, name, *values):
        """Return the listener's outputs when it is done, or its error."""
        body = {
            "data": values,
            "fn_index": self.numbers[name],
            "session_hash": self.session,
        }
        api = self.served.api
        httpx.post(f"{api}queue/join", json=body, timeout=30).raise_for_status()
        address = f"{api}queue/data?session_hash={self.session}"
        with httpx.stream("GET", address, timeout=30) as stream:
            for line in stream.iter_lines():
                event = json.loads(line.removeprefix("data: ")) if line else {}
                if event.get("msg") == "process_completed":
                    return event["output"]
        raise AssertionError("the stream ended")

    def upload(self, name, data):
        files = {"files": (name, data)}
        (path,) = httpx.post(f"{self.served.api}upload", files=files).json()
        return {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}


def test_the_form_and_the_endpoints_have_the_contracts_inputs():
    page = build_page(new_shelf(), Desk(Runs(Metrics()), slots=2))
    known = page.get_api_info()["named_endpoints"]
    names = {
        name: [one["parameter_name"] for one in known[name]["parameters"]]
        for name in ("/answer", "/answer_from_facts")
    }
    assert names == {
        "/answer": [
            "question",
            "passages",
            "mode",
            "extractive",
            "max_answer_tokens",
            "compare",
            "passage",
            "weights",
        ],
        "/answer_from_facts": ["question", "num_return", "base", "weights"],
    }
    (passages,) = known["/answer"]["parameters"][1:2]
    assert passages["type"] == {"type": "array", "items": {"type": "string"}}


def test_every_example_fills_the_form():
    for request in qa.examples_of():
        text = "\n\n".join(request.passages)
        assert type(request)(request.question, text) == request
    assert all(FACTS_EXAMPLES)


def test_the_prefix_mask_shows_the_answer_only_its_own_past():
    mask = qa.prefix_mask((0, 0, 1, 1))
    assert mask == [
        [True, True, False, False],
        [True, True, False, False],
        [True, True, True, False],
        [True, True, True, True],
    ]


def test_an_endpoint_answers_before_the_weights_are_there():
    assert qa.as_json(None)["answer"] == ""
    assert facts.as_json(None)["matches"] == []


@pytest.mark.parametrize(
    "given",
    [{"passages": PASSAGES}, {"passages": [PASSAGES[0]], "passage": PASSAGES[1]}],
)
def test_over_http_an_answer_names_its_passage_and_its_place(served, given):
    kind, (answer,) = call(
        served, "answer", question="谁字子美？", compare=True, **given
    )
    assert kind == "complete"
    assert (answer["answer"], answer["passage"], answer["start"]) == ("杜甫", 1, 0)
    assert [one["mode"] for one in answer["modes"]] == ["mlm", "seq2seq"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "一段也没有；请给出至少一段"),
        ({"passages": ["甲", ""]}, "“段落第 2 段”是空的"),
        ({"passages": 3}, "须为列表，或以空行分段的文字，收到 3"),
        ({"passages": ["甲"], "mode": "span"}, "“读法”须为所用权重会的读法"),
        ({"passages": ["甲"], "question": "问" * 300}, "收到 300 个"),
    ],
)
def test_over_http_what_cannot_be_read_is_a_sentence(served, given, sentence):
    kind, told = call(served, "answer", **{"question": "谁？", **given})
    assert kind == "error"
    assert sentence in json.dumps(told, ensure_ascii=False)


def test_over_http_the_sample_base_answers(served):
    kind, (answer,) = call(
        served, "answer_from_facts", question="土星的最大的卫星叫什么？", num_return=2
    )
    assert kind == "complete"
    assert answer["matches"][0]["objects"] == ["土卫六"]
    assert answer["base"]["num_triples"] > 300
    assert answer["base"]["tree_bytes"] > 0


def test_over_http_an_unknown_base_is_a_sentence(served):
    _, told = call(served, "answer_from_facts", question="谁？", base="nothing")
    assert "已不在服务器上" in json.dumps(told, ensure_ascii=False)


def test_the_page_reads_passages_parted_by_blank_lines(served):
    values = [
        "谁字子美？",
        "\n\n".join(PASSAGES),
        "seq2seq",
        True,
        32,
        False,
        None,
        "auto",
    ]
    output = Visitor(served).press(READ, *values)
    assert "杜甫" in output["data"][0], output
    assert "seq2seq" in output["data"][0]


def test_a_visitors_own_base_answers_them_and_nobody_else(served):
    visitor = Visitor(served)
    claim = visitor.upload("库.csv", "玄武湖,所在城市,南京\n".encode("gbk"))
    built = visitor.press(BUILD, claim, None, "auto")
    assert "error" not in built, built
    done = json.dumps(visitor.press("facts_base_done", None), ensure_ascii=False)
    assert "Ready to be asked" in done
    assert "库.csv" in done
    asked = ["玄武湖的所在城市是？", 3, None, "auto"]
    assert "南京" in visitor.press(LOOK_UP, *asked)["data"][0]
    other = Visitor(served).press(LOOK_UP, *asked)["data"][0]
    assert "南京" not in other
    assert "示例库 sample" in other
    visitor.press("facts_use_sample", None)
    assert "示例库 sample" in visitor.press(LOOK_UP, *asked)["data"][0]


def test_a_file_that_is_wrong_says_so_and_the_base_in_use_stays(served):
    visitor = Visitor(served)
    claim = visitor.upload("库.tsv", "甲\t乙\n".encode())
    output = visitor.press(BUILD, claim, None, "auto")
    assert "共 1 行缺列" in output["error"]
    visitor.press("facts_base_failed", None)
    asked = ["土星的最大的卫星叫什么？", 1, None, "auto"]
    assert "土卫六" in visitor.press(LOOK_UP, *asked)["data"][0]
