"""A model's numbers written in every format that a hub or an author serves.

The names of Keras's and TensorFlow's files are spelled here as their authors' programs
name variables, by what kind of layer holds them; our tables are not asked. Changes when
another layout is published.
"""

import json
import re
from pathlib import Path

import h5py
import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.model_core.reference_models import torch

SHARDS = 3


# PyTorch's names


def write_safetensors(folder: Path, tensors):
    rows = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    save_file(rows, folder / "model.safetensors", metadata={"format": "pt"})


def write_sharded_safetensors(folder: Path, tensors):
    def write(path, part):
        save_file(part, path, metadata={"format": "pt"})

    _write_shards(folder, tensors, "model", "safetensors", write)


def write_bfloat16(folder: Path, tensors):
    from safetensors.torch import save_file as save_torch

    rows = {n: t.to(torch.bfloat16) for n, t in _torch(tensors).items()}
    path = folder / "model.safetensors"
    save_torch(rows, path, metadata={"format": "pt"})


def write_bin(folder: Path, tensors):
    torch.save(_torch(tensors), folder / "pytorch_model.bin")


def write_legacy_bin(folder: Path, tensors):
    torch.save(
        _torch(tensors),
        folder / "pytorch_model.bin",
        _use_new_zipfile_serialization=False,
    )


def write_sharded_bin(folder: Path, tensors):
    def write(path, part):
        torch.save(_torch(part), path)

    _write_shards(folder, tensors, "pytorch_model", "bin", write)


def write_half_bin(folder: Path, tensors):
    rows = {n: t.half() for n, t in _torch(tensors).items()}
    torch.save(rows, folder / "pytorch_model.bin")


def write_old_names_bin(folder: Path, tensors):
    """Norms called gamma and beta, as TensorFlow called them."""
    old = {"weight": "gamma", "bias": "beta"}
    renamed = {
        re.sub(r"(?<=LayerNorm\.)(weight|bias)$", lambda m: old[m[1]], name): array
        for name, array in tensors.items()
    }
    assert renamed.keys() != tensors.keys()
    write_bin(folder, renamed)


def _torch(tensors):
    return {name: torch.from_numpy(array.copy()) for name, array in tensors.items()}


def _write_shards(folder, tensors, stem, ending, write):
    names = list(tensors)
    weight_map = {}
    for number in range(SHARDS):
        shard = f"{stem}-{number + 1:05d}-of-{SHARDS:05d}.{ending}"
        part = {n: np.ascontiguousarray(tensors[n]) for n in names[number::SHARDS]}
        weight_map |= dict.fromkeys(part, shard)
        write(folder / shard, part)
    index = {"metadata": {"total_size": 0}, "weight_map": weight_map}
    (folder / f"{stem}.{ending}.index.json").write_text(json.dumps(index))


# Keras h5, as transformers' TF classes named their variables

TIED = (
    "cls.predictions.decoder.",
    "predictions.decoder.",
    "generator_lm_head.weight",
    "lm_head.decoder.",
    "vocab_projector.weight",
    "lm_loss.weight",
    "embed_tokens.weight",
)
# names of TF layers where they are not PyTorch's
LAYER_NAMES = (
    (r"^cls/predictions", "mlm___cls/predictions"),
    (r"^cls/seq_relationship", "nsp___cls/seq_relationship"),
)
BODIES = {"BertModel": "bert/"}  # without a head PyTorch leaves this part out
SHARED_TABLES = (
    "word_embeddings", "word_embedding", "wte", "tokens_embed", "shared",
)  # fmt: skip
HEAD_LAYERS = (
    "mlm___cls", "lm_head", "predictions", "generator_lm_head", "vocab_projector",
    "lm_loss",
)  # fmt: skip


def write_h5(folder: Path, model, *, modern=False):
    """Write ``tf_model.h5`` of a transformers model.

    Args:
        folder: Where to.
        model: Of PyTorch; its modules tell which kind of layer holds a parameter.
        modern: As from version 4.24 on, when shared tables became plain embeddings.
    """
    scope = "tf_" + re.sub(r"(?<!^)(?=[A-Z][a-z])", "_", type(model).__name__).lower()
    groups: dict[str, dict[str, np.ndarray]] = {}
    for name, array in _untied(model).items():
        path, values = _keras_variable(model, name, array, modern)
        whole = _whole_name(scope, path)
        groups.setdefault(path.split("/")[0], {})[f"{whole}:0"] = values
    _repeat_tied_tables(groups, modern)
    with h5py.File(folder / "tf_model.h5", "w") as file:
        file.attrs["layer_names"] = [layer.encode() for layer in groups]
        file.attrs["backend"] = b"tensorflow"
        for layer, weights in groups.items():
            group = file.create_group(layer)
            group.attrs["weight_names"] = [name.encode() for name in weights]
            for name, values in weights.items():
                group.create_dataset(name, data=values)


