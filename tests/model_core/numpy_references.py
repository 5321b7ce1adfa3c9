"""Families that the reference library no longer has, written out from their papers.

Plain loops over layers in float64, in the names of the published files; nothing here is
shared with the network under test.
"""

from math import erf, pi, sqrt

import numpy as np


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def layer_norm(x, gamma, beta, eps):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + eps) * gamma + beta


def bare_rms(x, eps):
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + eps)


def gelu(x):
    return x * 0.5 * (1 + np.vectorize(erf)(x / sqrt(2)))


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))


def split(x, heads):
    length, width = x.shape
    return x.reshape(length, heads, width // heads).transpose(1, 0, 2)


def merge(x):
    return x.transpose(1, 0, 2).reshape(x.shape[1], -1)


def distance_vector(distance, size):
    """NEZHA, arXiv 1909.00204, equation 4: sines and cosines of a distance by turns."""
    vector = np.zeros(size)
    for k in range(0, size, 2):
        angle = distance / 10_000 ** (k / size)
        vector[k], vector[k + 1] = np.sin(angle), np.cos(angle)
    return vector


def rotated(x):
    """RoFormer, arXiv 2104.09864, equation 34, for (heads, length, size)."""
    out = np.empty_like(x)
    size = x.shape[-1]
    for place in range(x.shape[1]):
        for k in range(0, size, 2):
            angle = place / 10_000 ** (k / size)
            a, b = x[:, place, k], x[:, place, k + 1]
            out[:, place, k] = a * np.cos(angle) - b * np.sin(angle)
            out[:, place, k + 1] = b * np.cos(angle) + a * np.sin(angle)
    return out


def linear(weights, name, x):
    """PyTorch's layout (out, in); families without biases have none."""
    return x @ weights[f"{name}.weight"].T + weights.get(f"{name}.bias", 0.0)


def nezha(weights, ids, segments, *, heads, farthest, eps=1e-12):
    """Logits of one unpadded text, (length, vocabulary)."""
    e = "nezha.embeddings"
    x = weights[f"{e}.word_embeddings.weight"][ids]
    x = x + weights[f"{e}.token_type_embeddings.weight"][segments]
    norm = f"{e}.LayerNorm"
    x = layer_norm(x, weights[f"{norm}.weight"], weights[f"{norm}.bias"], eps)
    size = x.shape[1] // heads
    apart = np.arange(len(ids))[None] - np.arange(len(ids))[:, None]
    rows = np.clip(apart, -farthest, farthest) + farthest
    table = np.stack([distance_vector(d, size) for d in range(2 * farthest + 1)])
    related = table[rows]  # (query, key, size)
    layer = 0
    while f"nezha.encoder.layer.{layer}.output.dense.weight" in weights:
        at = f"nezha.encoder.layer.{layer}"
        q, k, v = (
            split(linear(weights, f"{at}.attention.self.{n}", x), heads)
            for n in ("query", "key", "value")
        )
        scores = q @ k.transpose(0, 2, 1) + np.einsum("hqd,qkd->hqk", q, related)
        p = softmax(scores / sqrt(size))
        mixed = merge(p @ v + np.einsum("hqk,qkd->hqd", p, related))
        x = closed(weights, f"{at}.attention.output", mixed, x, eps)
        wide = gelu(linear(weights, f"{at}.intermediate.dense", x))
        x = closed(weights, f"{at}.output", wide, x, eps)
        layer += 1
    head = "cls.predictions.transform"
    x = gelu(linear(weights, f"{head}.dense", x))
    norm = f"{head}.LayerNorm"
    x = layer_norm(x, weights[f"{norm}.weight"], weights[f"{norm}.bias"], eps)
    scores = x @ weights[f"{e}.word_embeddings.weight"].T
    return scores + weights["cls.predictions.bias"]


def closed(weights, name, inside, before, eps):
    """A branch's last projection, its residual and its norm."""
    x = linear(weights, f"{name}.dense", inside) + before
    norm = f"{name}.LayerNorm"
    return layer_norm(x, weights[f"{norm}.weight"], weights[f"{norm}.bias"], eps)


def roformer_v2(weights, ids, segments, *, heads, eps=1e-12):
    """Hidden states of one text (length, width): no biases, norms without weights."""
    e = "roformer.embeddings"
    x = weights[f"{e}.word_embeddings.weight"][ids]
    x = bare_rms(x + weights[f"{e}.token_type_embeddings.weight"][segments], eps)
    layer = 0
    while f"roformer.encoder.layer.{layer}.output.dense.weight" in weights:
        at = f"roformer.encoder.layer.{layer}"
        q, k, v = (
            split(linear(weights, f"{at}.attention.self.{n}", x), heads)
            for n in ("query", "key", "value")
        )
        scores = rotated(q) @ rotated(k).transpose(0, 2, 1)
        mixed = merge(softmax(scores / sqrt(q.shape[-1])) @ v)
        x = bare_rms(x + linear(weights, f"{at}.attention.output.dense", mixed), eps)
        wide = gelu(linear(weights, f"{at}.intermediate.dense", x))
        x = bare_rms(x + linear(weights, f"{at}.output.dense", wide), eps)
        layer += 1
    return x


def gpt2_ml(weights, ids, *, heads, eps=1e-5):
    """Logits of one text; Grover (arXiv 1905.12616), TensorFlow's names, (in, out)."""
    e = "newslm/embeddings"
    x = weights[f"{e}/word_embed"][ids] + weights[f"{e}/pos_embed"][: len(ids)]
    x = normed(weights, f"{e}/LayerNorm_embed_norm", x, eps)
    past = np.tril(np.ones((len(ids), len(ids)), bool))
    layer = 0
    while f"newslm/layer{layer:02d}/output/kernel" in weights:
        at = f"newslm/layer{layer:02d}"
        q, k, v = (
            split(projected(weights, f"{at}/{n}_layer", x), heads)
            for n in ("query", "key", "value")
        )
        scores = np.where(past, q @ k.transpose(0, 2, 1) / sqrt(q.shape[-1]), -1e10)
        mixed = merge(softmax(scores) @ v)
        x = x + projected(weights, f"{at}/context_projection_layer", mixed)
        narrow = normed(weights, f"{at}/LayerNorm_mlp_ln0", x, eps)
        wide = gelu(projected(weights, f"{at}/intermediate", narrow))
        x = x + projected(weights, f"{at}/output", wide)
        x = normed(weights, f"{at}/LayerNorm_mlp_ln1", x, eps)
        layer += 1
    return x @ weights[f"{e}/word_embed"].T


def albert_zh(weights, ids, segments, *, heads, layers, eps=1e-12):
    """Logits of one text and of its sentences' order; TensorFlow's names, (in, out).

    github.com/brightmart/albert_zh, its modeling.py and run_pretraining.py: words are
    projected first, then positions and segments join; every layer is the same, and the
    cloze head goes back the way of the projection.
    """
    e, at = "bert/embeddings", "bert/encoder/layer_shared"
    words, wide = weights[f"{e}/word_embeddings"], weights[f"{e}/word_embeddings_2"]
    x = words[ids] @ wide + weights[f"{e}/token_type_embeddings"][segments]
    x = x + weights[f"{e}/position_embeddings"][: len(ids)]
    x = normed(weights, f"{e}/LayerNorm", x, eps)
    for _ in range(layers):
        q, k, v = (
            split(projected(weights, f"{at}/attention/self/{n}", x), heads)
            for n in ("query", "key", "value")
        )
        mixed = merge(softmax(q @ k.transpose(0, 2, 1) / sqrt(q.shape[-1])) @ v)
        said = projected(weights, f"{at}/attention/output/dense", mixed)
        x = normed(weights, f"{at}/attention/output/LayerNorm", x + said, eps)
        inner = gelu_tanh(projected(weights, f"{at}/intermediate/dense", x))
        said = projected(weights, f"{at}/output/dense", inner)
        x = normed(weights, f"{at}/output/LayerNorm", x + said, eps)
    pooled = np.tanh(projected(weights, "bert/pooler/dense", x[0]))
    order = "cls/seq_relationship/output"
    follows = pooled @ weights[f"{order}_weights"].T + weights[f"{order}_bias"]
    head = "cls/predictions/transform"
    x = gelu_tanh(projected(weights, f"{head}/dense", x))
    x = normed(weights, f"{head}/LayerNorm", x, eps)
    return x @ wide.T @ words.T + weights["cls/predictions/output_bias"], follows


def projected(weights, name, x):
    return x @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]


def normed(weights, name, x, eps):
    return layer_norm(x, weights[f"{name}/gamma"], weights[f"{name}/beta"], eps)
