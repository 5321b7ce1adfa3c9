"""The map is strict both ways and moves one tensor at a time."""

import numpy as np
import pytest

from model_core.checkpoints.errors import CheckpointMismatchError
from model_core.checkpoints.weight_map import (
    Depth,
    NamedTensors,
    Renaming,
    Rule,
    Twin,
    WeightTable,
    carry_out,
    plan_weights,
    row_as_vector,
    third,
    transposed,
)

TABLE = WeightTable(
    body=(
        Rule("token", "embed.weight"),
        Rule("absent_by_config", "extra.weight"),
        Rule("block_{layer}/query", "layer.{layer}.fused", third(0)),
        Rule("block_{layer}/key", "layer.{layer}.fused", third(1)),
        Rule("block_{layer}/value", "layer.{layer}.fused", third(2)),
    ),
    heads={"head": (Rule("head/kernel", "head.weight", transposed),)},
    twins=(Twin("tied.weight", "embed.weight", head="head", reason="it is untied"),),
    ignored=(r"layer\.\d+\.mask",),
    renamings={
        "pytorch": (Renaming(r"^model\.", ""),),
        "keras_h5": (
            Renaming(r"/", "."),
            Renaming(r"^(head)\.kernel$", r"\1.weight", transposed),
            Renaming(r"^(layer\.\d\.fused)$", r"\1", row_as_vector),
        ),
    },
)
EXPECTED = {
    "token": (7, 4),
    "block_0/query": (2, 2),
    "block_0/key": (2, 2),
    "block_0/value": (2, 2),
    "block_1/query": (2, 2),
    "block_1/key": (2, 2),
    "block_1/value": (2, 2),
    "head/kernel": (4, 3),
}


def checkpoint():
    return {
        "embed.weight": np.arange(28, dtype="float32").reshape(7, 4),
        "layer.0.fused": np.arange(12, dtype="float32").reshape(2, 6),
        "layer.1.fused": np.ones((2, 6), "float32"),
        "head.weight": np.arange(12, dtype="float32").reshape(3, 4),
    }


def planned(tensors, heads=("head",), expected=None, layout="pytorch"):
    shapes = {name: array.shape for name, array in tensors.items()}
    return plan_weights(
        NamedTensors(TABLE, layout, shapes),
        heads=heads,
        depth=Depth(2),
        expected_shapes=EXPECTED if expected is None else expected,
    )


def moved(tensors, **options):
    weights = {}
    carry_out(planned(tensors, **options), tensors.__getitem__, weights.__setitem__)
    return weights


def test_every_row_lands_in_every_layer():
    weights = moved(checkpoint())
    assert {name: a.shape for name, a in weights.items()} == EXPECTED
    assert weights["block_0/query"].tolist() == [[0, 1], [6, 7]]
    assert weights["block_0/key"].tolist() == [[2, 3], [8, 9]]
    assert weights["block_0/value"].tolist() == [[4, 5], [10, 11]]
    assert weights["head/kernel"][:, 1].tolist() == [4, 5, 6, 7]


def test_each_tensor_is_read_once_and_nothing_is_copied():
    tensors, reads = checkpoint(), []

    def read(name):
        reads.append(name)
        return tensors[name]

    views = {}
    carry_out(planned(tensors), read, views.__setitem__)
    assert sorted(reads) == sorted(tensors)
    for target in EXPECTED:
        assert any(np.shares_memory(views[target], a) for a in tensors.values())


def test_a_prefix_may_be_there_or_not():
    prefixed = {f"model.{name}": array for name, array in checkpoint().items()}
    for name, array in moved(checkpoint()).items():
        np.testing.assert_array_equal(array, moved(prefixed)[name])


def test_another_layout_is_renamed_and_laid_out():
    tensors = checkpoint()
    kept = {
        "embed/weight": tensors["embed.weight"],
        "layer/0/fused": tensors["layer.0.fused"][None, 0],
        "layer/1/fused": tensors["layer.1.fused"][None, 0],
        "head/kernel": tensors["head.weight"].T,
    }
    expected = EXPECTED | {name: (2,) for name in EXPECTED if "block" in name}
    weights = moved(kept, expected=expected, layout="keras_h5")
    np.testing.assert_array_equal(weights["head/kernel"], tensors["head.weight"].T)
    assert weights["block_0/key"].tolist() == [2, 3]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("layer.1.fused"), r"lacks \['layer\.1\.fused'\]$"),
        (lambda c: c.update(x=c["head.weight"]), r"unused \['x'\]$"),
        (lambda c: c.update({"layer.2.fused": c["layer.0.fused"]}), r"\['layer\.2\.fu"),
        (
            lambda c: c.update({"extra.weight": c["head.weight"]}),
            r"unused \['extra\.weight'\]",
        ),
        (
            lambda c: c.update({"embed.weight": np.zeros((4, 7), "float32")}),
            r"token: expected shape \(7, 4\), got \(4, 7\) \(embed\.weight \(4, 7\)\)",
        ),
        (
            lambda c: c.update({"layer.0.fused": np.zeros((2, 7), "float32")}),
            r"block_0/query: expected shape \(2, 2\), got None",
        ),
        (
            lambda c: c.update({"layer.0.fused": np.zeros((), "float32")}),
            r"block_0/query: expected shape \(2, 2\), got None",
        ),
        (
            lambda c: c.update({"embed.weight": np.zeros((7, 4), "int64")}),
            "embed.weight: expected floating-point numbers, received int64",
        ),
    ],
)
def test_any_disagreement_is_named(change, message):
    tensors = checkpoint()
    change(tensors)
    with pytest.raises(CheckpointMismatchError, match=message):
        moved(tensors)


