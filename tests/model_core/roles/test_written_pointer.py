"""mREBEL: what is written equals the reference's search, and stands in the text."""

import json
import math

import pytest

from demos.triples.many import extract_many
from demos.triples.task import TripleRequest, extract
from model_core.interfaces import TEXT_GENERATOR, TEXT_REWRITER, TRIPLE_POINTER
from model_core.interfaces import ModelError as Refused
from model_core.roles.cast import Cast
from model_core.roles.loaded import load_model
from model_core.roles.source_stepper import SourceStepper
from model_core.roles.written_pointer import (
    MAX_TEXT_CHARS,
    WrittenTriplePointer,
    language_of,
)

pytest.importorskip("tests.model_core.reference_models")

from tests.model_core import reference_models as reference
from tests.model_core.reference_models import torch, transformers
from tests.model_core.written_checkpoint import (
    BAND,
    TRIPLES,
    WRITER,
    WRITTEN,
    definition,
    ids_of,
    sources,
    taught,
    write_written,
)

NEW_TOKENS = 60


@pytest.fixture(scope="module", name="model")
def fixture_model(tmp_path_factory):
    folder = write_written(tmp_path_factory.mktemp("mrebel"))
    return load_model(folder, name="hub/mrebel")


@pytest.fixture(name="pointer")
def fixture_pointer(model):
    return Cast(model).play(TRIPLE_POINTER).asking(())


