"""Tiny models of every family of the zoo with the heads that each is published with.

A case knows its numbers by PyTorch's names, its config, and what the reference makes of
a padded batch. Changes when a family or a head of one is added.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cache

import numpy as np

from tests.model_core import numpy_references as papers
from tests.model_core import test_numpy_parity as drawings
from tests.model_core.reference_models import VOCAB, torch
from tests.model_core.test_family_parity import (
    ENCODER_DECODERS,
    FAMILY_OUTPUTS,
    SPECIAL,
    read,
    untied,
)
from tests.model_core.test_family_parity import tiny as built
from tests.model_core.test_parity import padded_batch

UIE = "UIE"
HEAD_OF_OUTPUT = {
    "hidden": "body",
    "pooled": "pooler",
    "class_logits": "classifier",
    "next_sentence_logits": "next_sentence",
    "replaced_logits": "replaced",
    "start_logits": "span",
    "end_logits": "span",
    "prompted_start": "prompted_span",
    "prompted_end": "prompted_span",
}
TARGETS = np.random.default_rng(5).integers(3, VOCAB, (3, 9), "int32")


@dataclass(frozen=True)
class Case:
    """One model.

    Attributes:
        family: A key of ``FAMILIES``.
        title: What the table calls it.
        lm: Which head its ``logits`` are.
        outputs: What is compared.
        build: Returns the model that ``Reference`` or ``Drawn`` asks.
    """

    family: str
    title: str
    lm: str
    outputs: tuple[str, ...]
    build: Callable[[], "Reference | Drawn"]

    @property
    def heads(self):
        """The heads that are compared, in order."""
        names = (HEAD_OF_OUTPUT.get(output, self.lm) for output in self.outputs)
        return tuple(dict.fromkeys(names))


class Reference:
    """A model of transformers."""

    def __init__(self, model):
        self.model = model
        self.config = model.config.to_dict() | {"architectures": [type(model).__name__]}

    @property
    def tensors(self):
        """Every tensor of its state by PyTorch's names, tied ones included."""
        state = self.model.state_dict()
        return {name: t.detach().numpy().copy() for name, t in state.items()}

    def rounded(self, dtype):
        """Return the same model after its weights went through a smaller type."""
        model = deepcopy(self.model)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.requires_grad:  # sinusoids are computed, not read
                    parameter.copy_(parameter.to(dtype).float())
            if hasattr(model, "final_logits_bias"):
                bias = model.final_logits_bias
                bias.copy_(bias.to(dtype).float())
        return Reference(model)

    def differences(self, network, loaded, outputs):
        """Return the largest difference of each output over the real positions."""
        seq2seq = getattr(self.model.config, "is_encoder_decoder", False)
        batch = padded_batch(with_segments=not seq2seq)
        inputs = {"decoder_input_ids": TARGETS} if seq2seq else {}
        asked = Asked(network, loaded.config, loaded.family)
        expected, received = read(self.model, asked, batch=batch, **inputs)
        found = {}
        for name in outputs:
            theirs, has_positions = _theirs(expected, name)
            difference = np.abs(theirs.numpy() - received[name])
            real = difference if seq2seq or not has_positions else difference[batch[2]]
            found[name] = float(real.max())
        return found


@dataclass(frozen=True)
class Asked:
    """What ``read`` needs of a loaded checkpoint."""

    network: object
    config: object
    family: object


def _theirs(expected, name):
    their_names, has_positions = FAMILY_OUTPUTS.get(name, ((name,), True))
    found = next(v for n in their_names if (v := expected.get(n)) is not None)
    return found, has_positions


class PegasusOfBert4keras(Reference):
    """T5-PEGASUS as bert4keras trains it, by way of transformers' T5 1.1.

    Its first block's scores of distances are put before the source too, and its states
    are scaled although the head is untied.
    """

    def __init__(self):
        model = untied(
            "t5 v1.1",
            relative_attention_num_buckets=32,
            relative_attention_max_distance=128,
        )
        model.config.scale_decoder_outputs = True
        model.decoder.config.use_cache = False  # its length is asked when it is filled
        first, *_ = model.decoder.block
        own, _, _ = (layer for layer in first.layer)
        of_source = first.layer[1].EncDecAttention
        of_source.has_relative_attention_bias = True
        table = own.SelfAttention.relative_attention_bias
        object.__setattr__(of_source, "relative_attention_bias", table)
        for block in (*model.encoder.block, *model.decoder.block):
            block.layer[-1].DenseReluDense.act = torch.nn.GELU()
        super().__init__(model)
        t5 = model.config
        self.config = {
            "hidden_act": ["gelu", "linear"],
            "hidden_size": t5.d_model,
            "intermediate_size": t5.d_ff,
            "num_attention_heads": t5.num_heads,
            "attention_head_size": t5.d_kv,
            "num_hidden_layers": t5.num_layers,
            "vocab_size": t5.vocab_size,
        }


