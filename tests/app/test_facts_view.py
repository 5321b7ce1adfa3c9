"""Facts found are seen with their way through the tree, bases with what they weigh."""

import csv
import html
import io
import re

from app.facts_bases import Building
from app.tabs import facts_view as view
from demos.qa.facts import FactsRequest, answer_facts, facts_of
from demos.qa.facts_file import base_of
from tests.fake_fact_finder import FakeFactFinder

LINES = (
    "红楼梦（小说）\t作者\t曹雪芹",
    "红楼梦（小说）\t人物\t<b>宝玉",
    *(f"水浒传\t好汉\t好汉{n}" for n in range(40)),
)


def ask(question, num_return=2):
    base, finder = base_of(LINES, ".tsv"), FakeFactFinder()
    tree = finder.build_tree(base.keys)
    facts = facts_of("<i>库.tsv", base, tree, 1.25)
    request = FactsRequest(question, num_return)
    return answer_facts(request, finder, base, tree, facts)


def nodes(drawn, kind):
    found = re.findall(f'<bdi class="mp-node mp-{kind}">(.*?)</bdi>', drawn)
    return [re.sub("<small>.*", "", text) for text in found]


def test_the_answer_and_its_way_through_the_tree():
    drawn = view.settle(ask("红楼梦的作者是谁？"))
    best, _, others = drawn.partition("</article>")
    assert (nodes(best, "subject"), nodes(best, "predicate")) == (["红楼梦"], ["作者"])
    assert nodes(best, "object") == ["曹雪芹"]
    assert "<small>小说</small>" in best
    assert best.count("→") == 2
    assert nodes(others, "predicate") == ["人物"]
    assert re.findall("--share:0[.][0-9]+", drawn)


def test_many_objects_are_counted_and_all_are_saved():
    result = ask("水浒传的好汉有谁？", 1)
    drawn = view.settle(result)
    assert nodes(drawn, "object") == [f"好汉{n}" for n in range(12)]
    assert "共 40 个 in all" in drawn
    assert len(list(csv.DictReader(io.StringIO(view.csv_of(result))))) == 40
    assert "好汉39" in html.unescape(re.search('data-mp-text="(.*?)"', drawn)[1])


def test_nothing_found_and_nothing_asked_are_said():
    empty = ask("？")
    assert "Nothing in the base comes close" in view.settle(
        type(empty)(empty.request, (), 0.1, empty.weights, empty.base)
    )
    assert "Ask about a subject" in view.settle(None)
    assert "The model is loading" in view.stream(None)


def test_what_a_base_holds_stays_text():
    drawn = view.settle(ask("红楼梦的人物？"))
    assert "<b>宝玉" not in drawn
    assert "&lt;b&gt;宝玉" in drawn
    card = view.base_card(ask("？").base)
    assert "&lt;i&gt;库.tsv" in card
    assert "<i>库" not in card


def test_a_base_shows_what_it_weighs():
    card = view.base_card(ask("？").base)
    assert "triples</dt><dd>42<" in card
    assert "keys</dt><dd>3<" in card
    assert "nodes</dt>" in card
    assert re.search(r"memory</dt><dd>[\d.]+ K?B（树 tree", card)
    assert "built in</dt><dd>1.25 s<" in card
    assert "第一次提问时建" in view.base_card(None)


def test_a_building_tells_its_stage_and_its_end():
    assert "在建前缀树" in view.build_stream(Building("a.tsv", "tree"))
    assert "&lt;b&gt;" in view.build_stream(Building("<b>", "reading", 10))
    assert "Not built: the base in use is the same." in view.build_settle(Building())
    done = view.build_settle(Building("a.tsv", "ready", base_id="ab12"))
    assert "base=ab12" in done
    assert view.build_settle(None) == ""


def test_the_rules_name_every_limit():
    drawn = view.rules()
    assert ".csv .tsv .jsonl" in drawn
    assert "64 MB、1,000,000 个三元组" in drawn
    assert "同时留 4 个自带的库，最久没用的先走" in drawn
    assert "4 bases of visitors are kept, the one not asked for longest goes" in drawn
    assert (
        f'data-mp-upload="mp-facts-upload" data-mp-largest="{64 << 20}" hidden' in drawn
    )
