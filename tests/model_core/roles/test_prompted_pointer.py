"""UIE: a prompt names what is wanted; both levels equal one prompt at a time."""

import json
from functools import cache

import numpy as np
import pytest

from model_core.interfaces import TRIPLE_POINTER, ModelError, Relation
from model_core.roles.cast import Cast
from model_core.roles.loaded import load_model
from model_core.roles.prompted_pointer import PromptedTriplePointer
from model_core.roles.triple_pointer import sigmoid
from tests.model_core.playing_checkpoint import LAKE, RIVER, WRITER, tokens

reference = pytest.importorskip("tests.model_core.reference_models")

from tests.model_core.reference_models import torch, transformers

ASKED = (
    Relation("人物", "出生地", ""),
    Relation("人物", "代表作", ""),
    Relation("地点", "面积", ""),
)
FLOOR = 0.8


class Uie(torch.nn.Module):
    """Names as published: the encoder's, and two projections to one score."""

    def __init__(self, config):
        super().__init__()
        self.encoder = transformers.ErnieModel(config)
        self.linear_start = torch.nn.Linear(config.hidden_size, 1)
        self.linear_end = torch.nn.Linear(config.hidden_size, 1)
        self.config = config


@pytest.fixture(scope="module", name="theirs")
def fixture_theirs():
    torch.manual_seed(3)
    vocabulary = [token for token in tokens() if token != "[NL]"]
    config = transformers.ErnieConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2,
        num_attention_heads=4, intermediate_size=48, max_position_embeddings=600,
        type_vocab_size=4, use_task_id=True, layer_norm_eps=1e-5,
        attn_implementation="eager",
    )  # fmt: skip
    model = Uie(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
        model.encoder.embeddings.word_embeddings.weight.mul_(6)  # tokens differ
        hidden = model.encoder(torch.arange(40)[None] + 20).last_hidden_state[0]
        for head in (model.linear_start, model.linear_end):
            head.weight.mul_(5)  # some tokens are edges, most are none
            head.bias.sub_(head(hidden).mean(0))
    return model


@pytest.fixture(scope="module", name="model")
def fixture_model(theirs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("uie")
    torch.save(theirs.state_dict(), folder / "pytorch_model.bin")
    values = theirs.config.to_dict() | {"architectures": ["UIE"]}
    (folder / "config.json").write_text(json.dumps(values, default=str))
    vocabulary = [token for token in tokens() if token != "[NL]"]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf8")
    return load_model(folder, name="uie")


@pytest.fixture(name="pointer")
def fixture_pointer(model):
    return PromptedTriplePointer(model).asking(ASKED)


def marked(theirs, model, prompt, text):
    """Probabilities of starts and ends over the text, by the reference alone."""
    tokenizer = model.tokenizer
    prompt_ids, text_ids = (tokenizer.encode(t).token_ids for t in (prompt, text))
    ids = [
        tokenizer.cls_id, *prompt_ids, tokenizer.sep_id, *text_ids, tokenizer.sep_id
    ]  # fmt: skip
    begin = len(prompt_ids) + 2
    segments = [int(n >= begin) for n in range(len(ids))]
    with torch.no_grad():
        hidden = theirs.encoder(
            torch.tensor([ids]), token_type_ids=torch.tensor([segments])
        ).last_hidden_state[0, begin:-1]
        return [
            sigmoid(head(hidden)[:, 0].numpy())
            for head in (theirs.linear_start, theirs.linear_end)
        ]


def spans(starts, ends, floor):
    """The nearest ends of every start at every threshold from ``floor`` up."""
    found = {}
    for head in np.flatnonzero(starts > floor):
        best = floor
        for tail in range(head, len(ends)):
            if ends[tail] > best:
                best = ends[tail]
                if not any(starts[other] >= 2 for other in range(head + 1, tail + 1)):
                    found[int(head), tail] = min(starts[head], ends[tail])
    return found


def test_the_weights_are_cast_for_it(model):
    cast = Cast(model)
    assert model.info.family == "ernie"
    assert TRIPLE_POINTER.name in cast.roles
    pointer = cast.play(TRIPLE_POINTER)
    assert pointer.schema_kind == "asked"
    assert pointer.relations == ()
    assert pointer.decoders == ("prompted",)
    assert pointer.asking(ASKED).relations == ASKED
    assert pointer.relations == ()


def test_both_levels_equal_one_prompt_at_a_time(pointer, model, theirs):
    @cache
    def told(prompt, text):
        return spans(*marked(theirs, model, prompt, text), FLOOR)

    texts = [WRITER, RIVER]
    received = pointer.point(texts, "prompted", floor=FLOOR)
    assert any(received)
    for text, triples in zip(texts, received, strict=True):
        probabilities = [triple.probability for triple in triples]
        assert probabilities == sorted(probabilities, reverse=True)
        for triple in triples:
            relation = ASKED[triple.relation]
            subject = text[slice(*triple.subject)]
            first = told(relation.subject_type, text)
            second = told(f"{subject}的{relation.predicate}", text)
            places = [
                (span[0], span[1] - 1) for span in (triple.subject, triple.object)
            ]
            expected = min(first[places[0]], second[places[1]])
            assert triple.probability == pytest.approx(expected, abs=1e-4)


def test_batches_change_nothing(pointer):
    together = pointer.point([WRITER, RIVER, LAKE], "prompted", floor=FLOOR)
    alone = [
        pointer.point([text], "prompted", floor=FLOOR)[0]
        for text in (WRITER, RIVER, LAKE)
    ]
    for one, other in zip(together, alone, strict=True):
        told = [
            {(t.relation, t.subject, t.object): t.probability for t in triples}
            for triples in (one, other)
        ]
        assert told[0] == pytest.approx(told[1], abs=1e-4)


def test_nothing_asked_or_read_is_nothing_found(model, pointer):
    assert PromptedTriplePointer(model).point([WRITER], "prompted") == ((),)
    assert pointer.point(["", "\n"], "prompted") == ((), ())


@pytest.mark.parametrize(
    ("texts", "decoder", "message"),
    [
        (["长" * 301], "prompted", "最多读 300 个字"),
        (["长"], "gplinker", "有的是：prompted"),
    ],
)
def test_what_it_cannot_do_is_refused(pointer, texts, decoder, message):
    with pytest.raises(ModelError, match=message) as error:
        pointer.point(texts, decoder)
    assert error.value.kind == "unsupported"
