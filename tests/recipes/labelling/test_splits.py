import json
import lzma

import pytest

from recipes.labelling import read_splits


def write(path, *pairs):
    lines = [json.dumps({"text": t, "label": label}) for t, label in pairs]
    path.write_text("\n".join(lines), encoding="utf8")


def test_no_text_of_any_dev_file_teaches(tmp_path):
    write(tmp_path / "train_0.jsonl", ("好", "Positive"), ("共", "Negative"))
    write(tmp_path / "train_1.jsonl", ("好", "Positive"), ("又", "Negative"))
    write(tmp_path / "dev_0.jsonl", ("共", "Negative"), ("留", "Positive"))
    write(tmp_path / "dev_1.jsonl", ("又", "Positive"), ("差", "Negative"))
    texts = [json.dumps({"text": t}) for t in ("好", "新", "新", "留", "差")]
    packed = lzma.compress("\n".join(texts).encode())
    (tmp_path / "unlabeled.jsonl.xz").write_bytes(packed)
    read = read_splits(tmp_path)
    assert {e.text for e in read.labelled} == {"好"}
    assert read.unlabelled == ("新",)


@pytest.mark.parametrize("split", range(5))
def test_whichever_split_scores_its_dev_file_is_left_out(tmp_path, split):
    for number in range(5):
        write(tmp_path / f"train_{number}.jsonl", (f"教{number}", "Positive"))
        write(tmp_path / f"dev_{number}.jsonl", (f"考{number}", "Positive"))
    write(tmp_path / "train_0.jsonl", ("教0", "Positive"), (f"考{split}", "Positive"))
    told = {e.text for e in read_splits(tmp_path).labelled}
    assert told == {f"教{number}" for number in range(5)}


def test_pairs_are_told_apart_by_both_texts(tmp_path):
    def write_pairs(name, *pairs):
        rows = [{"text": a, "text_b": b, "label": label} for a, b, label in pairs]
        lines = [json.dumps(row) for row in rows]
        (tmp_path / name).write_text("\n".join(lines), encoding="utf8")

    write_pairs("train_0.jsonl", ("甲", "乙", "1"), ("甲", "丙", "0"))
    write_pairs("dev_3.jsonl", ("甲", "丙", "0"))
    read = read_splits(tmp_path)
    assert [(e.text, e.text_b) for e in read.labelled] == [("甲", "乙")]
    assert read.unlabelled == ()
