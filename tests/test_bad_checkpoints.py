"""Files that lie, end too early or ask for more than is theirs: one sentence each.

Every folder goes through the program's own shelf; what answered before answers after.
"""

import json
import os
import shutil
import struct

import h5py
import numpy as np
import pytest

from model_core.interfaces import TEXT_GENERATOR, GenerationOptions, ModelError
from model_core.shelf import ModelShelf, ShelfSettings
from tests.model_core.checkpoints.checkpoint_files import (
    entry,
    malicious_pickle,
    write_header,
    write_zip,
)

reference = pytest.importorskip("tests.model_core.reference_models")

from tests.model_core import zoo_formats as files
from tests.model_core.tiny_checkpoint import CHARACTERS, write_checkpoint

OPTIONS = GenerationOptions(max_new_tokens=3, min_new_tokens=3, seed=1, top_k=1)
MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ST, BIN, H5 = "model.safetensors", "pytorch_model.bin", "tf_model.h5"
EMBEDDING = "transformer.wte.weight"


@pytest.fixture(scope="module", name="shelf")
def fixture_shelf(tmp_path_factory):
    settings = ShelfSettings(
        weights="embedded",
        allow_local=True,
        cache_dir=tmp_path_factory.mktemp("cache"),
        rehearse=False,
    )
    shelf = ModelShelf(settings)
    yield shelf
    shelf.close()


@pytest.fixture(scope="module", name="sound")
def fixture_sound(tmp_path_factory):
    return str(write_checkpoint(tmp_path_factory.mktemp("sound")))


@pytest.fixture(scope="module", name="model")
def fixture_model():
    return reference.gpt2()


@pytest.fixture(name="folder")
def fixture_folder(model, tmp_path):
    """A sound checkpoint in one format, told by ``write``; then it is spoilt."""
    folder = tmp_path / "spoilt"
    reference.write_config(model, folder)
    tokens = [*MARKS, *CHARACTERS]
    tokens += [f"[unused{n}]" for n in range(reference.VOCAB - len(tokens))]
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf8")
    return folder


