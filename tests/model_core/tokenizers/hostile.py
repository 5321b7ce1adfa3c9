"""Two thousand strings that people should not type but do; changes with what they type.

The same every time: one seed, one generator, no clock and no network.
"""

import random
from functools import cache

NUM_STRINGS = 2000
SEED = 20_240_229


def listed(text):
    """The parts of a text between spaces."""
    return tuple(text.split(" "))


WORDS = listed(
    "今天天气 很好 我们 北京大学 白云机场 广州 的 了 是 𠮷野家 龘 々〇ヶ か\u3099が "
    "한국어 \u1112\u1161\u11ab hello World playing tokenization Straße naïve "
    "e\u0301te\u0301 İstanbul Σας ǆ ſ www.a-b.com/c?d=e&f#g don't "
    "U.S.A. привет שלום العربية ﷺ हिन्दी"
)
DIGITS = listed("3.14 1,000 2020, 12:30 50% $3.50 １２３ ½ ² ٣ ㍿ №")
EMOJI = listed(
    "😀 👨\u200d👩\u200d👧\u200d👦 🇨🇳 ☺\ufe0f 👍🏽 🏴\U000e0067\U000e0062\U000e007f"
)
MARKS = listed(
    "， 。 ！ ？ 《 》 、 … —— “ ” , . ! ? `` '' ' \" ( ) [ ] # ## - _ / \\ ▁ ▂ ▃ ~ | @"
)
SPACES = (
    *(" ", "  ", "     ", "\t", "\n", "\r\n", "\u3000", "\u00a0", "\u2003", "\u200a"),
    *("\u1680", "\u2028", "\x85", "\x0b", "\x1c"),
)
CONTROLS = (
    *("\x00", "\x01", "\x7f", "\u200b", "\u200d", "\ufeff", "\u00ad", "\u202e"),
    *("\u2066", "\ufffd", "\uffff", "\ufdd0", "\U0010ffff", "\ue000"),
)
COMBINING = ("\u0301", "\u0323", "\u3099", "\u20e3", "\u0488", "\u05b0")
WIDE = ("Ａ", "ａＢ", "！", "，", "ｱｲ", "￥", "ﬁ", "ﬃ")
SURROGATES = ("\ud83d", "\ude00", "\ud83d\ude00", "\udfff")
LOOKALIKES = listed(
    "[CLS] [SEP] [MASK] [PAD] [UNK] [unused1] <s> </s> <pad> <unk> <mask> <cls> <sep> "
    "<eop> <eod> <extra_id_0> extra0 <mask_1> <unk_2> <|endoftext|> zh_CN <0xE4> [NL] "
    "[speaker1] <S>"
)
POOLS = (
    *(WORDS, WORDS, WORDS, DIGITS, EMOJI, MARKS, MARKS, SPACES, SPACES, CONTROLS),
    *(COMBINING, WIDE, SURROGATES, LOOKALIKES),
)
BLOCKS = (0x80, 0x250, 0x800, 0x3000, 0xA000, 0xFB00, 0x1F000, 0x20000, 0x110000)


@cache
def hostile_strings():
    """All of them, the shortest and worst by hand first."""
    draw = random.Random(SEED)
    every = [part for pool in POOLS for part in pool]
    long = ["a" * 300, "中" * 300, " " * 40, "\u0301" * 20, "1," * 60, "[ CLS ]"]
    strings = dict.fromkeys(["", *every, *long])
    while len(strings) < NUM_STRINGS:
        parts = [_part(draw) for _ in range(draw.randint(2, 14))]
        strings[draw.choice(("", "", " ")).join(parts)] = None
    return tuple(strings)


def readable(text):
    """What a library is given for a text with lone surrogates."""
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)


def without(*tokens):
    """The strings in which none of these special tokens is typed."""
    return tuple(
        text for text in hostile_strings() if not any(token in text for token in tokens)
    )


def _part(draw):
    if draw.random() < 0.08:
        low, high = sorted(draw.sample(BLOCKS, 2))
        return chr(draw.randrange(low, high))
    return draw.choice(draw.choice(POOLS))
