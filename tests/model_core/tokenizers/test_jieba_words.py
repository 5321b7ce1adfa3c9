"""Words before characters: WoBERT's reading, loaded once, quietly, without a trace."""

import tempfile
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_core.tokenizers import jieba_words
from model_core.tokenizers.jieba_words import DICTIONARY, JiebaDictionary
from model_core.tokenizers.load import build_tokenizer
from model_core.tokenizers.settings import TokenizerSettings

TOKENS = (
    "[UNK]",
    *"今天气我们去看北京大学白云机场在广州，。##",
    "天气",
    "北京大学",
    "白云",
    "广州",
)
TOKENS += ("hello", "play", "##ing", "3", ".", "14", "##京")
TOKENIZER = build_tokenizer(TOKENS, TokenizerSettings(words="jieba"))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("我们去北京大学看看", ["我", "们", "去", "北京大学", "看", "看"]),
        ("白云机场在广州。", ["白", "云", "机", "场", "在", "广州", "。"]),
        ("北京，天气", ["北", "京", "，", "天气"]),
        (
            "今天 HELLO playing 3.14",
            ["今", "天", "hello", "play", "##ing", "3", ".", "14"],
        ),
        ("##京", ["#", "#", "京"]),
        ("", []),
    ],
)
def test_words_come_first_then_pieces(text, tokens):
    encoding = TOKENIZER.encode(text)
    assert [TOKENIZER.id_to_token(i) for i in encoding.token_ids] == tokens
    slices = [text[start:end] for start, end in encoding.spans]
    assert [s.lower() for s in slices] == [t.removeprefix("##") for t in tokens]


@given(text=st.text(st.characters(exclude_categories=()), max_size=40))
@settings(max_examples=100, deadline=None)
def test_the_words_make_up_the_text_again(text):
    assert "".join(DICTIONARY.cut(text)) == text


def test_without_words_in_the_vocabulary_it_is_plain_wordpiece():
    characters = [token for token in TOKENS if len(token) == 1 or token[0] in "[#"]
    text = "今天天气，我们去北京大学。白云机场"
    by_words = build_tokenizer(characters, TokenizerSettings(words="jieba"))
    by_characters = build_tokenizer(characters, TokenizerSettings(words="characters"))
    assert by_words.encode(text) == by_characters.encode(text)


def test_loading_writes_nothing_and_says_nothing(monkeypatch, capfd):
    def refuse(*_args, **_kwargs):
        message = "read-only"
        raise OSError(message)

    with monkeypatch.context() as read_only:
        for name in ("mkstemp", "gettempdir", "NamedTemporaryFile"):
            read_only.setattr(tempfile, name, refuse)
        assert list(JiebaDictionary().cut("北京大学")) == ["北京大学"]
    assert capfd.readouterr() == ("", "")


def test_a_dictionary_loads_at_the_first_word_and_once(monkeypatch):
    loads = []

    class Cutter:
        def cut(self, text, **options):
            assert options == {"HMM": False}
            return [text]

    def load_cutter():
        time.sleep(0.05)
        loads.append(1)
        return Cutter()

    monkeypatch.setattr(jieba_words, "_load_cutter", load_cutter)
    dictionary = JiebaDictionary()
    assert loads == []
    found = []
    threads = [
        threading.Thread(target=lambda: found.extend(dictionary.cut("字")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["字"] * 8
    assert loads == [1]


def test_other_users_of_jieba_do_not_change_our_words():
    import jieba

    added = "在广州看"
    jieba.dt.FREQ[added] = 10**9
    try:
        assert added not in list(DICTIONARY.cut("在广州看"))
    finally:
        del jieba.dt.FREQ[added]
