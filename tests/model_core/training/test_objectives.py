"""Objectives equal their formulas, written out in numpy."""

import numpy as np
import pytest
from keras import ops

from model_core.models.heads import HEADS
from model_core.models.network import weights_by_name
from model_core.training.objectives import OBJECTIVES, weighted_mean
from model_core.training.objectives.pointing import (
    HALF_POINTER_WEIGHT,
    pair_loss,
    pair_scores,
    powered_cross_entropy,
)
from model_core.training.objectives.writing import COPY_WEIGHT
from tests.model_core.tiny import POST_NORM, RICH, build_network
from tests.model_core.training.tiny_batches import BATCHES

NO_PAIR = (-1, -1, -1)


def numpy(values):
    return ops.convert_to_numpy(values)


@pytest.fixture(scope="module", name="network")
def fixture_network():
    network = build_network(RICH, tuple(HEADS), seed=2)
    for weight in network.heads["clauses"].weights:
        weight.assign(weight * 0.1)
    return network


@pytest.fixture(scope="module", name="named")
def fixture_named(network):
    return {name: numpy(w) for name, w in weights_by_name(network).items()}


def losses(network, objective, **changes):
    inputs = BATCHES[objective]().inputs | changes
    return numpy(OBJECTIVES[objective](network)(inputs))


def surprise(logits, target):
    """Negative log-likelihood of one target in nats."""
    logits = logits.astype("float64")
    peak = logits.max()
    return float(np.log(np.exp(logits - peak).sum()) + peak - logits[target])


def changed(ids, where):
    """The same ids, others at some places."""
    other = ids.copy()
    other[where] = (other[where] + 1) % RICH.vocab_size
    return other


# The formulas of pointing


@pytest.mark.parametrize("power", [1, 2, 4])
def test_a_powered_cross_entropy_is_that_of_the_power(power):
    rng = np.random.default_rng(power)
    logits = rng.normal(0, 3, (4, 5)).astype("float32")
    labels = (rng.random((4, 5)) < 0.4).astype("uint8")
    p = (1 / (1 + np.exp(-logits.astype("float64")))) ** power
    expected = -np.where(labels, np.log(p), np.log(1 - p))
    found = numpy(powered_cross_entropy(labels, logits, power=power))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


def test_a_powered_cross_entropy_is_finite_whatever_the_logit():
    logits = np.array([-1e4, -50, 0, 50, 1e4], "float32")
    for label in (0, 1):
        labels = np.full(5, label, "uint8")
        found = numpy(powered_cross_entropy(labels, logits, power=4))
        assert np.isfinite(found).all()
        assert (found >= 0).all()


def test_a_power_makes_doubt_a_small_probability():
    zero = np.zeros(1, "float32")
    of_no, of_yes = (
        float(numpy(powered_cross_entropy(np.array([label]), zero, power=4))[0])
        for label in (0, 1)
    )
    assert of_no == pytest.approx(-np.log(1 - 1 / 16), abs=1e-5)
    assert of_yes == pytest.approx(np.log(16), abs=1e-5)


def test_pair_scores_are_the_sum_of_their_parts():
    rng = np.random.default_rng(0)
    shared = rng.normal(0, 1, (2, 4, 4)).astype("float32")
    alone = rng.normal(0, 1, (2, 4, 2, 3)).astype("float32")
    scores = numpy(pair_scores(shared, alone))
    assert scores.shape == (2, 3, 4, 4)
    for b, kind, i, j in np.ndindex(scores.shape):
        expected = shared[b, i, j] + alone[b, i, 0, kind] + alone[b, j, 1, kind]
        assert scores[b, kind, i, j] == pytest.approx(expected, abs=1e-5)


def dense_pair_loss(scores, pairs):
    """log(1 + sum exp(-s_true)) + log(1 + sum exp(s_false)), summed over kinds."""
    true = np.zeros(scores.shape, bool)
    for kind, first, second in pairs:
        if kind >= 0:
            true[kind, first, second] = True
    values = scores.astype("float64")
    per_kind = [
        np.log1p(np.exp(-values[kind][true[kind]]).sum())
        + np.log1p(np.exp(values[kind][~true[kind]]).sum())
        for kind in range(len(scores))
    ]
    return np.sum(per_kind)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("spread", [0.5, 3.0])
