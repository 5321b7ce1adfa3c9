"""Classes, vectors, replaced tokens of published checkpoints, beside transformers."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from model_core.interfaces import (
    REPLACED_TOKEN_DETECTOR,
    SENTENCE_ENCODER,
    TEXT_CLASSIFIER,
    ModelError,
    TextPair,
)
from model_core.roles.cast import Cast
from model_core.roles.loaded import load_model
from tests.model_core.playing_checkpoint import load_playing
from tests.model_core.reference_models import (
    HEADS,
    LAYERS,
    WIDTH,
    built,
    torch,
    transformers,
)

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"长江很黄河短，今天气好不是的"]
SIZES = {
    "vocab_size": len(WORDS),
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "intermediate_size": 48,
    "max_position_embeddings": 24,
}
LABELS = {"0": "差评", "1": "好评", "2": "中评"}
TEXTS = ("长江很长", "黄河", "今天天气不好，是不是", "江" * 40)
PAIR = TextPair("长江很长", "黄河不短")
TOLERANCE = 1e-4


def saved(model, folder):
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n", "utf8")
    return folder


def config_of(kind="Bert", **changes):
    values = {**SIZES, **changes}
    return getattr(transformers, f"{kind}Config")(**values)


def loaded(folder, **options):
    return load_model(folder, name="tiny", **options)


@pytest.fixture(scope="module", name="classifier")
def fixture_classifier(tmp_path_factory):
    labels = {int(n): label for n, label in LABELS.items()}
    config = config_of(id2label=labels, label2id={v: n for n, v in labels.items()})
    model = built("BertForSequenceClassification", config)
    folder = saved(model, tmp_path_factory.mktemp("classifier"))
    return model, Cast(loaded(folder)).play(TEXT_CLASSIFIER)


@pytest.fixture(scope="module", name="discriminator")
def fixture_discriminator(tmp_path_factory):
    model = built("ElectraForPreTraining", config_of("Electra", embedding_size=16))
    folder = saved(model, tmp_path_factory.mktemp("discriminator"))
    return model, Cast(loaded(folder))


@pytest.fixture(scope="module", name="encoder_folder")
def fixture_encoder_folder(tmp_path_factory):
    model = built("BertModel", config_of())
    return model, saved(model, tmp_path_factory.mktemp("encoder"))


def ids_of(text, text_b=None, room=24):
    spelled = [WORDS.index(char) for char in text]
    if text_b is None:
        return [2, *spelled[: room - 2], 3], [0] * min(len(spelled) + 2, room)
    second = [WORDS.index(char) for char in text_b]
    ids = [2, *spelled, 3, *second, 3]
    return ids, [0] * (len(spelled) + 2) + [1] * (len(second) + 1)


def asked(model, *texts):
    ids, segments = ids_of(*texts)
    with torch.no_grad():
        return model(
            input_ids=torch.tensor([ids]), token_type_ids=torch.tensor([segments])
        )


def test_probabilities_are_those_of_transformers(classifier):
    model, role = classifier
    judged = role.classify([*map(TextPair, TEXTS), PAIR])
    wanted = [asked(model, text) for text in TEXTS]
    wanted.append(asked(model, PAIR.text, PAIR.text_b))
    for one, output in zip(judged, wanted, strict=True):
        shares = output.logits.softmax(-1)[0].numpy()
        np.testing.assert_allclose(one.probabilities, shares, atol=TOLERANCE)
        assert sum(one.probabilities) == pytest.approx(1)


def test_labels_are_the_configs(classifier):
    assert classifier[1].labels == tuple(LABELS.values())


def test_what_was_read_is_told(classifier):
    _, role = classifier
    short, long, pair = role.classify(
        [TextPair("长江"), TextPair("江" * 40), TextPair("长江", "河" * 40)]
    )
    assert short.num_chars_read == 2
    assert long.num_chars_read == 24 - 2
    assert (pair.num_chars_read, pair.num_chars_read_b) == (2, 24 - 5)


def test_beside_others_a_text_is_judged_as_alone(classifier):
    _, role = classifier
    together = role.classify([*map(TextPair, TEXTS), PAIR])
    for text, one in zip([*map(TextPair, TEXTS), PAIR], together, strict=True):
        (alone,) = role.classify([text])
        np.testing.assert_allclose(
            alone.probabilities, one.probabilities, atol=TOLERANCE
        )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"problem_type": "multi_label_classification"}, "multi_label"),
        ({"problem_type": "regression"}, "regression"),
        ({"num_labels": 1}, "num_labels = 1"),
    ],
)
def test_outputs_that_are_no_classes_are_refused_by_name(tmp_path, changes, said):
    model = built("BertForSequenceClassification", config_of(**changes))
    with pytest.raises(ModelError, match=said) as caught:
        Cast(loaded(saved(model, tmp_path))).play(TEXT_CLASSIFIER)
    assert caught.value.kind == "unsupported"
    assert "请换一组权重" in caught.value.zh


def test_classes_without_names_are_numbered_and_twins_told_apart(tmp_path):
    model = built("BertForSequenceClassification", config_of(num_labels=3))
    folder = saved(model, tmp_path)
    values = json.loads((folder / "config.json").read_text())
    values["id2label"] = {"0": "同", "1": "同", "2": "异"}
    (folder / "config.json").write_text(json.dumps(values))
    assert Cast(loaded(folder)).play(TEXT_CLASSIFIER).labels == (
        "同 (0)",
        "同 (1)",
        "异 (2)",
    )
    values["id2label"] = {"1": "好"}
    values["num_labels"] = 3
    (folder / "config.json").write_text(json.dumps(values))
    labels = Cast(loaded(folder)).play(TEXT_CLASSIFIER).labels
    assert labels == ("LABEL_0", "好", "LABEL_2")


def test_weights_without_a_classifier_are_refused_by_name(encoder_folder):
    cast = Cast(loaded(encoder_folder[1]))
    assert TEXT_CLASSIFIER.name not in cast.roles
    with pytest.raises(ModelError, match="tiny cannot tell classes apart"):
        cast.play(TEXT_CLASSIFIER)


def test_replaced_tokens_are_those_of_transformers(discriminator):
    model, cast = discriminator
    told = cast.play(REPLACED_TOKEN_DETECTOR).inspect(TEXTS)
    for text, one in zip(TEXTS, told, strict=True):
        wanted = asked(model, text).logits.sigmoid()[0].numpy()[1:-1]
        shares = [token.probability for token in one.tokens]
        np.testing.assert_allclose(shares, wanted, atol=TOLERANCE)
        assert one.num_chars_read == min(len(text), 22)


def test_spans_are_the_characters_in_order(discriminator):
    text = "长江 很长，Ωmega 是不是"
    (told,) = discriminator[1].play(REPLACED_TOKEN_DETECTOR).inspect([text])
    spans = [(token.start, token.end) for token in told.tokens]
    assert spans == sorted(spans)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert "".join(text[start:end] for start, end in spans) == text.replace(" ", "")


def test_a_discriminator_fills_no_blank_but_makes_vectors(discriminator):
    roles = discriminator[1].roles
    assert set(roles) == {SENTENCE_ENCODER.name, REPLACED_TOKEN_DETECTOR.name}


def reference_vector(model, text, pooling):
    output = asked(model, text)
    states = output.last_hidden_state[0]
    first = states[0]
    return {
        "mean": lambda: states.mean(0),
        "cls": lambda: first,
        "pooler": lambda: output.pooler_output[0],
        "linear_pooler": lambda: model.pooler.dense(first).detach(),
    }[pooling]().numpy()


@pytest.mark.parametrize("pooling", ["mean", "cls", "pooler", "linear_pooler"])
def test_vectors_are_those_of_transformers_however_pooled(encoder_folder, pooling):
    model, folder = encoder_folder
    role = Cast(loaded(folder, pooling=pooling)).play(SENTENCE_ENCODER)
    assert role.pooling == pooling
    made = role.encode(TEXTS)
    for text, vector in zip(TEXTS, made.vectors, strict=True):
        wanted = reference_vector(model, text, pooling)
        np.testing.assert_allclose(
            vector, wanted / np.linalg.norm(wanted), atol=TOLERANCE
        )


def test_vectors_are_of_length_one_and_like_themselves(encoder_folder):
    role = Cast(loaded(encoder_folder[1])).play(SENTENCE_ENCODER)
    assert role.pooling == "mean"
    vectors = role.encode([*TEXTS, TEXTS[0]]).vectors
    assert vectors.dtype == np.float32
    cosines = vectors @ vectors.T
    np.testing.assert_allclose(np.diag(cosines), 1, atol=1e-5)
    np.testing.assert_allclose(cosines, cosines.T, atol=1e-6)
    np.testing.assert_allclose(cosines[0, -1], 1, atol=1e-5)


def test_a_text_without_tokens_is_the_zero_vector(encoder_folder):
    role = Cast(loaded(encoder_folder[1])).play(SENTENCE_ENCODER)
    empty, blank = role.encode(["", "  "]).vectors
    assert not empty.any()
    assert not blank.any()


def test_a_pooler_that_is_not_there_is_refused_by_name(discriminator):
    model = replace(discriminator[1]._model, pooling="pooler")
    with pytest.raises(ModelError, match=r"pooler\.dense") as caught:
        Cast(model).play(SENTENCE_ENCODER)
    assert caught.value.kind == "missing_head"


def test_our_own_weights_read_a_bare_sentence(tmp_path):
    model = load_playing(tmp_path)
    role = Cast(model).play(SENTENCE_ENCODER)
    long = "长江发源于青藏高原" * 100
    made = role.encode(["长江很长", "鲁迅是浙江人", long])
    alone = [role.encode([text]).vectors[0] for text in ("长江很长", "鲁迅是浙江人")]
    np.testing.assert_allclose(made.vectors[:2], alone, atol=TOLERANCE)
    np.testing.assert_allclose(np.linalg.norm(made.vectors, axis=1), 1, atol=1e-5)
    assert made.num_chars_read[:2] == (4, 6)
    assert 0 < made.num_chars_read[2] < len(long)