def random_model():
    """The same shape with nothing learned: it ends where it happens to."""
    torch.manual_seed(5)
    config = transformers.MBartConfig(**taught().config.to_diff_dict())
    model = transformers.MBartForConditionalGeneration(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


def generated(model, source):
    """The reference's best list for one source, as the model's page asks for it."""
    start = definition().token_to_id("tp_XX")
    with torch.no_grad():
        rows = model.generate(
            torch.tensor([source]),
            decoder_start_token_id=start,
            num_beams=3,
            length_penalty=0.0,
            max_new_tokens=NEW_TOKENS,
            forced_eos_token_id=None,
        )
    ids = rows[0].tolist()
    assert ids[0] == start
    return ids[1:]


def log_probs(model, source, written):
    """What the reference thinks of every token that was written."""
    start = definition().token_to_id("tp_XX")
    with torch.no_grad():
        logits = model(
            input_ids=torch.tensor([source]),
            decoder_input_ids=torch.tensor([[start, *written[:-1]]]),
        ).logits[0]
    told = torch.log_softmax(logits, -1)
    return [float(told[n, token]) for n, token in enumerate(written)]


def said(pointer, text, triples):
    return {
        (relation.subject_type, text[slice(*one.subject)], relation.predicate,
         relation.object_type, text[slice(*one.object)])
        for one in triples
        for relation in [pointer.relations[one.relation]]
    }  # fmt: skip


def last_rows(pointer, read):
    rows = {}
    for written in pointer._write(read):
        rows |= written
    return [rows[index] for index in range(len(read))]


def test_the_vocabulary_says_that_they_write_triples(model):
    cast = Cast(model)
    assert model.info.family == "mbart"
    assert cast.roles == (TRIPLE_POINTER.name,)
    for role in (TEXT_REWRITER, TEXT_GENERATOR):
        with pytest.raises(Refused, match="hub/mrebel"):
            cast.play(role)
    pointer = cast.play(TRIPLE_POINTER)
    assert isinstance(pointer, WrittenTriplePointer)
    assert pointer.schema_kind == "own"
    assert pointer.decoders == ("written",)


def test_an_mbart_without_those_marks_rewrites(tmp_path, model):
    write_written(tmp_path)
    path = tmp_path / "tokenizer.json"
    path.write_text(path.read_text().replace("tp_XX", "fr_XX"), encoding="utf8")
    for name in ("tokenizer_config", "special_tokens_map", "added_tokens"):
        path = tmp_path / f"{name}.json"
        path.write_text(path.read_text().replace("tp_XX", "fr_XX"), encoding="utf8")
    assert Cast(load_model(tmp_path, name="mbart")).roles == (TEXT_REWRITER.name,)


@pytest.mark.parametrize("make", [taught, random_model])
def test_three_beams_write_what_the_reference_does(make, tmp_path, monkeypatch):
    theirs = make()
    name = "model_core.roles.written_pointer.MAX_NEW_TOKENS"
    monkeypatch.setattr(name, NEW_TOKENS)
    folder = write_written(tmp_path / "hub", model=theirs)
    pointer = WrittenTriplePointer(load_model(folder, name="tiny"))
    read = [pointer._source(text) for text in WRITTEN]
    assert [source.token_ids.tolist() for source in read] == sources()
    for source, row in zip(sources(), last_rows(pointer, read), strict=True):
        expected = generated(theirs, source)
        ours = [*row.token_ids, *[2] * (row.finish == "stop")]
        assert ours == expected
        told = [token.log_prob for token in row.tokens]
        known = log_probs(theirs, source, expected)
        assert told == pytest.approx(known[: len(told)], abs=1e-3)


def test_texts_become_the_triples_that_stand_in_them(pointer):
    texts = [WRITER, "", BAND, " \n"]
    first, nothing, second, blank = pointer.point(texts, "written")
    assert nothing == blank == ()
    for text, triples in ((WRITER, first), (BAND, second)):
        assert said(pointer, text, triples) == TRIPLES[text]
        probabilities = [one.probability for one in triples]
        assert probabilities == sorted(probabilities, reverse=True)
        assert all(0 < one <= 1 for one in probabilities)
    # of the two places that hold the name, that beside the object
    author = next(o for o in first if pointer.relations[o.relation].predicate[0] == "a")
    assert author.object == (0, 2)


def test_a_triple_is_as_probable_as_its_tokens_in_the_geometric_mean(pointer):
    (triples,) = pointer.point([BAND], "written")
    source, written = sources()[1], ids_of("tp_XX", WRITTEN[BAND])[1:]
    known = log_probs(taught(), source, written)
    tokens = [definition().id_to_token(token) for token in written]
    types = [n for n, token in enumerate(tokens) if token in ("<org>", "<per>")]
    ends = {"location of formation": range(types[1]), "has part": None}
    shared = range(types[0])  # <triplet> and the subject
    ends["has part"] = [*shared, *range(types[1], types[3])]
    for one in triples:
        places = ends[pointer.relations[one.relation].predicate]
        mean = sum(known[place] for place in places) / len(places)
        assert one.probability == pytest.approx(math.exp(mean), abs=1e-4)


def test_stopping_waits_for_a_token_and_not_for_the_list(pointer, monkeypatch):
    passes = []
    decode = SourceStepper.decode_one_token

    def counted(self, *given):
        passes.append(self)
        return decode(self, *given)

    monkeypatch.setattr(SourceStepper, "decode_one_token", counted)
    steps = pointer.pointing([WRITER, BAND], "written")
    next(steps)
    assert not passes  # the prompt says the first token
    for _ in range(3):
        next(steps)
    assert len(passes) == 3
    steps.close()
    assert len(passes) == 3


def test_triples_are_told_as_they_are_written(pointer):
    steps = list(pointer.pointing([WRITER, "", BAND], "written"))
    assert steps[-1] == pointer.point([WRITER, "", BAND], "written")
    counts = [sum(map(len, step)) for step in steps]
    assert counts[0] == 0
    assert len(set(counts)) > 2  # one, then another
    assert list(pointer.pointing(["", ""], "written")) == [((), ())]


def test_batches_change_nothing(pointer):
    texts = [WRITER, BAND, WRITER[:20], BAND[:30], WRITER]
    together = pointer.point(texts, "written", floor=0)
    for text, triples in zip(texts, together, strict=True):
        (alone,) = pointer.point([text], "written", floor=0)
        assert [(o.relation, o.subject, o.object) for o in triples] == [
            (o.relation, o.subject, o.object) for o in alone
        ]


def test_relations_are_numbered_per_request(model):
    pointer = Cast(model).play(TRIPLE_POINTER)
    one, other = pointer.asking(()), pointer.asking(())
    one.point([WRITER], "written")
    other.point([BAND], "written")
    assert {r.predicate for r in one.relations} >= {"place of birth", "author"}
    assert {r.predicate for r in other.relations} == {
        "location of formation",
        "has part",
    }
    assert pointer.relations == ()


@pytest.mark.parametrize(
    ("schema", "kept"),
    [
        (None, {"place of birth", "notable work", "author"}),
        ("per: place of birth, notable work", {"place of birth", "notable work"}),
        ("media: notable work", set()),
        ("AUTHOR", {"author"}),
        ("place of birth", {"place of birth"}),
        ("人物: 出生地", set()),
    ],
)
def test_a_request_keeps_the_relations_it_names(model, schema, kept):
    pointer = Cast(model).play(TRIPLE_POINTER)
    *_, result = extract(TripleRequest(WRITER, schema=schema), pointer)
    found = {
        (o.subject_type, o.subject, o.predicate, o.object_type, o.object)
        for o in result.triples
    }
    assert found == {row for row in TRIPLES[WRITER] if row[2] in kept}
    assert set(result.unasked) == {row[2] for row in TRIPLES[WRITER]} - kept
    assert (result.decoder, result.schema_kind) == ("written", "own")


def test_many_requests_share_passes_and_not_their_answers(model):
    pointer = Cast(model).play(TRIPLE_POINTER)
    requests = [
        TripleRequest(WRITER),
        TripleRequest(BAND, schema="has part"),
        TripleRequest(WRITER, schema="per: notable work"),
    ]
    for request, result in zip(requests, extract_many(requests, pointer), strict=True):
        *_, alone = extract(request, pointer)
        for one, other in zip(result.found, alone.found, strict=True):
            assert one.said == other.said
            assert one.probability == pytest.approx(other.probability, abs=1e-4)
        assert result.unasked == alone.unasked


@pytest.mark.parametrize(
    ("text", "language"),
    [("鲁迅", "zh_CN"), ("The 龍", "zh_CN"), ("Lu Xun", "en_XX"), ("1881", "en_XX")],
)
def test_the_language_is_guessed_by_its_characters(text, language):
    assert language_of(text) == language


def test_a_source_keeps_its_end_however_long(model):
    pointer = WrittenTriplePointer(model)
    ids = pointer._source("鲁" * MAX_TEXT_CHARS).token_ids.tolist()
    assert len(ids) == model.config.max_position_embeddings
    assert ids[0] == definition().token_to_id("zh_CN")
    assert ids[-1] == definition().token_to_id("</s>")


@pytest.mark.parametrize(
    ("texts", "decoder", "message"),
    [
        (["长" * (MAX_TEXT_CHARS + 1)], "written", f"最多读 {MAX_TEXT_CHARS} 个字"),
        (["长"], "gplinker", "没有解码方式“gplinker”，有的是：written"),
    ],
)
def test_what_it_cannot_do_is_refused(pointer, texts, decoder, message):
    with pytest.raises(Refused, match=message) as error:
        pointer.point(texts, decoder)
    assert error.value.kind == "unsupported"


@pytest.mark.parametrize("save", [reference.save_safetensors, reference.save_bin])
def test_both_published_formats_load(tmp_path, save, pointer):
    folder = write_written(tmp_path / "hub", save)
    config = json.loads((folder / "config.json").read_text())
    assert config["decoder_start_token_id"] == 0  # as published: it is not asked
    loaded = Cast(load_model(folder, name="tiny")).play(TRIPLE_POINTER).asking(())
    assert loaded.point([BAND], "written") == pointer.point([BAND], "written")
