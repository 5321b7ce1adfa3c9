"""Answers questions from passages, in three ways.

Changes when reading takes another step. Knows no page and no file.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from model_core.decoding.extractive import occurrences
from model_core.decoding.mlm_voting import mlm_vote
from model_core.decoding.span_reading import EdgeLogits, read_spans, softmax
from model_core.decoding.voting import VotedAnswer, VoteFrame, VoteOptions, vote_search
from model_core.engines.base import Floats, TokenBatch
from model_core.interfaces import (
    ModelError,
    PassageVote,
    ReadAnswer,
    ReadingFrame,
    ReadingMode,
    ReadingOptions,
    WeightsInfo,
)
from model_core.roles.formats import ANSWER_MASKS, Piece, Source
from model_core.roles.loaded import LoadedModel
from model_core.roles.pair_layout import PairLayout
from model_core.roles.source_stepper import SourceStepper, forbidden_in_targets
from model_core.roles.triple_pointer import shifted
from model_core.tokenizers.word_marks import begins_word

MODE_OF_PART: dict[str, ReadingMode] = {
    "span": "span",
    "cloze": "mlm",
    "reading": "seq2seq",
}
WINDOW_TOKENS, OVERLAP_TOKENS = 224, 64
WIDE_WINDOW_TOKENS = 384  # of published readers
MAX_WINDOWS = 48  # those with most of the question; more would take minutes
SHORTEST_WINDOW = 32
FIRST_MASK = 2
TOGETHER = 16
EDGES = ("start_logits", "end_logits")
NONE_ABOVE = 0.5  # a passage says that it has no answer, rather than that it has


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A stretch of one passage.

    Attributes:
        passage: Its index.
        piece: Tokens, their spans those of the whole passage.
    """

    passage: int
    piece: Piece


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One request as the network will read it."""

    question: Piece
    windows: tuple[Window, ...]
    passages: tuple[str, ...]
    options: ReadingOptions
    started: float


@dataclass(frozen=True, slots=True)
class Found:
    """An answer in one window.

    Attributes:
        window: Its index; -1 for no answer or an answer of no window.
        text: As it stands there.
        start: Character offset in the passage, -1 where it is in none.
        probability: 0..1.
    """

    window: int
    text: str
    start: int
    probability: float


class NetworkPassageReader:
    """A ``PassageReader`` over a network that reads in one way or more.

    Args:
        model: The network, its tokenizer and its formats.
        shifts: Added to the log-odds of "no answer", by mode; those of the checkpoint
            where None.
    """

    def __init__(
        self, model: LoadedModel, shifts: Mapping[str, float] | None = None
    ) -> None:
        self._model = model
        self._shifts = model.parts.shifts if shifts is None else shifts
        self._stop = model.tokenizer.sep_id or 0
        self._layout = PairLayout(model.tokenizer, model.config)
        self._modes: dict[ReadingMode, Callable[[Asked], Iterator[ReadingFrame]]] = {
            "seq2seq": self._write,
            "mlm": self._fill,
            "span": self._point,
        }

    @property
    def weights(self) -> WeightsInfo:
        """Which weights answer."""
        return self._model.info

    @property
    def modes(self) -> tuple[ReadingMode, ...]:
        """See ``PassageReader.modes``."""
        names = self._model.parts.names
        if not names:
            return ("span",)
        return tuple(MODE_OF_PART[name] for name in names if name in MODE_OF_PART)

    def read(
        self, question: str, passages: Sequence[str], options: ReadingOptions
    ) -> Iterator[ReadingFrame]:
        """See ``PassageReader.read``."""
        started = time.monotonic()
        if options.mode not in self.modes:
            known = "、".join(self.modes)
            raise ModelError(
                "unsupported",
                f"权重 {self.weights.name} 不会“{options.mode}”方式，会的是：{known}。",
                f"The weights {self.weights.name} cannot read in mode "
                f"“{options.mode}”; they can: {known}.",
            )
        asked = self._asked(question, passages, options, started)
        if not asked.windows:
            yield self._frame(asked, [], [None] * len(passages), [0.0] * len(passages))
            return
        yield from self._modes[options.mode](asked)

    def _asked(
        self,
        question: str,
        passages: Sequence[str],
        options: ReadingOptions,
        started: float,
    ) -> Asked:
        piece = self._model.formats.piece(question)
        room = self._room(len(piece), options)
        windows = []
        for index, passage in enumerate(passages):
            whole = self._model.formats.piece(passage)
            windows += [Window(index, cut) for cut in cut_windows(whole, room)]
        kept = tuple(most_alike(windows, piece, MAX_WINDOWS))
        return Asked(piece, kept, tuple(passages), options, started)

    def _room(self, question: int, options: ReadingOptions) -> int:
        """Return the tokens of a window beside the question."""
        ours = bool(self._model.parts.names)
        positions = self._model.config.max_position_embeddings
        wide = WINDOW_TOKENS if ours else WIDE_WINDOW_TOKENS
        extra = options.max_answer_tokens + ANSWER_MASKS + 8
        room = min(wide, positions - question - extra)
        if room < SHORTEST_WINDOW:
            raise ModelError(
                "unsupported",
                f"问题有 {question} 个词元，长得放不下段落，请缩短问题。",
                f"The question has {question} tokens and leaves no room for a passage: "
                "make it shorter.",
            )
        return room

    # seq2seq: the answer is written, the passages vote at every step

    def _write(self, asked: Asked) -> Iterator[ReadingFrame]:
        formats = self._model.formats
        sources = [formats.reading(asked.question, w.piece) for w in asked.windows]
        stepper = SourceStepper(self._model, sources, forbidden_in_targets(self._model))
        beams = max(3, asked.options.num_answers)
        options = VoteOptions(
            max_new_tokens=asked.options.max_answer_tokens,
            stop_token_id=self._stop,
            num_beams=beams,
            num_return=beams,
            weighed=True,
            own_answers=True,
            none_above=self._none_above("seq2seq"),
        )
        prompts = [source.token_ids.tolist() for source in sources]
        frames = vote_search(stepper, prompts, options, self._stretches(asked))
        for frame in frames:
            yield self._voted(asked, frame)

    def _voted(self, asked: Asked, frame: VoteFrame) -> ReadingFrame:
        answers = [
            self._found(asked, answer.token_ids, float(np.exp(answer.log_prob)), answer)
            for answer in frame.answers
        ]
        own = [
            None
            if answer is None
            else self._in_window(
                asked, index, answer.token_ids, float(np.exp(answer.log_prob))
            )
            for index, answer in enumerate(frame.own_answers)
        ]
        return self._frame(
            asked,
            answers,
            own,
            list(frame.has_answer),
            steps=frame.num_steps,
            finished=frame.is_finished,
        )

    def _found(
        self,
        asked: Asked,
        token_ids: tuple[int, ...],
        probability: float,
        answer: VotedAnswer,
    ) -> Found:
        """Place an answer in the window that is surest of it and holds it."""
        if not token_ids:
            return Found(-1, "", -1, probability)
        order = np.argsort([-score for score in answer.own_log_probs], kind="stable")
        return self._first_place(asked, token_ids, probability, order.tolist())

    def _first_place(
        self,
        asked: Asked,
        token_ids: tuple[int, ...],
        probability: float,
        order: Sequence[int],
    ) -> Found:
        for index in order:
            found = self._in_window(asked, index, token_ids, probability)
            if found.start >= 0:
                return found
        text = self._model.tokenizer.decode(token_ids)
        return Found(-1, text, -1, probability)

    def _in_window(
        self, asked: Asked, index: int, token_ids: tuple[int, ...], probability: float
    ) -> Found:
        if not token_ids:
            return Found(index, "", -1, probability)
        window = asked.windows[index]
        places = occurrences(window.piece.token_ids, token_ids)
        if not len(places):
            text = self._model.tokenizer.decode(token_ids)
            return Found(index, text, -1, probability)
        first = int(places[0])
        return self._span(asked, index, first, first + len(token_ids) - 1, probability)

    def _span(
        self, asked: Asked, index: int, first: int, last: int, probability: float
    ) -> Found:
        window = asked.windows[index]
        start = window.piece.spans[first][0]
        end = window.piece.spans[last][1]
        text = asked.passages[window.passage][start:end]
        return Found(index, text, start, probability)

    def _stretches(self, asked: Asked) -> list[npt.NDArray[np.int32]] | None:
        if not asked.options.extractive:
            return None
        return [window.piece.token_ids for window in asked.windows]

    def _borders(self, asked: Asked) -> list[npt.NDArray[np.bool_]] | None:
        """Return where words begin in every window, where the weights know words."""
        if not asked.options.extractive or self._model.formats.words is None:
            return None
        return [begins_word(window.piece.mark_ids) for window in asked.windows]

    # mlm: every position of the answer in one pass

    def _fill(self, asked: Asked) -> Iterator[ReadingFrame]:
        formats = self._model.formats
        sources = [
            formats.cloze(asked.question, window.piece, ANSWER_MASKS)
            for window in asked.windows
        ]
        longest = min(asked.options.max_answer_tokens, ANSWER_MASKS)
        places = FIRST_MASK + np.arange(longest, dtype="int32")
        probabilities: list[npt.NDArray[np.float64]] = []
        for start in range(0, len(sources), TOGETHER):
            group = sources[start : start + TOGETHER]
            rows = np.tile(places, (len(group), 1))
            outputs = self._read(group, ("language_model",), rows)
            probabilities += list(softmax(outputs["logits"]))
        reading = mlm_vote(
            probabilities,
            self._stop,
            self._stretches(asked),
            borders=self._borders(asked),
            num_return=asked.options.num_answers,
            none_above=self._none_above("mlm"),
        )
        answers = []
        for answer in reading.answers:
            order = np.argsort([-p for p in answer.own_probabilities], kind="stable")
            answers.append(
                self._first_place(
                    asked, answer.token_ids, answer.probability, order.tolist()
                )
                if answer.token_ids
                else Found(-1, "", -1, answer.probability)
            )
        own = [
            self._in_window(asked, index, span.token_ids, span.probability)
            for index, span in enumerate(reading.own_answers)
        ]
        yield self._frame(asked, answers, own, list(reading.has_answer))

    # span: where the answer starts and ends

    def _point(self, asked: Asked) -> Iterator[ReadingFrame]:
        if self._model.parts.names:
            formats = self._model.formats
            sources = [
                formats.cloze(asked.question, window.piece, ANSWER_MASKS)
                for window in asked.windows
            ]
        else:
            sources = [self._plain(asked.question, w.piece) for w in asked.windows]
        doubt = self._shifts.get("span", 0.0) / len(EDGES)
        edges: list[EdgeLogits] = []
        for start in range(0, len(sources), TOGETHER):
            group = sources[start : start + TOGETHER]
            outputs = self._read(group, ("span",))
            edges += [
                EdgeLogits(
                    *(_none_first(outputs[name][row], source, doubt) for name in EDGES)
                )
                for row, source in enumerate(group)
            ]
        options = asked.options
        reading = read_spans(edges, options.max_answer_tokens, options.num_answers)
        answers = _distinct(
            [self._span(asked, *span) for span in reading.spans], options.num_answers
        )
        if not answers or reading.none > answers[0].probability:
            answers.insert(0, Found(-1, "", -1, reading.none))
        own = [
            None if span is None else self._span(asked, *span)
            for span in reading.own_spans
        ]
        yield self._frame(asked, answers, own, [1 - p for p in reading.own_none])

    def _none_above(self, mode: str) -> float:
        """Return the probability of stopping at once that means "no answer"."""
        return shifted(NONE_ABOVE, -self._shifts.get(mode, 0.0))

    def _plain(self, question: Piece, passage: Piece) -> Source:
        """Return a question and a passage as a published reader was trained on them."""
        told = (piece.token_ids.tolist() for piece in (question, passage))
        ids, start = self._layout.join(*told)
        return Source(
            np.asarray(ids, "int32"), np.zeros(len(ids), "int32"), start, passage
        )

    def _read(
        self,
        sources: Sequence[Source],
        heads: tuple[str, ...],
        places: npt.NDArray[np.int32] | None = None,
    ) -> dict[str, Floats]:
        marks = [s.mark_ids for s in sources] if self._model.parts.names else None
        segments = None
        if not self._model.parts.names:
            segments = [
                self._layout.segment_ids(len(s.token_ids), s.text_start)
                for s in sources
            ]
        rows = [source.token_ids for source in sources]
        batch = TokenBatch.from_rows(rows, segments, marks=marks)
        return self._model.engine.read(batch, "bidirectional", heads, places)

    def _frame(
        self,
        asked: Asked,
        answers: Sequence[Found],
        own: Sequence[Found | None],
        has_answer: Sequence[float],
        *,
        steps: int = 1,
        finished: bool = True,
    ) -> ReadingFrame:
        """Turn windows into passages: a passage speaks by its surest window."""
        votes = []
        for passage in range(len(asked.passages)):
            mine = [i for i, w in enumerate(asked.windows) if w.passage == passage]
            best = max(mine, key=lambda index: has_answer[index], default=None)
            said = own[best] if best is not None else None
            votes.append(
                PassageVote(
                    passage,
                    has_answer[best] if best is not None else 0.0,
                    said.text if said else "",
                    said.probability if said else 0.0,
                    said.start if said else -1,
                )
            )
        return ReadingFrame(
            answers=tuple(
                ReadAnswer(
                    one.text,
                    one.probability,
                    asked.windows[one.window].passage if one.start >= 0 else -1,
                    one.start,
                )
                for one in answers[: asked.options.num_answers]
            )
            or (ReadAnswer("", 1.0),),
            votes=tuple(votes),
            num_steps=steps,
            elapsed_seconds=time.monotonic() - asked.started,
            mode=asked.options.mode,
            weights=self.weights,
            num_windows=len(asked.windows),
            finished=finished,
        )


def cut_windows(piece: Piece, room: int) -> Iterator[Piece]:
    """Yield overlapping stretches of at most ``room`` tokens that cover a passage."""
    step = max(1, room - min(OVERLAP_TOKENS, room // 2))
    start = 0
    while start < len(piece):
        yield piece.cut(start, start + room)
        if start + room >= len(piece):
            return
        start += step


def most_alike(windows: list[Window], question: Piece, most: int) -> list[Window]:
    """Return the windows with most of the question's token pairs, in their order."""
    if len(windows) <= most:
        return windows
    ids = question.token_ids.tolist()
    pairs = set(pairwise(ids)) or {(token_id, token_id) for token_id in ids}

    def shared(window: Window) -> int:
        theirs = window.piece.token_ids.tolist()
        return len(pairs & set(pairwise(theirs)))

    scores = np.asarray([shared(window) for window in windows])
    best = np.sort(np.argsort(-scores, kind="stable")[:most])
    return [windows[index] for index in best]


def _none_first(logits: Floats, source: Source, doubt: float) -> Floats:
    """Return the logits of [CLS], which stands for no answer, and of the passage."""
    return np.append(logits[:1] + doubt, logits[source.text_start : source.text_end])


def _distinct(found: Sequence[Found], most: int) -> list[Found]:
    kept: dict[str, Found] = {}
    for one in found:
        kept.setdefault(one.text, one)
    return list(kept.values())[:most]
