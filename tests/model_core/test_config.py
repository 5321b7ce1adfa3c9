import pytest

from model_core.config import TransformerConfig

SIZES = {
    "vocab_size": 11,
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
}


def test_head_size_is_derived():
    assert TransformerConfig(**SIZES).head_size == 4


def test_a_config_survives_json_with_foreign_fields():
    config = TransformerConfig(**SIZES, position_kind="rotary")
    values = {"model_type": "maskplay", **config.to_dict()}
    assert TransformerConfig.from_dict(values) == config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vocab_size": 0}, "vocab_size must be an integer >= 1, received 0"),
        ({"hidden_size": 8.0}, "hidden_size must be an integer >= 1, received 8.0"),
        ({"num_attention_heads": 3}, "multiple of num_attention_heads, received 8 and"),
        ({"hidden_act": "swish"}, "hidden_act must be one of .*received 'swish'"),
        ({"norm_placement": "none"}, "norm_placement must be one of"),
        ({"layer_norm_eps": 0.0}, "layer_norm_eps must be > 0, received 0.0"),
        (
            {"num_attention_heads": 8, "position_kind": "rotary"},
            "rotary positions need an even head size, received 1",
        ),
    ],
)
def test_sizes_no_network_can_have_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        TransformerConfig(**(SIZES | change))
