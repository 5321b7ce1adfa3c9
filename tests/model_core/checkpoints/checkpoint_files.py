"""Small hand-made checkpoint files, sound ones and broken ones."""

import json
import pickle
import struct
import zipfile

import numpy as np

from model_core.checkpoints.export import export_weights
from model_core.checkpoints.weight_shapes import expected_shapes
from model_core.config import TransformerConfig

TINY = TransformerConfig(
    vocab_size=11,
    hidden_size=8,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=12,
    max_position_embeddings=6,
    type_vocab_size=2,
)


def random_weights(config, heads=("language_model",), seed=0):
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(size=shape).astype("float32")
        for name, shape in expected_shapes(config, heads).items()
    }


def write_own(folder, config=TINY, heads=("language_model",), **options):
    weights = random_weights(config, heads)
    export_weights(
        weights, config, folder, heads=heads, **({"dtype": "float32"} | options)
    )
    return weights


def write_header(path, header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    start = struct.pack("<Q", len(text) if length is None else length)
    path.write_bytes(start + text + data)
    return path


def entry(shape, begin, end, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def write_tensors(path, tensors):
    """Write numpy arrays as safetensors; their bytes are taken as they are."""
    codes = {"float32": "F32", "float16": "F16", "int64": "I64", "uint16": "BF16"}
    header, data = {}, b""
    for name, array in tensors.items():
        code, begin = codes[array.dtype.name], len(data)
        data += array.tobytes()
        header[name] = entry(list(array.shape), begin, len(data), code)
    return write_header(path, header, data)


def write_zip(path, data_pkl, storages=None, root="archive", **options):
    """A file of torch's zip layout around any pickle."""
    with zipfile.ZipFile(path, "w", **options) as archive:
        archive.writestr(f"{root}/data.pkl", data_pkl)
        for key, data in (storages or {}).items():
            archive.writestr(f"{root}/data/{key}", data)
    return path


def tensor_pickle(
    storage="FloatStorage", count=6, shape=(2, 3), strides=(3, 1), **more
):
    """The pickle of {"w": tensor}, spelled by hand: no torch is needed."""
    name = more.get("name", "w")
    offset, view = more.get("offset", 0), more.get("view", b"")
    function = more.get("function", b"ctorch._utils\n_rebuild_tensor_v2\n")

    def number(value):
        return b"J" + struct.pack("<i", value)

    def text(value):
        return b"X" + struct.pack("<I", len(value)) + value.encode()

    def tuple_of(values):
        return b"(" + b"".join(number(v) for v in values) + b"t"

    identity = (
        b"("
        + text("storage")
        + f"ctorch\n{storage}\n".encode()
        + text("0")
        + text("cpu")
        + number(count)
        + (view and b"(" + text("1") + number(view[0]) + number(view[1]) + b"t")
        + b"tQ"
    )
    arguments = (
        b"(" + identity + number(offset) + tuple_of(shape) + tuple_of(strides)
    ) + b"\x89ccollections\nOrderedDict\n)Rt"
    return b"\x80\x02}" + text(name) + function + arguments + b"Rs."


class Malice:
    """Pickles as a call of something that must never be called."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def malicious_pickle(function, *arguments, protocol=2):
    return pickle.dumps({"w": Malice(function, *arguments)}, protocol)
