"""Who plays what: by the parts a checkpoint names, else by its heads."""

import json
import logging
import threading
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import save_file

from model_core.checkpoints.own_weights import changes
from model_core.checkpoints.reader import open_checkpoint
from model_core.conversion.folders import ConversionRequest, convert_checkpoint
from model_core.interfaces import (
    DIALOGUE_PARTNER,
    FACT_FINDER,
    MASK_FILLER,
    PASSAGE_READER,
    REPLACED_TOKEN_DETECTOR,
    ROLES,
    SENTENCE_ENCODER,
    SENTENCE_REPHRASER,
    SUMMARIZER,
    TEXT_CLASSIFIER,
    TEXT_GENERATOR,
    TEXT_REWRITER,
    TRIPLE_POINTER,
    ModelError,
    RewriteOptions,
)
from model_core.models.network import arrays_by_name
from model_core.roles.cast import CASTING, Cast
from model_core.roles.loaded import load_model
from model_core.roles.parts import Parts, load_parts
from model_core.roles.rehearsal import REHEARSALS
from tests.model_core.playing_checkpoint import load_playing, write_playing
from tests.model_core.tiny_checkpoint import write_checkpoint
from tests.model_core.tokenizers.tiny_vocabularies import xlnet_model

PUBLISHED_ALONE = (
    DIALOGUE_PARTNER,
    SENTENCE_REPHRASER,
    TEXT_CLASSIFIER,
    REPLACED_TOKEN_DETECTOR,
)
OURS = tuple(role for role in ROLES if role not in PUBLISHED_ALONE)
EVERYTHING = tuple(role.name for role in OURS)


def named(value):
    """Name a row of names; leave roles to pytest."""
    return "+".join(value) if all(isinstance(one, str) for one in value) else None


def write_words(folder):
    """A vocab.txt as BERT's."""
    words = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "长", "江")
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf8")


@pytest.fixture(scope="module", name="cast")
def fixture_cast(tmp_path_factory):
    return Cast(load_playing(tmp_path_factory.mktemp("cast")))


@pytest.mark.parametrize("role", OURS, ids=EVERYTHING)
def test_one_checkpoint_plays_every_part(cast, role):
    player = cast.play(role)
    assert type(player).__name__ == CASTING[role.name][0].name
    assert player.weights == cast.weights
    assert cast.play(role) is player


def test_weights_tell_the_engine_that_answers_now(cast):
    """Kernels may be ready only after the weights were loaded."""
    later = SimpleNamespace(name="faster", device="elsewhere", heads=())
    told = Cast(replace(cast._model, engine=later)).weights
    assert (told.engine, told.device) == ("faster", "elsewhere")
    assert replace(told, engine="", device="") == replace(
        cast.weights, engine="", device=""
    )


def test_all_parts_share_one_network(cast):
    engines = {id(cast.play(role)._model.engine) for role in OURS}
    assert len(engines) == 1
    assert cast.roles == EVERYTHING


