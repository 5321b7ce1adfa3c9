"""Tiny vocabularies of every kind, made in memory; changes with the kinds."""

import io
import json
import random
from functools import cache

import sentencepiece
import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

from tests.model_core.tokenizers.hostile import listed

WORDS = listed(
    "今天 天气 很好 我们 去 北京 大学 白云 机场 广州 的 了 是 hello world playing "
    "tokens naïve Straße "
    "привет 한국 é ß 。 ， ！ ？ , . 1,000 2020, 3.14 don't ▂ ▃ ( ) 😀"
)
UNK = "<unk>"
BERT_MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


@cache
def lines():
    """A few hundred lines of nothing, the same every time."""
    draw = random.Random(7)
    return tuple(
        "".join(draw.choice(WORDS) + draw.choice(("", "", " ")) for _ in range(24))
        for _ in range(300)
    )


@cache
def piece_model(**options):
    """A SentencePiece model file's bytes."""
    chosen = {
        "model_type": "unigram",
        "vocab_size": 420,
        "character_coverage": 1.0,
        "hard_vocab_limit": False,
        "minloglevel": 3,
        "num_threads": 1,
        **options,
    }
    sentencepiece.set_min_log_level(3)
    file = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines()), model_writer=file, **chosen
    )
    return file.getvalue()


def xlnet_model():
    """Pieces as XLNet and CPM publish them."""
    return piece_model(
        control_symbols="<cls>,<sep>,<pad>,<mask>,<eod>",
        user_defined_symbols="<eop>,.,(,),–,£,€",
    )


def t5_model():
    """Pieces as T5 publishes them: padding first, no beginning."""
    return piece_model(pad_id=0, eos_id=1, unk_id=2, bos_id=-1)


def mt5_model():
    """Pieces as mT5 publishes them: bytes, and sentinels of the model's own."""
    return piece_model(
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        vocab_size=700,
        byte_fallback=True,
        user_defined_symbols="▁<extra_id_1>,▁<extra_id_0>",
    )


def bpe_model():
    """The same library's BPE, with bytes for what it cannot spell."""
    return piece_model(
        model_type="bpe",
        vocab_size=700,
        byte_fallback=True,
        add_dummy_prefix=True,
        remove_extra_whitespaces=False,
        normalization_rule_name="identity",
    )


@cache
def unigram_json():
    """XLM-R's kind of tokenizer.json, over a model that was trained above."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=piece_model())
    ids = range(3, processor.get_piece_size())
    rows = [["<s>", 0.0], ["<pad>", 0.0], ["</s>", 0.0], ["<unk>", 0.0]]
    rows += [[processor.id_to_piece(i), processor.get_score(i)] for i in ids]
    rows += [["<mask>", 0.0]]
    pipeline = tokenizers.Tokenizer(models.Unigram([tuple(r) for r in rows], unk_id=3))
    pipeline.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(tokenizers.Regex(" {2,}"), " ")]
    )
    pipeline.pre_tokenizer = pre_tokenizers.Metaspace()
    pipeline.decoder = decoders.Metaspace()
    pipeline.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    pipeline.enable_truncation(16)
    pipeline.enable_padding()
    return json.loads(pipeline.to_str())


@cache
def byte_pair_json():
    """GPT-2's kind of tokenizer.json."""
    pipeline = tokenizers.Tokenizer(models.BPE())
    pipeline.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pipeline.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=["<|endoftext|>"],
        show_progress=False,
    )
    pipeline.train_from_iterator(lines(), trainer)
    return json.loads(pipeline.to_str())


@cache
def fallback_json():
    """A BPE of characters and, for those that it lacks, bytes; as Llama's."""
    chars = sorted({char for line in lines() for char in line.replace(" ", "▁")})
    tokens = [
        "<unk>",
        "<s>",
        "</s>",
        *(f"<0x{byte:02X}>" for byte in range(256)),
        *chars,
    ]
    tokens += ["今天", "▁h", "el"]
    merges = [("今", "天"), ("▁", "h"), ("e", "l")]
    pipeline = tokenizers.Tokenizer(
        models.BPE(
            {token: i for i, token in enumerate(tokens)},
            merges,
            unk_token=UNK,
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    pipeline.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    pipeline.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    pipeline.add_special_tokens(["<unk>", "<s>", "</s>"])
    return json.loads(pipeline.to_str())


@cache
def ended_word_json():
    """GPT's kind: words end in a mark."""
    pipeline = tokenizers.Tokenizer(
        models.BPE(unk_token=UNK, end_of_word_suffix="</w>")
    )
    pipeline.normalizer = normalizers.BertNormalizer(lowercase=True)
    pipeline.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    pipeline.decoder = decoders.BPEDecoder(suffix="</w>")
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<unk>"],
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    pipeline.train_from_iterator(lines(), trainer)
    return json.loads(pipeline.to_str())


@cache
def word_tokens():
    """BERT's kind of vocab.txt."""
    chars = sorted({char for line in lines() for char in line} - {" "})
    chars += [*"abcdefghijklmnopqrstuvwxyz0123456789'\"#[]<>/_-:;", "ａ", "龘", "e"]
    chars = [*dict.fromkeys(chars)]
    words = ["hello", "##llo", "play", "##ing", "world", "北京", "今天"]
    return (*BERT_MARKS, "[unused1]", *chars, *(f"##{c}" for c in chars), *words)


@cache
def word_piece_json(lowercase=True):
    """BERT's tokenizer.json."""
    ids = {token: i for i, token in enumerate(word_tokens())}
    pipeline = tokenizers.Tokenizer(models.WordPiece(ids, unk_token=BERT_MARKS[1]))
    pipeline.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    pipeline.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    pipeline.decoder = decoders.WordPiece()
    pipeline.add_special_tokens([*BERT_MARKS])
    return json.loads(pipeline.to_str())


@cache
def other_word_piece_json():
    """WordPiece under rules that are not BERT's."""
    definition = word_piece_json()
    lower = [{"type": "NFD"}, {"type": "Lowercase"}, {"type": "StripAccents"}]
    return {
        **definition,
        "normalizer": {"type": "Sequence", "normalizers": lower},
        "pre_tokenizer": {"type": "WhitespaceSplit"},
    }


def write_json(path, value):
    """Write a definition and return its folder."""
    path.write_text(json.dumps(value, ensure_ascii=True))
    return path.parent
