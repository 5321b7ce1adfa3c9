"""Tiny random models of transformers, written in every layout a hub serves.

The names of the TensorFlow layouts are spelled here independently of our tables.
"""

import json
import re
from pathlib import Path

import h5py
import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

VOCAB, WIDTH, LAYERS, HEADS, POSITIONS = 61, 32, 2, 4, 24


def bert(kind="BertForMaskedLM", **changes):
    sizes = {
        "vocab_size": VOCAB,
        "hidden_size": WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": 48,
        "max_position_embeddings": POSITIONS,
    }
    return built(kind, transformers.BertConfig(**(sizes | changes)))


def gpt2(kind="GPT2LMHeadModel", **changes):
    sizes = {
        "vocab_size": VOCAB,
        "n_embd": WIDTH,
        "n_layer": LAYERS,
        "n_head": HEADS,
        "n_positions": POSITIONS,
    }
    return built(kind, transformers.GPT2Config(**(sizes | changes)))


def built(kind, config):
    """Every parameter is random: zeros and ones would hide a swapped tensor."""
    torch.manual_seed(7)
    config._attn_implementation = "eager"
    model = getattr(transformers, kind)(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


def arrays(model):
    return {name: t.detach().numpy() for name, t in model.state_dict().items()}


def write_config(model, folder):
    folder.mkdir(parents=True, exist_ok=True)
    values = model.config.to_dict() | {"architectures": [type(model).__name__]}
    (folder / "config.json").write_text(json.dumps(values, default=str))


def save_safetensors(model, folder: Path):
    model.save_pretrained(folder, safe_serialization=True)


def save_sharded(model, folder: Path):
    model.save_pretrained(folder, max_shard_size="40KB")
    assert (folder / "model.safetensors.index.json").exists()


def save_bin(model, folder: Path):
    write_config(model, folder)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")


def save_legacy_bin(model, folder: Path):
    write_config(model, folder)
    torch.save(
        model.state_dict(),
        folder / "pytorch_model.bin",
        _use_new_zipfile_serialization=False,
    )


def save_h5(model, folder: Path):
    write_config(model, folder)
    spell = {"bert": bert_h5_name, "gpt2": gpt2_h5_name}[model.config.model_type]
    named = dict(spell(name, array) for name, array in unique(arrays(model)).items())
    layers = {}
    for name, array in named.items():
        layers.setdefault(name.split("/")[0], {})[name] = array
    with h5py.File(folder / "tf_model.h5", "w") as file:
        file.attrs["layer_names"] = [layer.encode() for layer in layers]
        for layer, weights in layers.items():
            group = file.create_group(layer)
            full = {f"tf_some_model_1/{name}:0": a for name, a in weights.items()}
            group.attrs["weight_names"] = [name.encode() for name in full]
            for name, array in full.items():
                group.create_dataset(name, data=array)


def save_tensorflow(model, folder: Path):
    tf = pytest.importorskip("tensorflow")
    write_config(model, folder)
    (folder / "config.json").rename(folder / "bert_config.json")
    named = dict(bert_tf_name(n, a) for n, a in unique(arrays(model)).items())
    named["global_step"] = np.asarray(7, "int64")
    named["bert/pooler/dense/kernel/adam_m"] = np.zeros((WIDTH, WIDTH), "float32")
    names = sorted(named)
    tf.raw_ops.SaveV2(
        prefix=str(folder / "bert_model.ckpt"),
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=[tf.constant(named[name]) for name in names],
    )


def unique(named):
    tied = ("cls.predictions.decoder.", "lm_head.", "position_ids")
    return {n: a for n, a in named.items() if not any(mark in n for mark in tied)}


def bert_tf_name(name, array):
    if name == "qa_outputs.weight":
        return "cls/squad/output_weights", array
    if name == "qa_outputs.bias":
        return "cls/squad/output_bias", array
    if name == "cls.predictions.bias":
        return "cls/predictions/output_bias", array
    if name.startswith("cls.seq_relationship."):
        part = {"weight": "weights", "bias": "bias"}[name.split(".")[-1]]
        return f"cls/seq_relationship/output_{part}", array
    return tf_linear(name.replace("layer.", "layer_"), array)


def bert_h5_name(name, array):
    name = re.sub(r"layer\.(\d+)", r"layer_._\1", name)
    name = name.replace("cls.predictions", "mlm___cls.predictions")
    name = name.replace("cls.seq_relationship", "nsp___cls.seq_relationship")
    if "_embeddings" in name and not name.startswith("bert."):
        name = f"bert.{name}"
    if name.endswith("word_embeddings.weight"):
        return name.replace(".", "/").replace("layer_/_", "layer_._"), array
    return tf_linear(name, array, "/embeddings")


def tf_linear(name, array, embedding=""):
    if not name.startswith(("bert.", "cls.", "mlm_", "nsp_", "qa_")):
        name = f"bert.{name}"
    stem, _, kind = name.rpartition(".")
    stem = stem.replace(".", "/").replace("layer_/_", "layer_._")
    if stem.endswith("_embeddings"):
        return f"{stem}{embedding}", array
    if stem.endswith("LayerNorm"):
        return f"{stem}/{ {'weight': 'gamma', 'bias': 'beta'}[kind] }", array
    if kind == "weight":
        return f"{stem}/kernel", array.T
    return f"{stem}/{kind}", array


def gpt2_h5_name(name, array):
    name = re.sub(r"\bh\.(\d+)\.", r"h_._\1/", name).removeprefix("transformer.")
    stem, _, kind = name.rpartition(".")
    stem = "transformer/" + stem.replace(".", "/").replace("h_/_", "h_._")
    if re.search(r"ln_\w$", stem):
        return f"{stem}/{ {'weight': 'gamma', 'bias': 'beta'}[kind] }", array
    if kind == "bias":
        return f"{stem}/bias", array[None]
    return f"{stem}/{'embeddings' if stem.endswith('wpe') else kind}", array
