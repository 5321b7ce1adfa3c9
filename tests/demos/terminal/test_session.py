"""The command line as people and scripts meet it: answers, files, exit statuses."""

import csv
import io
import json
from dataclasses import dataclass
from typing import Annotated

import pytest

from demos import limits
from demos.limits import Label, Length, shown
from demos.tasks import EVERY_TASK, TASKS, Task
from demos.terminal.session import Streams, run
from model_core.interfaces import TEXT_GENERATOR, ModelError, ModelState
from tests.fake_mask_filler import FakeMaskFiller
from tests.fake_passage_reader import FakePassageReader
from tests.fakes import FakeGenerator, FakeShelf

FEW = ("--max-new-tokens", "2", "--seed", "0")
TEXTS = [{"text": "床前", "log_prob": -2.0, "finish": "length"}]


class Screen(io.StringIO):
    """An output that says it is a terminal and keeps every write."""

    def __init__(self):
        super().__init__()
        self.writes = []

    def isatty(self):
        return True

    def write(self, text):
        self.writes.append(text)
        return super().write(text)


@dataclass
class Outcome:
    status: int
    out: str
    err: str
    shelf: FakeShelf
    opened: list


def call(*arguments, shelf=None, stdin=b"", out=None, tasks=EVERY_TASK):
    shelf = shelf or FakeShelf()
    opened = []

    def open_shelf(weights):
        opened.append(weights)
        return shelf

    streams = Streams(io.BytesIO(stdin), out or io.StringIO(), io.StringIO())
    try:
        status = run([str(a) for a in arguments], open_shelf, streams, tasks)
    except SystemExit as exit_:
        status = exit_.code
    return Outcome(
        status, streams.output.getvalue(), streams.error.getvalue(), shelf, opened
    )


def rows_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def questions(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text(
        '{"id": 1, "prompt": "春"}\n'
        "not json\n"
        '{"id": 3, "prompt": "夏", "max_new_tokens": 1}\n'
        '{"id": 4}\n'
        '{"id": 5, "prompt": "秋", "top_k": 9999}\n'
        '{"id": 6, "prompt": "冬"}\n'
    )
    return path


def test_a_text_is_answered_for_a_person():
    outcome = call("generation", *FEW, "春")
    assert (outcome.status, outcome.out, outcome.err) == (0, "春床前\n", "")
    assert outcome.shelf.closed == 1


def test_json_is_one_object_on_one_line():
    outcome = call("generation", *FEW, "--json", "春")
    record = {"prompt": "春", "texts": TEXTS, "seed": 0, "weights": "embedded"}
    assert json.loads(outcome.out) == record
    assert outcome.out.count("\n") == 1


@pytest.mark.parametrize(
    "stdin",
    ["春\n".encode(), "春\r\n".encode(), "\ufeff春".encode(), "春".encode("gbk")],
)
def test_a_dash_reads_standard_input(stdin):
    assert call("generation", *FEW, "-", stdin=stdin).out == "春床前\n"


def test_a_terminal_sees_the_text_as_it_comes():
    screen = Screen()
    outcome = call("generation", "--max-new-tokens", 3, "--seed", 0, "春", out=screen)
    assert screen.writes == ["春床", "前", "明", "\n"]
    assert outcome.out == "春床前明\n"


def test_a_result_that_takes_text_back_is_printed_again():
    texts = iter(["甲乙", "甲丙"])
    task = Task(
        **{**_fields(TASKS["generation"]), "render_text": lambda _: next(texts)}
    )
    screen = Screen()
    call("generation", *FEW, "春", out=screen, tasks={"generation": task})
    assert screen.getvalue() == "甲乙\n\n甲丙\n"


def test_options_reach_the_model_and_weights_the_shelf():
    outcome = call(
        "generation",
        *("--top-p", "0.5", "--style", "散文", "--num-return", "2"),
        *("--weights", "auto", "--engine", "fast", "--offline", "春"),
    )
    ((_, options),) = outcome.shelf.generator.asked
    assert (options.top_p, options.style, options.num_return) == (0.5, "散文", 2)
    (weights,) = outcome.opened
    assert (weights.name, weights.engine, weights.offline) == ("auto", "fast", True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "required: TASK"),
        (("rap", "春"), "invalid choice: 'rap'"),
        (("generation",), "Give either TEXT or --input"),
        (("generation", "春", "--input", "a.txt"), "Give either TEXT or --input"),
        (("generation", "--input", "a.txt"), "--input and --output go together"),
        (("generation", "春", "--resume"), "are for files"),
        (("generation", "--resume", "--overwrite"), "not allowed with"),
        (
            ("generation", "--json", "--input", "a", "--output", "b"),
            "--json is for TEXT",
        ),
        (("generation", "春", "--temp", "1"), "unrecognized arguments"),
        (("generation", "--top-k", "many", "春"), "0 and 1000, got 'many'"),
        (("generation", "--temperature", "nan", "春"), "“温度”须为 0.05 到 2 之间的数"),
        (("generation", "--seed", "-1", "春"), "“Seed” must be a whole number"),
    ],
)
def test_a_wrong_command_ends_with_2_and_a_sentence(arguments, sentence, capsys):
    outcome = call(*arguments)
    assert outcome.status == 2
    assert sentence in capsys.readouterr().err
    assert not outcome.opened


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "must have 1 to 2000 characters, got 0"),
        ("春" * 100_000, "got 100000"),
        ("\udce6", "a lone surrogate"),
        ("a\x07", "U+0007"),
    ],
    ids=["empty", "long", "surrogate", "bell"],
)
def test_a_bad_text_is_refused_before_a_model_is_loaded(text, sentence):
    outcome = call("generation", "--", text)
    assert (outcome.status, outcome.out, outcome.opened) == (2, "", [])
    assert sentence in outcome.err


