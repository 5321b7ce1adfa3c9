"""A file written line by line can be cut anywhere and continued."""

import codecs
import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos.errors import FileError
from demos.files.reading import open_input
from demos.files.writing import open_output, to_json
from demos.tables import guarded_row

COLUMNS = ("id", "prompt", "texts", "error")
RECORDS = (
    {"id": 1, "prompt": '春,"\n夏', "texts": [{"text": "床前", "log_prob": -1.5}]},
    {"prompt": "秋\r\n", "error": "忙。"},
    {"error": "lone \ud83d"},
    {"id": [1, {"a": None}], "prompt": "", "texts": []},
    {"id": -0.5, "prompt": "=1+1", "error": "'@"},
)
FORMATS = pytest.mark.parametrize("suffix", [".jsonl", ".csv"])


def written(path, records=RECORDS, columns=COLUMNS, *, marked=False):
    target = open_output(path, columns, marked=marked)
    with target.start(overwrite=True) as stream:
        for record in records:
            stream.write(target.line(record))
    return target


def test_jsonl_is_one_object_a_line(tmp_path):
    written(tmp_path / "a.jsonl")
    lines = (tmp_path / "a.jsonl").read_bytes().decode().removesuffix("\n").split("\n")
    assert tuple(map(json.loads, lines)) == RECORDS
    assert "春" in lines[0]


