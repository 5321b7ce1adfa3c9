"""Hashed n-grams against plain ones, and the check on a small corpus."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipes import dev_sets, encoding, overlap, overlap_check, overlapcard
from recipes.lessons.storage import Ragged, load, save
from recipes.overlap import laid_out, texts_of, wanted_of
from recipes.overlap_check import Reader
from recipes.vocabulary import MARKS

HAN = st.text("天地人你我", max_size=12)


def codes(texts):
    return laid_out([overlap.han_codes(text) for text in texts])


def grams(text, size):
    return [text[i : i + size] for i in range(len(text) - size + 1)]


@settings(max_examples=50)
@given(st.lists(HAN, min_size=1, max_size=5), st.lists(HAN, max_size=5))
def test_what_is_found_is_what_plain_strings_would_find(asked, taught):
    size = 3
    texts = texts_of(codes(asked), size)
    wanted = wanted_of([texts], size, traced=True)
    for part in overlap.parts_of("lm", map(overlap.han_codes, taught), 2):
        wanted.look(part)
    found = texts.found(wanted, ["lm"])
    there = {gram for text in taught for gram in grams(text, size)}
    hits = [sum(gram in there for gram in grams(text, size)) for text in asked]
    assert found.hits.tolist() == hits
    assert found.grams.tolist() == [len(grams(text, size)) for text in asked]
    assert (texts.num_texts, found.touched) == (len(asked), np.count_nonzero(hits))
    mine = {gram for text in asked for gram in grams(text, size)}
    shared = [n for n, text in enumerate(taught) if mine & set(grams(text, size))]
    assert wanted.documents_with("lm", texts) == shared


@pytest.mark.parametrize("size", [1, 2, 3, 13, 32])
def test_a_hash_depends_on_its_own_characters_alone(size):
    some = np.random.default_rng(0).integers(0x4E00, 0x9000, 80).astype("uint32")
    hashes = overlap.gram_hashes(some, size)
    assert len(hashes) == len(np.unique(hashes)) == 80 - size + 1
    np.testing.assert_array_equal(overlap.gram_hashes(some[7:], size), hashes[7:])
    assert overlap.gram_hashes(some[: size - 1], size).tolist() == []


def test_order_counts():
    asked = texts_of(codes(["天地人"]), 3)
    wanted = wanted_of([asked], 3)
    wanted.look(overlap.Part("lm", codes(["人地天，地天人"]), 0))
    assert asked.found(wanted, ["lm"]).touched == 0


def test_punctuation_and_spaces_hide_nothing():
    asked = texts_of(codes(["天地 人，你我"]), 5)
    wanted = wanted_of([asked], 5)
    wanted.look(overlap.Part("lm", codes(["x天。地人 abc 你\n我"]), 0))
    assert asked.found(wanted, ["lm"]).share == 1
    assert asked.found(wanted, ["other"]).share == 0


def test_ids_read_as_the_text_they_were_made_of():
    tokens = [*MARKS, "天", "地", "你我", "，", "##a"]
    reader = Reader.of(tokens)
    cls, first = MARKS.index("[CLS]"), len(MARKS)
    style, unknown = MARKS.index("[散文]"), MARKS.index("[UNK]")
    ids = [cls, style, first, first + 3, unknown, first + 2, cls, first + 1, first + 4]
    expected = codes(["天你我", "地"])
    np.testing.assert_array_equal(
        reader.codes_of_ids(np.array(ids, "uint16")), expected
    )
    text = reader.codes_of_text("天，人你我")  # 人 is not in the vocabulary
    np.testing.assert_array_equal(text, overlap.han_codes("天你我"))


PASSAGE = "".join(chr(0x4E00 + n) for n in range(60))
OTHER = "".join(chr(0x5E00 + n) for n in range(60))


def write_lines(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_text(text, encoding="utf8")


@pytest.fixture(name="place")
def fixture_place(tmp_path, monkeypatch):
    data, folder = tmp_path / "data", tmp_path / "corpus"
    summary = {"text": PASSAGE, "summary": "短"}
    write_lines(data / "summary/dev.jsonl", summary, {"text": OTHER, "summary": "短"})
    write_lines(data / "summary/train.jsonl", {"text": "新" * 40, "summary": OTHER})
    few = tuple(one for one in dev_sets.DEV_SETS if one.name == "summary")
    monkeypatch.setattr(
        overlap_check, "files_of", lambda where: dev_sets.files_of(where, few)
    )
    monkeypatch.setattr(overlap_check, "TEACHING", ("summary",))
    tokens = [*MARKS, *sorted({*PASSAGE, *OTHER, *"新旧短"})]
    ids = {token: number for number, token in enumerate(tokens)}
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf8")
    for name in ("modern", "novels", "poems", "news"):
        write_lines(folder / f"{name}-held.jsonl", {"style": "散文", "text": "旧" * 40})
    copied = {"modern": ["新" * 9, "新" + PASSAGE[10:50], "新" * 9]}
    for name in ("modern", "novels", "poems", "news"):
        rows = [
            [ids["[CLS]"], ids["[散文]"], *(ids[c] for c in text), ids["[SEP]"]]
            for text in copied.get(name, ["新新"])
        ]
        encoding.save(encoding.join(f"{name}-train", rows, 1), folder)
    (data / "fewshot").mkdir()
    return data, folder


def test_the_check_names_sets_sources_and_documents(place, monkeypatch):
    monkeypatch.setattr(overlap_check, "TOKENS_AT_ONCE", 5)  # a document at a time
    told = []
    report = overlap_check.check(*place, told.append)
    found = report["sets"]["summary text"]
    assert (found["texts"], found["long"], found["short"]) == (2, 2, 2)
    assert found["lm"] == {"touched": 1, "share": round(28 / 96, 4), "mostly": 1}
    assert found["train"] == {"touched": 1, "share": 0.5, "mostly": 1}
    assert report["sets"]["summary summary"]["texts"] == 1  # the same twice is one
    assert report["sets"]["modern held"]["lm"]["touched"] == 0
    assert report["remove"]["lm/modern"] == {"summary text": [1]}
    assert report["remove"]["train/summary"] == {"summary text": [0]}
    assert report["sources"]["lm/modern"]["documents"] == 3
    assert told == ["lm/modern", "lm/novels", "lm/poems", "lm/news", "train/summary"]
    table = overlapcard.table(report)
    assert "| summary text | 2 | 2 | 1 (50.0%) | 1 (50.0%) | 29.2% | 50.0% |" in table
    assert "- lm/modern: 1 / 3（summary text 1）" in table
    assert "lm/novels" not in table
    assert json.loads(json.dumps(report)) == report


def test_what_is_dropped_is_no_longer_found_and_the_rest_stays(place):
    data, folder = place
    before = encoding.load("modern-train", folder)
    kept = [before.document(n).tolist() for n in (0, 2)]
    report = overlap_check.check(data, folder, lambda _: None)
    assert overlap_check.drop(folder, report["remove"]) == {"lm/modern": 1}
    after = encoding.load("modern-train", folder)
    assert [after.document(n).tolist() for n in range(after.num_documents)] == kept
    again = overlap_check.check(data, folder, lambda _: None)
    assert not any(v for k, v in again["remove"].items() if k.startswith("lm/"))
    assert again["sets"]["summary text"]["train"]["touched"] == 1  # these lessons stay


FEW = tuple(one for one in dev_sets.DEV_SETS if one.name == "eprstmt")


def test_every_split_of_a_few_shot_task_is_looked_for_in_its_encoded_lessons(
    place, monkeypatch
):
    data, folder = place
    write_lines(data / "fewshot/eprstmt/dev_0.jsonl", {"text": PASSAGE, "label": "a"})
    write_lines(data / "fewshot/eprstmt/dev_3.jsonl", {"text": OTHER, "label": "a"})
    monkeypatch.setattr(
        overlap_check, "files_of", lambda where: dev_sets.files_of(where, FEW)
    )
    tokens = (folder / "vocab.txt").read_text("utf8").split("\n")
    ids = [tokens.index(token) for token in ("[CLS]", "[短文]", *OTHER, "[SEP]")]
    clean = [*ids[:2], tokens.index("新"), ids[-1]]
    path = folder / "lessons/judged.npz"
    save(
        path,
        {"text": Ragged.of([ids, clean, ids]), "group": Ragged.of([[0], [1], [2]])},
    )
    report = overlap_check.check(data, folder, lambda _: None)
    first, others = report["sets"]["eprstmt text"], report["sets"][OTHER_SET]
    assert (first["texts"], first["train"]["touched"]) == (1, 0)
    assert others["train"] == {"touched": 1, "share": 1.0, "mostly": 1}
    assert report["sources"]["train/judged"]["documents"] == 3
    assert report["remove"]["train/judged"] == {OTHER_SET: [0, 2]}
    assert overlap_check.drop(folder, report["remove"])["train/judged"] == 2
    left = load(path)
    assert [left["text"][0].tolist(), left["group"][0].tolist()] == [clean, [1]]
    assert len(left["text"]) == len(left["group"]) == 1


OTHER_SET = f"eprstmt text, {overlap_check.OTHER_SPLITS}"


def test_the_card_tells_counts_and_no_text(place):
    data, folder = place
    noted = overlap_check.noted(
        overlap_check.check(data, folder, lambda _: None), "2026-01-01"
    )
    path = folder / "overlap.json"
    path.write_text(json.dumps(noted), encoding="utf8")
    text = overlapcard.section(path)
    assert "2026-01-01" in text
    assert overlapcard.table(noted) in text
    assert "remove" not in noted
    assert overlapcard.section(folder / "none.json") == ""
