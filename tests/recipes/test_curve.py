"""The history of scores and the lines through it."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from recipes import __main__ as recipes
from recipes import curve, curvecard, releasing
from recipes.curve import FOLLOWED, Figure, Release, Seen

ASSET = Path(__file__).parents[2] / "assets" / "embedded" / "history.json"
MODES = {"half": {"f1": 0.4}, "links": {"f1": 0.5}}
SCORES = {
    "modern": {"bits_per_character": 6.0, "characters": 1000},
    "tasks": {
        "triples": {"examples": 10, "model": MODES, "by_source": {}},
        "title": {
            "examples": 8,
            "model": {"beam": {"rouge_l": 0.3}},
            "by_source": {
                "csl-clge": {"examples": 3, "model": {"beam": {"rouge_l": 0.2}}},
                "csl-ydli": {"examples": 1, "model": {"beam": {"rouge_l": 0.6}}},
                "lcsts": {"examples": 4, "model": {"beam": {"rouge_l": 0.9}}},
            },
        },
        "qa": {"examples": 4, "model": {"mlm": {"f1": 0.2}}, "by_source": {}},
    },
}


def release(tokens, value=0.5, over=10, day="2026-01-01", name="triples"):
    return Release(day, tokens, 3600.0, {name: Figure(value, over)})


def test_figures_are_the_best_mode_and_the_mean_of_their_sources():
    (row,) = curve.releases_of(SCORES, "2026-01-01", Seen(7, 1.0))
    assert (row.tokens, row.seconds) == (7, 1.0)
    assert row.figures == {
        "modern": Figure(6.0, 1000),
        "title": Figure(0.3, 8),
        "title_csl": Figure(0.3, 4),  # (3 * 0.2 + 1 * 0.6) / 4
        "triples": Figure(0.5, 10),
        "qa": Figure(0.2, 4),  # by source there was nothing of CMRC
    }


def test_a_part_with_weights_of_its_own_has_a_row_with_what_they_have_seen():
    own = {
        "pointing": Seen(3, 0.5),
        "words": Seen(100, 9.0),
    }  # nothing is told of words
    shared, pointing = curve.releases_of(SCORES, "2026-01-01", Seen(7, 1.0), own)
    assert (pointing.tokens, pointing.seconds, pointing.part) == (10, 1.5, "pointing")
    assert set(pointing.figures) == {"triples"}
    assert (shared.tokens, set(shared.figures)) == (
        7,
        {"modern", "title", "title_csl", "qa"},
    )


def test_titles_and_summaries_of_their_own_weights_are_charged_to_these():
    by_source = {"cail2020-sfzy": {"examples": 2, "model": {"full": {"spaces": 0.4}}}}
    spaces = {"full": {"spaces": 0.4}}
    summary = {"examples": 2, "model": spaces, "by_source": by_source}
    scores = {**SCORES, "tasks": {**SCORES["tasks"], "summary": summary}}
    own = {"title": Seen(3, 0.5), "summary": Seen(3, 0.5)}  # of one run, in one file
    shared, *rows = curve.releases_of(scores, "2026-01-01", Seen(7, 1.0), own)
    assert set(shared.figures) == {"modern", "triples", "qa"}
    assert [(one.part, one.tokens, set(one.figures)) for one in rows] == [
        ("title", 10, {"title", "title_csl"}),
        ("summary", 10, {"summary_sfzy"}),
    ]


def test_weights_that_began_elsewhere_have_seen_their_own_tokens_alone():
    own = {"pointing": Seen(5, 2.0)}
    rows = [
        curve.releases_of(SCORES, "2026-01-01", Seen(7, 1.0), own, apart)[1]
        for apart in ((), ("pointing",), ("words",))
    ]
    assert [(one.tokens, one.seconds) for one in rows] == [
        (12, 3.0),
        (5, 2.0),
        (12, 3.0),
    ]


def test_a_history_is_read_as_it_was_written(tmp_path):
    own = {"pointing": Seen(1, 1.0)}
    history = (*curve.releases_of(SCORES, "2026-01-01", Seen(7, 1.0), own), release(9))
    curve.write(history, tmp_path / "history.json")
    assert curve.read(tmp_path / "history.json") == history
    assert curve.read(tmp_path / "none.json") == ()


def test_the_same_measured_again_takes_the_place_of_what_was():
    first, again, larger = release(5), release(5, 0.6), release(5, 0.4, over=99)
    assert curve.joined([first], again) == (again,)
    assert curve.joined([first], larger) == (first, larger)
    assert curve.joined([release(9)], first) == (first, release(9))


def test_of_equal_tokens_counts_what_was_measured_on_most():
    history = [release(5, 0.4, over=99), release(5, 0.6, day="2026-02-01"), release(2)]
    assert curve.points(history, "triples") == {2: Figure(0.5, 10), 5: Figure(0.4, 99)}
    assert curve.points(history, "qa") == {}


def test_a_line_finds_the_slope_it_was_drawn_with():
    found = {10**n: Figure(0.1 * n - 0.5, 1) for n in (6, 7, 8)}
    line = curve.line_through(found)
    assert (line.slope, line.intercept) == pytest.approx((0.1, -0.5))
    assert line.residual == pytest.approx(0, abs=1e-9)
    assert line.tokens_for(0.4) == pytest.approx(1e9)
    assert line.tokens_for(0.9) is None
    last = curve.line_of_the_last({**found, 10**8: Figure(0.25, 1)})
    assert (last.slope, last.points) == (pytest.approx(0.05), 2)


def test_two_releases_are_no_line():
    found = {10: Figure(0.1, 1), 100: Figure(0.2, 1)}
    assert curve.line_through(found) is curve.line_of_the_last(found) is None


def rows_of(history):
    text = curvecard.section(history)
    return text, [line for line in text.split("\n") if line.startswith("| 三元组 F1")]


def test_the_card_tells_measured_scores_apart_from_extrapolated_ones():
    history = [release(10**6, 0.2), release(10**7, 0.3, over=60), release(10**8, 0.4)]
    text, (measured, beyond) = rows_of(history)
    assert measured.endswith("| 20.0（10） | 30.0（60） | 40.0（10） |")
    assert "| +10.0 pt | 0.0 pt（3） |" in beyond
    assert "55.0：3,162.3 M，32 h / 3,162.3 M，32 h |" in beyond
    assert text.index("外推，不是测量") > text.index("20.0（10）")
    assert text.endswith("|\n\n")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ((0.2, 0.3, 0.6), "55.0：已到 · reached"),
        ((0.4, 0.3, 0.2), "55.0：词元多了分数没涨"),
        ((0.2, 0.21, 0.2), "/ 词元多了分数没涨"),
        ((0.2, 0.201, 0.202), "55.0：直线够不到"),
        ((0.2, 0.3), "55.0：发布太少"),
    ],
)
def test_what_a_line_cannot_say_is_said(values, told):
    history = [release(10 ** (6 + n), value) for n, value in enumerate(values)]
    assert told in rows_of(history)[1][1]


def test_weights_of_its_own_reach_what_is_asked_and_are_in_no_line():
    history = [release(10 ** (6 + n), 0.1 * n) for n in range(3)]
    own = replace(release(2 * 10**8, 0.6), part="pointing")
    _, (measured, beyond) = rows_of([*history, own])
    assert measured.endswith("| 20.0（10） | 60.0（10） |")
    assert "| +10.0 pt | 0.0 pt（3） |" in beyond
    assert "55.0：已到 · reached" in beyond


def test_bits_are_better_where_they_are_lower():
    history = [release(10 ** (6 + n), 7.0 - n, name="modern") for n in range(3)]
    assert "4.300：501.2 M，5 h / 501.2 M，5 h" in curvecard.section(history)


def test_one_release_is_no_curve():
    assert curvecard.section([]) == curvecard.section([release(5)]) == ""


def test_everything_followed_has_its_words():
    assert curvecard.WORDS["curve"]["names"].keys() == {one.name for one in FOLLOWED}


def test_the_shipped_history_knows_the_shipped_scores():
    history = curve.read(ASSET)
    scores = json.loads(ASSET.with_name("scores.json").read_text(encoding="utf8"))
    for shipped in releasing.followed(Path("none"), scores, ASSET.parent, "today"):
        row = next(one for one in history if one.figures == shipped.figures)
        assert (row.tokens, row.seconds) == (shipped.tokens, shipped.seconds)
    assert list(history) == sorted(history, key=lambda one: one.tokens)


def test_the_command_notes_a_release_and_prints_the_curve(
    tmp_path, monkeypatch, capsys
):
    def run(*words):
        words = ("recipes", "curve", "--history", tmp_path / "history.json", *words)
        monkeypatch.setattr(sys, "argv", list(map(str, words)))
        recipes.main()
        return capsys.readouterr().out

    (tmp_path / "scores.json").write_text(json.dumps(SCORES), encoding="utf8")
    add = ("--add", tmp_path / "scores.json", "--released", "2026-01-01", "--tokens")
    assert run() == run(*add, 5_000_000) == "\n"
    assert "| 5.0 M | 9.0 M |" in run(*add, 9_000_000, "--hours", 2)
    assert len(curve.read(tmp_path / "history.json")) == 2
    with pytest.raises(SystemExit, match="needs --released DAY, and --tokens N"):
        run(*add[:2])
