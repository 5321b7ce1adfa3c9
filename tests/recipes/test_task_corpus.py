"""From task data to batches: every stream of the joint training, on the showcase."""

import itertools
import json
import lzma
import shutil

import numpy as np
import pytest

from recipes import joint, task_corpus, vocabulary
from recipes.dev_sets import SHOWCASE
from recipes.encoding import Encoder, encode_source, save
from recipes.export import write_tokenizer_settings
from recipes.joint import Options
from recipes.pretraining import Leg
from tests.recipes.test_corpus import write_data

LEG = Leg(length=256, rows=2, until_step=9)
GOOD, BAD = "物流很快，包装很好，非常满意", "质量太差，用了一天就坏，失望"


def write_reviews(folder):
    """Labelled and unlabelled remarks that a labeller can learn from."""

    def lines(numbers):
        rows = (
            {"text": f"第{n}次买，{text}。", "label": label}
            for n in numbers
            for text, label in ((GOOD, "Positive"), (BAD, "Negative"))
        )
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

    (folder / "train_0.jsonl").write_text(lines(range(20)), encoding="utf8")
    packed = lzma.compress(lines(range(20, 40)).encode())
    (folder / "unlabeled.jsonl.xz").write_bytes(packed)


@pytest.fixture(scope="module", name="corpus")
def fixture_corpus(tmp_path_factory):
    data, corpus = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("corpus")
    shutil.copytree(SHOWCASE, data, dirs_exist_ok=True)
    for path in [*data.rglob("dev.jsonl")]:
        shutil.copy(path, path.with_name("train.jsonl"))
    write_data(data)
    write_reviews(data / "fewshot" / "eprstmt")
    triples = (data / "triples" / "dev.jsonl").read_text(encoding="utf8").splitlines()
    names = ("subject_type", "predicate", "object_type")
    schema = {
        tuple(one[name] for name in names)
        for line in triples
        for one in json.loads(line)["triples"]
    }
    rows = [dict(zip(names, row, strict=True)) for row in sorted(schema)]
    (data / "triples" / "schema.json").write_text(json.dumps(rows), encoding="utf8")
    texts = "".join(p.read_text(encoding="utf8") for p in data.rglob("*.jsonl"))
    characters = sorted(set(texts + GOOD + BAD) - set("\n "))
    tokens = [*vocabulary.MARKS, *characters]
    (corpus / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf8")
    write_tokenizer_settings(corpus)
    for name in ("modern", "novels", "poems", "news"):
        for part in encode_source(name, data, Encoder(tokens)):
            save(part, corpus)
    told = []
    task_corpus.encode_all(data, corpus, told.append)
    assert told == [f"{task}: encoded" for task in task_corpus.ENCODERS]
    return corpus


@pytest.fixture(scope="module", name="batches")
def fixture_batches(corpus):
    made = joint.streams(corpus, LEG, Options(), seed=0)
    return {task: (next(stream), next(stream)) for task, stream in made.items()}


def test_every_share_has_a_stream_and_every_stream_a_share(batches):
    assert batches.keys() == joint.SHARES.keys()


def test_every_stream_yields_batches_that_teach(batches):
    for task, pair in batches.items():
        for batch in pair:
            assert batch.task == task
            assert batch.weights.sum() > 0, task
            assert batch.num_tokens == batch.inputs["token_ids"].size
            assert (batch.inputs["token_ids"] > 0).any()


WRITTEN = ("title", "summary", "facts", "answer")


def test_no_target_of_a_written_task_is_left_out(corpus):
    made = joint.streams(corpus, Leg(length=384, rows=4), Options(), seed=0)
    for task in WRITTEN:
        for batch in itertools.islice(made[task], 8):
            inputs = batch.inputs
            ends = inputs["document_ids"].max()  # asked for, and not given
            targets = inputs["segment_ids"].sum() + ends
            assert (batch.weights == 1).sum() == targets, task


def test_a_document_of_full_length_fits_the_row_of_the_commands():
    rooms = (
        (joint.SOURCE_ROOM, joint.TITLE_ROOM),
        (joint.SUMMARY_ROOM, joint.SUMMARY_TARGET),
        (joint.QUESTION_ROOM, joint.ANSWER_TARGET),
    )
    assert all(source + target - 1 <= 384 for source, target in rooms)


def test_relations_are_the_schemas_in_its_order(corpus):
    relations = joint.relations_of(corpus)
    keys = [(r.subject_type, r.predicate, r.object_type) for r in relations]
    assert len(keys) == len(set(keys)) > 3
    parts = joint.parts_of(corpus)
    assert parts.relations == relations
    assert parts.names == joint.PARTS


def test_halves_of_a_headline_are_lines_and_latin_words_are_not():
    halves = task_corpus.in_lines(" 美军 称击退AI Lab 2.0 攻势　伊朗否认 ")
    assert halves == "美军\n称击退AI Lab 2.0\n攻势\n伊朗否认"
    assert task_corpus.in_lines("GPT 2 small") == "GPT 2 small"


def test_another_seed_is_another_order(corpus):
    titles = [
        next(joint.streams(corpus, LEG, Options(), seed=seed)["title"]).inputs
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(titles[0]["token_ids"], titles[1]["token_ids"])
    assert (titles[0]["token_ids"] != titles[2]["token_ids"]).any()


def test_a_task_without_data_is_named(tmp_path, corpus):
    with pytest.raises(FileNotFoundError, match=r"train\.jsonl or train\.jsonl\.xz in"):
        task_corpus.encode_all(tmp_path, corpus, print)