class Drawn:
    """A network written out from its paper in numpy, with random numbers.

    Attributes:
        tensors: Its numbers by PyTorch's names.
        original: The same by the names of its TensorFlow checkpoint, where they differ.
    """

    def __init__(self, tensors, config, expected, segments, original=None):
        self.tensors, self.config, self.original = tensors, config, original
        self._expected, self._segments = expected, segments

    def differences(self, network, loaded, outputs):
        """Return the largest difference of each output on one padded text."""
        asked = Asked(network, loaded.config, loaded.family)
        return {
            name: float(
                np.abs(
                    drawings.received(
                        asked, name, loaded.family.attention, self._segments
                    )
                    - self._expected(name)
                ).max()
            )
            for name in outputs
        }


class UIEModel(torch.nn.Module):
    """ERNIE with UIE's two pointers, as xusenlin/uie-base names them."""

    def __init__(self):
        super().__init__()
        changes = {"use_task_id": True, "type_vocab_size": 4}
        self.encoder = built("ErnieModel", "Ernie", changes)
        self.config = self.encoder.config
        torch.manual_seed(9)
        self.linear_start = torch.nn.Linear(self.config.hidden_size, 1)
        self.linear_end = torch.nn.Linear(self.config.hidden_size, 1)

    def forward(self, **inputs):
        hidden = self.encoder(**inputs).last_hidden_state
        return {
            "prompted_start": self.linear_start(hidden)[..., 0],
            "prompted_end": self.linear_end(hidden)[..., 0],
        }


def _of_transformers(family, kind, config, outputs, lm="masked_lm", **changes):
    return Case(
        family, kind, lm, outputs, lambda: Reference(built(kind, config, changes))
    )


def _left_padded_xlnet():
    """XLNet's classifier, which is published to be read with padding in front."""
    model = built("XLNetForSequenceClassification", "XLNet", {"num_labels": 3})
    forward = model.forward

    def read_behind(input_ids, attention_mask, token_type_ids):
        turned = [
            torch.stack(
                [
                    row.roll(int((1 - mask).sum()))
                    for row, mask in zip(rows, attention_mask, strict=True)
                ]
            )
            for rows in (input_ids, attention_mask, token_type_ids)
        ]
        names = ("input_ids", "attention_mask", "token_type_ids")
        return forward(**dict(zip(names, turned, strict=True)))

    model.forward = read_behind
    return Reference(model)


def _drawn_nezha():
    weights = drawings.drawn(drawings.bert_shapes("nezha") | drawings.mlm_shapes())
    config = drawings.BERT_JSON | {"model_type": "nezha", "max_relative_position": 3}
    expected = papers.nezha(
        weights, drawings.IDS, drawings.SEGMENTS, heads=drawings.HEADS, farthest=3
    )
    return Drawn(weights, config, lambda _: expected, drawings.SEGMENTS)


def _drawn_roformer_v2():
    shapes = drawings.bert_shapes("roformer", biases=False, norms=False)
    weights = drawings.drawn(shapes)
    own = {"model_type": "roformer", "use_bias": False, "norm_type": "rms_norm"}
    hidden = papers.roformer_v2(
        weights, drawings.IDS, drawings.SEGMENTS, heads=drawings.HEADS
    )
    logits = hidden @ weights["roformer.embeddings.word_embeddings.weight"].T
    return Drawn(
        weights,
        drawings.BERT_JSON | own,
        {"hidden": hidden, "logits": logits}.__getitem__,
        drawings.SEGMENTS,
    )


def _drawn_gpt2_ml():
    weights = drawings.drawn(drawings.gpt2_ml_shapes())
    expected = papers.gpt2_ml(weights, drawings.IDS, heads=drawings.HEADS)
    named = dict(drawings.in_bert4torch(*item) for item in weights.items())
    return Drawn(named, drawings.GPT2_ML_JSON, lambda _: expected, None, weights)


def _drawn_albert_zh():
    weights = drawings.drawn(drawings.albert_zh_shapes())
    logits, follows = papers.albert_zh(
        weights,
        drawings.IDS,
        drawings.SEGMENTS,
        heads=drawings.HEADS,
        layers=drawings.LAYERS,
    )
    return Drawn(
        dict(drawings.in_pytorch(*item) for item in weights.items()),
        drawings.ALBERT_ZH_JSON | {"model_type": "albert_zh"},
        {"logits": logits, "next_sentence_logits": follows}.__getitem__,
        drawings.SEGMENTS,
        weights,
    )


_one_segment = SPECIAL | {"type_vocab_size": 1}
_logits = ("logits",)
_class = ("class_logits",)
_span = ("start_logits", "end_logits")
_ernie = {"use_task_id": True, "type_vocab_size": 4, "layer_norm_eps": 1e-5}

