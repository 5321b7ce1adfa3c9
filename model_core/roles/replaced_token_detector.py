"""Finds tokens that stand in another's place (ELECTRA's discriminator, 2003.10555).

Changes when such tokens are found in another way.
"""

from collections.abc import Sequence

from model_core.engines.base import Floats
from model_core.interfaces import Inspected, TextPair, TokenVerdict, WeightsInfo
from model_core.roles.loaded import LoadedModel
from model_core.roles.pair_layout import Laid, PairLayout
from model_core.roles.sentence_batches import in_batches
from model_core.roles.triple_pointer import sigmoid

HEAD = "replaced"


class NetworkReplacedTokenDetector:
    """A ``ReplacedTokenDetector`` over a discriminator's head.

    Args:
        model: The network and its tokenizer.
    """

    def __init__(self, model: LoadedModel) -> None:
        self._model = model
        self._layout = PairLayout(model.tokenizer, model.config)

    @property
    def weights(self) -> WeightsInfo:
        """Which weights answer."""
        return self._model.info

    def inspect(self, texts: Sequence[str]) -> tuple[Inspected, ...]:
        """See ``ReplacedTokenDetector.inspect``."""
        rows = [self._layout.lay_out(TextPair(text)) for text in texts]
        told: dict[int, Inspected] = {}
        for group, batch in in_batches(rows, self._model.tokenizer.pad_id):
            outputs = self._model.engine.read(batch, "bidirectional", (HEAD,))
            for place, index in enumerate(group):
                told[index] = _told(rows[index], outputs["replaced_logits"][place])
        return tuple(told[index] for index in range(len(rows)))


def _told(row: Laid, logits: Floats) -> Inspected:
    """Return a row's verdicts; tokens that share a character are one."""
    shares = sigmoid(logits[row.start : row.end]).tolist()
    told: list[TokenVerdict] = []
    for (start, end), share in zip(row.encoding.spans, shares, strict=True):
        if told and start < told[-1].end:
            last = told.pop()
            start, end = last.start, max(last.end, end)  # noqa: PLW2901 - the union
            share = max(last.probability, share)  # noqa: PLW2901
        told.append(TokenVerdict(start, end, share))
    return Inspected(tuple(told), row.num_chars_read)