def test_threads_get_the_same_player(tmp_path):
    cast, found = Cast(load_playing(tmp_path)), []
    threads = [
        threading.Thread(target=lambda: found.append(cast.play(TEXT_REWRITER)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 8
    assert len({id(player) for player in found}) == 1


@pytest.mark.parametrize(
    ("parts", "roles"),
    [
        (("generation",), (TEXT_GENERATOR,)),
        (("title",), (TEXT_REWRITER,)),
        (("summary",), (TEXT_REWRITER,)),
        (("summary", "clauses"), (TEXT_REWRITER, SUMMARIZER)),
        (("clauses",), ()),
        (("pointing",), (TRIPLE_POINTER,)),
        (("span",), (PASSAGE_READER,)),
        (("cloze",), (PASSAGE_READER,)),
        (("reading",), (PASSAGE_READER,)),
        (("facts",), (FACT_FINDER,)),
        (("words",), (MASK_FILLER, SENTENCE_ENCODER)),
    ],
    ids=named,
)
def test_what_a_checkpoint_was_trained_for_decides(tmp_path, parts, roles):
    cast = Cast(load_playing(tmp_path, parts=parts))
    assert cast.roles == tuple(role.name for role in roles)
    for role in roles:
        assert cast.play(role)


@pytest.mark.parametrize(
    ("kind", "roles"),
    [
        ("BertForMaskedLM", (MASK_FILLER, SENTENCE_ENCODER)),
        ("BertForPreTraining", (MASK_FILLER, SENTENCE_ENCODER)),
        ("BertForQuestionAnswering", (PASSAGE_READER, SENTENCE_ENCODER)),
        ("BertForSequenceClassification", (SENTENCE_ENCODER, TEXT_CLASSIFIER)),
        ("BertModel", (SENTENCE_ENCODER,)),
        ("GPT2LMHeadModel", (TEXT_GENERATOR,)),
    ],
)
def test_published_weights_play_what_their_heads_can(tmp_path, kind, roles):
    reference = pytest.importorskip("tests.model_core.reference_models")
    family = reference.gpt2 if kind.startswith("GPT2") else reference.bert
    reference.save_safetensors(family(kind), tmp_path)
    write_words(tmp_path)
    cast = Cast(load_model(tmp_path, name="hub/name"))
    assert cast.roles == tuple(role.name for role in roles)
    for role in set(ROLES) - set(roles):
        with pytest.raises(ModelError, match="hub/name") as caught:
            cast.play(role)
        assert caught.value.kind == "missing_head"


@pytest.mark.parametrize("layout", ["published", "pytorch", "maskplay"])
def test_who_reads_both_ways_does_not_write_freely(layout, tmp_path):
    """XLNet's head never learned which token comes next from those before alone."""
    reference = pytest.importorskip("tests.model_core.reference_models")
    from tests.model_core.test_family_parity import XLNET_SIZES

    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "spiece.model").write_bytes(xlnet_model())
    config = reference.transformers.XLNetConfig(**XLNET_SIZES | {"vocab_size": 420})
    model = reference.built("XLNetLMHeadModel", config)
    reference.save_safetensors(model, tmp_path / "saved")
    folder = tmp_path / "saved"
    if layout != "published":
        folder = tmp_path / "made"
        convert_checkpoint(ConversionRequest(tmp_path / "saved", folder, layout=layout))
    cast = Cast(load_model(folder, name="hub/xlnet"))
    assert cast.roles == (SENTENCE_ENCODER.name,)


@pytest.mark.parametrize("layout", ["published", "maskplay"])
@pytest.mark.parametrize(
    ("task", "num_labels"), [("TokenClassification", 3), ("MultipleChoice", 1)]
)
def test_classes_of_tokens_and_of_choices_are_not_those_of_texts(
    task, num_labels, layout, tmp_path
):
    """Beside a pooler, as in many files, they look like a classifier of texts."""
    reference = pytest.importorskip("tests.model_core.reference_models")
    model = reference.bert(f"BertFor{task}", num_labels=num_labels)
    folder = tmp_path / "saved"
    folder.mkdir()
    reference.write_config(model, folder)
    pooler = reference.bert("BertModel").pooler.state_dict(prefix="bert.pooler.")
    reference.torch.save(model.state_dict() | pooler, folder / "pytorch_model.bin")
    write_words(folder)
    if layout != "published":
        made = tmp_path / "made"
        convert_checkpoint(ConversionRequest(folder, made, layout=layout))
        folder = made
    cast = Cast(load_model(folder, name="hub/entities"))
    assert "classifier" in cast._model.engine.heads
    assert cast.roles == (SENTENCE_ENCODER.name,)


def test_what_weights_can_play_is_found_once(tmp_path):
    """The folder may go while the program runs; what was loaded plays on."""
    reference = pytest.importorskip("tests.model_core.reference_models")
    reference.save_bin(reference.bert("BertForMaskedLM"), tmp_path)
    write_words(tmp_path)
    cast = Cast(load_model(tmp_path, name="hub/name"))
    for path in tmp_path.iterdir():
        path.unlink()
    assert cast.roles == (MASK_FILLER.name, SENTENCE_ENCODER.name)
    assert cast.play(MASK_FILLER)


def test_our_own_weights_without_parts_still_write_and_point(tmp_path):
    cast = Cast(load_playing(tmp_path, parts=None))
    assert cast.roles == (TEXT_GENERATOR.name, PASSAGE_READER.name)
    assert cast.play(PASSAGE_READER).modes == ("span",)


def test_a_part_that_cannot_be_played_is_refused_with_those_that_can(tmp_path):
    cast = Cast(load_playing(tmp_path, parts=("title", "facts")))
    with pytest.raises(ModelError) as caught:
        cast.play(TRIPLE_POINTER)
    assert caught.value.kind == "missing_head"
    assert caught.value.zh == (
        "「tiny」不会抽取三元组（它会的是：改写、图谱问答）；请在“模型”里载入或选择会抽取三元组的权重。"
    )
    assert caught.value.en == (
        "tiny cannot point at triples (it can: rewrite texts, answer from a base of "
        "facts); load or choose weights that can, under “Models”."
    )
    none = Cast(load_playing(tmp_path / "none", parts=("clauses",)))
    with pytest.raises(ModelError, match=r"it can: nothing here\)"):
        none.play(TEXT_GENERATOR)


def test_a_warmed_up_cast_plays_on(cast):
    cast.warm_up()
    assert cast.play(TEXT_GENERATOR)


def test_a_rehearsal_fails_for_nobody(cast, caplog):
    with caplog.at_level(logging.ERROR):
        cast.rehearse(lambda: False)
    # the tiny vocabulary cannot spell the words of the mask filler's rehearsal
    assert all("mask_filler" in record.message for record in caplog.records)


def test_a_rehearsal_ends_when_it_is_told_to(cast, monkeypatch):
    played = []
    every = {name: lambda _, name=name: played.append(name) for name in REHEARSALS}
    monkeypatch.setattr("model_core.roles.cast.REHEARSALS", every)
    cast.rehearse(lambda: len(played) == 2)
    assert len(played) == 2
    cast.rehearse(lambda: True)
    assert len(played) == 2
    cast.rehearse(lambda: False)
    assert set(played) == set(REHEARSALS) & set(cast.roles)


def test_a_vocabulary_larger_than_its_weights_is_refused(tmp_path):
    folder = write_playing(tmp_path)
    with (folder / "vocab.txt").open("a", encoding="utf8") as file:
        file.write("多\n")
    with pytest.raises(ValueError, match=r"the vocabulary has \d+ entries, but the"):
        load_model(folder, name="tiny")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"relations": [["甲", "乙", "丙"]]}, "1 relations, but the weights have 3"),
        ({"conditions": ["正面"] * 3}, "3 conditions, but the weights have 2"),
    ],
)
def test_parts_of_other_weights_are_refused(tmp_path, changes, message):
    folder = write_playing(tmp_path)
    values = json.loads((folder / "parts.json").read_text(encoding="utf8"))
    (folder / "parts.json").write_text(json.dumps(values | changes))
    with pytest.raises(ValueError, match=f"parts.json tells of {message}"):
        load_model(folder, name="tiny")


