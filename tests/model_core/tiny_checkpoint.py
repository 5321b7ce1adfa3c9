"""A checkpoint folder of ours with random weights, as ``recipes export`` writes it."""

import json
from dataclasses import replace

from keras import ops

from model_core.checkpoints.export import export_weights
from model_core.models.network import weights_by_name
from tests.model_core.tiny import ROTARY, build_network

CHARACTERS = "春秋风又绿江南岸明月何时照我还，。《》"
TOKENS = (
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[NL]", "[散文]", "[词]",
    *CHARACTERS, "Lin", "Linux", "##ux", "L", "l", "##i", "##n", "ok",
)  # fmt: skip
GENERATION = {
    "opening": ["[CLS]"],
    "stop": ["[SEP]"],
    "styles": {
        "散文": {"marks": ["[散文]"]},
        "词·江南春": {"marks": ["[词]"], "text": "江南春\n"},
    },
    "default_style": "散文",
}


def write_checkpoint(folder, seed=0, max_positions=48):
    """Write a folder that ``load_model`` reads; return it."""
    config = replace(
        ROTARY, vocab_size=len(TOKENS), max_position_embeddings=max_positions
    )
    network = build_network(config, seed=seed)
    weights = {
        name: ops.convert_to_numpy(weight)
        for name, weight in weights_by_name(network).items()
    }
    export_weights(weights, config, folder, dtype="float32")
    (folder / "vocab.txt").write_text("\n".join(TOKENS) + "\n", encoding="utf8")
    settings = {
        "do_lower_case": False,
        "strip_accents": False,
        "newline_token": "[NL]",
        "additional_special_tokens": ["[散文]", "[词]"],
    }
    for name, values in (
        ("tokenizer_config.json", settings),
        ("generation.json", GENERATION),
    ):
        text = json.dumps(values, ensure_ascii=False)
        (folder / name).write_text(text, encoding="utf8")
    return folder
