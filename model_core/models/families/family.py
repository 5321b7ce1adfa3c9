"""What a family is: a row of values that turns a published config into ours.

Changes when a family says something of itself that none said before. Knows no family.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from model_core.config import TransformerConfig

if TYPE_CHECKING:
    from model_core.masks import MaskKind

MAX_LAYERS = 1024
ATTENTIONS = ("bidirectional", "causal", "prefix_lm")
REQUIRED = object()  # a default that is none
Adjustment = Callable[[dict[str, Any], Mapping[str, Any]], Any]


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
        adjusted: Fields that the JSON says otherwise than we do: what to make of what
            was read and of the JSON; in this order, after ``derived``.
        alike: Keys that must hold the same where both are there: the network has one
            size for encoder and decoder.
        accepted: JSON switches that would change the computation, and the values that
            this network computes; an absent switch is fine.
        config_marks: Keys that its JSON always holds, for configs without a
            ``model_type``; ``a|b`` where one of them is enough.
        tensor_mark: A pattern that one of its tensor names matches, in any layout.
        heads: Heads that its checkpoints may carry, in order.
        attention: How its positions see each other by default.
        tells: Whether its JSON may name an ``attention`` and ``heads`` of its own.
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
    adjusted: Mapping[str, Adjustment] = field(default_factory=dict)
    alike: tuple[tuple[str, str], ...] = ()
    accepted: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    tells: bool = False

    def told(self, values: Mapping[str, Any]) -> "Family":
        """Return this family with the attention and heads that a config names.

        Raises:
            UnsupportedModelError: There is no such attention or head.
        """
        if not self.tells or not {"attention", "heads"} & values.keys():
            return self
        attention = values.get("attention", self.attention)
        heads = values.get("heads", [*self.heads])
        for key, said, accepted in (
            ("attention", [attention], ATTENTIONS),
            ("heads", heads, self.heads),
        ):
            if not isinstance(said, list) or not all(item in accepted for item in said):
                raise UnsupportedModelError(
                    f"{self.name} config: {key} must be of {list(accepted)}, received "
                    f"{shown(said)}"
                )
        return replace(self, attention=attention, heads=tuple(heads))

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
        for name, adjust in self.adjusted.items():
            read[name] = adjust(read, values)
        read["hidden_act"] = _activation(read["hidden_act"], self.name)
        try:
            config = TransformerConfig(**{**self.constants, **read})
        except (ValueError, TypeError) as error:
            raise UnsupportedModelError(f"{self.name} config: {error}") from error
        _check_bounds(config, self.name)
        return config

    def _check_switches(self, values: Mapping[str, Any]) -> None:
        for key, accepted in self.accepted.items():
            if values.get(key) is not None and values[key] not in accepted:
                raise UnsupportedModelError(
                    f"{self.name} config: {key} must be one of {list(accepted)}, "
                    f"received {shown(values[key])}: this network does not compute "
                    "that variant"
                )
        for one, other in self.alike:
            if one in values and other in values and values[one] != values[other]:
                raise UnsupportedModelError(
                    f"{self.name} config: {one} and {other} must be the same, received "
                    f"{shown(values[one])} and {shown(values[other])}"
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
        "silu": "silu",
        "swish": "silu",
        "tanh": "tanh",
        "linear": "linear",
    }
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
    if expected is int and isinstance(value, dict):
        value = len(value)  # id2label counts its classes
    if expected is float and type(value) is int:
        value = float(value)
    if type(value) is not expected or repr(value) in _NOT_FINITE:
        raise UnsupportedModelError(
            f"{family} config: {row.keys[0]} must be a {expected.__name__}, "
            f"received {shown(value)}"
        )
    return value


def _activation(name: str, family: str) -> str:
    if name not in ACTIVATION_NAMES:
        raise UnsupportedModelError(
            f"{family} config: the activation must be one of "
            f"{sorted(ACTIVATION_NAMES)}, received {shown(name)}"
        )
    return ACTIVATION_NAMES[name]


def _check_bounds(config: TransformerConfig, family: str) -> None:
    for name in ("num_hidden_layers", "num_decoder_layers"):
        if getattr(config, name) > MAX_LAYERS:
            raise UnsupportedModelError(
                f"{family} config: accepted are at most {MAX_LAYERS} layers, received "
                f"{name} = {getattr(config, name)}"
            )


def shown(value: object) -> str:
    """Return a received value, short enough for a message."""
    return repr(value)[:60]


_NOT_FINITE = frozenset({"nan", "inf", "-inf"})
_TYPE_NAMES: Mapping[str, type] = {"int": int, "float": float, "bool": bool}
_FIELD_TYPES: Mapping[str, type] = {
    each.name: _TYPE_NAMES.get(getattr(each.type, "__name__", str(each.type)), str)
    for each in fields(TransformerConfig)
}
