"""Words before characters, as WoBERT reads Chinese; changes with that reading.

jieba cuts the normalised text with its hidden Markov model off; a word of the
vocabulary is one token, any other falls to WordPiece (kexue.fm/archives/7758).
"""

import logging
import threading
import warnings
from collections.abc import Iterable
from typing import Any

from model_core.tokenizers.lexicon import Lexicon


class JiebaDictionary:
    """jieba's own dictionary, loaded at the first word and then shared by threads.

    jieba would keep a cache in the machine's shared temporary folder and trust
    whatever lies there; parsing the packaged dictionary instead takes about a second
    and writes nothing, so a read-only system is no different from any other.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cutter: Any = None

    def cut(self, text: str) -> Iterable[str]:
        """Return the words of a text, white space and punctuation included."""
        words: Iterable[str] = self.cutter.cut(text, HMM=False)
        return words

    def cut_guessing(self, text: str) -> Iterable[str]:
        """Return the words, guessing some that the dictionary lacks, as CPM does."""
        words: Iterable[str] = self.cutter.cut(text, HMM=True)
        return words

    @property
    def cutter(self) -> Any:
        """Jieba's own object, loaded if need be."""
        if self._cutter is None:
            self.load()
        return self._cutter

    def load(self) -> None:
        """Load the dictionary now; later calls do nothing."""
        with self._lock:
            if self._cutter is None:
                self._cutter = _load_cutter()


# one per process: its words take a second to read
DICTIONARY = JiebaDictionary()


def _load_cutter() -> Any:
    with warnings.catch_warnings():  # jieba's import asks for pkg_resources
        warnings.simplefilter("ignore")
        import jieba  # noqa: PLC0415 - most checkpoints never need it

    class Cutter(jieba.Tokenizer):  # type: ignore[misc]  # jieba has no types
        """jieba's, which finds the words of a text in a trie."""

        def __init__(self) -> None:
            super().__init__()
            self.lexicon = Lexicon(self.get_dict_file)
            self.FREQ = self.lexicon.frequencies
            self.total = self.lexicon.total
            self.initialized = True

        def get_DAG(self, sentence: str) -> dict[int, list[int]]:  # noqa: N802 - theirs
            """Return for every place where the words that begin there may end."""
            found = self.lexicon.words_from
            return {
                start: [start + len(word) - 1 for word in found(sentence, start)]
                or [start]
                for start in range(len(sentence))
            }

    jieba.setLogLevel(logging.WARNING)
    return Cutter()
