"""A base that is brought along is read once, its tree built once, and asked as such."""

import pytest

from demos.errors import InvalidRequestError
from demos.limits import limit_of
from demos.qa.facts_file import base_of
from demos.qa.facts_held import HeldBase
from demos.qa.facts_record import ADDED_FIELDS, NOTHING, render_text, to_record
from demos.qa.facts_task import BroughtRequest, answer_brought
from tests.fake_fact_finder import FakeFactFinder

LINES = (
    "红楼梦（小说）\t作者\t曹雪芹",
    "红楼梦（小说）\t主要人物\t贾宝玉",
    "红楼梦（小说）\t主要人物\t林黛玉",
    "金（元素）\t元素符号\tAu",
)


def held():
    return HeldBase("库.tsv", base_of(LINES, ".tsv"), 0.5)


def ask(question, base=None, finder=None, num_return=2):
    request = BroughtRequest(question, base or held(), num_return)
    (result,) = answer_brought(request, finder or FakeFactFinder())
    return result


def test_the_answer_stands_in_the_base_that_was_brought():
    result = ask("红楼梦的主要人物是谁？")
    assert result.matches[0].objects == ("贾宝玉", "林黛玉")
    assert len(result.matches) == 2
    assert (result.base.name, result.base.num_triples) == ("库.tsv", 4)
    assert result.base.build_seconds >= 0.5


def test_a_bases_tree_is_built_for_the_first_question_alone():
    base, finder = held(), FakeFactFinder()
    for question in ("作者是谁？", "金的元素符号？", "天气？"):
        ask(question, base, finder)
    assert (finder.built, len(finder.asked)) == (1, 3)


def test_the_text_has_a_line_per_fact_with_all_of_its_objects():
    first, second = render_text(ask("红楼梦的主要人物是谁？")).splitlines()
    assert first.startswith("红楼梦（小说） — 主要人物 → 贾宝玉、林黛玉 0.")
    assert second.startswith("红楼梦（小说） — 作者 → 曹雪芹 0.")
    result = ask("？")
    nothing = type(result)(result.request, (), 0.1, result.weights, result.base)
    assert render_text(nothing) == NOTHING


def test_the_record_adds_what_it_says_it_adds():
    record = to_record(ask("金的元素符号？"))
    assert {"question", *ADDED_FIELDS} == record.keys()
    assert record["matches"][0]["objects"] == ["Au"]


@pytest.mark.parametrize("base", ["a.csv", None, 3, {"name": "库.tsv"}])
def test_a_base_that_is_only_named_opens_nothing(base):
    with pytest.raises(InvalidRequestError) as caught:
        BroughtRequest("谁？", base)
    assert "“知识库”（base）对所有问题只给一次" in caught.value.zh
    assert "“Base” (base) is given once for all questions" in caught.value.en
    assert "remove the line's base" in caught.value.en


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"question": "问" * 201}, "“问题”须为 1 到 200 个字符，收到 201 个"),
        ({"question": None}, "“问题”须为文字，收到 None"),
        ({"num_return": 0}, "“候选数”须为 1 到 10 之间的整数，收到 0"),
    ],
)
def test_every_field_is_checked(given, sentence):
    with pytest.raises(InvalidRequestError) as caught:
        BroughtRequest(**{"question": "谁？", "base": held(), **given})
    assert sentence in caught.value.zh


def test_help_names_the_kinds_of_files():
    assert limit_of(BroughtRequest, "base").summary == ".csv .tsv .jsonl"
