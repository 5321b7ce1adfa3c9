"""What people script against: names, and what a terminal shows."""

from itertools import pairwise

import pytest

from demos.fewshot.record import ADDED_FIELDS, render_text, to_record
from demos.fewshot.task import FewshotRequest, classify
from tests.fake_mask_filler import FakeMaskFiller

EXAMPLES = [{"text": "慢", "label": "差评"}, {"text": "香", "label": "好评"}]


def results(**given):
    known = {"labels": {"好评": "好", "差评": "差"}, "pattern": "__。{text}"}
    request = FewshotRequest("饭很香", **known | given)
    return list(classify(request, FakeMaskFiller()))


def test_the_record_has_the_contracts_names():
    record = to_record(results()[-1])
    assert record["label"] == "好评"
    assert record["filled"] == "好。饭很香"
    assert record["weights"] == "embedded"
    assert list(record["probabilities"]) == ["好评", "差评"]
    assert sum(record["probabilities"].values()) == pytest.approx(1, abs=1e-12)
    assert record.keys() == {"text", *ADDED_FIELDS}


def test_a_pair_has_both_texts_and_one_text_has_no_other():
    pair = results(text_b="真香", pattern="{text}__{text_b}")[-1]
    assert to_record(pair)["text_b"] == "真香"
    assert "text_b" not in to_record(results(text_b="真香")[-1])


def test_a_person_reads_the_sentence_then_the_labels_best_first():
    first, blank, *shares = render_text(results()[-1]).splitlines()
    assert (first, blank) == ("好。饭很香", "")
    assert [line.split()[1] for line in shares] == ["好评", "差评"]


def test_while_it_learns_dots_grow():
    texts = [render_text(one) for one in results(examples=EXAMPLES)[:-1]]
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
    assert texts[-1] == "学习 learning " + "·" * 30