def test_marks_without_a_place_in_the_weights_are_refused(tmp_path):
    folder = write_checkpoint(tmp_path)
    Parts(("generation",), word_marks=True).save(folder / "parts.json")
    with pytest.raises(ValueError, match="55 word marks, but the weights have 0"):
        load_model(folder, name="tiny")


def test_parts_that_nobody_knows_are_refused(tmp_path):
    folder = write_playing(tmp_path)
    values = json.loads((folder / "parts.json").read_text(encoding="utf8"))
    values["parts"].append("juggling")
    (folder / "parts.json").write_text(json.dumps(values), encoding="utf8")
    with pytest.raises(ValueError, match=r"unknown parts \['juggling'\]"):
        load_model(folder, name="tiny")


@pytest.mark.parametrize(
    ("role", "part", "name"),
    [
        (TRIPLE_POINTER, "pointing", "gplinker/entity/sides/kernel"),
        (TEXT_GENERATOR, "generation", "block_1/feed_forward/inner/kernel"),
        (MASK_FILLER, "words", "block_1/feed_forward/inner/kernel"),
    ],
    ids=["pointing", "generation", "words"],
)
def test_a_part_with_weights_of_its_own_plays_with_them_alone(
    tmp_path, role, part, name
):
    folder = write_playing(tmp_path, spread=0.3, seed=4)
    with open_checkpoint(folder) as reader:
        shared = {name: np.array(reader.read(name)) for name in reader.keys()}  # noqa: SIM118
    own = {**shared, name: shared[name] * np.float32(1.5)}
    save_file(changes(shared, own), folder / f"{part}.safetensors")
    parts = replace(load_parts(folder), own_weights={part: f"{part}.safetensors"})
    parts.save(folder / "parts.json")

    cast = Cast(load_model(folder, name="tiny"))
    player = cast.play(role)
    others = [cast.play(other) for other in OURS if other is not role]

    assert {id(one._model.engine) for one in others} == {id(cast._model.engine)}
    found = arrays_by_name(player._model.engine.network)
    np.testing.assert_allclose(found[name], own[name], rtol=1e-2, atol=1e-3)
    np.testing.assert_array_equal(
        arrays_by_name(cast._model.engine.network)[name], shared[name]
    )
    assert player.weights == cast.weights
    assert cast.play(role) is player