def _untied(model):
    tied_head = getattr(model.config, "tie_word_embeddings", True)
    buffers = ("position_ids", "token_type_ids", ".attn.bias", "masked_bias")
    rows = {}
    for name, tensor in model.state_dict().items():
        if any(mark in name for mark in TIED) or name.endswith(buffers):
            continue
        if name == "lm_head.weight" and tied_head:
            continue
        rows[name] = tensor.detach().numpy().copy()
    return rows


def _keras_variable(model, name, array, modern):
    """Return a variable's path below the model's own scope, and its values."""
    stem, _, last = name.rpartition(".")
    layer = model.get_submodule(stem) if stem else model
    path = _listed(stem, model)
    path = BODIES.get(type(model).__name__, "") + path
    for pattern, replacement in LAYER_NAMES:
        path = re.sub(pattern, replacement, path)
    path = f"{path}/" if path else ""
    kind = type(layer).__name__
    if kind == "Linear":
        named = {"weight": ("kernel", array.T), "bias": ("bias", array)}
    elif kind == "LayerNorm":
        named = {"weight": ("gamma", array), "bias": ("beta", array)}
    elif kind == "Conv1D":
        named = {"weight": ("weight", array), "bias": ("bias", array[None])}
    elif "Embedding" in kind:
        shared = stem.split(".")[-1] in SHARED_TABLES and not modern
        named = {"weight": ("weight" if shared else "embeddings", array)}
    else:
        named = {last: (last, array)}
    ending, values = named[last]
    return f"{path}{ending}", np.ascontiguousarray(values)


def _listed(stem, model):
    """Places in lists: BART's layers keep their dot, all others get ``_._``."""
    if hasattr(model.config, "encoder_layers"):
        return re.sub(r"layers/(\d+)", r"layers.\1", stem.replace(".", "/"))
    return re.sub(r"/(\d+)(?=/|$)", r"_._\1", stem.replace(".", "/"))


def _whole_name(scope, path):
    """Shared tables and BART's last bias stand outside the model's scope."""
    if path.startswith("shared/"):
        return f"shared/{path}"
    if path.startswith("model/shared/"):
        return "model.shared/model.shared/" + path.removeprefix("model/shared/")
    if path == "final_logits_bias":
        return path
    return f"{scope}/{path}"


def _repeat_tied_tables(groups, modern):
    """A head that is tied to the embeddings writes them once more, as Keras does."""
    tables = {
        name: values
        for weights in groups.values()
        for name, values in weights.items()
        if "/embeddings/" in name or "word_embedding/" in name
    }
    for layer in HEAD_LAYERS:
        if layer in groups:
            groups[layer] |= tables
    if modern and "shared" in groups:
        for side in ("encoder", "decoder"):
            groups[side] |= groups["shared"]


# TensorFlow checkpoints, as their authors' programs named their variables


def write_tensorflow(folder: Path, variables, prefix="bert_model.ckpt"):
    """Write variables with what an optimiser leaves beside them."""
    tf = pytest.importorskip("tensorflow")
    left = {"global_step": np.asarray(7, "int64")}
    for name in list(variables)[:2]:
        left |= {f"{name}{end}": variables[name] for end in ("/adam_m", "_slot_vc")}
    named = dict(sorted((variables | left).items()))
    tf.raw_ops.SaveV2(
        prefix=str(folder / prefix),
        tensor_names=list(named),
        shape_and_slices=[""] * len(named),
        tensors=[tf.constant(value) for value in named.values()],
    )