CASES = (
    _of_transformers(
        "bert", "BertForPreTraining", "Bert", ("logits", "next_sentence_logits")
    ),
    _of_transformers("bert", "BertModel", "Bert", ("pooled",)),
    _of_transformers("bert", "BertForQuestionAnswering", "Bert", _span),
    _of_transformers(
        "bert", "BertForSequenceClassification", "Bert", _class, num_labels=3
    ),
    _of_transformers(
        "roberta", "RobertaForMaskedLM", "Roberta", _logits, **_one_segment
    ),
    _of_transformers(
        "roberta", "XLMRobertaForMaskedLM", "XLMRoberta", _logits, **_one_segment
    ),
    _of_transformers(
        "roberta", "RobertaForQuestionAnswering", "Roberta", _span, **_one_segment
    ),
    _of_transformers(
        "roberta",
        "RobertaForSequenceClassification",
        "Roberta",
        _class,
        num_labels=3,
        **_one_segment,
    ),
    _of_transformers("ernie", "ErnieForMaskedLM", "Ernie", _logits, **_ernie),
    _of_transformers(
        "ernie", "ErnieForSequenceClassification", "Ernie", _class, **_ernie
    ),
    Case(
        "ernie",
        UIE,
        "",
        ("prompted_start", "prompted_end"),
        lambda: Reference(UIEModel().eval()),
    ),
    Case("nezha", "NEZHA", "masked_lm", _logits, _drawn_nezha),
    _of_transformers(
        "roformer", "RoFormerForMaskedLM", "RoFormer", _logits, embedding_size=16
    ),
    _of_transformers("roformer", "RoFormerForQuestionAnswering", "RoFormer", _span),
    _of_transformers(
        "roformer", "RoFormerForSequenceClassification", "RoFormer", _class
    ),
    Case("roformer", "RoFormer V2", "masked_lm", _logits, _drawn_roformer_v2),
    _of_transformers(
        "albert",
        "AlbertForPreTraining",
        "Albert",
        ("logits", "next_sentence_logits"),
        embedding_size=12,
    ),
    _of_transformers(
        "albert", "AlbertForQuestionAnswering", "Albert", _span, embedding_size=12
    ),
    _of_transformers(
        "albert",
        "AlbertForSequenceClassification",
        "Albert",
        _class,
        embedding_size=12,
        num_labels=3,
    ),
    Case(
        "albert_zh",
        "albert_zh",
        "masked_lm",
        ("logits", "next_sentence_logits"),
        _drawn_albert_zh,
    ),
    _of_transformers(
        "electra", "ElectraForMaskedLM", "Electra", _logits, embedding_size=12
    ),
    _of_transformers(
        "electra",
        "ElectraForPreTraining",
        "Electra",
        ("replaced_logits",),
        embedding_size=12,
    ),
    _of_transformers(
        "electra", "ElectraForSequenceClassification", "Electra", _class, num_labels=4
    ),
    _of_transformers("distilbert", "DistilBertForMaskedLM", "DistilBert", _logits),
    _of_transformers(
        "distilbert", "DistilBertForQuestionAnswering", "DistilBert", _span
    ),
    _of_transformers(
        "distilbert",
        "DistilBertForSequenceClassification",
        "DistilBert",
        _class,
        num_labels=3,
    ),
    _of_transformers("xlnet", "XLNetLMHeadModel", "XLNet", _logits, "language_model"),
    Case("xlnet", "XLNetForSequenceClassification", "", _class, _left_padded_xlnet),
    _of_transformers("gpt2", "GPT2LMHeadModel", "GPT2", _logits, "language_model"),
    _of_transformers(
        "gpt", "OpenAIGPTLMHeadModel", "OpenAIGPT", _logits, "language_model"
    ),
    Case("gpt2_ml", "GPT2_ML", "language_model", _logits, _drawn_gpt2_ml),
    _of_transformers("t5", *ENCODER_DECODERS["t5"][:2], _logits, "language_model"),
    *(
        Case(
            "t5",
            title,
            "language_model",
            _logits,
            lambda name=name: Reference(untied(name)),
        )
        for name, title in (("t5 v1.1", "T5 1.1"), ("mt5", "mT5"))
    ),
    Case(
        "t5_bert4keras",
        "T5-PEGASUS (bert4keras)",
        "language_model",
        _logits,
        PegasusOfBert4keras,
    ),
    *(
        _of_transformers(family, kind, config, _logits, "language_model", **changes)
        for family, (kind, config, changes) in (
            (name, ENCODER_DECODERS[name]) for name in ("bart", "mbart", "pegasus")
        )
    ),
)


@cache
def model_of(case):
    """Return a case's model, built once."""
    return CASES[case].build()


def name_of(index):
    """Return what a test calls a case."""
    return CASES[index].title.replace(" ", "_")
