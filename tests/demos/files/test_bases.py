"""A file of facts on disk becomes a base, or a sentence says why not."""

import codecs
import os

import pytest

from demos.errors import FileError
from demos.files.bases import (
    SAMPLE,
    brought_base,
    read_base,
    reading_base,
    sample_base,
)
from demos.qa.facts_held import SAMPLE_NAME

FACTS = [("红楼梦（小说）", "作者", "曹雪芹"), ("金", "说明", "甲，乙")]
CSV = 'subject,predicate,object\n红楼梦（小说）,作者,曹雪芹\n金,说明,"甲，乙"\n'


def written(folder, name, data):
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def refusal(path):
    with pytest.raises(FileError) as caught:
        brought_base(str(path))
    return caught.value


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_csv_in_utf_8_or_gbk_holds_the_same_facts(tmp_path, encoding, end):
    path = written(tmp_path, "库.csv", CSV.replace("\n", end).encode(encoding))
    held = brought_base(str(path))
    assert list(held.base.triples()) == FACTS
    assert held.name == "库.csv"
    assert held.read_seconds >= 0


def test_the_guard_of_a_table_is_undone_where_its_mark_tells(tmp_path):
    table = "subject,predicate,object\r\n'-5℃,又作,\"'=甲,乙\"\r\n"
    for mark, guard in (("\ufeff", ""), ("", "'")):
        path = written(tmp_path, "库.csv", mark + table)
        facts = [(f"{guard}-5℃", "又作", f"{guard}=甲,乙")]
        assert list(brought_base(str(path)).base.triples()) == facts


def test_tsv_and_jsonl_hold_the_same_facts(tmp_path):
    tsv = "".join("\t".join(fact) + "\n" for fact in FACTS)
    names = ("subject", "predicate", "object")
    jsonl = "".join(f"{dict(zip(names, fact, strict=True))}\n" for fact in FACTS)
    for name, data in (("a.tsv", tsv), ("a.JSONL", jsonl.replace("'", '"'))):
        path = written(tmp_path, name, data)
        assert list(brought_base(str(path)).base.triples()) == FACTS


def test_no_name_is_the_sample_that_comes_along():
    held = brought_base("")
    assert held.name == sample_base().name == SAMPLE_NAME
    assert held.base.num_triples == len(SAMPLE.read_text("utf-8").splitlines()) - 1
    assert ("李白", "号", "青莲居士") in held.base.triples()


@pytest.mark.parametrize(
    ("name", "data", "zh", "en"),
    [
        ("a.tsv", "甲\t乙\n甲\t乙\t丙\n甲\n", "缺列", "without a column"),
        ("a.tsv", "甲\t乙\n甲\t乙\t丙\n甲\n", "第 1、3 行。", ": 1, 3."),
        ("a.csv", "subject,predicate\n甲,乙\n", "少了 object 列", "lacks object"),
        ("a.jsonl", "{}\n[1]\n", "不是 JSON 对象：第 2 行", "without a JSON object: 2"),
        ("a.tsv", "", "没有三元组", "has no triple"),
        ("a.txt", "甲\t乙\t丙\n", "须为 .csv .tsv .jsonl 之一，收到 .txt", "got .txt"),
        ("a", "甲\t乙\t丙\n", "没有后缀的文件", "one without ending"),
        ("a.tsv", codecs.BOM_UTF16_LE + "甲".encode("utf-16-le"), "UTF-16", "UTF-8"),
        ("a.tsv", b"\xe6\x9d\x8e\xff\xfe\t\x81\xff\tx\n", "无法解码", "cannot be deco"),
    ],
)
def test_a_file_that_cannot_be_used_earns_a_sentence(tmp_path, name, data, zh, en):
    error = refusal(written(tmp_path, name, data))
    assert zh in error.zh
    assert en in error.en


def test_what_is_not_there_or_no_file_says_so(tmp_path):
    missing = refusal(tmp_path / "none.csv")
    assert missing.zh.startswith("读不了知识库文件 none.csv：")
    assert "none.csv cannot be read: No such file or directory." in missing.en
    (tmp_path / "folder.csv").mkdir()
    assert "Is a directory" in refusal(tmp_path / "folder.csv").en


def test_two_hundred_megabytes_are_refused_before_they_are_read(tmp_path):
    path = tmp_path / "大.tsv"
    with path.open("wb") as stream:
        os.truncate(stream.fileno(), 200 << 20)  # a sparse file
    assert "最大 64 MB，收到 200.0 MB" in refusal(path).zh


def test_a_long_file_tells_how_far_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr("demos.qa.facts_file.LINES_PER_FRAME", 100)
    path = written(tmp_path, "a.tsv", "甲\t乙\t丙\n" * 250)
    assert list(reading_base(path, "库")) == [100, 200, 250]
    assert read_base(path, "库").base.num_duplicates == 249
