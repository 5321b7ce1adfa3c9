"""What is converted, transformers and we load back, and it computes the same."""

import json

import numpy as np
import pytest

from model_core.checkpoints.load import load_network
from model_core.conversion.folders import ConversionRequest, convert_checkpoint
from tests.model_core import reference_models as reference
from tests.model_core.reference_models import VOCAB, torch, transformers
from tests.model_core.test_family_parity import (
    DECODERS,
    ENCODER_DECODERS,
    ENCODERS,
    FAMILY_OUTPUTS,
    read,
    tiny,
    untied,
)
from tests.model_core.test_parity import padded_batch
from tests.model_core.zoo_cases import CASES as CASES_OF_THE_ZOO
from tests.model_core.zoo_table import COLUMNS

EXACT = {"atol": 1e-5, "rtol": 1e-5}
CASES = {
    **{kind: (kind, *rest[:2]) for kind, rest in ENCODERS.items()},
    **{kind: (kind, *rest) for kind, rest in DECODERS.items()},
    **ENCODER_DECODERS,
    "BertModel": ("BertModel", "Bert", {}),
    "ErnieForQuestionAnswering": ("ErnieForQuestionAnswering", "Ernie", {}),
}
# of one family each: our own network takes seconds where transformers takes none
LOADED_BY_US = (
    "AlbertForPreTraining", "BertForPreTraining", "DistilBertForMaskedLM",
    "ElectraForMaskedLM", "ErnieForMaskedLM", "RobertaForMaskedLM",
    "XLMRobertaForMaskedLM", "RoFormerForMaskedLM", "XLNetLMHeadModel",
    "OpenAIGPTLMHeadModel", "GPT2LMHeadModel", "t5 v1.1", "mt5", "bart", "mbart",
    "pegasus",
)  # fmt: skip

IN_OUR_LAYOUT = ("AlbertForPreTraining", "XLNetLMHeadModel", "GPT2LMHeadModel", "mt5")


def convert(folder, output, **options):
    return convert_checkpoint(ConversionRequest(folder, output, **options))


def ask(model, **inputs):
    ids = np.random.default_rng(3).integers(3, VOCAB, (2, 7))
    decodes = model.config.is_encoder_decoder
    targets = {"decoder_input_ids": ids[:, :4]} if decodes else {}
    given = {"input_ids": ids, **targets, **inputs}
    with torch.no_grad():
        return model(**{name: torch.from_numpy(ids) for name, ids in given.items()})


def loaded_by_transformers(kind, folder):
    model, info = getattr(transformers, kind).from_pretrained(
        folder, output_loading_info=True
    )
    assert not any(info.values()), info
    return model.eval()


def arrays_of(outputs):
    return {n: t.numpy() for n, t in outputs.items() if isinstance(t, torch.Tensor)}


@pytest.mark.parametrize("name", CASES)
def test_transformers_loads_it_whole_and_it_says_the_same(name, tmp_path):
    kind, config, changes = CASES[name]
    model = tiny(kind, config, changes)
    model.save_pretrained(tmp_path / "saved")
    convert(tmp_path / "saved", tmp_path / "new")
    convert(tmp_path / "new", tmp_path / "again")
    assert contents(tmp_path / "again") == contents(tmp_path / "new")
    expected = arrays_of(ask(model))
    received = arrays_of(ask(loaded_by_transformers(kind, tmp_path / "new")))
    assert expected.keys() == received.keys()
    for key, array in expected.items():
        np.testing.assert_allclose(received[key], array, **EXACT)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        *((name, "pytorch") for name in LOADED_BY_US),
        *((name, "maskplay") for name in IN_OUR_LAYOUT),
    ],
)
def test_we_load_it_and_it_says_the_same(name, layout, tmp_path):
    kind = CASES[name][0]
    model = tiny(*CASES[name])
    model.save_pretrained(tmp_path / "saved")
    convert(tmp_path / "saved", tmp_path / "new", layout=layout)
    loaded = load_network(tmp_path / "new")
    batch = padded_batch(with_segments=kind in ENCODERS)
    targets = {}
    if model.config.is_encoder_decoder:
        ids = np.random.default_rng(5).integers(3, VOCAB, (len(batch[0]), 5), "int32")
        targets = {"decoder_input_ids": ids}
    expected, received = read(model, loaded, batch=batch, **targets)
    outputs = ENCODERS[kind][2] if kind in ENCODERS else {"logits"}
    for output in outputs:
        names, has_positions = FAMILY_OUTPUTS[output]
        theirs = next(v for n in names if (v := expected.get(n)) is not None)
        difference = np.abs(theirs.numpy() - received[output])
        of_batch = has_positions and not targets
        assert (difference[batch[2]] if of_batch else difference).max() < 1e-4


@pytest.mark.parametrize("name", ["t5 v1.1", "mt5"])
def test_a_head_of_its_own_is_written(name, tmp_path):
    model = untied(name)
    reference.save_bin(model, tmp_path / "saved")
    convert(tmp_path / "saved", tmp_path / "new")
    received = ask(loaded_by_transformers(type(model).__name__, tmp_path / "new"))
    np.testing.assert_allclose(received.logits, ask(model).logits, **EXACT)


