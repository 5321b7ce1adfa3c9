"""Heads that judge a whole text, or every token alone, with a layer of their own.

Change when another judgement is published with weights of its own.
"""

from typing import Any

from keras import ops

from model_core.layers.feed_forward import ACTIVATIONS
from model_core.models.heads.base import Head, HiddenStates, TokenTable


class ClassifierHead(Head):
    """Scores of every class: a token's state, dense, activation, classes.

    Which token and which activation, the config says: BERT pools its first with tanh,
    ELECTRA with gelu, DistilBERT with relu, XLNet its last with tanh.
    """

    output_name = "class_logits"

    @property
    def num_outputs(self) -> int:
        """Number of classes."""
        return self.config.num_labels

    def build(self, input_shape: Any = None) -> None:
        """Create both projections."""
        del input_shape
        width = (None, self.config.hidden_size)
        self.pooling = self.dense(self.config.hidden_size, "dense")
        self.scores = self.dense(self.num_outputs, "output")
        self.pooling.build(width)
        self.scores.build(width)
        self.built = True

    def call(self, states: HiddenStates, embeddings: TokenTable) -> dict[str, Any]:
        """Return ``class_logits`` float32 (batch, num_labels)."""
        del embeddings
        activation = ACTIVATIONS[self.config.pooling_act]
        pooled = activation(self.pooling(self._of_sentence(states)))
        return {self.output_name: ops.cast(self.scores(pooled), "float32")}

    def _of_sentence(self, states: HiddenStates) -> Any:
        """Return the state (batch, width) that stands for the whole text."""
        if self.config.pooling_place == "first":
            return states.hidden[:, 0]
        if states.last is None:
            return states.hidden[:, -1]
        place = states.last[:, None, None]
        return ops.take_along_axis(states.hidden, place, axis=1)[:, 0]


class NextSentenceHead(ClassifierHead):
    """Whether the second sentence follows the first: class 0 says yes (BERT)."""

    output_name = "next_sentence_logits"

    @property
    def num_outputs(self) -> int:
        """Two: it follows, or it was drawn at random."""
        return 2


class ReplacedHead(Head):
    """Whether each token was put there by a generator (ELECTRA, arXiv 2003.10555)."""

    def build(self, input_shape: Any = None) -> None:
        """Create both projections."""
        del input_shape
        width = (None, None, self.config.hidden_size)
        self.inner = self.dense(self.config.hidden_size, "dense")
        self.outer = self.dense(1, "output")
        self.inner.build(width)
        self.outer.build(width)
        self.built = True

    def call(self, states: HiddenStates, embeddings: TokenTable) -> dict[str, Any]:
        """Return ``replaced_logits`` float32 (batch, length); above 0 says replaced."""
        del embeddings
        activation = ACTIVATIONS[self.config.hidden_act]
        scores = self.outer(activation(self.inner(states.hidden)))
        return {"replaced_logits": ops.cast(scores[..., 0], "float32")}


class PromptedSpanHead(Head):
    """Starts and ends of what a prompt names, each token for itself (UIE, 2203.12277).

    Unlike a ``SpanHead``'s these are no softmax over the text: a sigmoid each, so that
    there may be none or several spans.
    """

    def build(self, input_shape: Any = None) -> None:
        """Create the two projections to one score."""
        del input_shape
        self.start, self.end = self.dense(1, "start"), self.dense(1, "end")
        for edge in (self.start, self.end):
            edge.build((None, None, self.config.hidden_size))
        self.built = True

    def call(self, states: HiddenStates, embeddings: TokenTable) -> dict[str, Any]:
        """Return ``prompted_start`` and ``prompted_end``, float32 (batch, length)."""
        del embeddings
        return {
            name: ops.cast(edge(states.hidden)[..., 0], "float32")
            for name, edge in (
                ("prompted_start", self.start),
                ("prompted_end", self.end),
            )
        }
