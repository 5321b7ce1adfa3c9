"""Scores words in blanks, and learns from examples on a copy of the weights.

Changes when filling blanks takes another step. Knows no label and no pattern.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from model_core.checkpoints.export import export_weights
from model_core.engines.automatic import exact_engine
from model_core.engines.base import TokenBatch
from model_core.interfaces import (
    Blanked,
    LearningFrame,
    LearningOptions,
    ModelError,
    WeightsInfo,
)
from model_core.models.network import Network, arrays_by_name
from model_core.roles.blanks import Blank, BlankLayout
from model_core.roles.loaded import LoadedModel
from model_core.roles.parts import FILE_NAME, Parts
from model_core.tokenizers.load import read_declared
from model_core.tokenizers.reduction import copy_vocabulary
from model_core.training.apart import learn_on_copy
from model_core.training.cloze_learner import ClozeExample, ClozeLearning
from model_core.training.objectives.cloze import vocabulary_head

TOGETHER = 16


class NetworkMaskFiller:
    """A ``MaskFiller`` over a network with a vocabulary head that reads both ways.

    Args:
        model: The network, its tokenizer and what it was trained for.
        is_taught: Whether these weights have learned from examples.
    """

    def __init__(self, model: LoadedModel, *, is_taught: bool = False) -> None:
        self._model = model
        self.is_taught = is_taught
        self._layout = BlankLayout(model.tokenizer, model.parts.blank_style)
        self._head = vocabulary_head(model.engine.network)

    @property
    def weights(self) -> WeightsInfo:
        """Which weights answer."""
        return self._model.info

    def log_probs(
        self, sentences: Sequence[Blanked], words: Sequence[str]
    ) -> npt.NDArray[np.float64]:
        """See ``MaskFiller.log_probs``."""
        spelled = [self._spelled(word) for word in words]
        scores = np.zeros((len(sentences), len(words)))
        for length in sorted({len(ids) for ids in spelled}):
            chosen = [n for n, ids in enumerate(spelled) if len(ids) == length]
            targets = np.asarray([spelled[n] for n in chosen])
            blanks = [self._blank(sentence, length) for sentence in sentences]
            for row, log_p in self._at_blanks(blanks):
                picked = log_p[np.arange(length)[None, :], targets]
                scores[row, chosen] = picked.mean(axis=1)
        return scores

    def learn(
        self,
        sentences: Sequence[Blanked],
        words: Sequence[str],
        answers: Sequence[int],
        options: LearningOptions,
    ) -> Iterator[LearningFrame]:
        """See ``MaskFiller.learn``."""
        started = time.monotonic()
        spelled = [self._spelled(word) for word in words]
        examples = [
            self._example(sentence, spelled[answer])
            for sentence, answer in zip(sentences, answers, strict=True)
        ]
        mask_id = self._model.tokenizer.mask_id
        how = ClozeLearning(
            options.learning_rate,
            min(options.batch_size, len(examples)),
            options.max_steps,
            options.mask_rate,
            0 if mask_id is None else mask_id,
            options.seed,
        )
        network = self._model.engine.network
        with closing(
            learn_on_copy(network, examples, how, options.max_seconds)
        ) as looks:
            for look in looks:
                yield LearningFrame(
                    len(look.losses),
                    how.num_steps,
                    look.losses,
                    time.monotonic() - started,
                    None if look.network is None else self._taught(look.network),
                )

    def save(self, folder: str) -> None:
        """See ``MaskFiller.save``."""
        path = Path(folder)
        network = self._model.engine.network
        weights = arrays_by_name(network)
        heads = tuple(network.heads)
        kind = read_declared(self._model.folder).class_of_pieces
        facts = {"tokenizer_class": kind} if kind else {}
        export_weights(weights, self._model.config, path, heads=heads, facts=facts)
        copy_vocabulary(self._model.folder, path)
        parts = Parts(("words",), blank_style=self._model.parts.blank_style)
        parts.save(path / FILE_NAME)

    def _taught(self, network: Network) -> "NetworkMaskFiller":
        """Return who fills blanks with a learned copy."""
        model = replace(self._model, engine=exact_engine(network))
        return NetworkMaskFiller(model, is_taught=True)

    def _spelled(self, word: str) -> tuple[int, ...]:
        tokenizer = self._model.tokenizer
        ids = tokenizer.encode(word).token_ids
        if not ids or tokenizer.unk_id in ids:
            raise ModelError(
                "unsupported",
                f"权重 {self.weights.name} 的词表拼不出“{word}”，请换一个词。",
                f"The vocabulary of {self.weights.name} cannot spell “{word}”: choose "
                "another word.",
            )
        return ids

    def _blank(self, sentence: Blanked, num_masks: int) -> Blank:
        room = self._model.config.max_position_embeddings
        return self._layout.blank(sentence, num_masks, room)

    def _example(self, sentence: Blanked, word: tuple[int, ...]) -> ClozeExample:
        blank = self._blank(sentence, len(word))
        special = [*self._model.tokenizer.special_ids]
        plain = np.flatnonzero(~np.isin(blank.token_ids, special))
        return ClozeExample(
            blank.token_ids,
            blank.places,
            np.asarray(word, "int32"),
            plain.astype("int32"),
        )

    def _at_blanks(
        self, blanks: Sequence[Blank]
    ) -> Iterator[tuple[int, npt.NDArray[np.float64]]]:
        """Yield each sentence's index and log-probabilities (num_masks, vocabulary)."""
        order = np.argsort([len(blank.token_ids) for blank in blanks], kind="stable")
        for start in range(0, len(order), TOGETHER):
            group = [int(index) for index in order[start : start + TOGETHER]]
            batch = TokenBatch.from_rows([blanks[index].token_ids for index in group])
            places = np.stack([blanks[index].places for index in group])
            outputs = self._model.engine.read(
                batch, "bidirectional", (self._head,), places
            )
            for index, logits in zip(group, outputs["logits"], strict=True):
                yield index, _log_softmax(logits)


def _log_softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    shifted = logits.astype("float64") - logits.max(axis=-1, keepdims=True)
    total = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return np.asarray(shifted - total)
