"""SentencePiece and tokenizer.json put together; changes with their parts.

Knows no file.
"""

from collections.abc import Sequence

from model_core.tokenizers.cpm_words import MarkedWordEncoder, has_marks, written
from model_core.tokenizers.declared import Declared, build_vocabulary
from model_core.tokenizers.jieba_words import DICTIONARY
from model_core.tokenizers.json_writing import build_writing
from model_core.tokenizers.library_encoder import build_encoder
from model_core.tokenizers.piece_layouts import Layout, lay_out
from model_core.tokenizers.sentencepiece_model import PieceEncoder, PieceModel
from model_core.tokenizers.settings import (
    Words,
    read_piece_settings,
    read_settings,
)
from model_core.tokenizers.tokenizer import Encoder, VocabularyTokenizer
from model_core.tokenizers.tokenizer_json import Definition
from model_core.tokenizers.vocabulary import BERT_TOKENS, Vocabulary
from model_core.tokenizers.word_tokenizer import build_word_tokenizer
from model_core.tokenizers.writing import PieceWriting, Writing
from model_core.tokenizers.xlnet_text import CleaningEncoder, rules_for


def build_from_model(
    model: PieceModel, file_name: str, declared: Declared
) -> VocabularyTokenizer:
    """Build a tokenizer over a SentencePiece model.

    Args:
        model: The pieces.
        file_name: The model's; see ``piece_layouts.lay_out``.
        declared: What the files beside it say.

    Raises:
        ValueError: The library refuses the model, or the files and the model
            contradict each other.
    """
    settings = read_piece_settings(declared.config)
    layout = lay_out(model, file_name, declared.class_of_pieces, settings)
    of_piece = layout.id_of_piece
    vocabulary = build_vocabulary(
        layout.tokens, layout.special_ids, declared, unk_id=of_piece[model.unk_id]
    )
    special = vocabulary.special_ids
    processor = model.processor([i for i, to in enumerate(of_piece) if to in special])
    writing = _piece_writing(model, layout, vocabulary)
    if _marks_words(settings.words, model.pieces):
        return _by_words(vocabulary, PieceEncoder(processor, of_piece), writing)
    rules = rules_for(declared.class_of_pieces, settings)
    if rules is None:
        plain = PieceEncoder(processor, of_piece)
        return VocabularyTokenizer(vocabulary, plain, writing)
    parting = PieceEncoder(processor, of_piece, parts_numbers=True)
    cleaning = CleaningEncoder(parting, rules)
    return VocabularyTokenizer(vocabulary, cleaning, writing)


def build_from_definition(
    definition: Definition, declared: Declared
) -> VocabularyTokenizer:
    """Build a tokenizer that a tokenizer.json defines.

    Where it defines BERT's own reading, it is built as from a vocab.txt.

    Args:
        definition: Checked.
        declared: What the files beside it say.

    Raises:
        ValueError: The library refuses the definition, its decoder is unknown, or the
            files contradict each other.
    """
    options = definition.bert_options()
    if options is not None:
        vocabulary = build_vocabulary(
            definition.tokens, definition.special_ids, declared, BERT_TOKENS
        )
        settings = read_settings({**declared.config, **options})
        return build_word_tokenizer(vocabulary, settings)
    vocabulary = build_vocabulary(
        definition.tokens,
        definition.special_ids,
        declared,
        unk_id=definition.unk_id,
    )
    encoder = build_encoder(definition, vocabulary.special_ids)
    writing = build_writing(definition, vocabulary)
    words = read_piece_settings(declared.config).words
    if _marks_words(words, definition.tokens):
        return _by_words(vocabulary, encoder, writing)
    return VocabularyTokenizer(vocabulary, encoder, writing)


def _marks_words(words: Words, tokens: Sequence[str]) -> bool:
    return has_marks(tokens) if words == "auto" else words == "jieba"


def _by_words(
    vocabulary: Vocabulary, encoder: Encoder, writing: Writing
) -> VocabularyTokenizer:
    """Put jieba before an encoder, as CPM does."""
    if not isinstance(writing, PieceWriting):
        raise ValueError(
            "jieba_words: expected a vocabulary of SentencePiece or of BERT's words; "
            f"received one that is written by {type(writing).__name__}"
        )
    by_words = MarkedWordEncoder(encoder, DICTIONARY.cut_guessing)
    return VocabularyTokenizer(vocabulary, by_words, writing.rewritten(written))


def _piece_writing(
    model: PieceModel, layout: Layout, vocabulary: Vocabulary
) -> PieceWriting:
    texts = [token.encode() for token in vocabulary.tokens]
    for piece_id, token_id in enumerate(layout.id_of_piece):
        texts[token_id] = model.text_bytes(piece_id)
    for token_id in vocabulary.special_ids:
        texts[token_id] = b""
    return PieceWriting(texts, dropped_spaces=model.dropped_spaces)