@pytest.mark.parametrize("files", [("title",), ("summary",), ("title", "summary")])
def test_titles_and_summaries_are_written_by_weights_of_their_own(tmp_path, files):
    folder = write_playing(tmp_path, spread=0.3, seed=4)
    name = "block_1/feed_forward/inner/kernel"
    with open_checkpoint(folder) as reader:
        shared = {name: np.array(reader.read(name)) for name in reader.keys()}  # noqa: SIM118
    own = {**shared, name: shared[name] * np.float32(4)}
    file_name = "-".join(files) + ".safetensors"
    save_file(changes(shared, own), folder / file_name)
    before = Cast(load_model(folder, name="tiny"))
    parts = replace(load_parts(folder), own_weights=dict.fromkeys(files, file_name))
    parts.save(folder / "parts.json")
    after = Cast(load_model(folder, name="tiny"))

    def written(cast, role, part):
        options = RewriteOptions(part, max_new_tokens=12, num_beams=2, copy=True)
        *_, last = cast.play(role).rewrite("北京大学在北京。", options)
        (many,) = cast.play(role).rewrite_many(("北京大学在北京。",), options)
        assert many.rewritings == last.rewritings
        return [(one.candidate.text, one.score) for one in last.rewritings]

    for role, part in (
        (TEXT_REWRITER, "title"),
        (TEXT_REWRITER, "summary"),
        (SUMMARIZER, "summary"),
    ):
        differs = written(before, role, part) != written(after, role, part)
        assert differs is (part in files)
    clauses = ["北京大学在北京。", "今天天气好。"]
    scores = [cast.play(SUMMARIZER).score_clauses(clauses) for cast in (before, after)]
    np.testing.assert_array_equal(*scores)  # the clause head reads the shared weights


def test_own_weights_that_change_nothing_write_what_the_shared_ones_write(tmp_path):
    folder = write_playing(tmp_path, spread=0.3, seed=4)
    with open_checkpoint(folder) as reader:
        shared = {name: np.array(reader.read(name)) for name in reader.keys()}  # noqa: SIM118
    before = Cast(load_model(folder, name="tiny"))
    save_file(changes(shared, shared), folder / "both.safetensors")
    own = {"title": "both.safetensors", "summary": "both.safetensors"}
    replace(load_parts(folder), own_weights=own).save(folder / "parts.json")
    after = Cast(load_model(folder, name="tiny"))
    title, summary = after.play(TEXT_REWRITER)._writers.values()
    assert title is summary  # one file, one network
    assert title.engine is not after._model.engine
    assert title.engine.network.heads.keys() >= {"source_prior"}

    text = "北京大学在北京。鲁迅是人。"
    for role, part, copy in (
        (TEXT_REWRITER, "title", False),
        (TEXT_REWRITER, "title", True),
        (SUMMARIZER, "summary", True),
    ):
        options = RewriteOptions(part, max_new_tokens=12, num_beams=3, copy=copy)
        *_, expected = before.play(role).rewrite(text, options)
        *_, found = after.play(role).rewrite(text, options)
        assert found.rewritings == expected.rewritings


def test_own_weights_that_cannot_be_read_are_told_before_anything_is_written(tmp_path):
    folder = write_playing(tmp_path)
    own = {"summary": "gone.safetensors"}
    replace(load_parts(folder), own_weights=own).save(folder / "parts.json")
    cast = Cast(load_model(folder, name="tiny"))
    with pytest.raises(ValueError, match=r"gone\.safetensors is missing"):
        cast.play(TEXT_REWRITER)