def answer(shelf, name):
    *_, frame = shelf.model(TEXT_GENERATOR, name, timeout_seconds=120).complete(
        "春风", OPTIONS
    )
    return frame.candidates


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def flip(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 0xFF
    path.write_bytes(content)


def truncated(name, write):
    def spoil(folder, model):
        write(folder, model)
        cut(folder / name, 0.6)

    return spoil


def flipped(name, write, at=3):
    def spoil(folder, model):
        write(folder, model)
        flip(folder / name, at)

    return spoil


def _st(folder, model):
    files.write_safetensors(folder, reference.unique(reference.arrays(model)))


def _bin(folder, model):
    files.write_bin(folder, reference.unique(reference.arrays(model)))


def _legacy(folder, model):
    files.write_legacy_bin(folder, reference.unique(reference.arrays(model)))


def _h5(folder, model):
    files.write_h5(folder, model)


def _poisoned(number):
    def spoil(folder, model):
        tensors = reference.unique(reference.arrays(model))
        tensors[EMBEDDING] = tensors[EMBEDDING].copy()
        tensors[EMBEDDING][3, 1] = number
        files.write_safetensors(folder, tensors)

    return spoil


def _malice(folder, model):
    write_zip(folder / BIN, malicious_pickle(os.system, f"touch {folder}/ran"))


def _legacy_malice(folder, model):
    (folder / BIN).write_bytes(malicious_pickle(os.system, f"touch {folder}/ran"))


def _huge_header(folder, model):
    (folder / ST).write_bytes(struct.pack("<Q", 2**31) + b"{}")
    with (folder / ST).open("r+b") as file:
        file.truncate(2**31 + 64)  # sparse: as long as it says, and takes no room


def _header(header, data=b"\0" * 16):
    return lambda folder, model: write_header(folder / ST, header, data)


def _index(shard):
    def spoil(folder, model):
        shutil.copy("/etc/hostname", folder.parent / "secret")
        index = {"weight_map": {EMBEDDING: shard.format(folder=folder)}}
        (folder / f"{ST}.index.json").write_text(json.dumps(index))

    return spoil


def _linked_shard(folder, model):
    _st(folder, model)
    (folder / ST).rename(folder.parent / "elsewhere")
    (folder / "part.safetensors").symlink_to(folder.parent / "elsewhere")
    _index("part.safetensors")(folder, model)


def _config(**changes):
    def spoil(folder, model):
        _st(folder, model)
        values = json.loads((folder / "config.json").read_text()) | changes
        values = {name: v for name, v in values.items() if v is not None}
        (folder / "config.json").write_text(json.dumps(values))

    return spoil


def _nameless(folder, model):
    _config(model_type=None)(folder, model)
    values = {"hidden_size": 4, "note": "fits no family"}
    (folder / "config.json").write_text(json.dumps(values))


def _linked_h5(folder, model):
    _h5(folder, model)
    with h5py.File(folder / H5, "a") as file:
        weights = file["transformer"]
        name = str(weights.attrs["weight_names"].astype(str)[0])
        del weights[name]
        weights[name] = h5py.ExternalLink("/etc/hostname", "/x")


def _long_vocabulary(folder, model):
    _st(folder, model)
    with (folder / "vocab.txt").open("a", encoding="utf8") as file:
        file.write("".join(f"多{n}\n" for n in range(9)))


def _other_tokenizer(folder, model):
    _st(folder, model)
    (folder / "vocab.txt").unlink()
    kind = {"version": "1.0", "model": {"type": "Imagined", "vocab": {}}}
    (folder / "tokenizer.json").write_text(json.dumps(kind))


def _checkpoint(spoil):
    def write(folder, model):
        tf = pytest.importorskip("tensorflow")
        tf.raw_ops.SaveV2(
            prefix=str(folder / "model.ckpt"),
            tensor_names=["newslm/embeddings/word_embed"],
            shape_and_slices=[""],
            tensors=[tf.ones((reference.VOCAB, 32))],
        )
        sizes = {"model_type": "gpt2_ml", "vocab_size": reference.VOCAB}
        sizes |= {"hidden_size": 32, "num_hidden_layers": 0, "num_attention_heads": 4}
        sizes |= {"intermediate_size": 48}
        (folder / "config.json").write_text(json.dumps(sizes))
        spoil(folder)

    return write


TWICE = (
    b'{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},'
    b'"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'
)
BAD = {
    "safetensors truncated": (truncated(ST, _st), "corrupt", ST),
    "safetensors header flipped": (flipped(ST, _st, 11), "corrupt", ST),
    "safetensors length flipped": (flipped(ST, _st, 4), "corrupt", "header claims"),
    "safetensors header of 2 GB": (_huge_header, "corrupt", "claims 2147483648 bytes"),
    "safetensors key twice": (_header(TWICE), "corrupt", "key stands twice"),
    "safetensors overlap": (
        _header({"a": entry([4], 0, 16), "b": entry([4], 0, 16)}),
        "corrupt",
        "overlap",
    ),
    "safetensors unknown dtype": (
        _header({"w": entry([4], 0, 16, "F4")}),
        "corrupt",
        "'F4'",
    ),
    "safetensors shape overflow": (
        _header({"w": entry([2**62, 2**62], 0, 16)}),
        "corrupt",
        "needs",
    ),
    "NaN": (_poisoned(np.nan), "corrupt", f"{ST}: {EMBEDDING} holds 1 numbers"),
    "infinity": (_poisoned(-np.inf), "corrupt", EMBEDDING),
    "bin truncated": (truncated(BIN, _bin), "corrupt", BIN),
    "bin start flipped": (flipped(BIN, _bin, 0), "corrupt", BIN),
    "legacy bin truncated": (truncated(BIN, _legacy), "corrupt", BIN),
    "legacy bin header flipped": (flipped(BIN, _legacy, 5), "corrupt", BIN),
    "pickle that imports os": (_malice, "corrupt", "'posix.system'"),
    "legacy pickle that imports os": (_legacy_malice, "corrupt", "'posix.system'"),
    "h5 truncated": (truncated(H5, _h5), "corrupt", H5),
    "h5 signature flipped": (flipped(H5, _h5, 1), "corrupt", H5),
    "h5 link to another file": (_linked_h5, "corrupt", "or a link"),
    "index above its folder": (_index("../secret"), "corrupt", "refused the shard"),
    "index to an absolute path": (_index("/etc/hostname"), "corrupt", "refused"),
    "index through a link": (_linked_shard, "corrupt", "a link that leads out"),
    "config of no family": (_nameless, "unsupported", "model_type must be one of"),
    "config of an unknown family": (
        _config(model_type="imagined"),
        "unsupported",
        "'imagined'",
    ),
    "config with another vocabulary": (
        _config(vocab_size=62),
        "unsupported",
        "expected shape (62, 32), got (61, 32)",
    ),
    "vocabulary longer than the weights": (
        _long_vocabulary,
        "unsupported",
        "has 70 entries, but the weights have 61 rows",
    ),
    "tokenizer.json of another kind": (_other_tokenizer, "unsupported", "Imagined"),
    "TensorFlow data gone": (
        _checkpoint(lambda f: next(f.glob("*.data-*")).unlink()),
        "corrupt",
        "its data is missing",
    ),
    "TensorFlow data truncated": (
        _checkpoint(lambda f: cut(next(f.glob("*.data-*")), 0.5)),
        "corrupt",
        "truncated or damaged",
    ),
    "TensorFlow index flipped": (
        _checkpoint(lambda f: flip(f / "model.ckpt.index", 9)),
        "corrupt",
        "model.ckpt.index",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_one_sentence_and_nothing_else(case, shelf, sound, folder, model):
    spoil, kind, part = BAD[case]
    spoil(folder, model)
    before = answer(shelf, sound)
    with pytest.raises(ModelError) as refusal:
        shelf.model(TEXT_GENERATOR, str(folder), timeout_seconds=120)
    error = refusal.value
    assert error.kind == kind, error
    assert part in error.en
    assert part in error.zh
    assert error.zh.endswith("。")
    assert error.en.endswith(".")
    assert "Traceback" not in str(error)
    assert not list(folder.glob("ran")), "code of the file ran"
    assert str(folder.parent) not in str(error), "a folder of the host is told"
    failed = [s for s in shelf.states() if s.failure and s.failure.zh == error.zh]
    assert {(s.status, s.info) for s in failed} == {("failed", None)}
    assert answer(shelf, sound) == before
