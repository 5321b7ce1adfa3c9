"""What all triple pointers have in common: what they refuse, and their last word.

Changes when every pointer refuses something else, or is asked in another way.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from model_core.interfaces import ModelError, Pointed, TripleDecoder, WeightsInfo
from model_core.roles.loaded import LoadedModel


class Asked(Protocol):
    """The part of a pointer that its refusals speak of."""

    @property
    def weights(self) -> WeightsInfo:
        """See ``TriplePointer.weights``."""
        ...

    @property
    def decoders(self) -> tuple[TripleDecoder, ...]:
        """See ``TriplePointer.decoders``."""
        ...

    @property
    def max_text_chars(self) -> int:
        """See ``TriplePointer.max_text_chars``."""
        ...


class OneDecoderPointer:
    """What a pointer is asked for, where its weights have one way to answer.

    Args:
        model: The network and its tokenizer.
    """

    decoder: TripleDecoder
    longest: int

    def __init__(self, model: LoadedModel) -> None:
        self._model = model

    @property
    def weights(self) -> WeightsInfo:
        """Which weights answer."""
        return self._model.info

    @property
    def decoders(self) -> tuple[TripleDecoder, ...]:
        """See ``TriplePointer.decoders``."""
        return (self.decoder,)

    @property
    def max_text_chars(self) -> int:
        """See ``TriplePointer.max_text_chars``."""
        return self.longest

    def point(
        self, texts: Sequence[str], decoder: TripleDecoder, *, floor: float = 0.1
    ) -> tuple[Pointed, ...]:
        """See ``TriplePointer.point``."""
        *_, found = self.pointing(texts, decoder, floor=floor)
        return found

    def pointing(
        self, texts: Sequence[str], decoder: TripleDecoder, *, floor: float = 0.1
    ) -> Iterator[tuple[Pointed, ...]]:
        """See ``TriplePointer.pointing``."""
        check(self, texts, decoder)
        return self._steps(texts, floor)

    def _steps(
        self, texts: Sequence[str], floor: float
    ) -> Iterator[tuple[Pointed, ...]]:
        """Yield what is found so far, in texts that may be asked."""
        del texts, floor
        raise TypeError(f"{type(self).__name__} does not say how it points")


def check(pointer: Asked, texts: Sequence[str], decoder: TripleDecoder) -> None:
    """Refuse what a pointer cannot be asked.

    Raises:
        ModelError: ``unsupported`` for a decoder that its weights do not have, or a
            text that is too long.
    """
    if decoder not in pointer.decoders:
        name, known = pointer.weights.name, "、".join(pointer.decoders)
        raise ModelError(
            "unsupported",
            f"权重 {name} 没有解码方式“{decoder}”，有的是：{known}。",
            f"The weights {name} have no decoder “{decoder}”; they have: {known}.",
        )
    longest, most = max(map(len, texts), default=0), pointer.max_text_chars
    if longest > most:
        raise ModelError(
            "unsupported",
            f"一次最多读 {most} 个字，收到 {longest} 个，请先切开。",
            f"At most {most} characters are read at once, got {longest}: "
            "cut the text first.",
        )


def likeliest_first(found: Sequence[Pointed]) -> tuple[Pointed, ...]:
    """Return each text's triples in the order that is told."""
    return tuple(
        tuple(sorted(ones, key=lambda one: -one.probability)) for ones in found
    )
