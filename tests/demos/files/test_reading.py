"""Every line of a file becomes one Line, whatever stands in it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos.errors import FileError
from demos.files.reading import (
    decode,
    open_input,
    parse_json,
    read_json,
    read_rows,
)


def lines_of(folder, name, data):
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return list(open_input(path, "prompt").lines())


def fields_of(lines):
    return [dict(line.fields) for line in lines]


def test_jsonl_gives_a_line_for_every_line(tmp_path):
    text = '{"prompt": "春", "id": 1}\n\n[1]\n{"prompt"\n"春"\n{"a": NaN}\n{"b": 1e999}'
    lines = lines_of(tmp_path, "a.jsonl", text)
    assert fields_of(lines) == [{"prompt": "春", "id": 1}, {}, {}, {}, {}, {}, {}]
    faults = [line.fault and line.fault.en for line in lines]
    assert faults[0] is None
    assert faults[1] == "This line is no JSON: empty line."
    assert faults[2] == "This line is no JSON object: list."
    assert "no JSON: Expecting" in faults[3]
    assert faults[4] == "This line is no JSON object: str."
    assert "NaN is no JSON number" in faults[5]
    assert "1e999 is no JSON number" in faults[6]


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"a": ' + "9" * 5000 + "}"],
    ids=["deep", "huge"],
)
def test_json_that_python_cannot_hold_fails_alone(tmp_path, text):
    first, second = lines_of(tmp_path, "a.jsonl", text + '\n{"prompt": "春"}\n')
    assert "这一行不是 JSON" in first.fault.zh
    assert second.fields == {"prompt": "春"}


def test_line_separators_of_unicode_end_no_line(tmp_path):
    text = json.dumps({"prompt": "a\u2028b\x85c"}, ensure_ascii=False)
    (line,) = lines_of(tmp_path, "a.jsonl", text)
    assert line.fields == {"prompt": "a\u2028b\x85c"}


def test_txt_fills_the_text_field(tmp_path):
    lines = lines_of(tmp_path, "a.txt", "春\r\n\n 夏 \n秋")
    assert fields_of(lines) == [{"prompt": t} for t in ("春", "", " 夏 ", "秋")]


def test_csv_names_its_columns_and_marks_empty_cells(tmp_path):
    table = 'id,prompt,seed\n1,"春,\n夏",\n2,秋\n3,a,b,c\n\n4,冬,5\n'
    lines = lines_of(tmp_path, "a.csv", table)
    assert fields_of(lines) == [
        {"id": "1", "prompt": "春,\n夏", "seed": ""},
        {"id": "2", "prompt": "秋"},
        {},
        {},
        {"id": "4", "prompt": "冬", "seed": "5"},
    ]
    assert lines[0].given == {"id": "1", "prompt": "春,\n夏"}
    assert lines[2].fault.en == "This line does not fit its header: 4 != 3."
    assert lines[3].fault.en == "This line does not fit its header: 0 != 3."


def test_an_empty_line_is_told_from_a_wrong_one(tmp_path):
    table = lines_of(tmp_path, "a.csv", "prompt,id\n春,1\n\n夏,2,3\n,\n")
    assert [line.is_empty for line in table] == [False, True, False, False]
    lines = lines_of(tmp_path, "a.jsonl", '{"prompt": "春"}\n \n{\n')
    assert [line.is_empty for line in lines] == [False, True, False]


@pytest.mark.parametrize(("name", "first"), [("a.csv", 2), ("a.txt", 1)])
def test_a_tables_first_line_stands_below_its_names(tmp_path, name, first):
    (tmp_path / name).write_text("prompt\n春\n")
    assert open_input(tmp_path / name, "prompt").first_number == first


@pytest.mark.parametrize(
    ("mark", "prompt"), [("\ufeff", "=1+1"), ("", "'=1+1")], ids=["marked", "plain"]
)
def test_a_guard_is_undone_where_the_mark_tells_of_it(tmp_path, mark, prompt):
    data = f"{mark}'=列,prompt\r\n\"'-1,甲\",'=1+1\r\n"
    (line,) = lines_of(tmp_path, "a.csv", data)
    cell = "-1,甲" if mark else "'-1,甲"
    assert line.fields == {("=列" if mark else "'=列"): cell, "prompt": prompt}
    (text,) = lines_of(tmp_path, "a.txt", f"{mark}'=1+1")
    assert text.fields == {"prompt": "'=1+1"}  # no table


def test_the_rows_of_a_table_are_read_whole(tmp_path):
    (tmp_path / "a.csv").write_bytes('\ufeff甲,\'=1\r\n\r\n"a,b",'.encode())
    assert read_rows(tmp_path / "a.csv") == [["甲", "=1"], [], ["a,b", ""]]
    (tmp_path / "a.csv").write_bytes("甲,'=1".encode("gbk"))
    assert read_rows(tmp_path / "a.csv") == [["甲", "'=1"]]
    (tmp_path / "a.csv").write_bytes(b"")
    assert [row for row in read_rows(tmp_path / "a.csv") if row] == []


def test_a_cell_may_be_long(tmp_path):
    (line,) = lines_of(tmp_path, "a.csv", "prompt\n" + "春" * 200_000)
    assert len(line.fields["prompt"]) == 200_000


@pytest.mark.parametrize("table", ["", "text,id\n1,2\n", "prompt,prompt\n1,2\n"])
def test_a_csv_without_its_column_is_refused_with_those_found(tmp_path, table):
    with pytest.raises(FileError) as caught:
        lines_of(tmp_path, "a.csv", table)
    found = table.partition("\n")[0].replace(",", ", ") or "-"
    assert caught.value.en.endswith(f"one of them prompt; got: {found}.")
    assert "其中须有 prompt" in caught.value.zh


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.txt"])
def test_encodings_are_found_out(tmp_path, encoding, name):
    texts = {
        "a.csv": "prompt\n床前明月光\n",
        "a.jsonl": '{"prompt": "床前明月光"}\n',
        "a.txt": "床前明月光\n",
    }
    (line,) = lines_of(tmp_path, name, texts[name].encode(encoding))
    assert line.fields == {"prompt": "床前明月光"}


def test_utf_16_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(FileError, match=r"请另存为 UTF-8.*save it as UTF-8"):
        lines_of(tmp_path, "a.csv", "prompt\n春\n".encode("utf-16"))


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.txt"])
def test_a_broken_line_of_a_utf_8_file_fails_alone(tmp_path, name):
    rows = {
        "a.csv": "prompt\n床前明月光\n%\n疑是地上霜\n",
        "a.jsonl": '{"prompt": "床前明月光"}\n%\n{"prompt": "疑是地上霜"}\n',
        "a.txt": "床前明月光\n%\n疑是地上霜\n",
    }
    data = rows[name].encode().replace(b"%", "春天".encode()[:-1])
    first, broken, third = lines_of(tmp_path, name, data)
    assert [first.fields["prompt"], third.fields["prompt"]] == [
        "床前明月光",
        "疑是地上霜",
    ]
    assert "无法解码的字节" in broken.fault.zh
    assert "cannot be decoded" in broken.fault.en


def test_a_survey_counts_the_lines_and_gathers_the_names(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"prompt": "a", "id": 1}\nbad\n{"note": 2, "prompt": "b"}\n')
    assert open_input(path, "prompt").survey() == (3, ("prompt", "id", "note"))


def test_unknown_and_missing_files_are_refused(tmp_path):
    with pytest.raises(FileError, match=r"a\.xlsx is of no known type: use \.jsonl"):
        open_input(tmp_path / "a.xlsx", "prompt")
    with pytest.raises(FileError, match="cannot be read: No such file"):
        open_input(tmp_path / "a.txt", "prompt")


def test_structures_are_read_for_options(tmp_path):
    (tmp_path / "a.json").write_text('{"好": "正"}', encoding="gbk")
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n\n{"text": "b"}\n')
    assert read_json(tmp_path / "a.json") == {"好": "正"}
    assert read_json(tmp_path / "a.jsonl") == [{"text": "a"}, {"text": "b"}]
    (tmp_path / "b.jsonl").write_text('1\n\n{"a\n')
    with pytest.raises(FileError, match="cannot be read as JSON: 第 3 行 line 3: "):
        read_json(tmp_path / "b.jsonl")
    with pytest.raises(FileError, match=r"none\.json cannot be read: No such file"):
        read_json(tmp_path / "none.json")


def test_the_mark_of_a_table_is_kept_for_those_who_ask():
    data = "\ufeff甲".encode()
    assert decode(data) == "甲"
    assert decode(data, keep_mark=True) == "\ufeff甲"
    assert decode("甲乙".encode("gbk"), keep_mark=True) == "甲乙"


@given(st.text(st.characters(codec="utf-8")))
def test_utf_8_text_is_decoded_as_it_was(text):
    assert decode(text.encode()).removeprefix("\ufeff") == text.removeprefix("\ufeff")


@given(st.recursive(st.none() | st.booleans() | st.text(), st.lists, max_leaves=5))
def test_strict_json_is_json(value):
    assert parse_json(json.dumps(value)) == value
