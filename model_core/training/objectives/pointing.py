"""Triples by both decoders at once: one reading, two heads.

Changes when pointing is learned differently.
"""

from typing import Any

import keras
from keras import ops

from model_core.models.heads import HiddenStates
from model_core.training.objectives.base import Objective

NEVER = -1e7
SMALLEST = 1e-7
# a mean over tokens beside a sum over pairs: so that both heads move the body
HALF_POINTER_WEIGHT = 10.0


class PointingObjective(Objective):
    """Half pointer (kexue.fm/archives/7161) and GPLinker (8888).

    Inputs, of padded texts:
        token_ids, mark_ids: int (batch, length); padding_mask: bool (batch, length).
        subject_labels: (batch, length, 2), 1 at first and last tokens of subjects.
        starts, ends: int (batch,), one subject each, drawn at random.
        object_labels: (batch, length, relations, 2) of that subject.
        entity_pairs, head_pairs, tail_pairs: int (batch, num_pairs, 3), (kind, first,
            second) of what holds, rows of -1 fill up.
    """

    def learn(self, inputs: dict[str, Any], noise: Any, *, training: bool) -> Any:
        """Return losses (2 x batch,): half pointer's, then GPLinker's."""
        outputs, states = self._read(inputs, noise, training=training)
        halves = self._half_pointer(inputs, outputs)
        linked = self._gplinker(inputs, states)
        return ops.concatenate([HALF_POINTER_WEIGHT * halves, linked], axis=0)

    def _read(self, inputs: dict[str, Any], noise: Any, *, training: bool) -> Any:
        mask = ops.cast(inputs["padding_mask"], "bool")[:, None, :]
        hidden, residual, _ = self.network.body(
            inputs["token_ids"],
            mask,
            segment_ids=ops.zeros_like(inputs["token_ids"]),
            mark_ids=inputs["mark_ids"],
            noise=noise,
            training=training,
        )
        states = HiddenStates(hidden, residual)
        head = self.network.heads["half_pointer"]
        outputs = head(states, self.network.embeddings)
        outputs |= head.apply(residual, inputs["starts"], inputs["ends"])
        return outputs, states

    def _half_pointer(self, inputs: dict[str, Any], outputs: dict[str, Any]) -> Any:
        real = ops.cast(inputs["padding_mask"], "float32")
        subjects = powered_cross_entropy(
            inputs["subject_labels"], outputs["subject_logits"], power=2
        )
        objects = powered_cross_entropy(
            inputs["object_labels"], outputs["object_logits"], power=4
        )
        per_token = ops.sum(subjects, axis=-1) + ops.sum(objects, axis=(-2, -1))
        return ops.sum(per_token * real, axis=1) / ops.sum(real, axis=1)

    def _gplinker(self, inputs: dict[str, Any], states: HiddenStates) -> Any:
        real = ops.cast(inputs["padding_mask"], "float32")
        pairs = real[:, :, None] * real[:, None, :]
        head = self.network.heads["gplinker"]
        length = ops.shape(real)[1]
        upward = ops.cast(
            ops.arange(length)[:, None] <= ops.arange(length)[None, :], "float32"
        )
        total = 0.0
        for name, pointer in head.pointers.items():
            allowed = pairs * upward if name == "entity" else pairs
            scores = pair_scores(*pointer(states.hidden))
            scores = scores + (1.0 - allowed[:, None]) * NEVER
            key = {"entity": "entity", "heads": "head", "tails": "tail"}[name]
            total = total + pair_loss(scores, inputs[f"{key}_pairs"])
        return total / len(head.pointers)


def pair_scores(shared: Any, alone: Any) -> Any:
    """Return scores (batch, kinds, length, length) of a ``GlobalPointer``'s parts."""
    first = ops.transpose(alone[:, :, 0], (0, 2, 1))[..., :, None]
    second = ops.transpose(alone[:, :, 1], (0, 2, 1))[..., None, :]
    return shared[:, None] + first + second


def powered_cross_entropy(labels: Any, logits: Any, *, power: int) -> Any:
    """Return the binary cross-entropy of ``sigmoid(logits) ** power``.

    The power makes the many zeros start near zero (kexue.fm/archives/7161).
    """
    labels = ops.cast(labels, "float32")
    log_p = power * keras.ops.log_sigmoid(logits)
    log_not_p = ops.log(ops.maximum(1.0 - ops.exp(log_p), SMALLEST))
    return -(labels * log_p + (1.0 - labels) * log_not_p)


def pair_loss(scores: Any, pairs: Any) -> Any:
    """Return the multi-label cross-entropy with threshold 0, summed over kinds.

    ``log(1 + sum exp(-s_true)) + log(1 + sum exp(s_false))`` for every kind
    (kexue.fm/archives/7359), the true pairs given as indices.

    Args:
        scores: float32 (batch, kinds, length, length).
        pairs: int (batch, num_pairs, 3): kind, first, second; -1 fills up.

    Returns:
        float32 (batch,).
    """
    batch, kinds, length, _ = ops.shape(scores)
    flat = ops.reshape(scores, (batch, kinds * length * length))
    kind, first, second = (pairs[..., axis] for axis in range(3))
    told = ops.greater_equal(kind, 0)
    index = ops.maximum((kind * length + first) * length + second, 0)
    true = ops.take_along_axis(flat, index, axis=1)
    of_kind = ops.logical_and(
        ops.equal(kind[:, None, :], ops.arange(kinds)[None, :, None]), told[:, None, :]
    )
    wide = ops.where(of_kind, true[:, None, :], NEVER)
    missed = ops.where(of_kind, -true[:, None, :], NEVER)
    zero = ops.zeros((batch, kinds, 1))
    of_true = ops.logsumexp(ops.concatenate([missed, zero], axis=-1), axis=-1)
    rows = ops.reshape(scores, (batch, kinds, length * length))
    every = ops.logaddexp(ops.logsumexp(rows, axis=-1), 0.0)
    share = ops.exp(ops.logsumexp(wide, axis=-1) - every)
    of_false = every + ops.log(ops.maximum(1.0 - share, SMALLEST))
    return ops.sum(of_true + of_false, axis=1)
