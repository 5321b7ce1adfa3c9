"""Search that can only write the sequences of a prefix tree.

Changes when the search over a tree or its look-ahead changes. The method: a base of
facts as a prefix tree over token ids, Su Jianlin, kexue.fm/archives/8802.

At every node the network's probabilities are renormalised over the ways on, so that
the probabilities of all sequences sum to one and a way without a choice costs nothing:
it is never asked for, only read, and where it leads to an end, not even that.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from model_core.decoding.batch import Batch, advance, prefill, take
from model_core.decoding.checks import check_prompts
from model_core.decoding.logits import best_first
from model_core.decoding.scoring import log_normalizers
from model_core.decoding.stepper import CacheT, Stepper
from model_core.decoding.tree import TokenTree

LogProbs = npt.NDArray[np.float64]

_END = -1  # the way that ends at a node


@dataclass(frozen=True, slots=True)
class TreeOptions:
    """How to search a tree.

    Attributes:
        end_token_id: Its probability is that of ending at a node where a row ends and
            others go on. A tree whose rows all close with it never needs to ask, and
            one whose rows leave it out is smaller by a node per row.
        num_beams: Nodes from which the search goes on, >= 1.
        num_return: Ends in a frame, 1 to ``num_beams``.
        look_ahead_after: Marks (``end_token_id``) on the way to a node before the
            look-ahead begins; the source begins after the subject, which is 1.
    """

    end_token_id: int
    num_beams: int = 4
    num_return: int = 1
    look_ahead_after: int = 0

    def __post_init__(self) -> None:
        if self.num_beams < 1:
            raise ValueError(f"num_beams must be >= 1, got {self.num_beams}")
        if not 1 <= self.num_return <= self.num_beams:
            raise ValueError(
                f"num_return must be between 1 and num_beams = {self.num_beams}, "
                f"got {self.num_return}"
            )
        if self.look_ahead_after < 0:
            raise ValueError(
                f"look_ahead_after must be >= 0, got {self.look_ahead_after}"
            )


@dataclass(frozen=True, slots=True)
class TreeEnd:
    """A node where sequences end.

    Attributes:
        node: In the tree.
        rows: Which sequences end there, ascending.
        token_ids: The way from the root.
        log_prob: In nats, among all sequences of the tree.
        share: Probability among the ends of this frame, 0..1.
    """

    node: int
    rows: tuple[int, ...]
    token_ids: tuple[int, ...]
    log_prob: float
    share: float


@dataclass(frozen=True, slots=True)
class TreeFrame:
    """The whole result so far: a later frame replaces an earlier one.

    Attributes:
        ends: Found so far, most probable first.
        num_steps: Passes through the network so far.
        is_finished: Whether this is the last frame.
    """

    ends: tuple[TreeEnd, ...]
    num_steps: int
    is_finished: bool


class _Path(NamedTuple):
    """A way into the tree.

    ``num_read`` of its tokens are in the cache, whose row is ``place``. A path that is
    at its end has no way on.
    """

    node: int = 0
    token_ids: tuple[int, ...] = ()
    log_prob: float = 0.0
    num_read: int = 0
    place: int = 0
    is_at_end: bool = False


class _Way(NamedTuple):
    """One more token behind a path, or its end."""

    log_prob: float
    path: _Path
    token_id: int
    node: int


def tree_search(
    stepper: Stepper[CacheT],
    prompt: Sequence[int],
    tree: TokenTree,
    options: TreeOptions,
    question: Sequence[int] = (),
) -> Generator[TreeFrame, None, None]:
    """Yield the most probable sequences of a tree so far.

    All nodes that the search stands at move on by one choice and all that is forced
    behind it; of the ways on, the ``num_beams`` best go on. It ends when none of them
    can be better than the ``num_return`` best ends found, or none is left.

    Args:
        stepper: The network; its cache must hold the prompt and ``tree.max_depth``.
        prompt: Token ids, at least one.
        tree: What may be written.
        options: How to search.
        question: Tokens that sequences are likely to repeat; none: no look-ahead.

    Raises:
        ValueError: A prompt without a token (at once, not at the first frame).
        FloatingPointError: The network's logits are not numbers.
    """
    check_prompts([prompt])
    return _frames(stepper, prompt, tree, options, tuple(question))


def look_ahead(tree: TokenTree, node: int, question: Sequence[int]) -> dict[int, int]:
    """Return how far the question goes on below a node, by the token it begins with.

    A token's value is the length of the longest stretch of the question that begins
    with it and is a way down from the node. With it a probability p becomes
    p ** (1 / (value + 1)): what will repeat more of the question is preferred
    (kexue.fm/archives/8802). The source counts the longest common *subsequence* with
    every sequence below, which needs all of them; a stretch needs a walk of at most
    the question's length from each of its places.

    Args:
        tree: What may be written.
        node: Where the next token is chosen.
        question: Token ids.

    Returns:
        Tokens without a match are left out.
    """
    lengths: dict[int, int] = {}
    for start, token_id in enumerate(question):
        length = tree.match_length(question[start:], node)
        if length > lengths.get(token_id, 0):
            lengths[token_id] = length
    return lengths


def _frames(
    stepper: Stepper[CacheT],
    prompt: Sequence[int],
    tree: TokenTree,
    options: TreeOptions,
    question: tuple[int, ...],
) -> Generator[TreeFrame, None, None]:
    running, ended = _parted([_settled(tree, _Path())])
    if not running:  # a single sequence
        yield TreeFrame(_ends(tree, ended, options), 0, is_finished=True)
        return
    batch = prefill(stepper, [prompt], max(tree.max_depth, 1))
    num_steps = 1
    while running:
        batch, num_passes = _read(stepper, batch, running)
        running = [
            path._replace(place=place, num_read=len(path.token_ids))
            for place, path in enumerate(running)
        ]
        ways = _ways(batch, running, tree, options, question)
        running, newly_ended = _parted(_chosen(ways, tree, options))
        ended += newly_ended
        running = _worth_it(running, ended, options)
        num_steps += num_passes
        yield TreeFrame(_ends(tree, ended, options), num_steps, is_finished=not running)


def _read(
    stepper: Stepper[CacheT], batch: Batch[CacheT], paths: list[_Path]
) -> tuple[Batch[CacheT], int]:
    """Let the network read what it has not yet; a row that is done waits."""
    batch = take(stepper, batch, np.array([path.place for path in paths]))
    unread = [path.token_ids[path.num_read :] for path in paths]
    num_passes = max(map(len, unread))
    for step in range(num_passes):
        running = np.array([step < len(token_ids) for token_ids in unread])
        tokens = [t[step] if step < len(t) else 0 for t in unread]
        batch = advance(stepper, batch, np.array(tokens, np.int32), running)
    return batch, num_passes


def _ways(
    batch: Batch[CacheT],
    paths: list[_Path],
    tree: TokenTree,
    options: TreeOptions,
    question: tuple[int, ...],
) -> list[_Way]:
    """Return the best ways on from all paths, most probable first."""
    log_probs = batch.logits - log_normalizers(batch.logits)[:, None]
    ways = [
        way
        for path in paths
        for way in _ways_from(path, log_probs[path.place], tree, options, question)
    ]
    return sorted(ways, key=lambda way: -way.log_prob)


def _ways_from(
    path: _Path,
    log_probs: LogProbs,
    tree: TokenTree,
    options: TreeOptions,
    question: tuple[int, ...],
) -> list[_Way]:
    tokens, nodes = tree.children(path.node)
    steps = log_probs[tokens]
    if path.token_ids.count(options.end_token_id) >= options.look_ahead_after:
        steps = steps / (1 + _lengths(tree, path.node, tokens, question))
    if len(tree.rows_at(path.node)):
        tokens = np.append(tokens, options.end_token_id)
        nodes = np.append(nodes, _END)
        steps = np.append(steps, log_probs[options.end_token_id])
    steps = steps - np.logaddexp.reduce(steps)
    return [
        _Way(path.log_prob + float(steps[i]), path, int(tokens[i]), int(nodes[i]))
        for i in best_first(steps, 2 * options.num_beams)
    ]


def _lengths(
    tree: TokenTree,
    node: int,
    tokens: npt.NDArray[np.unsignedinteger],
    question: tuple[int, ...],
) -> npt.NDArray[np.int64]:
    """Return the look-ahead of every child, (num_children,)."""
    lengths = np.zeros(len(tokens), np.int64)
    for token_id, length in look_ahead(tree, node, question).items():
        lengths[np.searchsorted(tokens, tokens.dtype.type(token_id))] = length
    return lengths


def _chosen(ways: list[_Way], tree: TokenTree, options: TreeOptions) -> list[_Path]:
    """Follow the best ways until ``num_beams`` go on or ``num_beams`` are at an end.

    What ranks below that many ends can be no better than they are.
    """
    chosen: list[_Path] = []
    num_ended = 0
    for way in ways:
        if max(num_ended, len(chosen) - num_ended) == options.num_beams:
            break
        path = _followed(way, tree)
        chosen.append(path)
        num_ended += path.is_at_end
    return chosen


def _followed(way: _Way, tree: TokenTree) -> _Path:
    if way.node == _END:
        return way.path._replace(log_prob=way.log_prob, is_at_end=True)
    token_ids = (*way.path.token_ids, way.token_id)
    path = way.path._replace(node=way.node, token_ids=token_ids, log_prob=way.log_prob)
    return _settled(tree, path)


def _settled(tree: TokenTree, path: _Path) -> _Path:
    """Follow what is forced, to a choice or to the end."""
    forced, node = tree.forced(path.node)
    is_at_end = not len(tree.children(node)[0])
    token_ids = path.token_ids + forced
    return path._replace(node=node, token_ids=token_ids, is_at_end=is_at_end)


def _parted(paths: list[_Path]) -> tuple[list[_Path], list[_Path]]:
    running = [path for path in paths if not path.is_at_end]
    return running, [path for path in paths if path.is_at_end]


def _worth_it(
    running: list[_Path], ended: list[_Path], options: TreeOptions
) -> list[_Path]:
    """Drop what can no longer be returned: probabilities only fall."""
    if len(ended) < options.num_return:
        return running
    kept = sorted((path.log_prob for path in ended), reverse=True)
    worst_kept = kept[options.num_return - 1]
    return [path for path in running if path.log_prob > worst_kept]


def _ends(
    tree: TokenTree, ended: list[_Path], options: TreeOptions
) -> tuple[TreeEnd, ...]:
    best = sorted(ended, key=lambda path: -path.log_prob)[: options.num_return]
    total = np.logaddexp.reduce([path.log_prob for path in best]) if best else 0.0
    return tuple(
        TreeEnd(
            node=path.node,
            rows=tuple(tree.rows_at(path.node).tolist()),
            token_ids=path.token_ids,
            log_prob=path.log_prob,
            share=float(np.exp(path.log_prob - total)),
        )
        for path in best
    )
