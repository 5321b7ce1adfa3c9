"""A list in a file: every line keeps its number, blank ones and a table's names too."""

import pytest

from demos.errors import FileError
from demos.files.lists import lines_of

PLAIN = "怎么退货\n\n密码忘了怎么办\n"
ROWS = '{"text": "怎么退货"}\n\n{"text": "密码忘了怎么办"}\n'


def written(folder, name, text):
    path = folder / name
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize(
    ("name", "text", "above"),
    [("单.txt", PLAIN, 0), ("单.jsonl", ROWS, 0), ("单.csv", f"text\n{PLAIN}", 1)],
)
def test_a_blank_line_is_skipped_and_still_numbered(tmp_path, name, text, above):
    lines = lines_of(written(tmp_path, name, text))
    assert lines == [*[""] * above, "怎么退货", "", "密码忘了怎么办"]


def test_a_row_without_the_column_is_blank(tmp_path):
    path = written(tmp_path, "单.csv", "id,text\n1,甲\n2\n3,乙\n")
    assert lines_of(path) == ["", "甲", "", "乙"]
    path = written(tmp_path, "单.jsonl", '{"text": "甲"}\n{"text": 3}\n{"other": 1}')
    assert lines_of(path) == ["甲", "3", ""]


@pytest.mark.parametrize(
    ("name", "text", "number"),
    [
        ("单.csv", "text\n甲\n\n乙,丙\n", 4),
        ("单.jsonl", '{"text": "甲"}\n{broken\n', 2),
        ("单.jsonl", '{"text": "甲"}\n\n"乙"\n', 3),
    ],
)
def test_a_line_that_cannot_be_read_is_named_as_an_editor_counts(
    tmp_path, name, text, number
):
    with pytest.raises(FileError) as caught:
        lines_of(written(tmp_path, name, text))
    assert caught.value.zh.startswith(f"第 {number} 行：这一行")
    assert caught.value.en.startswith(f"Line {number}: This line")