def test_unknown_weights_end_with_2_and_the_sentence(questions, tmp_path):
    files = ("--input", questions, "--output", tmp_path / "out.jsonl")
    for asked in (("春",), files):
        outcome = call("generation", "--weights", "../x", *asked)
        assert outcome.status == 2
        assert "No weights are named ../x; there are auto, embedded" in outcome.err
        assert outcome.shelf.closed == 1
    assert not (tmp_path / "out.jsonl").exists()


def test_a_model_that_fails_on_a_text_ends_with_1():
    failing = FakeGenerator(failures={"春": ModelError("busy", "忙。", "Busy.")})
    outcome = call("generation", "春", shelf=FakeShelf(failing))
    assert (outcome.status, outcome.err) == (1, "忙。 / Busy.\n")


def test_waiting_for_weights_is_told_once_a_change():
    class LoadingShelf(FakeShelf):
        megabytes = iter([1, 1, 2])

        def states(self):
            return (ModelState("a/b", "甲", "downloading", self.size, 9_000_000),)

        def model(self, role, weights="auto", *, timeout_seconds=60.0):
            self.size = next(self.megabytes, 0) * 1_000_000
            if not self.size:
                return self.generator
            raise ModelError("not_ready", "未就绪。", "Not ready.")

    outcome = call("generation", *FEW, "春", shelf=LoadingShelf())
    assert outcome.out == "春床前\n"
    said = [line.partition(": ")[2] for line in outcome.err.splitlines()]
    assert said == ["甲 downloading 1 / 9 MB", "甲 downloading 2 / 9 MB"]


@pytest.mark.parametrize("kind", ["offline", "corrupt", "missing_head"])
def test_weights_that_cannot_be_had_are_not_waited_for(kind):
    class FailedShelf(FakeShelf):
        def model(self, role, weights="auto", *, timeout_seconds=60.0):
            raise ModelError(kind, "不行。", "No.")

    outcome = call("generation", "春", shelf=FailedShelf())
    assert (outcome.status, outcome.err) == (2, "不行。 / No.\n")


