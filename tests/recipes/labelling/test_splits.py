import json
import lzma

from recipes.labelling import read_splits


def test_the_held_out_split_is_in_no_other(tmp_path):
    def write(name, *pairs):
        lines = [json.dumps({"text": t, "label": label}) for t, label in pairs]
        (tmp_path / name).write_text("\n".join(lines), encoding="utf8")

    write("train_0.jsonl", ("好", "Positive"), ("共", "Negative"))
    write("dev_0.jsonl", ("共", "Negative"), ("留", "Positive"))
    write("dev_1.jsonl", ("好", "Positive"), ("差", "Negative"))
    texts = [json.dumps({"text": t}) for t in ("好", "新", "新", "留")]
    packed = lzma.compress("\n".join(texts).encode())
    (tmp_path / "unlabeled.jsonl.xz").write_bytes(packed)
    read = read_splits(tmp_path)
    assert {e.text for e in read.labelled} == {"好", "差"}
    assert read.unlabelled == ("新",)
    assert {e.text for e in read_splits(tmp_path, "").labelled} == set("好共留差")


def test_pairs_are_told_apart_by_both_texts(tmp_path):
    def write(name, *pairs):
        rows = [{"text": a, "text_b": b, "label": label} for a, b, label in pairs]
        lines = [json.dumps(row) for row in rows]
        (tmp_path / name).write_text("\n".join(lines), encoding="utf8")

    write("train_0.jsonl", ("甲", "乙", "1"), ("甲", "丙", "0"))
    write("dev_0.jsonl", ("甲", "丙", "0"))
    read = read_splits(tmp_path)
    assert [(e.text, e.text_b) for e in read.labelled] == [("甲", "乙")]
    assert read.unlabelled == ()
