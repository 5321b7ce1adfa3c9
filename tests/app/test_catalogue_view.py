from app.catalogue_view import card_html, facts_line, matching
from model_core.interfaces import ModelFacts, ModelState

LABELS = {"title": "标题 Title", "summary": "摘要 Summary"}
PEGASUS = ModelFacts(
    name="IDEA-CCNL/Randeng",
    title="燃灯 Pegasus <b>",
    family="pegasus",
    tasks=("title", "summary"),
    disk_bytes=477_000_000,
    memory_bytes=948_000_000,
    budget_bytes=4_000_000_000,
    license="apache-2.0",
    note="摘要 · summaries",
)
UNKNOWN = ModelFacts("someone/something", "someone/something")


def test_a_card_tells_size_memory_licence_and_tabs_before_the_download():
    drawn = card_html(PEGASUS, LABELS)
    tabs = "标题 Title、摘要 Summary"
    for fact in ("pegasus", "≈ 477.0 MB", "≈ 948.0 MB", "apache-2.0", tabs):
        assert f"<dd>{fact}</dd>" in drawn
    assert "燃灯 Pegasus &lt;b&gt;" in drawn
    assert "摘要 · summaries" in drawn
    assert "--memory-gb" not in drawn


def test_what_is_not_known_is_left_out_and_a_licence_is_asked_for():
    drawn = facts_line(UNKNOWN, LABELS)
    assert "see its page" in drawn
    assert "下载" not in drawn
    assert "内存" not in drawn


def test_weights_on_this_machine_need_no_download():
    here = ModelFacts("a/b", "a/b", disk_bytes=9, is_here=True)
    assert "已在本机" in facts_line(here, LABELS)
    assert "9 B" not in facts_line(here, LABELS)


def test_weights_that_do_not_fit_are_said_not_to():
    big = ModelFacts("a/b", "a/b", memory_bytes=5_000, budget_bytes=4_000)
    drawn = card_html(big, LABELS)
    assert "4.0 KB" in drawn
    assert "--memory-gb" in drawn


def found(query):
    states = [ModelState(one.name, one.title, "absent") for one in (PEGASUS, UNKNOWN)]
    facts = {PEGASUS.name: PEGASUS}
    return [state.name for state in matching(states, facts, LABELS, query)]


def test_a_search_finds_what_holds_every_word_of_it():
    assert found("") == [PEGASUS.name, UNKNOWN.name]
    assert found("摘要") == [PEGASUS.name]
    assert found("  ＳＵＭＭＡＲＹ apache ") == [PEGASUS.name]
    assert found("some") == [UNKNOWN.name]
    assert found("pegasus something") == []