def test_a_batch_gives_one_line_per_line_and_counts_the_failed(questions, tmp_path):
    target = tmp_path / "out.jsonl"
    outcome = call("generation", *FEW, "--input", questions, "--output", target)
    rows = rows_of(target)
    assert outcome.status == 1
    assert "6 of 6 lines written, 3 failed" in outcome.err
    assert "6/6" in outcome.err
    assert [row.get("id") for row in rows] == [1, None, 3, 4, 5, 6]
    assert ["error" in row for row in rows] == [False, True, False, True, True, False]
    assert rows[0] == {
        "id": 1,
        "prompt": "春",
        "texts": TEXTS,
        "seed": 0,
        "weights": "embedded",
    }
    assert rows[1].keys() == {"error"}
    assert rows[2]["texts"][0]["text"] == "床"
    assert "0 and 1000, got 9999" in rows[4]["error"]


def test_a_batch_without_failures_ends_with_0(tmp_path):
    (tmp_path / "in.txt").write_text("春\n夏\n")
    target = tmp_path / "out.csv"
    outcome = call(
        "generation", *FEW, "--input", tmp_path / "in.txt", "--output", target
    )
    assert outcome.status == 0
    with target.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["prompt"] for row in rows] == ["春", "夏"]
    assert json.loads(rows[0]["texts"]) == TEXTS
    assert list(rows[0]) == ["prompt", "texts", "seed", "weights", "error"]


def test_an_empty_file_gives_an_empty_file(tmp_path):
    (tmp_path / "in.jsonl").write_text("")
    target = tmp_path / "out.jsonl"
    arguments = ("--input", tmp_path / "in.jsonl", "--output", target)
    assert call("generation", *arguments).status == 0
    assert target.read_bytes() == b""


def test_a_gbk_table_is_read_and_said_so(tmp_path):
    (tmp_path / "in.csv").write_text("编号,prompt,seed\n甲,春,\n", encoding="gbk")
    target = tmp_path / "out.jsonl"
    outcome = call(
        "generation", *FEW, "--input", tmp_path / "in.csv", "--output", target
    )
    (row,) = rows_of(target)
    assert (row["编号"], row["prompt"], row["seed"]) == ("甲", "春", 0)
    assert "按 GB18030 读取" in outcome.err


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_an_interrupted_batch_is_resumed_to_the_same_file(questions, tmp_path, suffix):
    target = tmp_path / f"out{suffix}"
    arguments = ("generation", *FEW, "--input", questions, "--output", target)
    assert call(*arguments).status == 1
    whole = target.read_bytes()
    for cut in range(0, len(whole) + 1, 7):
        target.write_bytes(whole[:cut])
        outcome = call(*arguments, "--resume")
        assert target.read_bytes() == whole
        assert (outcome.status, "3 failed" in outcome.err) == (1, True)


def test_resume_asks_the_model_only_for_what_is_missing(questions, tmp_path):
    target = tmp_path / "out.jsonl"
    arguments = ("generation", *FEW, "--input", questions, "--output", target)
    call(*arguments)
    finished = call(*arguments, "--resume")
    assert (finished.status, finished.opened) == (1, [])
    target.write_text("\n".join(target.read_text().split("\n")[:3]) + "\n{")
    outcome = call(*arguments, "--resume")
    assert [prompt for prompt, _ in outcome.shelf.generator.asked] == ["冬"]


GUARDED = "-《史记》的作者是司马迁。"  # what a spreadsheet would run


def test_a_tables_offsets_are_those_of_its_text(tmp_path):
    (tmp_path / "in.txt").write_text(GUARDED)
    target = tmp_path / "out.csv"
    files = ("--input", tmp_path / "in.txt", "--output", target)
    assert call("triples", *files).status == 0
    with target.open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    (triple,) = json.loads(row["triples"])
    assert row["text"] == GUARDED
    for name in ("subject", "object"):
        assert row["text"][triple[f"{name}_start"] :].startswith(triple[name])


