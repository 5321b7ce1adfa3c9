"""What scripts and people get of an extraction."""

import json
from dataclasses import replace

from demos.triples import record
from demos.triples.task import TripleRequest, extract
from tests.fake_triple_pointer import FakeTriplePointer

FILM = "六小龄童在《西游记》里饰演孙悟空。"


def result(text=FILM, **asked):
    *_, last = extract(TripleRequest(text, **asked), FakeTriplePointer())
    return last


def test_the_record_has_the_fields_of_the_contract():
    saved = record.to_record(result())
    assert saved.keys() == {"text", *record.ADDED_FIELDS}
    assert saved["triples"][0] == {
        "subject": "六小龄童",
        "predicate": "饰演_inWork",
        "object": "西游记",
        "subject_start": 0,
        "object_start": 6,
        "probability": 0.71,
        "subject_type": "娱乐人物",
        "object_type": "影视作品",
    }
    assert saved["complex_objects"] == [
        {
            "subject": "六小龄童",
            "predicate": "饰演",
            "value": "孙悟空",
            "slots": {"inWork": ["西游记"]},
        }
    ]
    assert saved["weights"] == "embedded"


def test_the_record_is_json_and_follows_the_threshold():
    saved = record.to_record(result().filtered(0.9))
    assert json.loads(json.dumps(saved)) == saved
    assert [one["object"] for one in saved["triples"]] == ["孙悟空"]
    assert saved["complex_objects"] == []


def test_a_person_reads_a_line_per_triple_and_per_complex_object():
    assert record.render_text(result()).splitlines() == [
        "六小龄童（娱乐人物） — 饰演_inWork → 西游记（影视作品） 0.71",
        "六小龄童（娱乐人物） — 饰演 → 孙悟空（人物） 0.93",
        "六小龄童 饰演: 角色=孙悟空, 作品=西游记",
    ]


def test_nothing_is_printed_before_all_is_read_so_that_nothing_is_taken_back():
    whole = result()
    assert record.render_text(replace(whole, num_windows=2)) == ""


def test_no_triple_is_said():
    assert "No triple reaches the threshold" in record.render_text(result("闲话"))