@pytest.mark.parametrize("options", [{}, {"unshared": True}, {"layout": "maskplay"}])
def test_the_first_albert_zh_is_written_and_read_again(options, tmp_path):
    """From TensorFlow's names to PyTorch's, with one layer for all or one for each."""
    case = next(case for case in CASES_OF_THE_ZOO if case.family == "albert_zh")
    model = case.build()
    COLUMNS["tensorflow"].write(tmp_path / "saved", case, model)
    convert(tmp_path / "saved", tmp_path / "new", **options)
    loaded = load_network(tmp_path / "new")
    assert loaded.config.projected_first
    assert loaded.config.num_blocks == (2 if "unshared" in options else 1)
    found = model.differences(loaded.network, loaded, case.outputs)
    assert max(found.values()) < 1e-4


@pytest.mark.parametrize("layout", ["pytorch", "maskplay"])
@pytest.mark.parametrize("title", ["ElectraForMaskedLM", "T5-PEGASUS (bert4keras)"])
def test_one_network_of_a_tensorflow_file_is_written_and_read_again(
    title, layout, tmp_path
):
    """A generator from beside its discriminator; a T5 with distances to its source."""
    case = next(case for case in CASES_OF_THE_ZOO if case.title == title)
    model = case.build()
    COLUMNS["tensorflow"].write(tmp_path / "saved", case, model)
    convert(tmp_path / "saved", tmp_path / "new", layout=layout)
    loaded = load_network(tmp_path / "new")
    found = model.differences(loaded.network, loaded, case.outputs)
    assert max(found.values()) < 1e-4


FORMATS = {
    "bin": reference.save_bin,
    "old bin": reference.save_legacy_bin,
    "h5": reference.save_h5,
    "sharded": reference.save_sharded,
}


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("make", [reference.bert, reference.gpt2])
def test_whatever_the_format_was_the_same_file_comes_out(make, file_format, tmp_path):
    model = make()
    reference.save_safetensors(model, tmp_path / "whole")
    FORMATS[file_format](model, tmp_path / "other")
    for name in ("whole", "other"):
        convert(tmp_path / name, tmp_path / f"{name} new")
    one, other = (contents(tmp_path / f"{n} new") for n in ("whole", "other"))
    assert one["model.safetensors"] == other["model.safetensors"]


def test_tensorflows_checkpoint_becomes_one_that_transformers_reads(tmp_path):
    model = reference.bert()
    reference.save_tensorflow(model, tmp_path / "saved")
    convert(tmp_path / "saved", tmp_path / "new")
    received = ask(loaded_by_transformers("BertForMaskedLM", tmp_path / "new"))
    np.testing.assert_allclose(received.logits, ask(model).logits, **EXACT)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float16", 2e-2), ("bfloat16", 0.2)])
def test_a_narrower_dtype_in_shards(dtype, tolerance, tmp_path):
    model = reference.bert()
    model.save_pretrained(tmp_path / "saved")
    convert(tmp_path / "saved", tmp_path / "new", dtype=dtype, max_shard_bytes=20_000)
    assert len(list(tmp_path.glob("new/*.safetensors"))) > 2
    values = json.loads((tmp_path / "new" / "config.json").read_text())
    assert values["dtype"] == dtype
    back = loaded_by_transformers("BertForMaskedLM", tmp_path / "new")
    assert back.dtype == getattr(torch, dtype)
    difference = ask(back.float()).logits - ask(model).logits
    assert difference.abs().max() < tolerance


def test_unshared_layers_are_groups_of_their_own(tmp_path):
    model = tiny("AlbertForMaskedLM", "Albert", {"embedding_size": 12})
    model.save_pretrained(tmp_path / "saved")
    convert(tmp_path / "saved", tmp_path / "new", unshared=True)
    back = loaded_by_transformers("AlbertForMaskedLM", tmp_path / "new")
    assert back.config.num_hidden_groups == back.config.num_hidden_layers == 2
    np.testing.assert_allclose(ask(back).logits, ask(model).logits, **EXACT)
    assert load_network(tmp_path / "new").config.num_layer_groups == 2


@pytest.mark.parametrize("name", ["BertModel", "RobertaForMaskedLM", "bart"])
def test_more_positions_leave_short_texts_alone(name, tmp_path):
    kind = CASES[name][0]
    model = tiny(*CASES[name])
    model.save_pretrained(tmp_path / "saved")
    positions = load_network(tmp_path / "saved").config.max_position_embeddings
    convert(tmp_path / "saved", tmp_path / "new", positions=2 * positions)
    back = loaded_by_transformers(kind, tmp_path / "new")
    more = back.config.max_position_embeddings - model.config.max_position_embeddings
    assert more == positions
    expected, received = arrays_of(ask(model)), arrays_of(ask(back))
    for key, array in expected.items():
        np.testing.assert_allclose(received[key], array, **EXACT)