@pytest.mark.parametrize("text", [GUARDED, f"'{GUARDED}", "=1+1", "＠甲"])
def test_a_table_of_answers_is_a_table_of_the_same_questions(tmp_path, text):
    (tmp_path / "in.jsonl").write_text(json.dumps({"text": text, "id": "+1甲"}))
    asked, tables = tmp_path / "in.jsonl", (tmp_path / "1.csv", tmp_path / "2.csv")
    for target in tables:
        assert call("triples", "--input", asked, "--output", target).status == 0
        asked = target
    with tables[1].open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["text"], row["id"]) == (text, "+1甲")
    assert tables[0].read_bytes() == tables[1].read_bytes()


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["older", "page"])
def test_a_guarded_table_goes_on_as_it_was_begun(tmp_path, mark):
    (tmp_path / "in.txt").write_text("=1+1\n春\n-夏\n")
    target = tmp_path / "out.csv"
    arguments = ("generation", "--input", tmp_path / "in.txt", "--output", target)
    assert call(*arguments).status == 0
    whole = target.read_bytes().decode()
    guarded = mark + whole.replace("\n=1", "\n'=1").replace("\n-夏", "\n'-夏")
    assert guarded.count("'") == 2
    target.write_text("".join(guarded.splitlines(keepends=True)[:2]), newline="")
    assert call(*arguments, "--resume").status == 0
    assert target.read_bytes().decode() == guarded
    target.write_text(guarded.replace("春", "秋"), newline="")
    refused = call(*arguments, "--resume")
    assert (refused.status, refused.opened) == (2, [])
    assert "cannot be resumed" in refused.err


TITLES = 70  # lines, in portions of 32


@pytest.fixture
def articles(tmp_path):
    path = tmp_path / "articles.jsonl"
    texts = ["" if number in {5, 40} else f"第{number}号，" for number in range(TITLES)]
    path.write_text("".join(f'{{"text": "{text}"}}\n' for text in texts))
    return path


