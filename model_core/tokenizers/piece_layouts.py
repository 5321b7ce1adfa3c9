"""Which ids a checkpoint gives to the pieces of its SentencePiece model.

Changes when another order of ids is met. An order goes with a class of tokenizers, as
tokenizer_config.json or config.json names it; most keep the model's own.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from model_core.tokenizers.sentencepiece_model import NORMAL, PieceModel
from model_core.tokenizers.settings import PieceSettings
from model_core.tokenizers.vocabulary import MARK

# published under this name only by those who order ids as fairseq does, or so they say
FAIRSEQ_FILE = "sentencepiece.bpe.model"
FAIRSEQ_TOKENS = ("<s>", "<pad>", "</s>", "<unk>")
# pieces of the model that fairseq's own tokens stand for
FAIRSEQ_REPLACED = 3
PEGASUS_REPLACED = 2
PEGASUS_OFFSET = 103
PEGASUS_MASKS = ("<mask_1>", "<mask_2>")
T5_EXTRA_IDS = 100
# what authors call marks, where they put them among the symbols of the text
USER_MARK = re.compile(r"</?s>|<(cls|sep|pad|mask|eop|eod)>|\[(CLS|SEP|PAD|MASK)\]")
MBART_LANGUAGES = (
    "ar_AR", "cs_CZ", "de_DE", "en_XX", "es_XX", "et_EE", "fi_FI", "fr_XX", "gu_IN",
    "hi_IN", "it_IT", "ja_XX", "kk_KZ", "ko_KR", "lt_LT", "lv_LV", "my_MM", "ne_NP",
    "nl_XX", "ro_RO", "ru_RU", "si_LK", "tr_TR", "vi_VN", "zh_CN",
)  # fmt: skip
MBART50_LANGUAGES = (
    *MBART_LANGUAGES,
    "af_ZA", "az_AZ", "bn_IN", "fa_IR", "he_IL", "hr_HR", "id_ID", "ka_GE", "km_KH",
    "mk_MK", "ml_IN", "mn_MN", "mr_IN", "pl_PL", "ps_AF", "pt_XX", "sv_SE", "sw_KE",
    "ta_IN", "te_IN", "th_TH", "tl_XX", "uk_UA", "ur_PK", "xh_ZA", "gl_ES", "sl_SI",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """The checkpoint's ids.

    Attributes:
        tokens: One per id.
        id_of_piece: (pieces,) the checkpoint's id of every id of the model.
        special_ids: Ids that no text becomes, by the order itself.
    """

    tokens: tuple[str, ...]
    id_of_piece: Sequence[int]
    special_ids: frozenset[int]


LayOut = Callable[[PieceModel, PieceSettings], Layout]


def lay_out(
    model: PieceModel, file_name: str, tokenizer_class: str, settings: PieceSettings
) -> Layout:
    """Return the ids that go with a class of tokenizers.

    Args:
        model: The pieces.
        file_name: The model's: one name goes with fairseq's order alone.
        tokenizer_class: As the files beside it name it, "" where none does.
        settings: What else they say.

    Raises:
        ValueError: The file is named as fairseq's, but the class orders its ids in a
            way that is not known here.
    """
    if file_name != FAIRSEQ_FILE:
        return LAYOUTS.get(tokenizer_class, _plain)(model, settings)
    if tokenizer_class and tokenizer_class not in FAIRSEQ_LANGUAGES:
        raise ValueError(
            f"{file_name}: expected a tokenizer_class of "
            f"{', '.join(FAIRSEQ_LANGUAGES)}; received {tokenizer_class!r}, whose "
            "order of ids is known only from a tokenizer.json"
        )
    return LAYOUTS[tokenizer_class or "XLMRobertaTokenizer"](model, settings)


def _plain(model: PieceModel, _settings: PieceSettings) -> Layout:
    """Keep the model's own ids."""
    return Layout(model.pieces, range(len(model.pieces)), _special_pieces(model))


def _special_pieces(model: PieceModel) -> frozenset[int]:
    """Return the model's own special ids, and those of marks that users defined."""
    kinds = zip(model.pieces, model.kinds, strict=True)
    marks = {
        index
        for index, (piece, kind) in enumerate(kinds)
        if kind != NORMAL and USER_MARK.fullmatch(piece)
    }
    return model.special_ids | marks


def _with_sentinels(model: PieceModel, settings: PieceSettings) -> Layout:
    """Append T5's sentinels, the last of them first, unless the model has its own."""
    plain = _plain(model, settings)
    count = settings.extra_ids
    if count is None:
        count = 0 if any(map(MARK.fullmatch, model.pieces)) else T5_EXTRA_IDS
    sentinels = tuple(f"<extra_id_{i}>" for i in reversed(range(count)))
    past = len(plain.tokens)
    added = range(past, past + count)
    return Layout(
        (*plain.tokens, *sentinels), plain.id_of_piece, plain.special_ids | {*added}
    )


def _fairseq(
    languages: tuple[str, ...], model: PieceModel, _settings: PieceSettings
) -> Layout:
    """Put fairseq's four tokens first, and languages and the mask last."""
    num_first, num_replaced = len(FAIRSEQ_TOKENS), FAIRSEQ_REPLACED
    pieces = model.pieces[num_replaced:]
    last = (*languages, "<mask>")
    past = num_first + len(pieces)
    shift = num_first - num_replaced
    ids = [*range(num_replaced), *range(num_first, past)]
    ids[model.unk_id] = FAIRSEQ_TOKENS.index("<unk>")
    special = {*range(num_first), *range(past, past + len(last))}
    special |= {i + shift for i in _special_pieces(model) if i >= num_replaced}
    return Layout((*FAIRSEQ_TOKENS, *pieces, *last), ids, frozenset(special))


def _pegasus(model: PieceModel, settings: PieceSettings) -> Layout:
    """Put two masks and unused ids behind the model's padding and end."""
    offset = PEGASUS_OFFSET if settings.offset is None else settings.offset
    if not offset:
        return _plain(model, settings)
    first = model.pieces[:PEGASUS_REPLACED]
    unused = tuple(f"<unk_{i}>" for i in range(len(PEGASUS_MASKS), offset))
    front = (*first, *PEGASUS_MASKS, *unused)
    ids = [i if i < len(first) else i + offset for i in range(len(model.pieces))]
    special = {*range(len(front))} | {ids[i] for i in _special_pieces(model)}
    pieces = model.pieces[len(first) :]
    return Layout((*front, *pieces), ids, frozenset(special))


FAIRSEQ_LANGUAGES: Mapping[str, tuple[str, ...]] = {
    "XLMRobertaTokenizer": (),
    "MBartTokenizer": MBART_LANGUAGES,
    "MBart50Tokenizer": MBART50_LANGUAGES,
}
LAYOUTS: Mapping[str, LayOut] = {
    "T5Tokenizer": _with_sentinels,
    "PegasusTokenizer": _pegasus,
    **{name: partial(_fairseq, tags) for name, tags in FAIRSEQ_LANGUAGES.items()},
}
