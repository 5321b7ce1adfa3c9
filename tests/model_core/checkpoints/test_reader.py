"""A folder is one checkpoint: preferred formats, shards, names that lead out."""

import json

import numpy as np
import pytest

from model_core.checkpoints.errors import CheckpointFormatError
from model_core.checkpoints.reader import FORMATS, formats_in, open_checkpoint
from tests.model_core.checkpoints.checkpoint_files import (
    tensor_pickle,
    write_tensors,
    write_zip,
)

ONE, TWO = np.full(2, 1, "float32"), np.full(3, 2, "float32")


def shards(folder, weight_map=None):
    write_tensors(folder / "model-1.safetensors", {"one": ONE})
    write_tensors(folder / "model-2.safetensors", {"two": TWO})
    index = {
        "weight_map": weight_map
        or {"one": "model-1.safetensors", "two": "model-2.safetensors"}
    }
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


def test_shards_are_one_checkpoint(tmp_path):
    with open_checkpoint(shards(tmp_path)) as reader:
        assert reader.layout == "pytorch"
        assert set(reader.keys()) == {"one", "two"}
        assert reader.file_names == ("model-1.safetensors", "model-2.safetensors")
        assert reader.read("two").tolist() == TWO.tolist()
        assert reader.shape("one") == (2,)


def test_shards_of_pytorch_are_one_checkpoint(tmp_path):
    data = np.arange(6, dtype="f4").tobytes()
    for number in (1, 2):
        content = tensor_pickle(name=f"w{number}")
        write_zip(tmp_path / f"pytorch_model-{number}.bin", content, {"0": data})
    index = {"weight_map": {f"w{n}": f"pytorch_model-{n}.bin" for n in (1, 2)}}
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    assert set(open_checkpoint(tmp_path).keys()) == {"w1", "w2"}


def test_safetensors_are_preferred_and_all_formats_are_told(tmp_path):
    write_zip(tmp_path / "pytorch_model.bin", tensor_pickle(), {"0": bytes(24)})
    write_tensors(tmp_path / "model.safetensors", {"one": ONE})
    assert open_checkpoint(tmp_path).file_names == ("model.safetensors",)
    assert formats_in(tmp_path) == ("safetensors", "PyTorch bin")


def test_a_folder_without_weights_says_what_it_has_and_what_is_accepted(tmp_path):
    (tmp_path / "flax_model.msgpack").write_bytes(b"")
    with pytest.raises(CheckpointFormatError, match=r"flax_model\.msgpack") as refusal:
        open_checkpoint(tmp_path)
    for row in FORMATS:
        assert row.pattern in str(refusal.value)


def test_no_folder_is_refused(tmp_path):
    with pytest.raises(CheckpointFormatError, match="no weights found"):
        open_checkpoint(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "shard",
    [
        "../model-1.safetensors",
        "/etc/passwd",
        "a/../../x",
        "sub/model-1.safetensors",
        "..\\x",
        "c:x",
        ".hidden",
        "..",
        "",
        "new\nline",
        "nul\0",
        7,
        None,
    ],
)
def test_an_index_cannot_lead_out_of_its_folder(shard, tmp_path):
    with pytest.raises(CheckpointFormatError, match="refused the shard"):
        open_checkpoint(shards(tmp_path, {"one": shard}))


def test_a_shard_that_is_a_link_out_of_the_folder_is_refused(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    shards(folder)
    (folder / "model-2.safetensors").rename(tmp_path / "elsewhere.safetensors")
    (folder / "model-2.safetensors").symlink_to(tmp_path / "elsewhere.safetensors")
    with pytest.raises(CheckpointFormatError, match="a link that leads out"):
        open_checkpoint(folder)


def test_the_links_of_the_hubs_cache_are_followed(tmp_path):
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "a"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    for number, path in enumerate(sorted(shards(tmp_path).glob("model*"))):
        path.rename(blobs / str(number))
        (snapshot / path.name).symlink_to(f"../../blobs/{number}")
    with open_checkpoint(snapshot) as reader:
        assert set(reader.keys()) == {"one", "two"}


@pytest.mark.parametrize(
    ("weight_map", "message"),
    [
        ({"one": "model-3.safetensors"}, "the shard model-3.safetensors is missing"),
        (
            {"one": "model-1.safetensors", "three": "model-1.safetensors"},
            r"no shard holds: \['three'\]",
        ),
        ([1], "expected a weight_map"),
        ("x", "expected a weight_map"),
    ],
)
def test_broken_indices_are_refused(weight_map, message, tmp_path):
    with pytest.raises(CheckpointFormatError, match=message):
        open_checkpoint(shards(tmp_path, weight_map))


def test_a_tensor_in_two_shards_is_refused(tmp_path):
    shards(tmp_path)
    write_tensors(tmp_path / "model-2.safetensors", {"one": ONE, "two": TWO})
    with pytest.raises(CheckpointFormatError, match=r"one stands in model-1.*model-2"):
        open_checkpoint(tmp_path)


@pytest.mark.parametrize("content", [b"", b"[", b"[]", b"\xff", b"[" * 99_999])
def test_an_index_that_is_no_json_object_is_refused(content, tmp_path):
    (tmp_path / "model.safetensors.index.json").write_bytes(content)
    with pytest.raises(CheckpointFormatError, match=r"index\.json: "):
        open_checkpoint(tmp_path)


def test_an_index_larger_than_accepted_is_not_read(tmp_path):
    with (tmp_path / "model.safetensors.index.json").open("wb") as file:
        file.truncate(5 * 2**20)
    with pytest.raises(CheckpointFormatError, match="larger than the accepted"):
        open_checkpoint(tmp_path)
