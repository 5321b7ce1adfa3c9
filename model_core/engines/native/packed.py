"""A network packed for the kernels: bodies, embeddings, and the heads they read.

Changes when a network has another part.
"""

from threading import Lock

from model_core.engines.keras_engine import KerasEngine
from model_core.engines.native.calls import Kernels
from model_core.engines.native.compiler import NativeUnavailableError
from model_core.engines.native.embedding import NativeEmbedding
from model_core.engines.native.heads import HeadWeights, ReadHead, native_head
from model_core.engines.native.named import Floats, NamedWeights, array_of
from model_core.engines.native.panels import Precision
from model_core.engines.native.passes import Outputs, Passes
from model_core.engines.native.slots import NumberKind
from model_core.engines.native.weights import PackedBody, unsupported
from model_core.models.heads import TokenTable
from model_core.models.network import VOCABULARY_HEADS, Network

OF_VOCABULARY: dict[Precision, Precision] = {
    "float32": "float32",
    "int8": "int8",
    "dynamic": "int8",  # scores are the answer: rows are not rounded further for it
}

# What is kept of keys and values: beside rounded weights half of each number is enough,
# and with many people at once they are most of what a step reads.
KEPT_AS: dict[Precision, NumberKind] = {
    "float32": "float32",
    "int8": "bfloat16",
    "dynamic": "bfloat16",
}


class PackedNetwork:
    """Everything that passes and steps need.

    Args:
        network: With its weights; later changes of them are not seen.
        reference: Reads the heads that the kernels do not know.
        precision: How matrices are multiplied.

    Raises:
        NativeUnavailableError: No kernels here, or the network has what they lack.
    """

    def __init__(
        self, network: Network, reference: KerasEngine, precision: Precision
    ) -> None:
        reason = unsupported(network.config)
        if reason:
            raise NativeUnavailableError(f"the kernels do not know {reason}")
        self.kernels = Kernels()
        self.config = network.config
        self.heads = tuple(network.heads)
        self._network = network
        self._reference = reference
        self._precision = precision
        self.kept_as = KEPT_AS[precision]
        self._named = NamedWeights.of(network)
        rows, projection = network.embeddings
        back = None if projection is None else array_of(projection)
        self._table = TokenTable(array_of(rows), back)
        self.body, self.embedding = self._part("")
        self.decoder = self.decoder_embedding = None
        if self.config.num_decoder_layers:
            self.decoder, self.decoder_embedding = self._part("decoder/")
        self.passes = Passes(self.kernels)
        self._readers: dict[str, ReadHead | None] = {}
        self._lock = Lock()

    def reader(self, head: str) -> ReadHead | None:
        """Return how the kernels read a head; None where they do not."""
        with self._lock:
            if head not in self._readers:
                weights = HeadWeights(
                    self.config,
                    self._named.under(f"{head}/"),
                    self._table,
                    self.kernels,
                    OF_VOCABULARY[self._precision],
                )
                self._readers[head] = native_head(self._network.heads[head], weights)
            return self._readers[head]

    def of_next_token(self, hidden: Floats, extra: tuple[str, ...]) -> Outputs:
        """Return what the heads say of the token after each row's.

        Args:
            hidden: (num_rows, hidden_size).
            extra: Heads besides the vocabulary's.

        Raises:
            ValueError: The network scores no vocabulary.
        """
        vocabulary = next((n for n in VOCABULARY_HEADS if n in self.heads), None)
        if vocabulary is None:
            raise ValueError(
                "decoding needs a language_model or masked_lm head, "
                f"this network has {sorted(self.heads)}"
            )
        outputs: Outputs = {}
        for name in (vocabulary, *extra):
            outputs |= self._read(name, hidden)
        return outputs

    def condition(self, index: int) -> Floats:
        """Return a condition's vector (condition_size,)."""
        table = self._named["condition_embedding/embeddings"]
        vector: Floats = table[index]
        return vector

    def _part(self, prefix: str) -> tuple[PackedBody, NativeEmbedding]:
        named = self._named.under(prefix)
        body = PackedBody(
            self.config, named, is_decoder=bool(prefix), precision=self._precision
        )
        tokens = self._table.rows
        return body, NativeEmbedding(self.config, named, tokens, self.kernels)

    def _read(self, head: str, hidden: Floats) -> Outputs:
        reader = self.reader(head)
        if reader is not None:
            return reader(hidden)
        one = hidden[:, None]
        outputs = self._reference.read_head(head, one, one)
        return {name: values[:, 0] for name, values in outputs.items()}
