"""Every family of the zoo agrees with transformers on tiny random models."""

import numpy as np
import pytest
from keras import ops

from model_core.checkpoints.load import load_network
from tests.model_core import reference_models as reference
from tests.model_core.reference_models import (
    HEADS,
    LAYERS,
    POSITIONS,
    VOCAB,
    WIDTH,
    torch,
    transformers,
)
from tests.model_core.test_parity import OUTPUTS, TOLERANCE, padded_batch

BERT_SIZES = {
    "vocab_size": VOCAB,
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "intermediate_size": 48,
    "max_position_embeddings": POSITIONS,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
XLNET_SIZES = {
    "vocab_size": VOCAB,
    "d_model": WIDTH,
    "n_layer": LAYERS,
    "n_head": HEADS,
    "d_inner": 48,
}
DISTIL_SIZES = {
    "vocab_size": VOCAB,
    "dim": WIDTH,
    "n_layers": LAYERS,
    "n_heads": HEADS,
    "hidden_dim": 48,
    "max_position_embeddings": POSITIONS,
}
GPT_SIZES = {
    "vocab_size": VOCAB,
    "n_embd": WIDTH,
    "n_layer": LAYERS,
    "n_head": HEADS,
    "n_positions": POSITIONS,
}
T5_SIZES = {
    "vocab_size": VOCAB,
    "d_model": WIDTH,
    "d_kv": 12,
    "d_ff": 48,
    "num_layers": LAYERS,
    "num_heads": HEADS,
    "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 12,
    "pad_token_id": 0,
    "decoder_start_token_id": 0,
}
BART_SIZES = {
    "vocab_size": VOCAB,
    "d_model": WIDTH,
    "encoder_layers": LAYERS,
    "decoder_layers": LAYERS + 1,
    "encoder_attention_heads": HEADS,
    "decoder_attention_heads": HEADS,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
    "max_position_embeddings": POSITIONS,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "forced_eos_token_id": None,
    "decoder_start_token_id": 2,
}
PEGASUS = BART_SIZES | {"scale_embedding": True}
SPECIAL = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}

