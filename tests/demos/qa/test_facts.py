"""Every answer from a base stands in the base."""

import pytest

from demos.errors import InvalidRequestError
from demos.qa.facts import FactsRequest, answer_facts, facts_of
from demos.qa.facts_file import base_of
from demos.qa.facts_record import to_record
from tests.fake_fact_finder import FakeFactFinder

LINES = (
    "红楼梦（小说）\t作者\t曹雪芹",
    "红楼梦（小说）\t主要人物\t贾宝玉",
    "红楼梦（小说）\t主要人物\t林黛玉",
    "红楼梦（1962年越剧电影）\t导演\t岑范",
    "金（元素）\t元素符号\tAu",
    "金（朝代）\t建立者\t完颜阿骨打",
)


def ask(question, num_return=3):
    base = base_of(LINES, ".tsv")
    finder = FakeFactFinder()
    tree = finder.build_tree(base.keys)
    request = FactsRequest(question, num_return)
    facts = facts_of("库", base, tree, 0.5)
    return base, answer_facts(request, finder, base, tree, facts)


@pytest.mark.parametrize(
    "question",
    ["红楼梦的作者是谁？", "金这种元素的元素符号？", "天气怎么样？", "导演", "？"],
)
@pytest.mark.parametrize("num_return", [1, 3, 5])
def test_every_answer_stands_in_the_base(question, num_return):
    base, result = ask(question, num_return)
    known = set(base.triples())
    assert len(result.matches) == num_return
    for match in result.matches:
        assert match.objects
        for found in match.objects:
            assert (match.subject, match.key.predicate, found) in known
        assert 0 <= match.probability <= 1


def test_all_objects_of_a_key_are_the_answer():
    _, result = ask("红楼梦的主要人物有谁？")
    assert result.matches[0].objects == ("贾宝玉", "林黛玉")


def test_the_meaning_tells_names_apart():
    _, result = ask("金这个朝代的建立者？")
    best = result.matches[0]
    assert (best.key.subject, best.key.meaning) == ("金", "朝代")
    assert best.subject == "金（朝代）"


def test_the_record_tells_matches_base_and_weights():
    _, result = ask("红楼梦的作者是谁？", 1)
    record = to_record(result)
    assert record["matches"] == [
        {
            "subject": "红楼梦",
            "meaning": "小说",
            "predicate": "作者",
            "objects": ["曹雪芹"],
            "probability": pytest.approx(result.matches[0].probability, abs=1e-6),
        }
    ]
    assert record["base"]["num_triples"] == 6
    assert record["base"]["num_keys"] == 5
    assert record["base"]["base_bytes"] > 0
    assert record["weights"] == "embedded"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"question": " "}, "“问题”须为 1 到 200 个字符"),
        ({"num_return": 11}, "“候选数”须为 1 到 10 之间的整数，收到 11"),
        ({"base": None}, "“知识库”须为文字，收到 None"),
    ],
)
def test_every_field_is_checked(given, sentence):
    with pytest.raises(InvalidRequestError) as caught:
        FactsRequest(**{"question": "谁？", **given})
    assert sentence in caught.value.zh
