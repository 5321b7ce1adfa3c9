"""Tells the classes apart that a published checkpoint was fine-tuned for.

Changes when classifying takes another step.
"""

from collections.abc import Sequence

import numpy as np

from model_core.interfaces import Judged, TextPair, WeightsInfo
from model_core.roles.class_labels import load_labels
from model_core.roles.loaded import LoadedModel
from model_core.roles.pair_layout import PairLayout
from model_core.roles.sentence_batches import in_batches

HEAD = "classifier"


class NetworkTextClassifier:
    """A ``TextClassifier`` over a network with a classifier head.

    Args:
        model: The network and its tokenizer.

    Raises:
        ModelError: ``unsupported`` where its outputs are no classes of which one holds.
    """

    def __init__(self, model: LoadedModel) -> None:
        self._model = model
        self._labels = load_labels(
            model.folder, model.config.num_labels, model.info.name
        )
        self._layout = PairLayout(model.tokenizer, model.config)

    @property
    def weights(self) -> WeightsInfo:
        """Which weights answer."""
        return self._model.info

    @property
    def labels(self) -> tuple[str, ...]:
        """See ``TextClassifier.labels``."""
        return self._labels

    def classify(self, pairs: Sequence[TextPair]) -> tuple[Judged, ...]:
        """See ``TextClassifier.classify``."""
        rows = [self._layout.lay_out(pair) for pair in pairs]
        probabilities = np.zeros((len(rows), len(self._labels)))
        for group, batch in in_batches(rows, self._model.tokenizer.pad_id):
            outputs = self._model.engine.read(batch, "bidirectional", (HEAD,))
            logits = outputs["class_logits"].astype("float64")
            odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
            probabilities[group] = odds / odds.sum(axis=-1, keepdims=True)
        return tuple(
            Judged(tuple(shares), row.num_chars_read, row.num_chars_read_b)
            for shares, row in zip(probabilities.tolist(), rows, strict=True)
        )