def test_all_disagreements_are_named_in_one_error():
    tensors = checkpoint()
    tensors["x"] = tensors.pop("head.weight")
    tensors["embed.weight"] = tensors["embed.weight"].T
    with pytest.raises(CheckpointMismatchError) as refusal:
        moved(tensors, expected=EXPECTED | {"new/weight": (1,)})
    text = str(refusal.value)
    for part in (
        "lacks ['head.weight']",
        "unused ['x']",
        "without a rule ['new/weight']",
        "token: expected shape (7, 4)",
    ):
        assert part in text


def test_a_long_list_of_names_is_cut():
    tensors = {f"x{n}": np.zeros(1, "float32") for n in range(50)} | checkpoint()
    with pytest.raises(CheckpointMismatchError, match="and 38 more"):
        moved(tensors)


def test_nothing_is_assigned_where_something_is_wrong():
    tensors = checkpoint()
    tensors["x"] = np.zeros(1, "float32")
    assigned = {}
    with pytest.raises(CheckpointMismatchError):
        carry_out(planned(tensors), tensors.__getitem__, assigned.__setitem__)
    assert not assigned


def test_buffers_are_ignored_and_told():
    plan = planned(checkpoint() | {"layer.0.mask": np.ones(1, "uint8")})
    assert not plan.differences
    assert plan.ignored == ("layer.0.mask",)


def test_a_head_that_is_not_built_is_skipped_and_told():
    expected = {name: s for name, s in EXPECTED.items() if not name.startswith("head")}
    tensors = checkpoint()
    tensors["tied.weight"] = tensors["embed.weight"] + 1  # of no interest then
    plan = planned(tensors, heads=(), expected=expected)
    assert not plan.differences
    assert plan.skipped == ("head.weight", "tied.weight")


def test_a_twin_must_be_equal():
    tensors = checkpoint()
    tensors["tied.weight"] = tensors["embed.weight"].copy()
    assert moved(tensors).keys() == EXPECTED.keys()
    tensors["tied.weight"][3, 2] += 1
    with pytest.raises(
        CheckpointMismatchError,
        match=r"tied\.weight differs from embed\.weight: it is untied",
    ):
        moved(tensors)


def test_a_twin_without_the_first_takes_its_place():
    tensors = checkpoint()
    tensors["tied.weight"] = tensors.pop("embed.weight")
    np.testing.assert_array_equal(moved(tensors)["token"], tensors["tied.weight"])


def test_two_names_of_one_tensor_are_refused():
    tensors = checkpoint()
    tensors["model.embed.weight"] = tensors["embed.weight"]
    message = r"embed\.weight and model\.embed\.weight both mean embed\.weight"
    with pytest.raises(CheckpointMismatchError, match=message):
        moved(tensors)


def test_a_layout_without_rows_is_refused():
    message = r"layouts \['keras_h5', 'pytorch'\], received tensorflow"
    with pytest.raises(CheckpointMismatchError, match=message):
        moved(checkpoint(), layout="tensorflow")


STACKED = WeightTable(
    body=(Rule("block_{layer}/bias", "layer.{layer}.bias"),),
    heads={},
    renamings={"tensorflow": (Renaming(r"^biases$", "layer.{layer}.bias"),)},
)


def stacked(rows, layers=2):
    array = np.arange(rows * 3, dtype="float32").reshape(rows, 3)
    named = NamedTensors(STACKED, "tensorflow", {"biases": array.shape})
    expected = {f"block_{n}/bias": (3,) for n in range(layers)}
    plan = plan_weights(named, heads=(), depth=Depth(layers), expected_shapes=expected)
    return array, plan


def test_one_tensor_may_hold_a_part_of_every_block():
    array, plan = stacked(2)
    weights, read = {}, []

    def take(name):
        read.append(name)
        return array

    carry_out(plan, take, weights.__setitem__)
    assert read == ["biases"]
    for layer in range(2):
        np.testing.assert_array_equal(weights[f"block_{layer}/bias"], array[layer])


def test_a_stack_of_too_many_or_too_few_is_named():
    assert stacked(3)[1].differences.unused == ("biases",)
    assert stacked(1)[1].differences.missing == ("layer.1.bias",)
