"""How texts stand among special tokens, by the config; encoders of other families."""

import json

import numpy as np
import pytest

from model_core.config import TransformerConfig
from model_core.interfaces import SENTENCE_ENCODER, TEXT_CLASSIFIER, TextPair
from model_core.roles.cast import Cast
from model_core.roles.loaded import load_model
from model_core.roles.pair_layout import PairLayout, shared_room
from model_core.tokenizers.base import Encoding
from tests.model_core.reference_models import HEADS, WIDTH, built, torch, transformers
from tests.model_core.tokenizers.tiny_vocabularies import xlnet_model

TOLERANCE = 1e-4
BERT_SIZES = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": HEADS,
    "intermediate_size": 48,
    "max_position_embeddings": 24,
}
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"长江很黄河短不"]


class Characters:
    """A tokenizer of characters: ids from 10 on, 2 opens and 3 closes."""

    cls_id, sep_id = 2, 3

    def encode(self, text):
        spans = [(n, n + 1) for n, char in enumerate(text) if char != " "]
        return Encoding(tuple(10 + n for n, _ in enumerate(spans)), tuple(spans))


def config(**changes):
    sizes = {"vocab_size": 40, "num_hidden_layers": 1, "num_attention_heads": 1}
    widths = {"hidden_size": 8, "intermediate_size": 8}
    return TransformerConfig(
        **sizes,
        **widths,
        **{
            "max_position_embeddings": 12,
            "norm_placement": "post",
            "embedding_norm": True,
            "final_norm": False,
            "position_kind": "learned",
            "layer_norm_eps": 1e-12,
            "hidden_act": "gelu",
            "type_vocab_size": 2,
            **changes,
        },
    )


def laid(text, text_b="", **changes):
    return PairLayout(Characters(), config(**changes)).lay_out(TextPair(text, text_b))


@pytest.mark.parametrize(
    ("changes", "ids", "segments"),
    [
        ({}, [2, 10, 11, 3, 10, 3], [0, 0, 0, 0, 1, 1]),
        ({"type_vocab_size": 0}, [2, 10, 11, 3, 10, 3], [0] * 6),
        ({"type_vocab_size": 1}, [2, 10, 11, 3, 3, 10, 3], [0] * 7),
        ({"pooling_place": "last"}, [10, 11, 3, 10, 3, 2], [0, 0, 0, 1, 1, 2]),
    ],
)
def test_a_pair_stands_as_its_family_was_trained(changes, ids, segments):
    row = laid("甲乙", "丙", **changes)
    assert row.token_ids.tolist() == ids
    assert row.segment_ids.tolist() == segments
    assert row.token_ids[row.start : row.end].tolist() == [10, 11]


@pytest.mark.parametrize(
    ("changes", "ids"),
    [({}, [2, 10, 11, 3]), ({"pooling_place": "last"}, [10, 11, 3, 2])],
)
def test_a_text_alone(changes, ids):
    assert laid("甲乙", **changes).token_ids.tolist() == ids


def test_it_never_exceeds_its_room_and_tells_what_was_read():
    for first in range(0, 30, 3):
        for second in range(0, 30, 3):
            row = laid("甲" * first, "乙" * second)
            assert len(row.token_ids) <= 12
            room = 12 - 3 if second else 12 - 2
            assert row.num_chars_read + row.num_chars_read_b == min(
                room, first + second
            )


def test_blanks_behind_the_last_token_count_as_read():
    assert laid("甲 乙   ").num_chars_read == 6
    assert laid("甲 " * 20).num_chars_read == 19


@pytest.mark.parametrize(
    ("lengths", "kept"),
    [
        ((3, 4, 10), (3, 4)),
        ((20, 4, 10), (6, 4)),
        ((4, 20, 10), (4, 6)),
        ((20, 20, 10), (5, 5)),
        ((9, 0, 5), (5, 0)),
    ],
)
def test_the_longer_of_two_gives_way(lengths, kept):
    assert shared_room(*lengths) == kept


def encoder(folder, **options):
    return Cast(load_model(folder, name="tiny", **options)).play(SENTENCE_ENCODER)


def unit(states):
    vector = states.numpy().mean(0)
    return vector / np.linalg.norm(vector)


def test_xlnet_reads_its_sentence_before_its_marks(tmp_path):
    sizes = {"d_model": WIDTH, "n_layer": 2, "n_head": HEADS, "d_inner": 48}
    (tmp_path / "spiece.model").write_bytes(xlnet_model())
    pieces = transformers.XLNetTokenizer.from_pretrained(str(tmp_path))
    config = transformers.XLNetConfig(vocab_size=len(pieces), **sizes)
    model = built("XLNetModel", config)
    model.save_pretrained(tmp_path)
    texts = ["今天天气很好", "我们去北京大学 hello world"]
    role = encoder(tmp_path)
    made = role.encode(texts)
    for text, vector in zip(texts, made.vectors, strict=True):
        inside = role._layout.lay_out(TextPair(text))
        ids = torch.tensor(inside.token_ids.tolist())[None]
        segments = torch.tensor(inside.segment_ids.tolist())[None]
        assert ids[0, -2:].tolist() == [pieces.sep_token_id, pieces.cls_token_id]
        with torch.no_grad():
            states = model(input_ids=ids, token_type_ids=segments).last_hidden_state
        np.testing.assert_allclose(vector, unit(states[0]), atol=TOLERANCE)
    assert TEXT_CLASSIFIER.name not in Cast(role._model).roles