@pytest.mark.parametrize("lines", [0, 1, 31, 32, 33, 64, 69])
@pytest.mark.parametrize("broken", ["", '{"te'])
def test_a_batch_answered_in_portions_is_resumed_to_the_same_file(
    articles, tmp_path, lines, broken
):
    target = tmp_path / "out.jsonl"
    arguments = ("title", "--input", articles, "--output", target)
    first = call(*arguments)
    assert first.status == 1
    assert "70 of 70 lines written, 2 failed" in first.err
    whole = target.read_text()
    target.write_text("".join(whole.splitlines(keepends=True)[:lines]) + broken)
    outcome = call(*arguments, "--resume")
    assert target.read_text() == whole
    assert "70 of 70 lines written, 2 failed" in outcome.err
    portions = outcome.shelf.players["text_rewriter"].batches
    assert portions == [31, 31, 6][lines // 32 :]  # the very same as at first


def test_resume_without_a_file_starts_one(questions, tmp_path):
    target = tmp_path / "out.jsonl"
    files = ("--input", questions, "--output", target)
    assert call("generation", *files, "--resume").status == 1
    assert len(rows_of(target)) == 6


def test_resume_refuses_the_answers_to_another_file(questions, tmp_path):
    target = tmp_path / "out.jsonl"
    call("generation", *FEW, "--input", questions, "--output", target)
    before = target.read_bytes()
    questions.write_text(questions.read_text().replace("夏", "暑"))
    files = ("--input", questions, "--output", target)
    outcome = call("generation", *files, "--resume")
    assert outcome.status == 2
    assert "line 3 is no answer to line 3 of" in outcome.err
    assert (target.read_bytes(), outcome.opened) == (before, [])


def test_nothing_is_written_over_without_being_asked(questions, tmp_path):
    target = tmp_path / "out.jsonl"
    target.write_text("precious")
    arguments = ("generation", *FEW, "--input", questions, "--output", target)
    refused = call(*arguments)
    assert (refused.status, refused.opened) == (2, [])
    assert "add --resume to continue it, or --overwrite" in refused.err
    assert target.read_text() == "precious"
    assert call(*arguments, "--overwrite").status == 1
    assert len(rows_of(target)) == 6


@pytest.mark.parametrize("option", ["--resume", "--overwrite"])
def test_a_folder_is_no_output(questions, tmp_path, option):
    folder = tmp_path / "answers.jsonl"
    folder.mkdir()
    called = call("generation", "--input", questions, "--output", folder, option)
    assert called.status == 2
    assert "answers.jsonl is a folder: name a file in it" in called.err


def test_the_input_is_never_the_output(questions):
    before = questions.read_bytes()
    files = ("--input", questions, "--output", questions)
    outcome = call("generation", *files, "--overwrite")
    assert outcome.status == 2
    assert "Input and output are the same file" in outcome.err
    assert questions.read_bytes() == before


class StoppingGenerator(FakeGenerator):
    """Presses Ctrl-C in the middle of the third answer."""

    def complete(self, prompt, options):
        for frame in super().complete(prompt, options):
            if len(self.asked) == 3:
                raise KeyboardInterrupt
            yield frame


def test_ctrl_c_leaves_whole_lines_and_says_how_to_go_on(tmp_path):
    (tmp_path / "in.txt").write_text("春\n夏\n秋\n冬\n")
    target = tmp_path / "out.jsonl"
    arguments = ("generation", "--input", tmp_path / "in.txt", "--output", target)
    shelf = FakeShelf(StoppingGenerator())
    outcome = call(*arguments, shelf=shelf)
    assert outcome.status == 130
    assert "Stopped: 2 of 4 lines written" in outcome.err
    assert "Go on with --resume" in outcome.err
    assert [row["prompt"] for row in rows_of(target)] == ["春", "夏"]
    assert shelf.closed == 1
    assert call(*arguments, "--resume").status == 0
    assert [row["prompt"] for row in rows_of(target)] == ["春", "夏", "秋", "冬"]


def test_a_reader_that_left_is_no_error():
    class ClosedPipe(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    outcome = call("generation", "春", out=ClosedPipe())
    assert (outcome.status, outcome.err) == (141, "")


# A task to come: a list among its fields, and an option that names a file.


class Listed:
    """A list of anything."""

    summary = "list"

    def check(self, label, value):
        """Refuse what is none."""
        if not isinstance(value, tuple):
            raise label.refuse("须为列表。", f"must be a list, got {shown(value)}.")


@dataclass(frozen=True, slots=True)
class AskRequest:
    question: Annotated[str, Length(1, 9), Label("问题", "Question")]
    passages: Annotated[tuple[str, ...], Listed(), Label("段落", "Passages")]
    task: Annotated[str, Length(0, 9), Label("名", "Task")] = "x"

    def __post_init__(self):
        limits.check(self)


ASK = Task(
    name="ask",
    label=Label("问", "Ask"),
    request_type=AskRequest,
    text_field="question",
    role=TEXT_GENERATOR,
    run=lambda request, model: iter([request]),
    to_record=lambda request: {"answer": request.passages[-1]},
    added_fields=("answer",),
    render_text=lambda request: request.passages[-1],
)


def _fields(task):
    return {name: getattr(task, name) for name in Task.__slots__}


def ask(*arguments):
    return call("ask", *arguments, tasks={"ask": ASK})


def test_a_list_is_given_as_json_or_as_a_file(tmp_path):
    (tmp_path / "p.json").write_text('["甲", "乙"]')
    assert ask("--passages", '["甲", "丙"]', "谁").out == "丙\n"
    assert ask("--passages", tmp_path / "p.json", "谁").out == "乙\n"


def test_a_list_option_that_is_none_is_refused(capsys, tmp_path):
    assert ask("--passages", "甲", "谁").status == 2
    assert "must be a list, got '甲'" in capsys.readouterr().err
    assert ask("--passages", tmp_path / "none.json", "谁").status == 2
    assert "none.json cannot be read: No such file" in capsys.readouterr().err


def test_a_required_field_beside_the_text_is_asked_for():
    outcome = ask("谁")
    assert outcome.status == 2
    assert "“Passages” (passages) is missing; this line has: question." in outcome.err


def test_lists_in_a_batch(tmp_path):
    (tmp_path / "in.jsonl").write_text(
        '{"question": "谁", "passages": ["甲"]}\n{"question": "谁"}\n'
    )
    target = tmp_path / "out.jsonl"
    files = ("--input", tmp_path / "in.jsonl", "--output", target)
    assert ask("--passages", '["丁"]', *files).status == 0
    assert [row["answer"] for row in rows_of(target)] == ["甲", "丁"]


# What is given once holds for every line that lacks its own.

TWO_FACTS = "《史记》的作者是司马迁。司马迁的父亲是司马谈。"
AUTHOR, FATHER = ["图书作品", "作者", "人物"], ["人物", "父亲", "人物"]


def predicates(row):
    return [triple["predicate"] for triple in row["triples"]]


@pytest.mark.parametrize(
    "schema",
    ["图书作品 作者 人物", json.dumps([AUTHOR]), "as.json", "as.jsonl", "as.tsv"],
)
def test_a_schema_given_once_holds_for_lines_without_one(tmp_path, schema):
    (tmp_path / "as.json").write_text(json.dumps([AUTHOR]))
    (tmp_path / "as.jsonl").write_text(json.dumps(AUTHOR))
    (tmp_path / "as.tsv").write_bytes("\t".join(AUTHOR).encode("gbk"))
    (tmp_path / "in.jsonl").write_text(
        json.dumps({"text": TWO_FACTS})
        + "\n"
        + json.dumps({"text": TWO_FACTS, "schema": [FATHER]})
        + "\n"
        + json.dumps({"text": TWO_FACTS, "schema": None})
        + "\n"
    )
    target = tmp_path / "out.jsonl"
    files = ("--input", tmp_path / "in.jsonl", "--output", target)
    given = tmp_path / schema if schema.startswith("as.") else schema
    assert call("triples", "--schema", given, *files).status == 0
    rows = rows_of(target)
    assert [predicates(row) for row in rows] == [["作者"], ["父亲"], ["作者"]]
    assert rows[1]["schema"] == [FATHER]


def test_a_tables_empty_cell_leaves_the_schema_to_the_option(tmp_path):
    cells = [f'"{TWO_FACTS}",', f'"{TWO_FACTS}",人物: 父亲']
    (tmp_path / "in.csv").write_text("\n".join(["text,schema", *cells]) + "\n")
    target = tmp_path / "out.jsonl"
    files = ("--input", tmp_path / "in.csv", "--output", target)
    assert call("triples", "--schema", "作者", *files).status == 0
    assert [predicates(row) for row in rows_of(target)] == [["作者"], ["父亲"]]


def test_an_unknown_relation_is_each_lines_error_and_names_close_ones(tmp_path):
    (tmp_path / "in.txt").write_text(TWO_FACTS + "\n")
    target = tmp_path / "out.jsonl"
    files = ("--input", tmp_path / "in.txt", "--output", target)
    assert call("triples", "--schema", "父母", *files).status == 1
    assert "close ones are 人物 父亲 人物" in rows_of(target)[0]["error"]
    outcome = call("triples", "--schema", "父母", TWO_FACTS)
    assert outcome.status == 2
    assert "close ones are 人物 父亲 人物" in outcome.err


BRIDGES = ["赵州桥由李春主持建造。", "卢沟桥在北京。"]


def qa_shelf():
    reader = FakePassageReader(answers={"谁建的？": ("李春", "茅以升")})
    return FakeShelf(players={"passage_reader": reader}), reader


@pytest.mark.parametrize(
    "given",
    [
        ("--passage", BRIDGES[0]),
        ("--passages", json.dumps(BRIDGES)),
        ("--passages", "\n\n".join(BRIDGES)),
        ("--passages", "as.json"),
        ("--passages", "as.txt"),
    ],
)
def test_passages_given_once_hold_for_questions_without_any(tmp_path, given):
    (tmp_path / "as.json").write_text(json.dumps(BRIDGES))
    (tmp_path / "as.txt").write_text("\n\n".join(BRIDGES))
    (tmp_path / "in.txt").write_text("谁建的？\n在哪里？\n")
    target = tmp_path / "out.jsonl"
    flag, value = given
    value = tmp_path / value if value.startswith("as.") else value
    files = ("--input", tmp_path / "in.txt", "--output", target)
    shelf, reader = qa_shelf()
    assert call("qa", flag, value, *files, shelf=shelf).status == 0
    found, none = rows_of(target)
    assert (found["answer"], found["passage"], found["start"]) == ("李春", 0, 4)
    assert none["answer"] == ""
    asked = (BRIDGES[0],) if flag == "--passage" else tuple(BRIDGES)
    assert [passages for _, passages, _ in reader.asked] == [asked, asked]


def test_a_line_with_a_passage_of_its_own_is_asked_of_that_alone(tmp_path):
    lines = [
        {"question": "谁建的？", "passage": "钱塘江大桥由茅以升主持。"},
        {"question": "谁建的？", "passages": ["甲", "乙"]},
        {"question": "谁建的？"},
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, lines)))
    files = ("--input", tmp_path / "in.jsonl", "--output", tmp_path / "out.jsonl")
    for flag, value in (("--passages", BRIDGES), ("--passage", BRIDGES[0])):
        shelf, reader = qa_shelf()
        text = json.dumps(value) if flag == "--passages" else value
        assert call("qa", flag, text, *files, "--overwrite", shelf=shelf).status == 0
        own, several, shared = (passages for _, passages, _ in reader.asked)
        assert own == ("钱塘江大桥由茅以升主持。",)
        assert several == ("甲", "乙")
        assert shared == tuple(BRIDGES if flag == "--passages" else BRIDGES[:1])