def google_bert(tensors):
    """BERT as google-research/bert names it; NEZHA, WoBERT, SimBERT, RoFormer too."""
    roots = {
        "cls.predictions.bias": "cls/predictions/output_bias",
        "cls.seq_relationship.weight": "cls/seq_relationship/output_weights",
        "cls.seq_relationship.bias": "cls/seq_relationship/output_bias",
        "qa_outputs.weight": "cls/squad/output_weights",
        "qa_outputs.bias": "cls/squad/output_bias",
        "classifier.weight": "output_weights",
        "classifier.bias": "output_bias",
    }
    variables = {}
    for name, array in tensors.items():
        if "cls.predictions.decoder" in name or name.endswith("_ids"):
            continue
        if "embed_positions" in name:
            continue
        body = re.sub(r"^(bert|nezha|roformer)\.", "", name)
        if body in roots:
            variables[roots[body]] = array
            continue
        path, values = _dense_or_norm(body, array)
        path = path.replace("encoder/layer/", "encoder/layer_")
        path = path.replace("embeddings_project", "encoder/embedding_hidden_mapping_in")
        root = "" if path.startswith("cls/") else "bert/"
        variables[root + path] = values
    return variables


def google_electra(tensors):
    """ELECTRA's discriminator, with the generator that is trained beside it."""
    variables = _electra_variables(tensors)
    width = next(v for n, v in variables.items() if n.endswith("word_embeddings"))
    return variables | {
        "generator/encoder/layer_0/attention/self/query/kernel": np.ones((4, 4), "f4"),
        "generator/embeddings_project/kernel": np.ones((4, 4), "f4"),
        "generator_predictions/dense/kernel": np.ones((4, 4), "f4"),
        "generator_predictions/LayerNorm/beta": np.ones(4, "f4"),
        "generator_predictions/output_bias": np.ones(len(width), "f4"),
    }


def google_electra_generator(tensors):
    """ELECTRA's generator: its embeddings go by the discriminator's name."""
    variables = {}
    for name, values in _electra_variables(tensors).items():
        if name.startswith("electra/embeddings/"):
            path = name
        else:
            path = name.replace("electra/", "generator/", 1)
            path = path.replace(
                "generator_lm_head/bias", "generator_predictions/output_bias"
            )
        if path != "generator_lm_head/kernel":  # the embeddings once more
            variables[path] = values
    return variables | {
        "electra/encoder/layer_0/attention/self/query/kernel": np.ones((4, 4), "f4"),
        "electra/embeddings_project/kernel": np.ones((4, 4), "f4"),
        "discriminator_predictions/dense/kernel": np.ones((4, 4), "f4"),
        "discriminator_predictions/dense_1/bias": np.ones(1, "f4"),
    }


def _electra_variables(tensors):
    variables = {}
    for name, array in tensors.items():
        if name.endswith("_ids"):
            continue
        path, values = _dense_or_norm(name, array)
        path = path.replace("encoder/layer/", "encoder/layer_")
        path = path.replace("dense_prediction", "dense_1")
        variables[path] = values
    return variables


def google_albert(tensors):
    """ALBERT as google-research/albert and brightmart's albert_*_google_zh name it."""
    group = "bert/encoder/transformer/group_0/inner_group_0"
    parts = {
        "attention/query": "attention_1/self/query",
        "attention/key": "attention_1/self/key",
        "attention/value": "attention_1/self/value",
        "attention/dense": "attention_1/output/dense",
        "attention/LayerNorm": "LayerNorm",
        "ffn": "ffn_1/intermediate/dense",
        "ffn_output": "ffn_1/intermediate/output/dense",
        "full_layer_layer_norm": "LayerNorm_1",
    }
    roots = {
        "predictions/bias": "cls/predictions/output_bias",
        "predictions/dense": "cls/predictions/transform/dense",
        "predictions/LayerNorm": "cls/predictions/transform/LayerNorm",
        "sop_classifier/classifier/weight": "cls/seq_relationship/output_weights",
        "sop_classifier/classifier/bias": "cls/seq_relationship/output_bias",
        "classifier/weight": "output_weights",
        "classifier/bias": "output_bias",
    }
    variables = {}
    for name, array in tensors.items():
        if "predictions.decoder" in name or name.endswith("_ids"):
            continue
        whole = name.replace(".", "/")
        if whole in roots:
            variables[roots[whole]] = array
            continue
        path, values = _dense_or_norm(name.removeprefix("albert."), array)
        layer = re.match(r"encoder/albert_layer_groups/0/albert_layers/0/(.+)/", path)
        stem, _, last = path.rpartition("/")
        if layer:
            path = f"{group}/{parts[layer[1]]}/{last}"
        elif stem in roots:
            path = f"{roots[stem]}/{last}"
        elif stem == "pooler":
            path = f"bert/pooler/dense/{last}"
        else:
            path = f"bert/{path}"
        variables[path] = values
    return variables


