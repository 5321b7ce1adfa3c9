"""Published configs in our words: by model_type, else by shape, else refused."""

import json

import pytest

from model_core.config import TransformerConfig
from model_core.models.families import (
    ACTIVATION_NAMES,
    FAMILIES,
    UnsupportedModelError,
    family_of,
)
from model_core.models.families.decoders import GPT2
from model_core.models.families.encoders import BERT
from model_core.models.families.own import MASKPLAY

# as published (google-bert/bert-base-chinese, uer/gpt2-distil-chinese-cluecorpussmall)
BERT_JSON = {
    "architectures": ["BertForMaskedLM"],
    "attention_probs_dropout_prob": 0.1,
    "directionality": "bidi",
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": 768,
    "initializer_range": 0.02,
    "intermediate_size": 3072,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 512,
    "model_type": "bert",
    "num_attention_heads": 12,
    "num_hidden_layers": 12,
    "pad_token_id": 0,
    "pooler_fc_size": 768,
    "type_vocab_size": 2,
    "vocab_size": 21128,
}
GPT2_JSON = {
    "activation_function": "gelu_new",
    "architectures": ["GPT2LMHeadModel"],
    "attn_pdrop": 0.1,
    "embd_pdrop": 0.1,
    "initializer_range": 0.02,
    "layer_norm_epsilon": 1e-05,
    "model_type": "gpt2",
    "n_ctx": 1024,
    "n_embd": 768,
    "n_head": 12,
    "n_inner": None,
    "n_layer": 6,
    "n_positions": 1024,
    "resid_pdrop": 0.1,
    "vocab_size": 21128,
}
BERT_NAMES = {
    "pytorch": "bert.encoder.layer.0.attention.self.query.weight",
    "keras_h5": "tf_bert_model/bert/encoder/layer_._0/attention/self/query/kernel:0",
    "tensorflow": "bert/encoder/layer_0/attention/self/query/kernel",
}
GPT2_NAMES = {
    "pytorch": "transformer.h.0.attn.c_attn.weight",
    "bare": "h.0.attn.c_attn.weight",
    "keras_h5": "tfgp_t2lm_head_model/transformer/h_._0/attn/c_attn/weight:0",
}


def without(values, *keys):
    return {key: value for key, value in values.items() if key not in keys}


def test_bert_in_our_words():
    assert BERT.config_from_json(BERT_JSON) == TransformerConfig(
        vocab_size=21128,
        hidden_size=768,
        num_hidden_layers=12,
        num_attention_heads=12,
        intermediate_size=3072,
        max_position_embeddings=512,
        type_vocab_size=2,
        hidden_act="gelu",
        layer_norm_eps=1e-12,
        norm_placement="post",
        embedding_norm=True,
        final_norm=False,
        position_kind="learned",
        initializer_range=0.02,
        dropout=0.1,
        attention_dropout=0.1,
        num_labels=2,
    )


def test_gpt2_in_our_words():
    assert GPT2.config_from_json(GPT2_JSON) == TransformerConfig(
        vocab_size=21128,
        hidden_size=768,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=4 * 768,
        max_position_embeddings=1024,
        type_vocab_size=0,
        hidden_act="gelu_new",
        layer_norm_eps=1e-5,
        norm_placement="pre",
        embedding_norm=False,
        final_norm=True,
        position_kind="learned",
        initializer_range=0.02,
        dropout=0.1,
        attention_dropout=0.1,
    )


def test_our_own_config_comes_back_as_it_was():
    config = TransformerConfig(
        vocab_size=9,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        norm_placement="pre",
        position_kind="rotary",
        type_vocab_size=2,
    )
    values = json.loads(json.dumps({"model_type": "maskplay", **config.to_dict()}))
    family = family_of(values)
    assert family is MASKPLAY
    assert family.config_from_json(values) == config


def test_an_explicit_n_inner_counts():
    config = GPT2.config_from_json(GPT2_JSON | {"n_inner": 100})
    assert config.intermediate_size == 100


@pytest.mark.parametrize("name", FAMILIES)
def test_model_type_decides(name):
    for model_type in FAMILIES[name].model_types:
        assert family_of({"model_type": model_type}).name == name


@pytest.mark.parametrize("name", BERT_NAMES.values())
def test_bert_without_a_model_type_is_recognised(name):
    assert family_of(without(BERT_JSON, "model_type"), ["x", name]) is BERT


@pytest.mark.parametrize("name", GPT2_NAMES.values())
def test_gpt2_without_a_model_type_is_recognised(name):
    assert family_of(without(GPT2_JSON, "model_type"), ["x", name]) is GPT2


