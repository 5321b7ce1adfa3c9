"""Words before characters, as WoBERT reads Chinese; changes with that reading.

jieba cuts the normalised text with its hidden Markov model off; a word of the
vocabulary is one token, any other falls to WordPiece (kexue.fm/archives/7758).
"""

import logging
import threading
import warnings
from collections.abc import Iterable
from typing import Any


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


# one per process: half a million words are worth sharing
DICTIONARY = JiebaDictionary()


def _load_cutter() -> Any:
    with warnings.catch_warnings():  # jieba's import asks for pkg_resources
        warnings.simplefilter("ignore")
        import jieba  # noqa: PLC0415 - most checkpoints never need it
    jieba.setLogLevel(logging.WARNING)
    cutter = jieba.Tokenizer()
    cutter.FREQ, cutter.total = cutter.gen_pfdict(cutter.get_dict_file())
    cutter.initialized = True
    return cutter