# kind -> config, its changes, the outputs that both have
ENCODERS = {
    "AlbertForMaskedLM": ("Albert", {"embedding_size": 12}, {"logits"}),
    "AlbertForPreTraining": (
        "Albert",
        {"embedding_size": 12, "num_hidden_groups": 2},
        {"logits", "next_sentence_logits"},
    ),
    "AlbertForSequenceClassification": ("Albert", {"num_labels": 5}, {"class_logits"}),
    "BertForSequenceClassification": ("Bert", {"num_labels": 3}, {"class_logits"}),
    "BertForPreTraining": ("Bert", {}, {"logits", "next_sentence_logits"}),
    "DistilBertForMaskedLM": ("DistilBert", {}, {"logits"}),
    "DistilBertForSequenceClassification": (
        "DistilBert",
        {"num_labels": 3},
        {"class_logits"},
    ),
    "DistilBertForQuestionAnswering": (
        "DistilBert",
        {},
        {"start_logits", "end_logits"},
    ),
    "ElectraForMaskedLM": ("Electra", {"embedding_size": 12}, {"logits"}),
    "ElectraForPreTraining": ("Electra", {"embedding_size": 32}, {"replaced_logits"}),
    "ElectraForSequenceClassification": (
        "Electra",
        {"num_labels": 4},
        {"class_logits"},
    ),
    "ErnieForMaskedLM": (
        "Ernie",
        {"use_task_id": True, "type_vocab_size": 4, "layer_norm_eps": 1e-5},
        {"logits"},
    ),
    "ErnieModel": ("Ernie", {"use_task_id": False}, {"hidden", "pooled"}),
    "RobertaForMaskedLM": ("Roberta", SPECIAL | {"type_vocab_size": 1}, {"logits"}),
    "XLMRobertaForMaskedLM": (
        "XLMRoberta",
        SPECIAL | {"type_vocab_size": 1},
        {"logits"},
    ),
    "RobertaForSequenceClassification": (
        "Roberta",
        SPECIAL | {"type_vocab_size": 1},
        {"class_logits"},
    ),
    "RoFormerForMaskedLM": ("RoFormer", {"embedding_size": 16}, {"logits"}),
    "RoFormerForQuestionAnswering": ("RoFormer", {}, {"start_logits", "end_logits"}),
    "RoFormerForSequenceClassification": ("RoFormer", {}, {"class_logits"}),
    "XLNetLMHeadModel": ("XLNet", {}, {"logits"}),
}
DECODERS = {
    "OpenAIGPTLMHeadModel": ("OpenAIGPT", {}),
    "GPT2LMHeadModel": ("GPT2", {"tie_word_embeddings": False}),
}
ENCODER_DECODERS = {
    "t5": ("T5ForConditionalGeneration", "T5", {}),
    "t5 v1.1": (
        "T5ForConditionalGeneration",
        "T5",
        {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
    ),
    "mt5": ("MT5ForConditionalGeneration", "MT5", {"num_decoder_layers": 3}),
    "bart": ("BartForConditionalGeneration", "Bart", {}),
    "bart scaled": (
        "BartForConditionalGeneration",
        "Bart",
        {"scale_embedding": True, "activation_function": "relu"},
    ),
    "mbart": ("MBartForConditionalGeneration", "MBart", {"scale_embedding": True}),
    "pegasus": ("PegasusForConditionalGeneration", "Pegasus", PEGASUS),
}
SIZES = {
    "DistilBert": DISTIL_SIZES,
    "XLNet": XLNET_SIZES,
    "OpenAIGPT": GPT_SIZES,
    "GPT2": GPT_SIZES,
    "T5": T5_SIZES,
    "MT5": T5_SIZES,
    "Bart": BART_SIZES,
    "MBart": BART_SIZES,
    "Pegasus": BART_SIZES,
}
FAMILY_OUTPUTS = OUTPUTS | {
    "class_logits": (("logits",), False),
    "replaced_logits": (("logits",), True),
    "next_sentence_logits": (("seq_relationship_logits", "sop_logits"), False),
}
FORMATS = {"safetensors": reference.save_safetensors, "bin": reference.save_bin}


def tiny(kind, config, changes):
    values = SIZES.get(config, BERT_SIZES) | changes
    made = getattr(transformers, f"{config}Config")(**values)
    model = reference.built(kind, made)
    fixed = {n: p for n, p in model.named_parameters() if not p.requires_grad}
    untouched = dict(getattr(transformers, kind)(made).named_parameters())
    with torch.no_grad():
        for name, parameter in fixed.items():  # sinusoids
            parameter.copy_(untouched[name])
    if hasattr(model, "final_logits_bias"):  # a buffer, and zeros
        model.final_logits_bias.copy_(torch.randn_like(model.final_logits_bias))
    return model


def untied(name, **more):
    """A model whose file holds an output head of its own, as before version 5."""
    kind, config, changes = ENCODER_DECODERS[name]
    model = tiny(kind, config, changes | more)
    head = torch.randn_like(model.lm_head.weight)
    model.lm_head.weight = torch.nn.Parameter(head)
    model.config.tie_word_embeddings = False
    return model


def read(model, loaded, **inputs):
    """Ask both, with the arguments that both know."""
    token_ids, segment_ids, padding_mask = inputs.pop("batch")
    token_ids = np.where(token_ids == 1, 5, token_ids)  # padding, to RoBERTa
    theirs = {"input_ids": token_ids, "attention_mask": padding_mask.astype("int64")}
    takes_segments = (
        loaded.config.type_vocab_size > 1 or "XLNet" in type(model).__name__
    )
    if takes_segments:
        theirs["token_type_ids"] = segment_ids
    theirs |= inputs
    with torch.no_grad():
        expected = model(**{k: torch.from_numpy(v).long() for k, v in theirs.items()})
    outputs = loaded.network(
        ops.convert_to_tensor(token_ids),
        ops.convert_to_tensor(segment_ids) if takes_segments else None,
        ops.convert_to_tensor(padding_mask),
        attention=loaded.family.attention,
        target_ids=inputs.get("decoder_input_ids"),
    )
    return expected, {n: ops.convert_to_numpy(v) for n, v in outputs.items()}


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("kind", ENCODERS)
def test_an_encoder_agrees(kind, file_format, tmp_path):
    config, changes, outputs = ENCODERS[kind]
    model = tiny(kind, config, changes)
    FORMATS[file_format](model, tmp_path)
    loaded = load_network(tmp_path)
    batch = padded_batch(with_segments=True)
    expected, received = read(model, loaded, batch=batch)
    for name in outputs:
        their_names, has_positions = FAMILY_OUTPUTS[name]
        theirs = next(v for n in their_names if (v := expected.get(n)) is not None)
        difference = np.abs(theirs.numpy() - received[name])
        assert (difference[batch[2]] if has_positions else difference).max() < TOLERANCE


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("kind", DECODERS)
def test_a_decoder_agrees(kind, file_format, tmp_path):
    config, changes = DECODERS[kind]
    model = tiny(kind, config, changes)
    FORMATS[file_format](model, tmp_path)
    batch = padded_batch(with_segments=False)
    expected, received = read(model, load_network(tmp_path), batch=batch)
    difference = np.abs(expected.logits.numpy() - received["logits"])
    assert difference[batch[2]].max() < TOLERANCE


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("name", ENCODER_DECODERS)
def test_an_encoder_decoder_agrees(name, file_format, tmp_path):
    kind, config, changes = ENCODER_DECODERS[name]
    model = tiny(kind, config, changes)
    FORMATS[file_format](model, tmp_path)
    check_targets(model, tmp_path)


@pytest.mark.parametrize("name", ["t5 v1.1", "mt5"])
def test_an_output_head_of_its_own_agrees(name, tmp_path):
    model = untied(name)
    reference.save_bin(model, tmp_path)
    check_targets(model, tmp_path)


def check_targets(model, folder):
    targets = np.random.default_rng(5).integers(3, VOCAB, (3, 9), "int32")
    batch = padded_batch(with_segments=False)
    expected, received = read(
        model, load_network(folder), batch=batch, decoder_input_ids=targets
    )
    assert np.abs(expected.logits.numpy() - received["logits"]).max() < TOLERANCE