def test_what_only_resembles_is_refused():
    values = without(GPT2_JSON, "model_type") | {"afn": "gelu"}
    for names in ((), ["transformer.blocks.0.weight"]):
        with pytest.raises(UnsupportedModelError, match="look like none of them"):
            family_of(values, names)


@pytest.mark.parametrize(
    ("changes", "name", "family"),
    [
        # CDial-GPT's config names no model_type
        (GPT2_JSON | {"afn": "gelu"}, "transformer.tokens_embed.weight", "gpt"),
        (BERT_JSON, "roberta.encoder.layer.0.attention.self.query.weight", "roberta"),
        (BERT_JSON, "electra/encoder/layer_0/attention/self/query/kernel", None),
        (
            BERT_JSON | {"max_relative_position": 64},
            "bert.encoder.layer.0.attention.self.query.weight",
            "nezha",
        ),
        (
            BERT_JSON | {"use_task_id": True},
            "ernie.embeddings.task_type_embeddings.weight",
            "ernie",
        ),
        (
            BERT_JSON | {"num_hidden_groups": 1},
            "albert.encoder.albert_layer_groups.0.albert_layers.0.ffn.weight",
            "albert",
        ),
    ],
)
def test_kin_are_told_apart_without_a_model_type(changes, name, family):
    values = without(changes, "model_type")
    if family is None:
        with pytest.raises(UnsupportedModelError, match="look like none of them"):
            family_of(values, [name])
    else:
        assert family_of(values, [name]).name == family


def test_encoder_and_decoder_must_be_alike():
    sizes = {"encoder_layers": 1, "decoder_layers": 2, "d_model": 8, "vocab_size": 9}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 4}
    values = {"model_type": "bart", "encoder_ffn_dim": 8, **sizes, **heads}
    message = "encoder_attention_heads and decoder_attention_heads must be the same"
    with pytest.raises(UnsupportedModelError, match=message):
        FAMILIES["bart"].config_from_json(values)


@pytest.mark.parametrize("model_type", ["llama", "", "Bert", "x" * 10_000])
def test_an_unknown_model_type_is_refused(model_type):
    message = (
        r"must be one of \['albert', 'albert_zh', 'bart', 'bert', .*'xlnet'\], received"
    )
    with pytest.raises(UnsupportedModelError, match=message) as refusal:
        family_of({"model_type": model_type})
    assert len(str(refusal.value)) < 400


def test_umt5_whose_every_block_scores_distances_is_refused_by_its_name():
    with pytest.raises(UnsupportedModelError, match="received 'umt5'"):
        family_of({"model_type": "umt5"})


@pytest.mark.parametrize("name", ACTIVATION_NAMES)
def test_activations_of_transformers_mean_ours(name):
    config = BERT.config_from_json(BERT_JSON | {"hidden_act": name})
    assert config.hidden_act == ACTIVATION_NAMES[name]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_act": "mish"}, "activation must be one of .* received 'mish'"),
        ({"hidden_act": 3}, "hidden_act must be a str, received 3"),
        ({"hidden_size": "768"}, "hidden_size must be a int, received '768'"),
        ({"hidden_size": True}, "hidden_size must be a int, received True"),
        ({"hidden_size": None}, "lacks hidden_size"),
        ({"hidden_size": 770}, "multiple of num_attention_heads"),
        ({"vocab_size": 0}, "vocab_size must be an integer >= 1"),
        ({"num_hidden_layers": 10**9}, "at most 1024 layers"),
        ({"type_vocab_size": -1}, "type_vocab_size must be an integer >= 0"),
        ({"layer_norm_eps": float("nan")}, "layer_norm_eps must be a float"),
        ({"layer_norm_eps": 0}, "layer_norm_eps must be > 0"),
        ({"layer_norm_eps": [1]}, "layer_norm_eps must be a float"),
        (
            {"position_embedding_type": "relative_key"},
            r"position_embedding_type must be one of \['absolute'\]",
        ),
        ({"is_decoder": True}, r"is_decoder must be one of \[False\], received True"),
    ],
)
def test_bert_configs_that_cannot_be_computed_are_refused(changes, message):
    with pytest.raises(UnsupportedModelError, match=message):
        BERT.config_from_json(BERT_JSON | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"scale_attn_weights": False},
        {"scale_attn_by_inverse_layer_idx": True},
        {"add_cross_attention": True},
    ],
)
def test_gpt2_variants_that_are_not_computed_are_refused(changes):
    with pytest.raises(UnsupportedModelError, match=next(iter(changes))):
        GPT2.config_from_json(GPT2_JSON | changes)


def test_a_missing_field_is_named_with_what_is_there():
    with pytest.raises(UnsupportedModelError, match=r"lacks n_embd or hidden_size; it"):
        GPT2.config_from_json(without(GPT2_JSON, "n_embd"))