def test_a_question_without_any_passage_ends_with_2(tmp_path):
    outcome = call("qa", "谁建的？")
    assert (outcome.status, outcome.opened) == (2, [])
    assert "give at least one (passages or passage)" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("qa", "--passages", '["甲", "乙"', "谁"),
            "begin like a JSON list but cannot",
        ),
        (
            ("qa", "--passages", '{"a": 1}', "谁"),
            "must be a list, or a text with blank",
        ),
        (
            ("qa", "--passages", "none.txt", "谁"),
            "none.txt cannot be read: No such file",
        ),
        (("qa", "--passages", "none.json", "谁"), "cannot be read: No such file"),
        (("triples", "--schema", '[["人物", "父亲"]]', "甲"), "cannot be read: ("),
        (("triples", "--schema", '{"人物": 3}', "甲"), "cannot be read: {"),
        (("triples", "--schema", "[", "甲"), "“Relations” cannot be read: '['"),
        (
            ("fewshot", "--labels", '{"好": "好", "好": "坏"}', "甲"),
            "numbers 1 and 2 have the same label, '好'",
        ),
        (("fewshot", "--examples", '{"a": 1}', "甲"), "“Examples” must be a list such"),
    ],
)
def test_a_structure_of_the_wrong_shape_ends_with_2(arguments, sentence, capsys):
    outcome = call(*arguments)
    assert (outcome.status, outcome.opened) == (2, [])
    assert sentence in capsys.readouterr().err


