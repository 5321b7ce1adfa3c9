"""Families without a reference library agree with their papers, written in numpy."""

import json

import numpy as np
import pytest
from keras import ops
from safetensors.numpy import save_file

from model_core.checkpoints.load import load_network
from tests.model_core import numpy_references as papers

VOCAB, WIDTH, LAYERS, HEADS, INNER, POSITIONS = 37, 16, 2, 4, 24, 20
BERT_JSON = {
    "vocab_size": VOCAB,
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "intermediate_size": INNER,
    "max_position_embeddings": POSITIONS,
    "type_vocab_size": 2,
}
IDS = np.random.default_rng(3).integers(0, VOCAB, 13)
SEGMENTS = (np.arange(13) >= 6).astype("int64")


def drawn(shapes):
    rng = np.random.default_rng(8)
    return {
        name: rng.normal(scale=0.4, size=shape).astype("float32")
        + (1.0 if name.endswith(("LayerNorm.weight", "/gamma")) else 0.0)
        for name, shape in shapes.items()
    }


def bert_shapes(prefix, *, biases=True, norms=True):
    def dense(name, outputs, inputs):
        kernel = {f"{name}.weight": (outputs, inputs)}
        return kernel | ({f"{name}.bias": (outputs,)} if biases else {})

    def norm(name):
        parts = ("weight", "bias") if norms else ()
        return {f"{name}.{part}": (WIDTH,) for part in parts}

    shapes = {
        f"{prefix}.embeddings.word_embeddings.weight": (VOCAB, WIDTH),
        f"{prefix}.embeddings.token_type_embeddings.weight": (2, WIDTH),
        **norm(f"{prefix}.embeddings.LayerNorm"),
    }
    for layer in range(LAYERS):
        at = f"{prefix}.encoder.layer.{layer}"
        for name in ("query", "key", "value"):
            shapes |= dense(f"{at}.attention.self.{name}", WIDTH, WIDTH)
        shapes |= dense(f"{at}.attention.output.dense", WIDTH, WIDTH)
        shapes |= norm(f"{at}.attention.output.LayerNorm")
        shapes |= dense(f"{at}.intermediate.dense", INNER, WIDTH)
        shapes |= dense(f"{at}.output.dense", WIDTH, INNER)
        shapes |= norm(f"{at}.output.LayerNorm")
    return shapes


def mlm_shapes():
    head = "cls.predictions.transform"
    return {
        f"{head}.dense.weight": (WIDTH, WIDTH),
        f"{head}.dense.bias": (WIDTH,),
        f"{head}.LayerNorm.weight": (WIDTH,),
        f"{head}.LayerNorm.bias": (WIDTH,),
        "cls.predictions.bias": (VOCAB,),
    }


def gpt2_ml_shapes():
    def dense(name, inputs, outputs):
        return {f"{name}/kernel": (inputs, outputs), f"{name}/bias": (outputs,)}

    def norm(name):
        return {f"{name}/gamma": (WIDTH,), f"{name}/beta": (WIDTH,)}

    e = "newslm/embeddings"
    shapes = {
        f"{e}/word_embed": (VOCAB, WIDTH),
        f"{e}/pos_embed": (POSITIONS, WIDTH),
        **norm(f"{e}/LayerNorm_embed_norm"),
    }
    for layer in range(LAYERS):
        at = f"newslm/layer{layer:02d}"
        for name in ("query_layer", "key_layer", "value_layer"):
            shapes |= dense(f"{at}/{name}", WIDTH, WIDTH)
        shapes |= dense(f"{at}/context_projection_layer", WIDTH, WIDTH)
        shapes |= norm(f"{at}/LayerNorm_mlp_ln0") | norm(f"{at}/LayerNorm_mlp_ln1")
        shapes |= dense(f"{at}/intermediate", WIDTH, INNER)
        shapes |= dense(f"{at}/output", INNER, WIDTH)
    return shapes


def write(folder, weights, **config):
    (folder / "config.json").write_text(json.dumps(BERT_JSON | config))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return load_network(folder)


def received(loaded, output, attention, segments=SEGMENTS):
    """Read the text in a batch, padded behind: padding must not be seen."""
    rows = np.full((1, len(IDS) + 4), 5, "int32")
    rows[0, : len(IDS)] = IDS
    marked = np.zeros_like(rows)
    marked[0, : len(IDS)] = 0 if segments is None else segments
    outputs = loaded.network(
        ops.convert_to_tensor(rows),
        ops.convert_to_tensor(marked) if segments is not None else None,
        ops.convert_to_tensor(np.arange(rows.shape[1])[None] < len(IDS)),
        attention=attention,
    )
    return ops.convert_to_numpy(outputs[output])[0, : len(IDS)]


@pytest.mark.parametrize("farthest", [3, 64])
def test_nezha(farthest, tmp_path):
    weights = drawn(bert_shapes("nezha") | mlm_shapes())
    loaded = write(
        tmp_path, weights, model_type="nezha", max_relative_position=farthest,
        embedding_size=8,
    )  # fmt: skip
    expected = papers.nezha(weights, IDS, SEGMENTS, heads=HEADS, farthest=farthest)
    np.testing.assert_allclose(
        received(loaded, "logits", "bidirectional"), expected, atol=1e-4
    )


def test_roformer_v2(tmp_path):
    weights = drawn(bert_shapes("roformer", biases=False, norms=False))
    loaded = write(
        tmp_path, weights, model_type="roformer", use_bias=False, norm_type="rms_norm"
    )
    expected = papers.roformer_v2(weights, IDS, SEGMENTS, heads=HEADS)
    np.testing.assert_allclose(
        received(loaded, "hidden", "bidirectional"), expected, atol=1e-4
    )
    words = weights["roformer.embeddings.word_embeddings.weight"]
    np.testing.assert_allclose(
        received(loaded, "logits", "bidirectional"), expected @ words.T, atol=1e-4
    )


def test_gpt2_ml_from_its_tensorflow_checkpoint(tmp_path):
    tf = pytest.importorskip("tensorflow")
    weights = drawn(gpt2_ml_shapes())
    (tmp_path / "config.json").write_text(
        json.dumps(BERT_JSON | {"model_type": "gpt2_ml"})
    )
    names = sorted(weights)
    tf.raw_ops.SaveV2(
        prefix=str(tmp_path / "model.ckpt-100000"),
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=[tf.constant(weights[name]) for name in names],
    )
    loaded = load_network(tmp_path)
    expected = papers.gpt2_ml(weights, IDS, heads=HEADS)
    np.testing.assert_allclose(
        received(loaded, "logits", "causal", None), expected, atol=1e-4
    )


def test_the_papers_on_fixed_numbers():
    """The references themselves, where the numbers are known."""
    assert papers.distance_vector(0, 4).tolist() == [0, 1, 0, 1]
    np.testing.assert_allclose(
        papers.distance_vector(1, 4),
        [np.sin(1), np.cos(1), np.sin(0.01), np.cos(0.01)],
    )
    turned = papers.rotated(np.array([[[1.0, 0.0], [1.0, 0.0]]]))
    np.testing.assert_allclose(turned[0, 1], [np.cos(1), np.sin(1)])
    np.testing.assert_allclose(
        papers.bare_rms(np.array([3.0, 4.0]), 0) ** 2 / 2, [0.36, 0.64]
    )
    assert papers.gelu(np.array([1.0]))[0] == pytest.approx(0.8413447)
    assert papers.gelu_tanh(np.array([1.0]))[0] == pytest.approx(0.8411920)
