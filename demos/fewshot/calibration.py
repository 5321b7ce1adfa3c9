"""How much better a word fits a text than it fits the bare sentence.

Changes when words are weighed otherwise. A model likes some words in a blank whatever
the text says; what it says of the pattern without a text is taken off (Zhao et al.,
arXiv 2102.09690; Holtzman et al., arXiv 2104.08315). A pattern about two texts stays as
it is: two empty texts are not nothing, they are alike. So does what was taught by
examples: it has learned how often each word is right.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from demos.fewshot.pattern import Pattern
from model_core.interfaces import Blanked, MaskFiller


def calibrated(
    filler: MaskFiller,
    pattern: Pattern,
    sentences: Sequence[Blanked],
    words: Sequence[str],
) -> npt.NDArray[np.float64]:
    """Return every word's log-probability, less that in the bare pattern if it is fair.

    Args:
        filler: Asked once.
        pattern: Whose blank is filled.
        sentences: The pattern about texts, (num_sentences,).
        words: One per label, (num_words,).

    Returns:
        Nats, float64 (num_sentences, num_words).
    """
    if pattern.takes_pairs or filler.is_taught:
        return filler.log_probs(sentences, words)
    scores = filler.log_probs([*sentences, pattern.blanked("")], words)
    beyond: npt.NDArray[np.float64] = scores[:-1] - scores[-1]
    return beyond