def test_files_of_labels_and_examples_say_which_line_is_wrong(tmp_path, capsys):
    (tmp_path / "l.json").write_text('{"好评": "好", "差评": "坏", "好评": "很"}')
    (tmp_path / "p.jsonl").write_text('"甲"\n\n"乙\n')
    (tmp_path / "e.jsonl").write_text('{"text": "香", "label": "好评"}\n[]\n')
    assert call("fewshot", "--labels", tmp_path / "l.json", "甲").status == 2
    assert "第 1 个和第 3 个的标签都是 '好评'" in capsys.readouterr().err
    assert call("qa", "--passages", tmp_path / "p.jsonl", "谁").status == 2
    assert "读不成 JSON：第 3 行" in capsys.readouterr().err
    labels = ("--labels", "好评=好\n差评=坏", "--pattern", "____。{text}")
    outcome = call("fewshot", *labels, "--examples", tmp_path / "e.jsonl", "甲")
    assert outcome.status == 2
    assert "“Examples” line 2 is no JSON object." in outcome.err


LABEL_FILES = {
    "l.json": '{"好评": "好", "差评": "坏"}',
    "l.txt": "好评=好\n差评=坏\n",
    "l.tsv": "好评\t好\n差评\t坏\n",
    "l.csv": "好评,好\n\n差评,坏\n",
    "L.CSV": "\ufeff词,标签\r\n好,好评\r\n坏,差评\r\n",
}