def left_padded(rows, fill):
    """Rows of one length as XLNet is published to be read."""
    longest = max(map(len, rows))
    return torch.tensor([[fill] * (longest - len(row)) + row for row in rows])


def test_xlnet_classes_are_read_off_the_last_real_token(tmp_path):
    """Published with padding in front; behind the text it says the same."""
    sizes = {"d_model": WIDTH, "n_layer": 2, "n_head": HEADS, "d_inner": 48}
    (tmp_path / "spiece.model").write_bytes(xlnet_model())
    pieces = transformers.XLNetTokenizer.from_pretrained(str(tmp_path))
    labels = {0: "差评", 1: "好评", 2: "中评"}
    config = transformers.XLNetConfig(
        vocab_size=len(pieces), id2label=labels, num_labels=3, **sizes
    )
    model = built("XLNetForSequenceClassification", config)
    model.save_pretrained(tmp_path)
    role = Cast(load_model(tmp_path, name="tiny")).play(TEXT_CLASSIFIER)
    assert role.labels == tuple(labels.values())
    pairs = [
        TextPair("今天天气很好"),
        TextPair("我们"),
        TextPair("我们去北京大学 hello world", "今天天气"),
    ]
    laid = [role._layout.lay_out(pair) for pair in pairs]
    ids = [row.token_ids.tolist() for row in laid]
    with torch.no_grad():
        logits = model(
            input_ids=left_padded(ids, pieces.pad_token_id),
            attention_mask=left_padded([[1] * len(row) for row in ids], 0),
            token_type_ids=left_padded([row.segment_ids.tolist() for row in laid], 3),
        ).logits
    expected = torch.softmax(logits, -1).numpy()
    judged = role.classify(pairs)
    received = np.array([one.probabilities for one in judged])
    np.testing.assert_allclose(received, expected, atol=TOLERANCE)
    assert len({tuple(np.round(row, 3)) for row in received}) == len(pairs)
    for pair, beside in zip(pairs, judged, strict=True):
        (alone,) = role.classify([pair])
        np.testing.assert_allclose(
            alone.probabilities, beside.probabilities, atol=TOLERANCE
        )


def test_roformer_sim_reads_both_ways_though_it_calls_itself_a_decoder(tmp_path):
    config = transformers.RoFormerConfig(
        vocab_size=len(WORDS), embedding_size=WIDTH, **BERT_SIZES
    )
    model = built("RoFormerModel", config)
    fresh = transformers.RoFormerModel(config).encoder.embed_positions
    model.encoder.embed_positions = fresh  # sinusoids, not learned
    model.save_pretrained(tmp_path)
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS) + "\n", "utf8")
    path = tmp_path / "config.json"
    values = json.loads(path.read_text())
    said = {"is_decoder": True, "eos_token_id": 3, "pooler_activation": "linear"}
    path.write_text(json.dumps(values | said))
    (made,) = encoder(tmp_path).encode(["长江很长"]).vectors
    ids = torch.tensor([[2, *(WORDS.index(char) for char in "长江很长"), 3]])
    with torch.no_grad():
        states = model(input_ids=ids).last_hidden_state[0]
    np.testing.assert_allclose(made, unit(states), atol=TOLERANCE)


def test_a_small_simbert_has_embeddings_narrower_than_its_states(tmp_path):
    """ELECTRA's body is the same network under other names."""
    config = transformers.ElectraConfig(
        vocab_size=len(WORDS), embedding_size=16, **BERT_SIZES
    )
    model = built("ElectraModel", config)
    renamed = {
        "bert."
        + name.replace("embeddings_project", "encoder.embedding_hidden_mapping_in"): t
        for name, t in model.state_dict().items()
    }
    name = "bert.embeddings.word_embeddings.weight"
    renamed[name] = renamed[name].double()  # as the tiny one is published
    torch.save(renamed, tmp_path / "pytorch_model.bin")
    sizes = {"vocab_size": len(WORDS), "embedding_size": 16, "type_vocab_size": 2}
    (tmp_path / "config.json").write_text(
        json.dumps({**BERT_SIZES, **sizes, "hidden_act": "gelu"})
    )
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS) + "\n", "utf8")
    (made,) = encoder(tmp_path).encode(["黄河不长"]).vectors
    ids = torch.tensor([[2, *(WORDS.index(char) for char in "黄河不长"), 3]])
    with torch.no_grad():
        states = model(input_ids=ids).last_hidden_state[0]
    np.testing.assert_allclose(made, unit(states), atol=TOLERANCE)
