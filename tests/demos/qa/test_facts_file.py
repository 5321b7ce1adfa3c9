"""A file of triples becomes a base, or the numbers of the lines that are wrong."""

import pytest

from demos.errors import FileError
from demos.qa import facts_file
from demos.qa.facts_base import BaseBuilder
from demos.qa.facts_file import base_of, check_size, read_facts

FACTS = [("李白", "字", "太白"), ("金（元素）", "元素符号", "Au")]
CSV = '李白,字,太白\n"金（元素）","元素符号","Au"\n'
TSV = "李白\t字\t太白\n金（元素）\t元素符号\tAu\n"
JSONL = (
    '{"subject": "李白", "predicate": "字", "object": "太白"}\n'
    '{"object": "Au", "subject": "金（元素）", "predicate": "元素符号", "id": 3}\n'
)


def read(text, kind=".tsv"):
    return list(base_of(text.splitlines(keepends=True), kind).triples())


def refusal(text, kind=".tsv"):
    with pytest.raises(FileError) as caught:
        read(text, kind)
    return caught.value


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (CSV, ".csv"),
        (CSV, ".CSV"),
        (TSV, ".tsv"),
        (JSONL, ".jsonl"),
        ("subject,predicate,object\n" + CSV, ".csv"),
        ("Subject\tPredicate\tObject\n" + TSV, ".tsv"),
        ("主语\t谓语\t宾语\n" + TSV, ".tsv"),
        (
            "id,object,subject,predicate\n1,太白,李白,字\n2,Au,金（元素）,元素符号",
            ".csv",
        ),
        ("\n" + TSV.replace("\n", "\r\n\r\n"), ".tsv"),
        (" 李白 \t字\t太白\t\t\n金（元素）\t元素符号\tAu \n", ".tsv"),
        (JSONL.replace("\n", "\n\n"), ".jsonl"),
    ],
)
def test_every_kind_of_file_with_and_without_column_names(text, kind):
    assert read(text, kind) == FACTS


def test_numbers_in_json_are_values_and_quotes_in_csv_hold_lines():
    line = '{"subject": "氢", "predicate": "原子序数", "object": 1}'
    assert read(line, ".jsonl") == [("氢", "原子序数", "1")]
    assert read('李白,诗,"床前明月光，\n疑是地上霜。"', ".csv")[0][2].count("\n") == 1


def test_a_fact_about_a_word_like_subject_is_no_row_of_names():
    assert read("subject\t词性\t名词\n") == [("subject", "词性", "名词")]


def test_missing_columns_are_told_by_the_first_line_numbers_and_their_count():
    lines = [f"甲{n}\t乙\n" if n % 2 else f"甲{n}\t乙\t丙\n" for n in range(1, 42)]
    error = refusal("".join(lines))
    assert "共 21 行缺列" in error.zh
    assert "第 1、3、5、7、9 等行。" in error.zh
    assert "21 lines without a column (each needs subject, predicate" in error.en
    assert "1, 3, 5, 7, 9 and more" in error.en


def test_line_numbers_are_those_of_the_file():
    text = '名,称,"第\n一"\n\n甲,乙\n丙,,丁\n'
    error = refusal(text, ".csv")
    assert "第 4、5 行。" in error.zh
    header = "subject,predicate,object\n甲,乙\n"
    assert "共 1 行缺列" in refusal(header, ".csv").zh
    assert "第 2 行。" in refusal(header, ".csv").zh


def test_every_fault_has_its_own_sentence():
    lines = [
        '{"subject": "甲", "predicate": "乙"}',
        "{broken",
        "[1]",
        '{"subject": "甲", "predicate": "乙", "object": "\\u0000"}',
        '{"subject": "甲", "predicate": "' + "乙" * 101 + '", "object": "丙"}',
        '{"subject": "甲", "predicate": "乙", "object": {"a": 1}}',
    ]
    error = refusal("\n".join(lines), ".jsonl")
    assert "共 2 行缺列" in error.zh
    assert "第 1、6 行。" in error.zh
    assert "共 2 行不是 JSON 对象：第 2、3 行。" in error.zh
    assert "共 1 行有无法解码的字节或控制字符" in error.zh
    assert "共 1 行有一格太长（三列最多 200、100、5000 字）：第 5 行。" in error.zh
    assert error.zh.endswith("请改好这些行再试。")
    assert error.en.endswith("Mend these lines and try again.")


def test_too_many_columns_without_names_are_no_triple():
    assert "共 1 行多出列" in refusal("甲\t乙\t丙\t丁\n").zh


@pytest.mark.parametrize(
    ("header", "lacking"),
    [
        ("subject,predicate", "object"),
        ("subject", "predicate、object"),
        ("主语,值", "predicate"),
    ],
)
def test_names_without_a_column_say_which(header, lacking):
    error = refusal(header + "\n甲,乙\n", ".csv")
    assert f"少了 {lacking} 列；收到：{header.replace(',', ', ')}" in error.zh


def test_duplicates_are_dropped_and_counted():
    base = base_of([*TSV.splitlines(), *TSV.splitlines(), "李白\t字\t谪仙"], ".tsv")
    assert (base.num_triples, base.num_duplicates) == (3, 2)
    assert base.objects_of(0) == ("太白", "谪仙")


def test_undecoded_bytes_are_told_by_line():
    broken = b"\xe6\x9d\x8e\t\xff\xfe\tx\n".decode("utf-8", "surrogateescape")
    assert "共 1 行有无法解码的字节" in refusal(TSV + broken).zh
    assert "第 3 行" in refusal(TSV + broken).zh


def test_a_quote_that_never_ends_is_told_where_it_begins():
    assert (
        "第 2 行。"
        in refusal('甲,乙,丙\n丁,戊,"己\n庚,辛,壬\n' + "癸" * 6_000, ".csv").zh
    )


@pytest.mark.parametrize("text", ["", "\n\n", "subject\tpredicate\tobject\n"])
def test_a_file_without_a_triple_is_refused(text):
    assert refusal(text).zh.startswith("文件里没有三元组")


@pytest.mark.parametrize("kind", [".txt", ".xlsx", ""])
def test_another_kind_of_file_is_refused(kind):
    error = refusal(TSV, kind)
    assert "须为 .csv .tsv .jsonl 之一" in error.zh


def test_too_many_triples_are_refused_where_they_begin(monkeypatch):
    monkeypatch.setattr(facts_file, "MAX_TRIPLES", 3)
    error = refusal("甲\t乙\t丙\n" * 5)
    assert "最多 3 个三元组，到第 4 行已经超过" in error.zh


def test_the_size_of_a_file_has_a_limit():
    check_size(64 << 20)
    with pytest.raises(FileError, match=r"最大 64 MB，收到 200\.0 MB"):
        check_size(200 << 20)


def test_progress_is_told_now_and_then(monkeypatch):
    monkeypatch.setattr(facts_file, "LINES_PER_FRAME", 2)
    lines = ["甲\t乙\t丙"] * 5
    assert list(read_facts(lines, ".tsv", BaseBuilder())) == [2, 4, 5]
