"""What the small files beside a vocabulary say, in one; changes with those files.

Reads parsed values only. The files are tokenizer_config.json, special_tokens_map.json,
added_tokens.json and, for the name of the tokenizer's class and the ids of a sequence's
ends, config.json.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from model_core.tokenizers.options import (
    is_count,
    read_token,
    token_content,
    wrong_option,
)
from model_core.tokenizers.vocabulary import (
    MAX_TOKENS,
    ROLES,
    SpecialTokens,
    Vocabulary,
    conventional_tokens,
    with_added,
    with_defaults,
    with_names,
)

# where config.json alone says what kind of network it is, the class that goes with it
CLASS_OF_MODEL_TYPE = {
    "albert": "AlbertTokenizer",
    "mbart": "MBartTokenizer",
    "mt5": "T5Tokenizer",
    "pegasus": "PegasusTokenizer",
    "t5": "T5Tokenizer",
    "xlm-roberta": "XLMRobertaTokenizer",
    "xlnet": "XLNetTokenizer",
}
# classes that cut words with jieba before anything else
JIEBA_CLASSES = frozenset({"CpmTokenizer", "T5PegasusTokenizer"})
# options under other names that hold one more special token each
FURTHER_TOKENS = ("mask_token_sent",)


@dataclass(frozen=True, slots=True)
class AddedToken:
    """A token that was added to a vocabulary, or a word on one that was in it.

    Attributes:
        token_id: Its place.
        content: Its spelling.
        special: No text may become it.
    """

    token_id: int
    content: str
    special: bool


@dataclass(frozen=True, slots=True)
class Declared:
    """All that the small files say.

    Attributes:
        tokenizer_class: Which reading, "" where no file says; without the ``Fast``
            that marks an implementation.
        model_type: config.json's, "" where it does not say.
        config: Their options in one, tokenizer_config.json before the others.
        added: Tokens beyond the vocabulary's own file.
        end_ids: Ids that config.json gives to ``bos`` and ``eos``.
    """

    tokenizer_class: str = ""
    model_type: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    added: tuple[AddedToken, ...] = ()
    end_ids: Mapping[str, int] = field(default_factory=dict)

    @property
    def class_of_pieces(self) -> str:
        """The class, or the one that goes with the kind of network."""
        return self.tokenizer_class or CLASS_OF_MODEL_TYPE.get(self.model_type, "")


def declare(
    tokenizer_config: Mapping[str, Any],
    special_tokens_map: Mapping[str, Any],
    added_tokens: Mapping[str, Any],
    model_config: Mapping[str, Any],
) -> Declared:
    """Return what four parsed files say; unknown keys are ignored.

    Raises:
        ValueError: An option that decides between readings is not of its type.
    """
    said = {k: v for k, v in tokenizer_config.items() if v is not None}
    config = {**special_tokens_map, **said}
    names = (config.get("tokenizer_class"), model_config.get("tokenizer_class"))
    name = next((name for name in names if isinstance(name, str)), "")
    tokenizer_class = name.removesuffix("Fast")
    if tokenizer_class in JIEBA_CLASSES:
        config.setdefault("jieba_words", True)
    ends = {role: model_config.get(f"{role}_token_id") for role in ("bos", "eos")}
    return Declared(
        tokenizer_class,
        str(model_config.get("model_type") or ""),
        config,
        (*_added(added_tokens), *_decoder(config)),
        {role: i for role, i in ends.items() if is_count(i)},
    )


def build_vocabulary(
    tokens: tuple[str, ...],
    special_by_id: frozenset[int],
    declared: Declared,
    usual: SpecialTokens | None = None,
    unk_id: int | None = None,
) -> Vocabulary:
    """Build a vocabulary from its own file's tokens and what the small files say.

    Args:
        tokens: One per id.
        special_by_id: Ids that no text becomes, by the vocabulary's own file.
        declared: What the small files say.
        usual: The parts that tokens play where no file says so; None goes by the
            usual names of special tokens.
        unk_id: The unknown token's, where the vocabulary's own file says so.

    Raises:
        ValueError: An option is not of its type, an added token lies far away, or the
            unknown or the newline token is not in the vocabulary.
    """
    tokens = with_added(tokens, {row.token_id: row.content for row in declared.added})
    special_by_id |= {row.token_id for row in declared.added if row.special}
    if usual is None:
        names = {tokens[i] for i in special_by_id} | {
            *additional_tokens(declared.config)
        }
        usual = conventional_tokens(names)
    special = read_special_tokens(declared.config, usual)
    special = with_defaults(special, usual, frozenset(tokens))
    if unk_id is not None:
        special = replace(special, unk=tokens[unk_id])
    known = Vocabulary(tokens, special, special_by_id)
    ends = {
        role: tokens[index]
        for role, index in declared.end_ids.items()
        if index in known.special_ids and known.id_of(getattr(special, role)) is None
    }
    return replace(known, special=with_names(special, ends)) if ends else known


def read_special_tokens(
    config: Mapping[str, Any], defaults: SpecialTokens
) -> SpecialTokens:
    """Return which tokens play a part.

    Args:
        config: Any of ``pad_token``, ``unk_token`` and their like, and
            ``additional_special_tokens`` or ``extra_special_tokens``.
        defaults: For the parts that no option names.

    Raises:
        ValueError: An option is not of its type.
    """
    named = {role: read_token(config, f"{role}_token") for role in ROLES}
    named = {role: token for role, token in named.items() if token is not None}
    further = (read_token(config, key) for key in FURTHER_TOKENS)
    additional = {*additional_tokens(config), *(t for t in further if t is not None)}
    return replace(with_names(defaults, named), additional=frozenset(additional))


def additional_tokens(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the special tokens without a part of their own, in the files' order.

    Raises:
        ValueError: An option is not of its type.
    """
    found: list[str] = []
    for key in ("additional_special_tokens", "extra_special_tokens"):
        tokens = config.get(key) or []
        if isinstance(tokens, dict):
            tokens = [*tokens.values()]
        if not isinstance(tokens, list):
            raise ValueError(wrong_option(key, "a list", tokens))
        found += [token_content(key, token) for token in tokens]
    return tuple(found)


def _added(added_tokens: Mapping[str, Any]) -> Iterator[AddedToken]:
    """Yield the rows of added_tokens.json, which says nothing of special ones."""
    for content, token_id in added_tokens.items():
        if not is_count(token_id):
            raise ValueError(
                f"added_tokens.json: {content}: expected an id from 0 to {MAX_TOKENS}; "
                f"received {token_id!r}"
            )
        yield AddedToken(token_id, content, special=False)


def _decoder(config: Mapping[str, Any]) -> Iterator[AddedToken]:
    key = "added_tokens_decoder"
    rows = config.get(key) or {}
    if not isinstance(rows, dict):
        raise ValueError(wrong_option(key, "an object", rows))
    for token_id, value in rows.items():
        if not token_id.isdecimal() or int(token_id) > MAX_TOKENS:
            raise ValueError(wrong_option(key, f"ids from 0 to {MAX_TOKENS}", token_id))
        special = isinstance(value, dict) and value.get("special") is True
        yield AddedToken(int(token_id), token_content(key, value), special)
