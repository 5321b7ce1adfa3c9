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
# as published: no model_type, no segments
GPT2_ML_JSON = {n: v for n, v in BERT_JSON.items() if n != "type_vocab_size"}
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


NARROW = 6
ALBERT_ZH_JSON = BERT_JSON | {"embedding_size": NARROW, "hidden_act": "gelu"}


def albert_zh_shapes():
    """Variables of albert_zh as first published, by their own names."""

    def dense(name, inputs, outputs):
        return {f"{name}/kernel": (inputs, outputs), f"{name}/bias": (outputs,)}

    def norm(name):
        return {f"{name}/gamma": (WIDTH,), f"{name}/beta": (WIDTH,)}

    e, at, head = "bert/embeddings", "bert/encoder/layer_shared", "cls/predictions"
    shapes = {
        f"{e}/word_embeddings": (VOCAB, NARROW),
        f"{e}/word_embeddings_2": (NARROW, WIDTH),
        f"{e}/token_type_embeddings": (2, WIDTH),
        f"{e}/position_embeddings": (POSITIONS, WIDTH),
        **norm(f"{e}/LayerNorm"),
        **dense(f"{at}/attention/output/dense", WIDTH, WIDTH),
        **norm(f"{at}/attention/output/LayerNorm"),
        **dense(f"{at}/intermediate/dense", WIDTH, INNER),
        **dense(f"{at}/output/dense", INNER, WIDTH),
        **norm(f"{at}/output/LayerNorm"),
        **dense("bert/pooler/dense", WIDTH, WIDTH),
        **dense(f"{head}/transform/dense", WIDTH, WIDTH),
        **norm(f"{head}/transform/LayerNorm"),
        f"{head}/output_bias": (VOCAB,),
        "cls/seq_relationship/output_weights": (2, WIDTH),
        "cls/seq_relationship/output_bias": (2,),
    }
    for name in ("query", "key", "value"):
        shapes |= dense(f"{at}/attention/self/{name}", WIDTH, WIDTH)
    return shapes


def in_pytorch(name, array):
    """A variable of albert_zh as a PyTorch program would call it."""
    stem, _, last = name.replace("/", ".").rpartition(".")
    if last in ("output_weights", "output_bias"):
        return (
            f"{stem}.{last.removeprefix('output_').replace('weights', 'weight')}",
            array,
        )
    if "word_embeddings_2" in last or last == "kernel":
        path = stem if last == "kernel" else f"{stem}.{last}"
        return f"{path}.weight", np.ascontiguousarray(array.T)
    if last.endswith("_embeddings"):
        return f"{stem}.{last}.weight", array
    return f"{stem}.{ {'gamma': 'weight', 'beta': 'bias'}.get(last, last) }", array


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


@pytest.fixture(name="gpt2_ml", scope="module")
def fixture_gpt2_ml():
    weights = drawn(gpt2_ml_shapes())
    return weights, papers.gpt2_ml(weights, IDS, heads=HEADS)


def test_gpt2_ml_from_its_tensorflow_checkpoint(gpt2_ml, tmp_path):
    tf = pytest.importorskip("tensorflow")
    weights, expected = gpt2_ml
    (tmp_path / "config.json").write_text(json.dumps(GPT2_ML_JSON))
    names = sorted(weights)
    tf.raw_ops.SaveV2(
        prefix=str(tmp_path / "model.ckpt-100000"),
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=[tf.constant(weights[name]) for name in names],
    )
    loaded = load_network(tmp_path)
    assert loaded.family.name == "gpt2_ml"
    np.testing.assert_allclose(
        received(loaded, "logits", "causal", None), expected, atol=1e-4
    )


BERT4TORCH = {
    "newslm/embeddings/word_embed": "embeddings.word_embeddings.weight",
    "newslm/embeddings/pos_embed": "embeddings.position_embeddings.weight",
    "LayerNorm_embed_norm": "LayerNorm",
    "LayerNorm_mlp_ln0": "attention.output.LayerNorm",
    "LayerNorm_mlp_ln1": "output.LayerNorm",
    "context_projection_layer": "attention.output.dense",
    "query_layer": "attention.self.query",
    "key_layer": "attention.self.key",
    "value_layer": "attention.self.value",
    "intermediate": "intermediate.dense",
    "output": "output.dense",
}


def in_bert4torch(name, array):
    """A tensor of GPT2_ML as Tongjilibo's files call it."""
    if name in BERT4TORCH:
        return f"gpt2_ml.{BERT4TORCH[name]}", array
    place, part, kind = name.removeprefix("newslm/").split("/")
    if place.startswith("layer"):
        place = f"encoder.layer.{int(place.removeprefix('layer'))}"
    ending = {"kernel": "weight", "gamma": "weight"}.get(kind, "bias")
    array = np.ascontiguousarray(array.T) if kind == "kernel" else array
    return f"gpt2_ml.{place}.{BERT4TORCH[part]}.{ending}", array


def test_gpt2_ml_from_a_file_in_bert_s_names(gpt2_ml, tmp_path):
    weights, expected = gpt2_ml
    named = dict(in_bert4torch(*item) for item in weights.items())
    (tmp_path / "config.json").write_text(json.dumps(GPT2_ML_JSON))
    save_file(named, tmp_path / "model.safetensors", metadata={"format": "pt"})
    loaded = load_network(tmp_path)
    assert loaded.family.name == "gpt2_ml"
    np.testing.assert_allclose(
        received(loaded, "logits", "causal", None), expected, atol=1e-4
    )


def test_nezha_in_bert_s_names_without_a_model_type(tmp_path):
    """Tongjilibo's dialogue model: bert. before every name, no model_type."""
    weights = drawn(bert_shapes("nezha") | mlm_shapes())
    named = {name.replace("nezha.", "bert."): array for name, array in weights.items()}
    named["cls.predictions.decoder.weight"] = weights[
        "nezha.embeddings.word_embeddings.weight"
    ]
    loaded = write(tmp_path, named, max_relative_position=64)
    assert loaded.family.name == "nezha"
    expected = papers.nezha(weights, IDS, SEGMENTS, heads=HEADS, farthest=64)
    np.testing.assert_allclose(
        received(loaded, "logits", "bidirectional"), expected, atol=1e-4
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