def test_the_loss_of_pairs_is_the_dense_formula(seed, spread):
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, spread, (3, 2, 5, 5)).astype("float32")
    pairs = np.full((3, 6, 3), -1, "int32")
    for row in range(3):
        places = rng.permutation(2 * 25)[: rng.integers(0, 6)]
        for index, place in enumerate(places):
            pairs[row, index] = np.unravel_index(place, (2, 5, 5))
    found = numpy(pair_loss(scores, pairs))
    expected = [dense_pair_loss(s, p) for s, p in zip(scores, pairs, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-4)


def test_without_a_pair_every_score_should_be_below_zero():
    scores = np.full((1, 1, 3, 3), -2.0, "float32")
    found = float(numpy(pair_loss(scores, np.array([[NO_PAIR, NO_PAIR]])))[0])
    assert found == pytest.approx(np.log1p(9 * np.exp(-2.0)), rel=1e-4)


def test_a_sure_and_right_network_has_no_loss_of_pairs():
    scores = np.full((1, 2, 4, 4), -1e7, "float32")
    scores[0, 0, 1, 2] = scores[0, 1, 3, 0] = 9.0
    pairs = np.array([[(0, 1, 2), (1, 3, 0), NO_PAIR]], "int32")
    assert float(numpy(pair_loss(scores, pairs))[0]) < 1e-2
    wrong = np.array([[(0, 2, 1), (1, 3, 0), NO_PAIR]], "int32")
    assert float(numpy(pair_loss(scores, wrong))[0]) > 1e3


# Writing


def expected_writing(network, inputs):
    """Logits at every place, the documents read one by one."""
    made = []
    for place in inputs["places"]:
        row, column = divmod(int(place), inputs["token_ids"].shape[1])
        documents = inputs["document_ids"][row]
        mine = np.flatnonzero(documents == documents[column])
        outputs = network(
            inputs["token_ids"][row : row + 1, mine],
            inputs["segment_ids"][row : row + 1, mine],
            mark_ids=inputs["mark_ids"][row : row + 1, mine],
            attention="prefix_lm",
            heads=("language_model", "copy"),
        )
        at = column - mine[0]
        made.append({name: numpy(value)[0, at] for name, value in outputs.items()})
    return made


def test_writing_is_the_cross_entropy_with_prior_and_copying(network, named):
    inputs = BATCHES["writing"]().inputs
    found = losses(network, "writing")
    scale, shift = named["source_prior/scale"], named["source_prior/shift"]
    for index, outputs in enumerate(expected_writing(network, inputs)):
        source = inputs["source_ids"][inputs["place_sources"][index]]
        logits = outputs["logits"] + shift
        seen = np.unique(source[source >= 0])
        logits[seen] += scale[seen]
        expected = surprise(logits, inputs["targets"][index])
        tag = inputs["copy_targets"][index]
        if tag >= 0:
            expected += COPY_WEIGHT * surprise(outputs["copy_logits"], tag)
        assert found[index] == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_a_place_without_a_source_has_no_prior(network):
    inputs = BATCHES["writing"]().inputs
    none = losses(
        network,
        "writing",
        place_sources=np.zeros_like(inputs["place_sources"]),
        copy_targets=np.full_like(inputs["copy_targets"], -1),
    )
    for index, outputs in enumerate(expected_writing(network, inputs)):
        expected = surprise(outputs["logits"], inputs["targets"][index])
        assert none[index] == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_sources_copies_and_marks_may_be_left_out(network):
    inputs = BATCHES["writing"]().inputs
    plain = ("token_ids", "segment_ids", "document_ids", "places", "targets")
    bare = {name: inputs[name] for name in plain}
    found = numpy(OBJECTIVES["writing"](network)(bare))
    none = losses(
        network,
        "writing",
        place_sources=np.zeros_like(inputs["place_sources"]),
        copy_targets=np.full_like(inputs["copy_targets"], -1),
        mark_ids=np.zeros_like(inputs["mark_ids"]),
    )
    np.testing.assert_allclose(found, none, atol=1e-4)


def test_a_condition_is_learned_by_its_own_rows(network):
    plain = losses(network, "writing")
    conditions = np.array([1, 0], "int32")
    found = losses(network, "writing", condition_ids=conditions)
    swapped = losses(network, "writing", condition_ids=conditions[::-1].copy())
    for half in (slice(0, 6), slice(6, 12)):
        assert np.abs(found[half] - plain[half]).max() > 1e-3
        assert np.abs(found[half] - swapped[half]).max() > 1e-3


def test_documents_packed_into_one_row_do_not_see_each_other(network):
    inputs = BATCHES["writing"]().inputs
    first = losses(network, "writing")
    other = changed(inputs["token_ids"], np.s_[:, :6])
    second = losses(network, "writing", token_ids=other)
    behind = inputs["places"] % 12 >= 6
    np.testing.assert_allclose(second[behind], first[behind], atol=1e-4)
    assert np.abs(second[~behind] - first[~behind]).max() > 1e-2


# Reading


def test_reading_is_the_cross_entropy_of_masks_starts_and_ends(network):
    inputs = BATCHES["reading"]().inputs
    found = losses(network, "reading")
    assert found.shape == (6 + 3 + 3,)
    for index, place in enumerate(inputs["places"]):
        outputs, at = one_document(network, inputs, place // 14, place % 14)
        expected = surprise(outputs["logits"][at], inputs["targets"][index])
        assert found[index] == pytest.approx(expected, rel=1e-3, abs=1e-3)
    for side, offset in (("start", 6), ("end", 9)):
        for document, row in enumerate(inputs["document_rows"]):
            allowed = np.flatnonzero(inputs["allowed"][document])
            outputs, at = one_document(network, inputs, row, allowed[0])
            scores = outputs[f"{side}_logits"][allowed - allowed[0] + at]
            target = inputs[f"{side}s"][document]
            expected = surprise(scores, int(np.flatnonzero(allowed == target)[0]))
            got = found[offset + document]
            assert got == pytest.approx(expected, rel=1e-3, abs=1e-3)


def one_document(network, inputs, row, column):
    """Outputs of the document at a place, read alone; and where it is in it."""
    documents = inputs["document_ids"][row]
    mine = np.flatnonzero(documents == documents[column])
    outputs = network(
        inputs["token_ids"][row : row + 1, mine],
        mark_ids=inputs["mark_ids"][row : row + 1, mine],
        heads=("language_model", "span"),
    )
    return {n: numpy(v)[0] for n, v in outputs.items()}, int(column - mine[0])


def test_passages_packed_into_one_row_do_not_see_each_other(network):
    first = losses(network, "reading")
    ids = BATCHES["reading"]().inputs["token_ids"]
    second = losses(network, "reading", token_ids=changed(ids, np.s_[0, :7]))
    of_others = [2, 3, 4, 5, 7, 8, 10, 11]
    np.testing.assert_allclose(second[of_others], first[of_others], atol=1e-4)
    assert np.abs(second - first)[[0, 1, 6, 9]].max() > 1e-2


# Pointing


def test_pointing_is_half_pointers_then_linked_pairs(network):
    inputs = BATCHES["pointing"]().inputs
    found = losses(network, "pointing")
    assert found.shape == (4,)
    for row in range(2):
        length = int(inputs["padding_mask"][row].sum())
        one = np.s_[row : row + 1, :length]
        outputs = network(inputs["token_ids"][one], mark_ids=inputs["mark_ids"][one])
        place = (inputs[name][row : row + 1] for name in ("starts", "ends"))
        objects = network.apply("half_pointer", outputs["residual"], *place)
        half = 0.0
        for logits, labels, power in (
            (outputs["subject_logits"], inputs["subject_labels"], 2),
            (objects["object_logits"], inputs["object_labels"], 4),
        ):
            p = (1 / (1 + np.exp(-numpy(logits)[0].astype("float64")))) ** power
            told = labels[row, :length].astype(bool)
            half -= np.log(np.maximum(np.where(told, p, 1 - p), 1e-300)).sum()
        half *= HALF_POINTER_WEIGHT / length
        assert found[row] == pytest.approx(half, rel=2e-3)
        linked = 0.0
        for name, key in (("entity", "entity"), ("heads", "head"), ("tails", "tail")):
            parts = (outputs[f"{name}_shared"], outputs[f"{name}_alone"])
            scores = numpy(pair_scores(*parts))[0].astype("float64")
            if name == "entity":  # a tail never stands before its head
                scores[:, np.tril(np.ones((length, length), bool), -1)] = -np.inf
            linked += dense_pair_loss(scores, inputs[f"{key}_pairs"][row])
        # float32 sums over the pairs of a random network, whose scores are large
        assert found[2 + row] == pytest.approx(linked / 3, rel=2e-2)


def test_what_fills_up_a_text_is_no_part_of_its_loss(network):
    inputs = BATCHES["pointing"]().inputs
    first = losses(network, "pointing")
    other = changed(inputs["token_ids"], np.s_[1, 7:])
    np.testing.assert_allclose(
        losses(network, "pointing", token_ids=other), first, rtol=1e-4, atol=1e-4
    )


# Clauses and blanks


def test_clauses_are_judged_by_their_mean_states(network):
    inputs = BATCHES["clauses"]().inputs
    found = losses(network, "clauses")
    outputs = network(
        inputs["token_ids"],
        None,
        inputs["padding_mask"],
        mark_ids=inputs["mark_ids"],
        heads=(),
    )
    hidden = numpy(outputs["hidden"])
    vectors = [
        h[real].mean(axis=0)
        for h, real in zip(hidden, inputs["padding_mask"], strict=True)
    ]
    logits = numpy(network.apply("clauses", np.stack(vectors)[None])["clause_logits"])
    p = 1 / (1 + np.exp(-logits[0].astype("float64")))
    expected = -np.log(np.where(inputs["labels"], p, 1 - p))
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-3)


@pytest.mark.parametrize("others", [(), ("masked_lm",)])
def test_blanks_are_scored_by_the_head_that_fills_them(others):
    heads = ("language_model", *others)
    network = build_network(POST_NORM, heads)
    inputs = BATCHES["cloze"]().inputs
    found = numpy(OBJECTIVES["cloze"](network)(inputs)).reshape(3, 2)
    outputs = network(
        inputs["token_ids"],
        inputs["segment_ids"],
        inputs["padding_mask"],
        heads=heads[-1:],
    )
    logits = numpy(outputs["logits"])
    for row, blank in np.ndindex(3, 2):
        at = logits[row, inputs["places"][row, blank]]
        expected = surprise(at, inputs["targets"][row, blank])
        assert found[row, blank] == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_what_only_fills_up_weighs_nothing():
    values = np.array([3.0, 5.0, 1e6], "float32")
    mean = float(numpy(weighted_mean(np.array([1, 1, 0]), values)))
    assert mean == pytest.approx(4.0)
    assert float(numpy(weighted_mean(np.zeros(3), values))) == 0.0
