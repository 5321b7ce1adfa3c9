"""A random checkpoint of BERT's shape in the formats that are measured.

Changes when another format is. The names are the family's own rows, run backwards.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from model_core.checkpoints.safetensors_writing import NewTensor, write_safetensors
from model_core.checkpoints.spelling import Spelling
from model_core.checkpoints.tables import TABLES
from model_core.checkpoints.weight_map import Depth, concrete_rules, transposed
from model_core.checkpoints.weight_shapes import expected_shapes
from model_core.models.families import FAMILIES

HEADS = ("masked_lm",)
MATRIX = 2
Array = npt.NDArray[np.float32]
SIZES = {
    "model_type": "bert",
    "architectures": ["BertForMaskedLM"],
    "vocab_size": 21128,
    "hidden_size": 768,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 512,
}


@dataclass(frozen=True, slots=True)
class Writer:
    """How a format is written.

    Attributes:
        write: Writes tensors into a folder and returns the file.
        is_read_by_transformers: Whether it still reads the format.
    """

    write: Callable[[Path, list[NewTensor]], Path]
    is_read_by_transformers: bool = True


def write_checkpoint(folder: Path, file_format: str, num_layers: int) -> Path:
    """Write config and weights, and return the file of weights.

    Args:
        folder: Made.
        file_format: A key of ``WRITERS``.
        num_layers: 12 make 400 MB.
    """
    folder.mkdir(parents=True)
    values = {**SIZES, "num_hidden_layers": num_layers}
    (folder / "config.json").write_text(json.dumps(values), encoding="utf8")
    return WRITERS[file_format].write(folder, list(random_tensors(values)))


def random_tensors(values: Mapping[str, Any]) -> Iterator[NewTensor]:
    """Yield the tensors of a published file, of a config.json's sizes."""
    config = FAMILIES["bert"].config_from_json(values)
    shapes = expected_shapes(config, HEADS)
    rules = concrete_rules(
        TABLES["bert"], HEADS, Depth(config.num_hidden_layers), shapes
    )
    spelling = Spelling(TABLES["bert"], {rule.source for rule in rules})
    random = np.random.default_rng(0)
    for rule in rules:
        shape = shapes[rule.target]
        shape = shape[::-1] if rule.reshape is transposed else shape
        yield NewTensor(spelling.of(rule.source), shape, partial(_draw, random, shape))


def _draw(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return (random.random(shape, "float32") - np.float32(0.5)) * np.float32(0.1)


def _write_safetensors(folder: Path, tensors: list[NewTensor]) -> Path:
    write_safetensors(folder, tensors, dtype="float32")
    return folder / "model.safetensors"


def _write_bin(folder: Path, tensors: list[NewTensor]) -> Path:
    import torch  # noqa: PLC0415 - a test extra

    path = folder / "pytorch_model.bin"
    torch.save({t.name: torch.from_numpy(t.make()) for t in tensors}, path)
    return path


def _write_h5(folder: Path, tensors: list[NewTensor]) -> Path:
    path = folder / "tf_model.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("bert")
        file.attrs["layer_names"] = [b"bert"]
        names = []
        for tensor in tensors:
            array = tensor.make()
            name = _keras_name(tensor.name)
            is_kernel = name.endswith("kernel:0")
            group.create_dataset(name, data=array.T if is_kernel else array)
            names.append(name.encode())
        group.attrs["weight_names"] = names
    return path


def _keras_name(name: str) -> str:
    """Return what transformers' TF classes call a tensor."""
    stem, _, last = name.rpartition(".")
    if last == "weight" and not stem.endswith("_embeddings"):
        last = "gamma" if "LayerNorm" in stem else "kernel"
    elif "LayerNorm" in stem:
        last = "beta"
    elif stem.endswith("word_embeddings"):
        last = "weight"
    elif stem.endswith("_embeddings"):
        last = "embeddings"
    path = re.sub(r"layer\.(\d+)", r"layer_._\1", f"{stem}.{last}").replace(".", "/")
    path = path.replace("layer_/_", "layer_._")
    path = re.sub("^cls/", "mlm___cls/", path)
    return f"tf_bert_for_masked_lm/{path}:0"


WRITERS: Mapping[str, Writer] = {
    "safetensors": Writer(_write_safetensors),
    "bin": Writer(_write_bin),
    "h5": Writer(_write_h5, is_read_by_transformers=False),
}
