"""Token healing's question: which tokens start with these characters?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_core.tokenizers.load import build_tokenizer
from model_core.tokenizers.prefix_index import PrefixIndex
from model_core.tokenizers.settings import TokenizerSettings
from model_core.tokenizers.vocabulary import SpecialTokens

TOKENS = ("[UNK]", "[白]", "[NL]", "", "白", "白云", "白云机场", "云", "##白", "##白云")
TOKENS += ("[", "a", "ab", "##", "##ab", "白\U0010ffff", "ab")
TOKENIZER = build_tokenizer(
    TOKENS,
    TokenizerSettings(
        words="jieba",
        special=SpecialTokens(newline="[NL]", additional=frozenset({"[白]"})),
    ),
)


@pytest.mark.parametrize(
    ("prefix", "continuation", "tokens"),
    [
        ("白", False, ["白", "白云", "白云机场", "白\U0010ffff"]),
        ("白云", False, ["白云", "白云机场"]),
        ("白", True, ["##白", "##白云"]),
        ("ab", False, ["ab", "ab"]),
        ("a", True, ["##ab"]),
        ("##", False, ["##"]),
        ("\n", False, ["[NL]"]),
        ("[", False, ["["]),
        ("无", False, []),
        ("白云机场大", False, []),
    ],
)
def test_ids_starting_with(prefix, continuation, tokens):
    ids = TOKENIZER.ids_starting_with(prefix, continuation=continuation)
    assert ids.dtype == np.int32
    assert [TOKENIZER.id_to_token(int(i)) for i in ids] == tokens


def test_no_prefix_is_every_token_with_characters():
    ids = {
        int(token_id)
        for continuation in (False, True)
        for token_id in TOKENIZER.ids_starting_with("", continuation=continuation)
    }
    assert ids == {i for i in range(len(TOKENS)) if TOKENIZER.token_text(i)}


TEXTS = st.text("ab白\U0010ffff", max_size=4)


@given(texts=st.lists(TEXTS, max_size=12), prefix=TEXTS)
def test_the_index_answers_as_looking_at_every_text_would(texts, prefix):
    found = PrefixIndex(enumerate(texts)).ids_starting_with(prefix)
    expected = [i for i, t in enumerate(texts) if t and t.startswith(prefix)]
    assert found.tolist() == expected
