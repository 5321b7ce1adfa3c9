import html
import json
import re
from dataclasses import replace

import pytest

from app.tabs import generation_view as view
from demos.generation.task import GenerationRequest, generate
from tests.fakes import FakeGenerator

POEM = "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。"


def results(text=POEM, **asked):
    asked.setdefault("prompt", text[:2])
    asked.setdefault("seed", 2)
    request = GenerationRequest(**asked)
    return list(generate(request, FakeGenerator(text=text)))


def poem(text=POEM, **asked):
    """The last result, cut so that prompt and continuation are the text once."""
    return results(text, max_new_tokens=len(text) - 2, **asked)[-1]


def test_growing_frames_are_plain_text():
    drawn = view.stream(results()[3])
    assert "data-mp-token" not in drawn
    assert "data-mp-action" not in drawn
    assert 'class="mp-prompt">白日<' in drawn


def test_an_ended_run_has_probabilities_and_buttons():
    drawn = view.settle(results()[-1])
    assert drawn.count("data-mp-token") == len(POEM)
    assert re.findall('data-mp-action="(.*?)"', drawn) == ["copy", "txt", "jsonl"]
    assert re.findall(">(下载.*?)<", drawn) == [
        "下载 Download txt",
        "下载 Download jsonl",
    ]


def test_the_copied_text_is_prompt_and_continuation_unbroken():
    (copied,) = re.findall('data-mp-text="([^"]*)"', view.settle(poem()))
    assert html.unescape(copied) == POEM


def test_the_download_holds_what_repeats_the_result():
    result = results(num_return=2, temperature=0.7)[-1]
    (record,) = re.findall('data-mp-record="([^"]*)"', view.settle(result))
    saved = json.loads(html.unescape(record))
    assert GenerationRequest(
        **{name: saved[name] for name in GenerationRequest.__slots__}
    ) == replace(result.request, seed=result.frame.seed)
    assert [text["text"] for text in saved["texts"]] == [
        candidate.text for candidate in result.candidates
    ]


def test_verse_is_set_line_by_line_and_prose_is_not():
    verse = view.stream(poem(style="五言绝句"))
    assert "白日</span>" in verse
    assert "尽，\n黄河入海流。\n欲穷千里目，\n更上一层楼。<" in verse
    assert "mp-verse" in verse
    assert "\n" not in view.stream(poem(style="散文"))


def test_tokens_keep_their_probabilities_when_lines_break():
    drawn = view.settle(poem(style="五言绝句"))
    assert drawn.count("data-mp-token") == len(POEM) - 2
    assert ">，\n</span>" in drawn


@pytest.mark.parametrize(
    ("text", "badge"),
    [(POEM, "合体式 form kept"), (POEM + "完。", "不合体式 form broken")],
)
def test_a_poem_says_whether_it_kept_its_form(text, badge):
    assert f">{badge}<" in view.settle(poem(text, style="五言绝句"))


def test_a_broken_form_says_where():
    assert "共 5 句，应为 4 句。" in view.settle(poem(POEM + "完。", style="五言绝句"))


def test_an_unfinished_poem_is_not_judged():
    frame = results(style="五言绝句")[5]
    assert "form" not in view.settle(frame)
    assert "停在这里 stopped" in view.settle(frame)


def test_candidates_stand_side_by_side_under_their_ranks():
    drawn = view.settle(results(num_return=4)[-1])
    assert drawn.count("<article") == 4
    assert "mp-of-4" in drawn
    for rank in view.RANKS:
        assert f">{rank}<" in drawn


def test_the_facts_name_weights_seed_and_speed():
    drawn = view.stream(results()[-1])
    assert ">embedded<" in drawn
    assert "种子 seed</dt><dd>2<" in drawn
    assert "tokens/s</dt><dd>100.0<" in drawn
    assert "dropped" not in drawn


def test_a_prompt_that_did_not_fit_is_told():
    result = results()[-1]
    cut = replace(result, frame=replace(result.frame, num_prompt_chars_dropped=12))
    assert "dropped</dt><dd>12 字<" in view.stream(cut)


def test_nothing_yet_and_not_ready_yet_are_said():
    assert "Write an opening" in view.settle(None)
    assert "The model is loading" in view.stream(None)


def test_what_a_person_or_a_model_writes_stays_text():
    result = poem("<b onclick=x>'\"&{{value}}${1}" * 2, prompt="<i>")
    for drawn in (view.stream(result), view.settle(result)):
        assert "<b onclick" not in drawn
        assert "<i>" not in drawn
        assert "&lt;i&gt;" in drawn


@pytest.mark.parametrize(
    ("style", "kind"),
    [
        ("词·浣溪沙", "mp-verse"),
        ("曲", "mp-verse"),
        ("五言古诗", "mp-verse"),
        ("散文", "mp-prose"),
        ("小说", "mp-prose"),
    ],
)
def test_every_kind_of_verse_is_set_as_verse(style, kind):
    model = FakeGenerator(text=POEM, styles=(style,))
    *_, result = generate(GenerationRequest("白日", style=style, seed=2), model)
    assert f"mp-sheet {kind}" in view.stream(result)
