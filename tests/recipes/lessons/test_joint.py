"""The mixture keeps its shares, and every stream is what its objective reads."""

import itertools
import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from model_core.models.network import Network
from model_core.training.objectives import OBJECTIVES
from recipes import joint
from recipes.joint import Options, mixed
from recipes.lessons import documents, extracting, facts, pointing, reading, rewriting
from tests.model_core.playing_checkpoint import RELATIONS, config_of, tokens

SHAPE = documents.Shape(rows=2, length=256, losses=128, documents=8)


def names_of(shares, seed, count):
    streams = {name: itertools.repeat(name) for name in shares}
    return list(itertools.islice(mixed(streams, shares, seed), count))


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=7),
    st.integers(0, 5),
    st.integers(0, 200),
    st.integers(1, 300),
)
def test_any_stretch_holds_the_mixture(weights, seed, start, size):
    shares = {f"task{n}": weight for n, weight in enumerate(weights)}
    stretch = names_of(shares, seed, start + size)[start:]
    counts, total = Counter(stretch), sum(weights)
    for name, weight in shares.items():
        assert abs(counts[name] - size * weight / total) < 2


def test_shares_need_not_sum_to_one_and_a_task_without_one_never_comes():
    shares = {"a": 3.0, "b": 1.0, "c": 0.0}
    counts = Counter(names_of(shares, 0, 400))
    assert counts == {"a": 300, "b": 100}
    streams = {"a": itertools.repeat("a"), "z": itertools.repeat("z")}
    assert set(itertools.islice(mixed(streams, {"a": 1.0}, 0), 5)) == {"a"}


def test_another_seed_is_another_order():
    shares = dict.fromkeys("abcdefg", 1.0)
    assert names_of(shares, 0, 7) == names_of(shares, 0, 7)
    orders = {tuple(names_of(shares, seed, 7)) for seed in range(6)}
    assert len(orders) > 3


def test_every_task_that_is_trained_has_a_share_and_a_part():
    assert set(joint.HEADS) >= {"language_model", "source_prior", "copy"}
    assert sum(joint.SHARES.values()) == pytest.approx(1.0, abs=0.05)
    for option in joint.settings_of(Options(), joint.SHARES).values():
        json.dumps(option)


def collated(task, stream):
    for rows in documents.packed(stream, SHAPE):
        yield documents.collate(task, rows, SHAPE, with_sources=True)


@pytest.fixture(scope="module", name="streams")
def fixture_streams(lessons, formats):
    """One stream per objective, as ``joint.streams`` builds them."""
    rng = np.random.default_rng(0)
    room = {"room": 120, "longest_target": 40, "noise": rewriting.Noise()}
    titles = rewriting.documents(lessons / "title.npz", "title", formats, rng, **room)
    keys = facts.documents(
        lessons / "facts.npz", formats, rng, longest=40, noise=rewriting.Noise()
    )
    asked = [reading.asked(lessons / "qa.npz", rng, room=150) for _ in range(2)]
    answers = reading.documents(asked[0], formats, longest_answer=40)
    written = {"title": titles, "facts": keys, "answer": answers}
    made = {task: collated(task, stream) for task, stream in written.items()}
    made["cloze"] = reading.batches(asked[1], formats, SHAPE)
    made["triples"] = pointing.batches(
        lessons / "triples.npz", len(RELATIONS), formats, rng, rows=3, longest=64
    )
    made["extract"] = extracting.batches(lessons / "extract.npz", formats, rng)
    return made


@pytest.fixture(scope="module", name="network")
def fixture_network():
    return Network(config_of(tokens()), joint.HEADS)


@pytest.mark.parametrize(
    "task", ["title", "facts", "answer", "cloze", "triples", "extract"]
)
def test_an_objective_reads_its_lessons(streams, network, task):
    first, second = itertools.islice(streams[task], 2)
    assert first.task == second.task == task
    losses = ops.convert_to_numpy(OBJECTIVES[first.objective](network)(first.inputs))
    assert losses.shape == first.weights.shape
    assert np.isfinite(losses).all()
    assert (losses[first.weights > 0] >= 0).all()
    assert first.weights.sum() > 0
    if task in ("title", "facts", "answer"):  # a fresh network knows nothing
        mean = np.average(losses, weights=first.weights)
        assert 1 < mean < 2 * np.log(len(tokens())) + 2
