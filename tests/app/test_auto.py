"""What ``auto`` means once somebody has loaded weights: every request is answered."""

import json
from dataclasses import asdict, dataclass, replace

import pytest

from app.batch import FileQuestion, seats_for
from app.metrics import Metrics
from app.runs import Runs
from app.shelf import await_following
from app.tabs import files, generation, qa, triples
from app.wiring import Desk
from demos.errors import InvalidRequestError
from demos.generation.examples import EXAMPLES as OPENINGS
from demos.limits import names_of
from demos.qa.task import QaRequest
from demos.triples.task import TripleRequest
from model_core.interfaces import TEXT_GENERATOR, ModelError
from tests.app.test_batch import OPTIONS
from tests.fake_passage_reader import FakePassageReader
from tests.fake_triple_pointer import FakeTriplePointer
from tests.fakes import EMBEDDED, FakeGenerator, FakeShelf

LOADED = replace(EMBEDDED, name="owner/loaded")
TEXT = "《史记》的作者是司马迁，父亲是司马谈。"


@dataclass
class Loaded(FakeShelf):
    """On it ``auto`` is what somebody loaded; the embedded weights are able.

    What was loaded knows no style and no sentiment, wants relations named, and reads
    in one mode.
    """

    gone: bool = False

    def model(self, role, weights="auto", *, timeout_seconds=60.0):
        if weights == "auto":
            return {
                "text_generator": FakeGenerator(
                    weights=LOADED, styles=(), conditions=()
                ),
                "triple_pointer": FakeTriplePointer(
                    weights=LOADED,
                    schema_kind="asked",
                    relations=(),
                    decoders=("prompted",),
                ),
                "passage_reader": FakePassageReader(modes=("span",), weights=LOADED),
            }[role.name]
        if self.gone:
            raise ModelError("corrupt", "坏了。", "Damaged.")
        return super().model(role, weights)


@pytest.fixture
def shelf():
    styles = tuple(dict.fromkeys(opening.style for opening in OPENINGS))
    return Loaded(FakeGenerator(styles=styles))


def ask(question, request, weights="auto"):
    desk = Desk(Runs(Metrics()), slots=1)
    *_, last = desk.ask(question, [*asdict(request).values(), weights])
    return last


@pytest.mark.parametrize("number", range(len(triples.examples_of())))
def test_every_example_of_triples_is_answered(shelf, number):
    request = triples.examples_of()[number]
    assert ask(triples.question(shelf), request).finished


def test_a_text_without_relations_is_answered_by_the_embedded_weights(shelf):
    result = ask(triples.question(shelf), TripleRequest(TEXT))
    assert result.weights == EMBEDDED
    assert [one.object for one in result.triples] == ["司马迁", "司马谈"]


@pytest.mark.parametrize(
    "wanted", [{"schema": "父亲"}, {"schema": "人物: 父亲", "decoder": "gplinker"}]
)
def test_what_the_loaded_weights_cannot_follow_is_the_embedded_ones(shelf, wanted):
    result = ask(triples.question(shelf), TripleRequest(TEXT, **wanted))
    assert result.weights == EMBEDDED
    assert [one.object for one in result.triples] == ["司马谈"]


def test_what_the_loaded_weights_can_follow_is_theirs(shelf):
    request = TripleRequest(TEXT, schema="人物: 父亲, 配偶")
    assert ask(triples.question(shelf), request).weights == LOADED


@pytest.mark.parametrize("number", range(len(OPENINGS)))
def test_every_example_of_generation_is_answered(shelf, number):
    request = replace(OPENINGS[number], max_new_tokens=3, min_new_tokens=0)
    weights = ask(generation.question(shelf), request).frame.weights
    assert weights == (EMBEDDED if request.style or request.condition else LOADED)


@pytest.mark.parametrize("mode", ["auto", "span", "mlm", "seq2seq"])
def test_a_question_is_read_in_every_mode(mode):
    reader = FakePassageReader(modes=("seq2seq", "mlm", "span"))
    shelf = Loaded(players={"passage_reader": reader})
    request = QaRequest("谁建的？", ["赵州桥由李春主持建造。"], mode=mode)
    values = {name: getattr(request, name) for name in names_of(QaRequest)}
    *_, last = Desk(Runs(Metrics()), slots=1).ask(
        qa.question(shelf), [*values.values(), "auto"]
    )
    assert last.finished
    assert bool(reader.asked) == (mode in ("mlm", "seq2seq"))


def test_weights_that_are_chosen_are_asked_whatever_they_lack(shelf):
    shelf.players["triple_pointer"].schema_kind = "asked"
    with pytest.raises(InvalidRequestError, match="不能留空"):
        ask(triples.question(shelf), TripleRequest(TEXT), weights="uer/gpt2-distil")


def test_without_the_embedded_weights_the_others_say_what_they_lack(shelf):
    shelf.gone = True
    with pytest.raises(InvalidRequestError, match="请写一行，例如"):
        ask(triples.question(shelf), TripleRequest(TEXT))


def test_the_weights_that_follow_more_are_asked(shelf):
    def chosen(loaded, embedded):
        counted = {LOADED: loaded, EMBEDDED: embedded}
        waiting = await_following(
            shelf, TEXT_GENERATOR, "auto", lambda model: counted[model.weights]
        )
        with pytest.raises(StopIteration) as ended:
            next(waiting)
        return ended.value.value.weights

    assert chosen(0, 0) == LOADED
    assert chosen(3, 0) == EMBEDDED
    assert chosen(3, 9) == LOADED


@pytest.fixture
def answers(shelf, tmp_path):
    """Answer a file on the page; return its records."""

    def run(task, lines, **given):
        question = FileQuestion(shelf, files.TASKS_HERE, tmp_path, 60.0, seats_for(2))
        path = tmp_path / "问.jsonl"
        path.write_text("\n".join(map(json.dumps, lines)), "utf-8")
        form = dict.fromkeys(question.inputs) | OPTIONS
        form |= {"upload": {"path": str(path)}, "task": task, "output_type": "jsonl"}
        form |= {"weights": "auto", **given}
        *_, batch = question.frames([form[name] for name in question.inputs])
        text = batch.target.path.read_text("utf-8")
        return [json.loads(line) for line in text.splitlines()]

    return run


@pytest.mark.parametrize(
    ("task", "lines", "given"),
    [
        ("generation", [{"prompt": "春"}] * 3, {"generation_style": "五言绝句"}),
        ("generation", [{"prompt": "春", "style": "五言绝句"}, {"prompt": "秋"}], {}),
        ("generation", [{"prompt": "春", "condition": "负面"}], {}),
        ("triples", [{"text": TEXT}] * 20, {}),
        ("triples", [{"text": TEXT}], {"triples_schema": "父亲"}),
        ("qa", [{"question": "谁？", "passage": "李春。"}], {"qa_mode": "mlm"}),
    ],
)
def test_every_line_of_a_file_is_answered_by_weights_that_can(
    shelf, answers, task, lines, given
):
    shelf.players["passage_reader"].modes = ("seq2seq", "mlm", "span")
    records = answers(task, lines, **given)
    assert len(records) == len(lines)
    assert [one["error"] for one in records if "error" in one] == []
    assert {one["weights"] for one in records if "weights" in one} <= {"embedded"}


def test_a_file_that_the_loaded_weights_can_follow_is_theirs(answers):
    lines = [{"text": TEXT, "schema": "人物: 父亲, 配偶"}, {"text": 3}]
    first, second = answers("triples", lines)
    assert first["weights"] == "owner/loaded"
    assert second["error"]