@pytest.mark.parametrize("name", LABEL_FILES)
def test_labels_of_any_kind_of_file_are_the_same(tmp_path, name):
    (tmp_path / name).write_text(LABEL_FILES[name])
    given = ("--labels", tmp_path / name, "--pattern", "____。{text}")
    record = json.loads(call("fewshot", *given, "--json", "饭很香").out)
    assert list(record["probabilities"]) == ["好评", "差评"]
    assert record["filled"] == "好。饭很香"


def test_a_table_of_labels_says_which_row_is_wrong(tmp_path, capsys):
    (tmp_path / "l.csv").write_text("好评,好\n差,评,坏\n")
    outcome = call("fewshot", "--labels", tmp_path / "l.csv", "甲")
    assert (outcome.status, outcome.opened) == (2, [])
    assert "第 2 行有 3 格；须为“标签,词”两格" in capsys.readouterr().err


def test_examples_may_open_with_a_bracket(tmp_path):
    lines = "[哈哈]太好了\t好评\n太慢了\t差评\n"
    (tmp_path / "e.tsv").write_text(lines)
    labels = ("--labels", "好评=好\n差评=坏", "--pattern", "____。{text}")
    for given in (lines, tmp_path / "e.tsv"):
        filler = FakeMaskFiller()
        shelf = FakeShelf(players={"mask_filler": filler})
        asked = (*labels, "--examples", given, "--max-steps", 2)
        assert call("fewshot", *asked, "太慢", shelf=shelf).status == 0
        ((sentences, _, _),) = filler.lessons
        assert sentences[0].after == "。[哈哈]太好了"


def test_guarded_examples_are_learned_as_they_were_written(tmp_path):
    table = "\ufefftext,label\r\n'-5℃也暖和,好评\r\n'=慢,差评\r\n"
    (tmp_path / "e.csv").write_text(table, newline="")
    (tmp_path / "bare.csv").write_text(table.replace("text,label\r\n", ""), newline="")
    labels = ("--labels", "好评=好\n差评=坏", "--pattern", "____。{text}")
    for name in ("e.csv", "bare.csv"):
        filler = FakeMaskFiller()
        shelf = FakeShelf(players={"mask_filler": filler})
        asked = (*labels, "--examples", tmp_path / name, "--max-steps", 2)
        assert call("fewshot", *asked, "太慢", shelf=shelf).status == 0
        ((sentences, _, _),) = filler.lessons
        assert [one.after for one in sentences] == ["。-5℃也暖和", "。=慢"]


@pytest.mark.parametrize("name", ["e.json", "e.jsonl", "e.tsv", "e.csv"])
def test_examples_of_any_kind_of_file_are_learned_once_for_a_batch(tmp_path, name):
    examples = [{"text": "香", "label": "好评"}, {"text": "臭", "label": "差评"}]
    texts = {
        "e.json": json.dumps(examples),
        "e.jsonl": "\n".join(map(json.dumps, examples)),
        "e.tsv": "香\t好评\n臭\t差评",
        "e.csv": "label,text\n好评,香\n差评,臭\n",
    }
    (tmp_path / name).write_text(texts[name])
    (tmp_path / "in.txt").write_text("很香\n很臭\n")
    (tmp_path / "l.json").write_text('{"好评": "好", "差评": "坏"}')
    files = ("--input", tmp_path / "in.txt", "--output", tmp_path / "out.jsonl")
    labels = ("--labels", tmp_path / "l.json", "--pattern", "____。{text}")
    filler = FakeMaskFiller()
    shelf = FakeShelf(players={"mask_filler": filler})
    given = (*labels, "--examples", tmp_path / name, "--max-steps", 8)
    assert call("fewshot", *given, *files, shelf=shelf).status == 0
    assert len(filler.lessons) == 1
    assert [row["label"] for row in rows_of(tmp_path / "out.jsonl")] == ["好评", "差评"]