def openai_gpt2(tensors):
    """GPT2 as openai/gpt-2 names it: every projection is a convolution."""
    variables = {}
    for name, array in tensors.items():
        body = name.removeprefix("transformer.")
        stem, _, last = body.rpartition(".")
        if stem == "lm_head" or last == "masked_bias" or body.endswith(".attn.bias"):
            continue
        path = re.sub(r"^h/(\d+)/", r"h\1/", f"{stem}/".replace(".", "/"))
        if path in ("wte/", "wpe/"):
            variables[f"model/{path[:-1]}"] = array
        elif "ln_" in path:
            variables[f"model/{path}{ {'weight': 'g', 'bias': 'b'}[last] }"] = array
        else:
            values = array[None] if last == "weight" else array
            variables[f"model/{path}{last[0]}"] = values
    return variables


def google_xlnet(tensors):
    """XLNet as zihangdai/xlnet names it: some biases lie once for all layers."""
    variables, stacks = {}, {}
    for name, array in tensors.items():
        if name == "lm_loss.weight":
            continue
        body = name.removeprefix("transformer.")
        found = re.match(r"layer\.(\d+)\.rel_attn\.(r_[wrs]_bias|seg_embed)$", body)
        if found:
            stacks.setdefault(found[2], {})[int(found[1])] = array
        elif body == "word_embedding.weight":
            variables["model/transformer/word_embedding/lookup_table"] = array
        elif body == "mask_emb":
            variables["model/transformer/mask_emb/mask_emb"] = array
        elif body == "lm_loss.bias":
            variables["model/lm_loss/bias"] = array
        else:
            path, values = _dense_or_norm(body, array)
            path = path.replace("layer/", "layer_", 1).replace(
                "layer_norm", "LayerNorm"
            )
            path = re.sub(r"(rel_attn/[qkvor])$", r"\1/kernel", path)
            variables[f"model/transformer/{path}"] = values
    for name, parts in stacks.items():
        stack = np.stack([parts[layer] for layer in sorted(parts)])
        variables[f"model/transformer/{name}"] = stack
    return variables


def mesh_t5(tensors, norm):
    """T5 as Mesh TensorFlow names it.

    Args:
        tensors: By PyTorch's names.
        norm: ``layer_norm`` of version 1.0, ``rms_norm`` of 1.1 and of mT5.
    """
    last_norm = {"layer_norm": "final_layer_norm", "rms_norm": "rms_norm"}[norm]
    variables = {}
    for name, array in tensors.items():
        if "embed_tokens" in name or (name == "lm_head.weight" and norm != "rms_norm"):
            continue
        path = name.replace(".", "/")
        path = re.sub(
            r"/block/(\d+)/layer/(\d+)/",
            lambda m: f"/block_{int(m[1]):03d}/layer_{int(m[2]):03d}/",
            path,
        )
        values = array.T
        if path == "shared/weight":
            path, values = "shared/embedding", array
        elif path == "lm_head/weight":
            path = "decoder/logits/kernel"
        elif path.endswith("final_layer_norm/weight"):
            path = path.replace("final_layer_norm/weight", f"{last_norm}/scale")
        elif path.endswith("layer_norm/weight"):
            path = path.replace("layer_norm/weight", f"{norm}/scale")
        elif "DenseReluDense" in path:
            path = path.replace("/weight", "/kernel")
        else:
            path = path.removesuffix("/weight")
        variables[path] = np.ascontiguousarray(values)
    return variables


def _dense_or_norm(name, array):
    """Name a projection's, a norm's or a table's part as TensorFlow's layers do."""
    stem, _, last = name.rpartition(".")
    path = stem.replace(".", "/")
    if path.endswith("_embeddings"):
        return path, array
    if re.search(r"(?i)(layernorm|layer_norm)$", path):
        return f"{path}/{ {'weight': 'gamma', 'bias': 'beta'}[last] }", array
    if last == "weight":
        return f"{path}/kernel", np.ascontiguousarray(array.T)
    return (f"{path}/{last}" if path else last), array