def test_csv_has_a_header_and_json_in_its_cells(tmp_path):
    written(tmp_path / "a.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "a.csv").read_bytes().decode())))
    assert [row["prompt"] for row in rows] == ['春,"\n夏', "秋\r\n", "", "", "=1+1"]
    assert rows[-1]["error"] == "'@"
    assert rows[-1]["id"] == "-0.5"
    assert json.loads(rows[0]["texts"]) == RECORDS[0]["texts"]
    assert rows[1]["texts"] == ""
    assert list(rows[0]) == list(COLUMNS)


@FORMATS
@pytest.mark.parametrize("marked", [False, True])
def test_what_is_kept_is_what_was_written(tmp_path, suffix, marked):
    target = written(tmp_path / f"a{suffix}", marked=marked)
    show = target.format.show
    (_, start), *kept = target.kept()
    assert [record for record, _ in kept] == [
        {n: show(v) for n, v in record.items() if suffix == ".jsonl" or show(v)}
        for record in RECORDS
    ]
    assert kept[-1][1] == target.path.stat().st_size
    head = target.format.mark + target.format.header(COLUMNS)
    assert start == len(head.encode())


@FORMATS
@pytest.mark.parametrize("marked", [False, True])
def test_a_file_cut_at_any_byte_is_continued_to_the_same_file(tmp_path, suffix, marked):
    target = written(tmp_path / f"a{suffix}", marked=marked)
    whole = target.path.read_bytes()
    for cut in range(len(whole) + 1):
        target.path.write_bytes(whole[:cut])
        (_, end), *kept = target.kept()
        with target.resume(kept[-1][1] if kept else end) as stream:
            for record in RECORDS[len(kept) :]:
                stream.write(target.line(record))
        assert target.path.read_bytes() == whole, cut


def test_a_table_that_people_open_is_marked_and_a_line_of_json_is_not(tmp_path):
    for suffix, mark in ((".csv", codecs.BOM_UTF8), (".jsonl", b"")):
        plain = written(tmp_path / f"a{suffix}").path.read_bytes()
        marked = written(tmp_path / f"b{suffix}", marked=True).path.read_bytes()
        guarded = plain.replace(b",=1+1,,'@", b",'=1+1,,''@")
        assert (guarded == plain) == (suffix == ".jsonl")
        assert marked == mark + guarded


def test_a_marked_table_is_continued_by_whoever_writes_no_mark(tmp_path):
    whole = written(tmp_path / "a.csv", marked=True).path.read_bytes()
    target = written(tmp_path / "a.csv", RECORDS[:2], marked=True)
    (target,) = open_output(target.path, COLUMNS).begun()
    *_, (_, end) = target.kept()
    with target.resume(end) as stream:
        stream.writelines(map(target.line, RECORDS[2:]))
    assert target.path.read_bytes() == whole


def test_a_table_without_a_mark_may_be_an_older_versions(tmp_path):
    guarded = written(tmp_path / "a.csv", marked=True).path.read_bytes()
    (tmp_path / "a.csv").write_bytes(guarded.removeprefix(codecs.BOM_UTF8))
    plain, older = open_output(tmp_path / "a.csv", COLUMNS).begun()
    *_, (as_written, _) = plain.kept()
    *_, (as_meant, _) = older.kept()
    assert (as_written["prompt"], as_meant["prompt"]) == ("'=1+1", "=1+1")
    assert older.line(RECORDS[-1]) == guarded_row(["-0.5", "=1+1", "", "'@"])
    assert len(written(tmp_path / "a.jsonl").begun()) == 1


@pytest.mark.parametrize("marked", [False, True])
@pytest.mark.parametrize(
    "text", ["-20℃的北京", "=1+1", "'=1+1", "'", "''@", "-0.5", "＝甲", "\t=1", "甲"]
)
def test_a_table_that_is_read_again_says_what_was_written(tmp_path, text, marked):
    record = {"id": "1", "prompt": text, "texts": "+1甲", "error": "@甲"}
    target = written(tmp_path / "a.csv", [record], marked=marked)
    (line,) = open_input(target.path, "prompt").lines()
    assert line.fields == record


texts = st.text(st.characters(exclude_characters="\0"))


@given(st.lists(st.dictionaries(st.sampled_from(COLUMNS), texts | st.integers())))
@FORMATS
def test_any_text_survives(tmp_path_factory, suffix, records):
    target = written(tmp_path_factory.mktemp("any") / f"a{suffix}", records)
    _, *kept = target.kept()
    assert len(kept) == len(records)
    for record, (found, _) in zip(records, kept, strict=True):
        expected = {n: target.format.show(v) for n, v in record.items()}
        assert {n: found.get(n, "") for n in expected} == expected


@FORMATS
@pytest.mark.parametrize(
    "foreign", [b"my notes", b"my notes\n", b"1,2\n3,4\n", b"{}\n[]\n{}\n"]
)
def test_a_file_of_another_kind_is_not_continued(tmp_path, suffix, foreign):
    target = open_output(tmp_path / f"a{suffix}", COLUMNS)
    target.path.write_bytes(foreign)
    with pytest.raises(FileError, match=r"无法续写.*cannot be resumed"):
        list(target.kept())
    assert target.path.read_bytes() == foreign


@FORMATS
def test_nothing_is_written_over_unasked(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_text("precious")
    with pytest.raises(FileError, match=r"加 --resume.*add --resume .*--overwrite"):
        open_output(path, COLUMNS).start(overwrite=False)
    assert path.read_text() == "precious"


def test_where_it_cannot_be_written_is_said(tmp_path):
    with pytest.raises(FileError, match=r"use \.jsonl \.csv"):
        open_output(tmp_path / "a.txt", COLUMNS)
    with pytest.raises(FileError, match="does not exist: create it first"):
        open_output(tmp_path / "none" / "a.csv", COLUMNS)
    target = open_output(tmp_path / "b.csv", COLUMNS)
    target.path.mkdir()
    refused = {
        r"b\.csv is a folder: name a file in it": lambda: open_output(target.path, ()),
        r"b\.csv cannot be written": lambda: target.start(overwrite=True),
        r"b\.csv cannot be read to resume it": target.begun,
    }
    for said, ask in refused.items():
        with pytest.raises(FileError, match=said) as caught:
            ask()
        assert str(tmp_path) not in str(caught.value)  # a server's path is not told


def test_json_is_strict():
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json({"a": float("nan")})
