import json
import lzma
from types import SimpleNamespace

import numpy as np
import pytest

from recipes import corpus, encoding, packing, vocabulary
from recipes.rows import SpecialIds

IDS = SpecialIds(cls=2, sep=3, mask=4, first_plain=6, vocab_size=40)


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("你好,世界!再见?好", "你好，世界！再见？好"),
        ("价格是3,500元", "价格是3,500元"),
        ("好吃.推荐", "好吃。推荐"),
        ("太好了！！！！！！", "太好了！！"),
        ("哈哈哈哈哈哈哈哈", "哈哈"),
        ("中 文 里的空格", "中文里的空格"),
        ("用 Linux 写", "用 Linux 写"),
        ("一\r\n\n二\u200b", "一\n二"),
    ],
)
def test_cleaning(raw, cleaned):
    assert corpus.clean(raw) == cleaned


def test_prose_is_told_from_remarks_by_length():
    assert corpus.prose_style("好" * 119) == "短文"
    assert corpus.prose_style("好" * 120) == "散文"


def test_poems_are_laid_out_as_the_page_asks_for_them():
    record = {
        "title": "春雨",
        "form": "五言绝句",
        "lines": ["好雨知时节，", "当春乃发生。"],
    }
    titled = corpus.poem_document(record, titled=True)
    assert titled == corpus.Document("五言绝句", "《春雨》\n好雨知时节，\n当春乃发生。")
    assert corpus.poem_document(record, titled=False).text.startswith("好雨")
    ci = {"title": "x", "form": "词", "tune": "浣溪沙", "lines": ["一曲新词酒一杯。"]}
    assert corpus.poem_document(ci, titled=True).text == "浣溪沙\n一曲新词酒一杯。"


def write_data(folder):
    lm = folder / "lm"
    lm.mkdir()
    prose = "\n\n".join(f"第{n}篇散文写春天的风和雨，用Linux打字。" for n in range(900))
    for name, text in {
        "modern-00.txt.xz": prose,
        "novels-00.txt.xz": "话说天下大势，分久必合。\n\n却说那人上马便走。",
        "news-00.txt.xz": "今天上午会议在京举行。",
    }.items():
        (lm / name).write_bytes(lzma.compress(text.encode()))
    poem = {"title": "春", "form": "五言绝句", "lines": ["白日依山尽，黄河入海流。"]}
    line = json.dumps(poem, ensure_ascii=False) + "\n"
    (lm / "poems-00.jsonl.xz").write_bytes(lzma.compress((line * 3).encode()))
    return folder


def test_data_become_ids_and_the_held_back_part_stays_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(vocabulary, "VOCABULARY_SIZE", 220)
    monkeypatch.setattr(vocabulary, "LATIN_PIECES", 40)
    data = write_data(tmp_path)
    tokens = vocabulary.build(data)
    assert tokens[: len(vocabulary.MARKS)] == list(vocabulary.MARKS)
    assert len(tokens) == len(set(tokens)) <= 220
    encoder = encoding.Encoder(tokens)
    train, held = encoding.encode_source("modern", data, encoder)
    assert (train.num_documents, held.num_documents) == (898, 2)
    words = [tokens[i] for i in held.document(0)]
    assert words[:2] == ["[CLS]", "[短文]"]
    assert words[-1] == "[SEP]"
    assert "".join(words[2:5]) == "第39" or "第" in words[2]
    encoding.save(train, tmp_path / "corpus")
    read = encoding.load("modern-train", tmp_path / "corpus")
    np.testing.assert_array_equal(read.document(7), train.document(7))
    encoding.write_held_back("modern", data, tmp_path / "corpus")
    lines = (tmp_path / "corpus/modern-held.jsonl").read_text(encoding="utf8")
    assert len(lines.splitlines()) == 2


def documents(count, length, first=10):
    rows = [
        np.array([2, *(first + (n + k) % 25 for k in range(length)), 3], "uint16")
        for n in range(count)
    ]
    return encoding.join("toy", rows, count * length)


def make(kind, losses=400):
    parts = (packing.Part(kind, {"toy": 1.0}, 4),)
    batches = packing.mixed_batches(
        parts,
        {"toy": documents(30, 17)},
        IDS,
        length=64,
        seed=0,
        losses_per_batch=losses,
    )
    batch = next(batches)
    assert (batch.task, batch.objective) == ("language", "writing")
    assert batch.num_tokens == 4 * 64
    return SimpleNamespace(**batch.inputs, weights=batch.weights)


def test_a_causal_row_predicts_every_token_but_the_next_documents_mark():
    batch = make("causal")
    flat = batch.token_ids.reshape(-1)
    real = batch.weights > 0
    np.testing.assert_array_equal(batch.targets[real], flat[batch.places[real] + 1])
    assert IDS.cls not in batch.targets[real]
    assert (batch.segment_ids == 1).all()
    assert real.sum() == 4 * 63 - (batch.token_ids[:, 1:] == IDS.cls).sum()


def test_a_prefix_row_has_no_loss_on_its_source():
    batch = make("prefix")
    segments = batch.segment_ids.reshape(-1)
    real = batch.weights > 0
    assert (segments[batch.places[real] + 1] == 1).all()
    assert 0.2 < (segments == 0).mean() < 0.8


def test_a_cloze_row_hides_what_it_asks_for():
    batch = make("cloze")
    real = batch.weights > 0
    hidden = batch.token_ids.reshape(-1)[batch.places[real]]
    assert (batch.segment_ids == 0).all()
    assert 0.5 < (hidden == IDS.mask).mean() < 1
    assert (batch.targets[real] >= IDS.first_plain).all()
    plain = 4 * 64 * 17 / 19
    assert real.sum() == pytest.approx(0.15 * plain, rel=0.1)


def test_rows_are_full_and_documents_are_told_apart():
    batch = make("causal")
    assert batch.token_ids.shape == (4, 64)
    starts = (batch.token_ids == IDS.cls).cumsum(axis=1)
    np.testing.assert_array_equal(batch.document_ids, starts)


def test_too_many_places_are_thinned_to_the_fixed_number():
    batch = make("causal", losses=50)
    assert len(batch.places) == 50
    assert batch.weights.sum() == 50
    assert len(set(batch.places.tolist())) == 50
