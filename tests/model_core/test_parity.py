"""Every family, head and file format agrees with transformers on tiny random models."""

import numpy as np
import pytest
from keras import ops

from model_core.checkpoints.load import load_network
from model_core.checkpoints.reader import open_checkpoint
from model_core.checkpoints.survey import load_config, survey_tensors
from model_core.checkpoints.weight_map import carry_out
from tests.model_core import reference_models as reference
from tests.model_core.reference_models import VOCAB, torch

TOLERANCE = 1e-4
LENGTHS = (11, 7, 3)
BERT_FORMATS = {
    "safetensors": reference.save_safetensors,
    "sharded": reference.save_sharded,
    "bin": reference.save_bin,
    "legacy_bin": reference.save_legacy_bin,
    "h5": reference.save_h5,
    "tensorflow": reference.save_tensorflow,
}
GPT2_FORMATS = {k: v for k, v in BERT_FORMATS.items() if k != "tensorflow"}
BERT_OUTPUTS = {
    "BertForMaskedLM": {"logits"},
    "BertForPreTraining": {"logits"},
    "BertModel": {"pooled", "hidden"},
    "BertForQuestionAnswering": {"start_logits", "end_logits"},
}
GPT2_OUTPUTS = {"GPT2LMHeadModel": {"logits"}, "GPT2Model": {"hidden"}}
# our output -> theirs, and whether it has a position axis
OUTPUTS = {
    "logits": (("logits", "prediction_logits"), True),
    "pooled": (("pooler_output",), False),
    "start_logits": (("start_logits",), True),
    "end_logits": (("end_logits",), True),
    "hidden": (("last_hidden_state",), True),
}


def padded_batch(with_segments):
    """Right-padded rows; padding holds an ordinary id, so that a leak would show."""
    rng = np.random.default_rng(3)
    token_ids = rng.integers(0, VOCAB, (len(LENGTHS), max(LENGTHS)), "int32")
    padding_mask = np.arange(max(LENGTHS)) < np.array(LENGTHS)[:, None]
    second = np.arange(max(LENGTHS)) >= np.array(LENGTHS)[:, None] // 2
    segment_ids = (second & padding_mask).astype("int32") * with_segments
    return token_ids, segment_ids, padding_mask


def their_outputs(model, batch):
    token_ids, segment_ids, padding_mask = map(torch.from_numpy, batch)
    inputs = {"input_ids": token_ids.long(), "attention_mask": padding_mask.long()}
    if model.config.model_type == "bert":
        inputs["token_type_ids"] = segment_ids.long()
    with torch.no_grad():
        return model(**inputs)


def our_outputs(loaded, batch):
    outputs = loaded.network(
        *(ops.convert_to_tensor(array) for array in batch),
        attention=loaded.family.attention,
    )
    return {name: ops.convert_to_numpy(value) for name, value in outputs.items()}


def compared_outputs(model, loaded):
    """Return the names of the outputs that both have, after comparing them."""
    batch = padded_batch(with_segments=model.config.model_type == "bert")
    theirs, ours = their_outputs(model, batch), our_outputs(loaded, batch)
    real = batch[2]
    compared = set()
    for name, (their_names, has_positions) in OUTPUTS.items():
        for their_name in their_names:
            expected = getattr(theirs, their_name, None)
            if expected is None or name not in ours:
                continue
            difference = np.abs(expected.numpy() - ours[name])
            assert (difference[real] if has_positions else difference).max() < TOLERANCE
            compared.add(name)
    return compared


def weights_of(folder):
    """Every weight of a checkpoint, through the table, without a network."""
    weights = {}
    with open_checkpoint(folder) as reader:
        plan = survey_tensors(load_config(folder), reader).plan
        carry_out(plan, reader.read, weights.__setitem__)
    return weights


@pytest.mark.parametrize("kind", BERT_OUTPUTS)
@pytest.mark.parametrize("file_format", ["safetensors", "bin"])
def test_bert_agrees(kind, file_format, tmp_path):
    model = reference.bert(kind)
    BERT_FORMATS[file_format](model, tmp_path)
    assert compared_outputs(model, load_network(tmp_path)) == BERT_OUTPUTS[kind]


@pytest.mark.parametrize("kind", GPT2_OUTPUTS)
@pytest.mark.parametrize("file_format", ["safetensors", "bin"])
def test_gpt2_agrees(kind, file_format, tmp_path):
    model = reference.gpt2(kind)
    GPT2_FORMATS[file_format](model, tmp_path)
    assert compared_outputs(model, load_network(tmp_path)) == GPT2_OUTPUTS[kind]


@pytest.mark.parametrize("kind", [*BERT_OUTPUTS, *GPT2_OUTPUTS])
def test_every_format_gives_the_same_numbers(kind, tmp_path):
    is_bert = kind in BERT_OUTPUTS
    model = reference.bert(kind) if is_bert else reference.gpt2(kind)
    formats = BERT_FORMATS if is_bert else GPT2_FORMATS
    reference.save_safetensors(model, tmp_path / "first")
    expected = weights_of(tmp_path / "first")
    for name, save in formats.items():
        save(model, tmp_path / name)
        received = weights_of(tmp_path / name)
        assert received.keys() == expected.keys()
        for weight, array in expected.items():
            np.testing.assert_array_equal(received[weight], array, err_msg=name)


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden_act": "gelu_new"},
        {"hidden_act": "gelu_pytorch_tanh"},
        {"hidden_act": "relu"},
        {"layer_norm_eps": 0.3},
        {"type_vocab_size": 4},
        {"num_attention_heads": 8, "num_hidden_layers": 1},
    ],
)
def test_bert_variants_are_read_from_the_config(changes, tmp_path):
    model = reference.bert(**changes)
    reference.save_safetensors(model, tmp_path)
    assert compared_outputs(model, load_network(tmp_path)) == {"logits"}


@pytest.mark.parametrize(
    "changes",
    [
        {"activation_function": "gelu"},
        {"activation_function": "relu"},
        {"layer_norm_epsilon": 0.3},
        {"n_inner": 40},
    ],
)
def test_gpt2_variants_are_read_from_the_config(changes, tmp_path):
    model = reference.gpt2(**changes)
    reference.save_safetensors(model, tmp_path)
    assert compared_outputs(model, load_network(tmp_path)) == {"logits"}


def test_half_precision_files_load_into_float32(tmp_path):
    model = reference.bert("BertForPreTraining").to(torch.bfloat16)
    reference.save_safetensors(model, tmp_path / "st")
    reference.save_bin(model, tmp_path / "bin")
    model = model.float()  # the same rounded numbers
    for folder in ("st", "bin"):
        loaded = load_network(tmp_path / folder)
        assert set(loaded.report.dtypes) == {"bfloat16"}
        assert compared_outputs(model, loaded) == {"logits"}
