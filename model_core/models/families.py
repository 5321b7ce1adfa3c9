"""Which family a published checkpoint belongs to, and its config in our words.

A family is a row of values: how its JSON names the fields, what its architecture
fixes, how to recognise it. Changes when a family is added. Reads no file, knows no
weight names beyond one mark per family.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from model_core.config import TransformerConfig

if TYPE_CHECKING:
    from model_core.masks import MaskKind

MAX_LAYERS = 1024
REQUIRED = object()  # a default that is none


class UnsupportedModelError(ValueError):
    """A config that no family here can be built from."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where one field of ``TransformerConfig`` stands in a family's JSON.

    Attributes:
        field: Name in ``TransformerConfig``.
        keys: Names in the JSON; the first that is there and not null counts.
        default: Where none is; ``REQUIRED`` makes the field required, None leaves it
            to the family's ``derived``.
    """

    field: str
    keys: tuple[str, ...]
    default: Any = REQUIRED


@dataclass(frozen=True, slots=True)
class Family:
    """What checkpoints of one architecture have in common.

    Attributes:
        name: Key of ``FAMILIES`` and of ``checkpoints.tables.TABLES``.
        model_types: Values of ``model_type`` in published configs.
        settings: Fields that differ between its checkpoints.
        constants: Fields that its architecture fixes.
        derived: Fields that follow from the others where the JSON is silent.
        accepted: JSON switches that would change the computation, and the values that
            this network computes; an absent switch is fine.
        config_marks: Keys that its JSON always holds, for configs without a
            ``model_type``.
        tensor_mark: A pattern that one of its tensor names matches, in any layout.
        heads: Heads that its checkpoints may carry, in order.
        attention: How its positions see each other by default.
    """

    name: str
    model_types: frozenset[str]
    settings: tuple[Setting, ...]
    config_marks: frozenset[str]
    tensor_mark: str
    heads: tuple[str, ...]
    attention: "MaskKind"
    constants: Mapping[str, Any] = field(default_factory=dict)
    derived: Mapping[str, Callable[[Mapping[str, Any]], Any]] = field(
        default_factory=dict
    )
    accepted: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def config_from_json(self, values: Mapping[str, Any]) -> TransformerConfig:
        """Translate a published config.

        Args:
            values: The JSON object of config.json.

        Raises:
            UnsupportedModelError: A field is missing or of the wrong type, or a switch
                asks for a computation that this network does not do.
        """
        self._check_switches(values)
        read = {row.field: _value(row, values, self.name) for row in self.settings}
        for name, derive in self.derived.items():
            if read[name] is None:
                read[name] = derive(read)
        read["hidden_act"] = _activation(read["hidden_act"], self.name)
        try:
            config = TransformerConfig(**read, **self.constants)
        except (ValueError, TypeError) as error:
            raise UnsupportedModelError(f"{self.name} config: {error}") from error
        _check_bounds(config, self.name)
        return config

    def _check_switches(self, values: Mapping[str, Any]) -> None:
        for key, accepted in self.accepted.items():
            if values.get(key) is not None and values[key] not in accepted:
                raise UnsupportedModelError(
                    f"{self.name} config: {key} must be one of {list(accepted)}, "
                    f"received {_shown(values[key])}: this network does not compute "
                    "that variant"
                )


# Activation names in published configs -> those of TransformerConfig.
ACTIVATION_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "gelu": "gelu",
        "gelu_python": "gelu",
        "gelu_new": "gelu_new",
        "gelu_fast": "gelu_new",
        "gelu_pytorch_tanh": "gelu_new",
        "relu": "relu",
    }
)

BERT = Family(
    name="bert",
    model_types=frozenset({"bert"}),
    settings=(
        Setting("vocab_size", ("vocab_size",)),
        Setting("hidden_size", ("hidden_size",)),
        Setting("num_hidden_layers", ("num_hidden_layers",)),
        Setting("num_attention_heads", ("num_attention_heads",)),
        Setting("intermediate_size", ("intermediate_size",)),
        Setting("max_position_embeddings", ("max_position_embeddings",), 512),
        Setting("type_vocab_size", ("type_vocab_size",), 2),
        Setting("hidden_act", ("hidden_act",), "gelu"),
        Setting("layer_norm_eps", ("layer_norm_eps",), 1e-12),
        Setting("initializer_range", ("initializer_range",), 0.02),
        Setting("dropout", ("hidden_dropout_prob",), 0.1),
        Setting("attention_dropout", ("attention_probs_dropout_prob",), 0.1),
    ),
    constants={
        "norm_placement": "post",
        "embedding_norm": True,
        "final_norm": False,
        "position_kind": "learned",
    },
    accepted={
        "position_embedding_type": ("absolute",),
        "is_decoder": (False,),
        "add_cross_attention": (False,),
    },
    config_marks=frozenset(
        {"hidden_size", "num_hidden_layers", "intermediate_size", "type_vocab_size"}
    ),
    tensor_mark=r"encoder[./]layer[._/0-9]+attention[./]self[./]query",
    heads=("masked_lm", "pooler", "span"),
    attention="bidirectional",
)

GPT2 = Family(
    name="gpt2",
    model_types=frozenset({"gpt2"}),
    settings=(
        Setting("vocab_size", ("vocab_size",)),
        Setting("hidden_size", ("n_embd", "hidden_size")),
        Setting("num_hidden_layers", ("n_layer", "num_hidden_layers")),
        Setting("num_attention_heads", ("n_head", "num_attention_heads")),
        Setting("intermediate_size", ("n_inner",), None),
        Setting(
            "max_position_embeddings",
            ("n_positions", "max_position_embeddings", "n_ctx"),
            1024,
        ),
        Setting("hidden_act", ("activation_function",), "gelu_new"),
        Setting("layer_norm_eps", ("layer_norm_epsilon",), 1e-5),
        Setting("initializer_range", ("initializer_range",), 0.02),
        Setting("dropout", ("resid_pdrop",), 0.1),
        Setting("attention_dropout", ("attn_pdrop",), 0.1),
    ),
    constants={
        "type_vocab_size": 0,
        "norm_placement": "pre",
        "embedding_norm": False,
        "final_norm": True,
        "position_kind": "learned",
    },
    derived={"intermediate_size": lambda read: 4 * read["hidden_size"]},
    accepted={
        "scale_attn_weights": (True,),
        "scale_attn_by_inverse_layer_idx": (False,),
        "add_cross_attention": (False,),
    },
    config_marks=frozenset({"n_embd", "n_layer", "n_head"}),
    tensor_mark=r"(^|[./])h[._/]+0[./]attn[./]c_attn[./]weight.*|^wte\.weight$",
    heads=("language_model",),
    attention="causal",
)

MASKPLAY = Family(
    name="maskplay",
    model_types=frozenset({"maskplay"}),
    settings=tuple(
        Setting(
            each.name,
            (each.name,),
            REQUIRED if each.default is MISSING else each.default,
        )
        for each in fields(TransformerConfig)
    ),
    config_marks=frozenset({"norm_placement", "position_kind", "embedding_norm"}),
    tensor_mark=r"^token_embedding/embeddings$",
    heads=(
        "language_model",
        "masked_lm",
        "source_prior",
        "pooler",
        "span",
        "copy",
        "clauses",
        "half_pointer",
        "gplinker",
    ),
    attention="causal",
)

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {family.name: family for family in (BERT, GPT2, MASKPLAY)}
)


def family_of(values: Mapping[str, Any], tensor_names: Iterable[str] = ()) -> Family:
    """Recognise a family: by ``model_type``, else by the config's and tensors' shape.

    Args:
        values: The JSON object of config.json.
        tensor_names: The checkpoint's names, asked only without a ``model_type``.

    Raises:
        UnsupportedModelError: No family, or more than one, fits.
    """
    model_type = values.get("model_type")
    names = tuple(tensor_names)
    found = [
        family
        for family in FAMILIES.values()
        if (
            model_type in family.model_types
            if isinstance(model_type, str)
            else _resembles(family, values, names)
        )
    ]
    if len(found) != 1:
        accepted = sorted(kind for f in FAMILIES.values() for kind in f.model_types)
        raise UnsupportedModelError(
            f"model_type must be one of {accepted}, received {_shown(model_type)}"
            + ("" if model_type else ", and config and tensors look like none of them")
        )
    return found[0]


def _resembles(
    family: Family, values: Mapping[str, Any], names: tuple[str, ...]
) -> bool:
    return family.config_marks <= values.keys() and any(
        re.search(family.tensor_mark, name) for name in names
    )


def _value(row: Setting, values: Mapping[str, Any], family: str) -> Any:
    present = [values[key] for key in row.keys if values.get(key) is not None]
    if not present and row.default is REQUIRED:
        raise UnsupportedModelError(
            f"{family} config: lacks {' or '.join(row.keys)}; it holds "
            f"{sorted(values)[:30]}"
        )
    value: Any = present[0] if present else row.default
    if value is None:
        return None
    expected = _FIELD_TYPES[row.field]
    if expected is float and type(value) is int:
        value = float(value)
    if type(value) is not expected or repr(value) in _NOT_FINITE:
        raise UnsupportedModelError(
            f"{family} config: {row.keys[0]} must be a {expected.__name__}, "
            f"received {_shown(value)}"
        )
    return value


def _activation(name: str, family: str) -> str:
    if name not in ACTIVATION_NAMES:
        raise UnsupportedModelError(
            f"{family} config: the activation must be one of "
            f"{sorted(ACTIVATION_NAMES)}, received {_shown(name)}"
        )
    return ACTIVATION_NAMES[name]


def _check_bounds(config: TransformerConfig, family: str) -> None:
    if config.num_hidden_layers > MAX_LAYERS or config.type_vocab_size < 0:
        raise UnsupportedModelError(
            f"{family} config: accepted are at most {MAX_LAYERS} layers and a "
            f"type_vocab_size >= 0, received {config.num_hidden_layers} and "
            f"{config.type_vocab_size}"
        )


def _shown(value: object) -> str:
    return repr(value)[:60]


_NOT_FINITE = frozenset({"nan", "inf", "-inf"})
_TYPE_NAMES: Mapping[str, type] = {"int": int, "float": float, "bool": bool}
_FIELD_TYPES: Mapping[str, type] = {
    each.name: _TYPE_NAMES.get(getattr(each.type, "__name__", str(each.type)), str)
    for each in fields(TransformerConfig)
}
