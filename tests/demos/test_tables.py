"""A row is as it is; of a table that people open, a spreadsheet runs nothing."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos.tables import guarded, guarded_row, row_of, table_of, unguarded

FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_run_opens_with_an_apostrophe(text):
    assert guarded(text) == "'" + text
    (row,) = csv.reader(io.StringIO(guarded_row(["谁", text]), newline=""))
    assert row == ["谁", "'" + text]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_row_that_scripts_read_is_as_it_is(text):
    (row,) = csv.reader(io.StringIO(row_of(["谁", text]), newline=""))
    assert row == ["谁", text]


@pytest.mark.parametrize(
    "cell", ["", "床前", "a=b", "3-1", "-0.5", "+86", "-1e-05", -0.5, 3, None]
)
def test_other_texts_and_numbers_stay_as_they_are(cell):
    assert guarded(cell) == cell


@given(st.text() | st.text("'=+-@\t\r＝a1"))
def test_the_text_can_be_had_back(text):
    assert unguarded(str(guarded(text))) == text


def test_a_table_is_a_head_and_rows_with_one_line_end():
    table = table_of(("text", "share"), [("春,夏", -0.5), ("=1", None)])
    assert table == 'text,share\r\n"春,夏",-0.5\r\n\'=1,\r\n'


def test_the_names_of_columns_are_guarded_too():
    assert table_of(["=a"], []) == "'=a\r\n"
