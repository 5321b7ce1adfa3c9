"""What a checkpoint says of itself comes back, or is refused by name."""

import json

import pytest

from model_core.checkpoints.errors import CheckpointFormatError
from model_core.interfaces import Relation
from model_core.roles.parts import PARTS, Parts, load_parts
from tests.model_core.playing_checkpoint import RELATIONS


def test_parts_come_back_as_they_were_saved(tmp_path):
    parts = Parts(
        PARTS,
        RELATIONS,
        True,
        ("正面", "负面"),
        "[短文]",
        {"title": 9},
        {"a": -1.5},
        {"pointing": "pointing.safetensors"},
    )
    parts.save(tmp_path / "parts.json")
    assert load_parts(tmp_path) == parts
    assert "正面" in (tmp_path / "parts.json").read_text(encoding="utf8")


def test_without_a_file_nothing_is_said(tmp_path):
    assert load_parts(tmp_path) == Parts()


def test_older_files_know_nothing_of_own_weights(tmp_path):
    written(tmp_path, own_weights=None)
    assert load_parts(tmp_path).own_weights == {}


def written(tmp_path, **changes):
    values = Parts(("title",), (Relation("甲", "乙", "丙"),)).to_dict() | changes
    kept = {name: value for name, value in values.items() if value is not None}
    (tmp_path / "parts.json").write_text(json.dumps(kept), encoding="utf8")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parts": ["title", "poem"]}, r"unknown parts \['poem'\]"),
        ({"parts": None}, "'parts'"),
        ({"relations": [["甲", "乙"]]}, "object_type"),
        ({"relations": None}, "'relations'"),
        ({"own_weights": {"poem": "poem.safetensors"}}, "expected a part"),
        ({"own_weights": {"title": "../title.safetensors"}}, "expected a part"),
        ({"own_weights": {"title": "/etc/title.safetensors"}}, "expected a part"),
        ({"own_weights": {"title": "title.bin"}}, "expected a part"),
        ({"own_weights": {"title": 3}}, "expected a part"),
        ({"word_marks": None}, "'word_marks'"),
        ({"conditions": None}, "'conditions'"),
        ({"blank_style": None}, "'blank_style'"),
        ({"conditions": 3}, "not iterable"),
        ({"source_tokens": None}, "'source_tokens'"),
        ({"source_tokens": ["title"]}, "items"),
        ({"shifts": None}, "'shifts'"),
        ({"shifts": {"gplinker": "much"}}, "could not convert"),
        ({"source_tokens": {"poem": 9}}, "expected a part and a count >= 1"),
        ({"source_tokens": {"title": 0}}, "expected a part and a count >= 1"),
    ],
)
def test_a_file_that_says_something_else_is_refused(tmp_path, changes, message):
    written(tmp_path, **changes)
    expected = rf"parts\.json: expected parts, relations.*\(.*{message}.*\)"
    with pytest.raises(ValueError, match=expected):
        load_parts(tmp_path)


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"not json", b"3", b"\xff\xfe", b'{"parts":', b"[" * 10**5]
)
def test_a_file_that_is_no_object_is_refused(tmp_path, text):
    (tmp_path / "parts.json").write_bytes(text)
    with pytest.raises(CheckpointFormatError, match=r"parts\.json"):
        load_parts(tmp_path)
