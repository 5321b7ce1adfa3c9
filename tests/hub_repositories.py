"""Repositories as the hub serves them: each layout of the list, with tiny weights.

Names, files, revisions and vocabularies are those of the published repositories; the
numbers are random. Changes when a repository with another layout is to be pulled.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import sentencepiece

from model_core.interfaces import (
    DIALOGUE_PARTNER,
    MASK_FILLER,
    PASSAGE_READER,
    REPLACED_TOKEN_DETECTOR,
    SENTENCE_ENCODER,
    SENTENCE_REPHRASER,
    TEXT_GENERATOR,
    TEXT_REWRITER,
    TRIPLE_POINTER,
    Role,
)
from tests.model_core import test_numpy_parity as drawings
from tests.model_core import zoo_cases
from tests.model_core import zoo_formats as files
from tests.model_core.reference_models import (
    VOCAB,
    WIDTH,
    built,
    torch,
    transformers,
)
from tests.model_core.test_family_parity import BERT_SIZES, SIZES, SPECIAL
from tests.model_core.tiny_checkpoint import CHARACTERS
from tests.model_core.tokenizers import tiny_vocabularies

MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
SPEAKERS = ("[speaker1]", "[speaker2]")
EVERYWHERE = ("今", "天")  # in the vocabularies of pieces as well
WORDS = ("春秋", "明月", "江南")
POSITIONS = 64


def characters(*first: str, marks: tuple[str, ...] = MARKS, size: int = VOCAB) -> bytes:
    """A vocab.txt as BERT's: marks, characters, then lines of no use."""
    tokens = [*marks, *first, *CHARACTERS, *EVERYWHERE]
    tokens += [f"[unused{n}]" for n in range(9, 9 + size - len(tokens))]
    return ("\n".join(tokens) + "\n").encode()


def told(**values: object) -> bytes:
    """A small JSON file."""
    return json.dumps(values).encode()


@dataclass(frozen=True)
class Repository:
    """One repository.

    Attributes:
        name: ``owner/name``, with the revision where the files are.
        role: What its tab asks it for.
        weights: Name of the file, or of one of the files, that must be read.
        write: Writes the weights, given a folder and a model.
        model: Builds the reference.
        texts: The vocabulary and the small files beside it.
        config: What its config.json says otherwise; None leaves a key out.
        refused: Roles that it must refuse, with what the refusal names.
    """

    name: str
    role: Role[object]
    weights: str
    write: Callable[[Path, "zoo_cases.Reference | zoo_cases.Drawn"], None]
    model: Callable[[], "zoo_cases.Reference | zoo_cases.Drawn"]
    texts: dict[str, bytes | Callable[[], bytes]] = field(
        default_factory=lambda: {"vocab.txt": characters()}
    )
    config: dict[str, object] = field(default_factory=dict)
    refused: tuple[Role[object], ...] = ()

    def written(self, folder: Path) -> dict[str, bytes]:
        """Write the repository's files into an empty folder and return them."""
        folder.mkdir(parents=True)
        model = self.model()
        values = {k: v for k, v in (model.config | self.config).items()
                  if self.config.get(k, "") is not None}  # fmt: skip
        (folder / "config.json").write_text(json.dumps(values, default=str))
        for name, content in self.texts.items():
            data = content if isinstance(content, bytes) else content()
            (folder / name).write_bytes(data)
        self.write(folder, model)
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def _torch(write):
    return lambda folder, model: write(folder, model.tensors)


def _h5(folder, model):
    files.write_h5(folder, model.model)


def _checkpoint(config, names, prefix="bert_model.ckpt"):
    """Return what writes TensorFlow's files.

    Args:
        config: How the config is called.
        names: Names a model's tensors; None where it is drawn under their names.
        prefix: How the checkpoint is called.
    """

    def write(folder, model):
        (folder / "config.json").rename(folder / config)
        variables = model.original if names is None else names(model.tensors)
        files.write_tensorflow(folder, variables, prefix)
        (folder / "checkpoint").write_text(f'model_checkpoint_path: "{prefix}"\n')

    return write


ST = _torch(files.write_safetensors)
ST_SHARDS = _torch(files.write_sharded_safetensors)
BIN = _torch(files.write_bin)
BIN_SHARDS = _torch(files.write_sharded_bin)
HALF = _torch(files.write_half_bin)
GAMMA = _torch(files.write_old_names_bin)
ST_NAME, BIN_NAME, H5_NAME = "model.safetensors", "pytorch_model.bin", "tf_model.h5"
ST_SHARD = "model-00002-of-00003.safetensors"
BIN_SHARD = "pytorch_model-00002-of-00003.bin"


def tiny(kind: str, config: str, **changes: object):
    """Return what builds a reference model with room for a sentence."""
    room = {"n_positions": POSITIONS} if "GPT" in config else {}
    room = room or {"max_position_embeddings": POSITIONS}
    room = {} if config in ("T5", "MT5", "XLNet") else room

    @cache
    def build():
        values = SIZES.get(config, BERT_SIZES) | room | changes
        values |= {k: v() for k, v in values.items() if callable(v)}
        made = getattr(transformers, f"{config}Config")(**values)
        return zoo_cases.Reference(built(kind, made))

    return build


def _t5(kind: str, **changes: object):
    build = tiny(f"{kind}ForConditionalGeneration", kind, **changes)

    @cache
    def with_head():
        model = build().model
        head = torch.randn_like(model.lm_head.weight)
        model.lm_head.weight = torch.nn.Parameter(head)
        model.config.tie_word_embeddings = False
        return zoo_cases.Reference(model)

    return with_head


@cache
def _nezha():
    weights = drawings.drawn(drawings.bert_shapes("nezha") | drawings.mlm_shapes())
    return zoo_cases.Drawn(weights, drawings.BERT_JSON, None, None)


@cache
def _nezha_in_berts_names():
    named = {n.replace("nezha.", "bert."): v for n, v in _nezha().tensors.items()}
    return zoo_cases.Drawn(named, drawings.BERT_JSON, None, None)


@cache
def _gpt2_ml():
    weights = drawings.drawn(drawings.gpt2_ml_shapes())
    named = dict(drawings.in_bert4torch(*item) for item in weights.items())
    return zoo_cases.Drawn(named, drawings.GPT2_ML_JSON, None, None)


@cache
def _albert_zh():
    weights = drawings.drawn(drawings.albert_zh_shapes())
    return zoo_cases.Drawn({}, drawings.ALBERT_ZH_JSON, None, None, weights)


@cache
def _uie():
    return zoo_cases.Reference(zoo_cases.UIEModel().eval())


def _word_pieces() -> bytes:
    return json.dumps(tiny_vocabularies.word_piece_json()).encode()


def _unigram() -> bytes:
    return json.dumps(tiny_vocabularies.unigram_json()).encode()


def _size_of(pieces: Callable[[], bytes], added: int = 0) -> Callable[[], int]:
    def size() -> int:
        made = sentencepiece.SentencePieceProcessor(model_proto=pieces())
        return int(made.get_piece_size()) + added

    return size


XLNET_PIECES, T5_PIECES = tiny_vocabularies.xlnet_model, tiny_vocabularies.t5_model
GPT2 = tiny("GPT2LMHeadModel", "GPT2")
BERT = tiny("BertForMaskedLM", "Bert")
SMALL = {"vocab.txt": characters(size=drawings.VOCAB)}
JIEBA = {
    "vocab.txt": characters(*WORDS),
    "tokenizer_config.json": told(do_lower_case=True, jieba_words=True),
}
SPOKEN = {
    "vocab.txt": characters(*SPEAKERS, marks=("[CLS]", "[PAD]", "[SEP]", "[UNK]")),
    "tokenizer_config.json": told(additional_special_tokens=[*SPEAKERS]),
}
RANDENG = {
    "vocab.txt": characters(*(f"[unused{n}]" for n in range(1, 5)), *WORDS),
    "tokenizer_config.json": told(tokenizer_class="PegasusTokenizer", jieba_words=True),
}
T5_ENDS = {"decoder_start_token_id": 2, "eos_token_id": 3, "pad_token_id": 0}

REPOSITORIES = (
    Repository("uer/gpt2-chinese-cluecorpussmall", TEXT_GENERATOR, BIN_NAME, BIN, GPT2),
    Repository(
        "uer/gpt2-chinese-cluecorpussmall@refs/pr/3", TEXT_GENERATOR, ST_NAME, ST, GPT2
    ),
    Repository("uer/gpt2-chinese-poem", TEXT_GENERATOR, H5_NAME, _h5, GPT2),
    Repository(
        "uer/gpt2-xlarge-chinese-cluecorpussmall",
        TEXT_GENERATOR,
        BIN_SHARD,
        BIN_SHARDS,
        GPT2,
    ),
    Repository(
        "Tongjilibo/gpt2-ml_15g_corpus",
        TEXT_GENERATOR,
        BIN_NAME,
        BIN,
        _gpt2_ml,
        SMALL,
    ),
    Repository(
        "TsinghuaAI/CPM-Generate",
        TEXT_GENERATOR,
        BIN_NAME,
        BIN,
        tiny("GPT2LMHeadModel", "GPT2", vocab_size=_size_of(XLNET_PIECES)),
        {"spiece.model": XLNET_PIECES},
        {"tokenizer_class": "CpmTokenizer"},
    ),
    Repository(
        "thu-coai/CDial-GPT_LCCC-large",
        DIALOGUE_PARTNER,
        BIN_NAME,
        BIN,
        tiny("OpenAIGPTLMHeadModel", "OpenAIGPT"),
        SPOKEN,
        {"model_type": None},
    ),
    Repository(
        "Tongjilibo/nezha_gpt_dialog",
        DIALOGUE_PARTNER,
        BIN_NAME,
        BIN,
        _nezha_in_berts_names,
        SMALL,
        {"max_relative_position": 64},
    ),
    Repository(
        "imxly/t5-pegasus-small@refs/pr/2",
        TEXT_REWRITER,
        ST_NAME,
        ST,
        _t5("MT5", feed_forward_proj="gated-gelu"),
        JIEBA,
        {"tokenizer_class": "T5PegasusTokenizer", **T5_ENDS},
    ),
    Repository(
        "csebuetnlp/mT5_multilingual_XLSum",
        TEXT_REWRITER,
        BIN_NAME,
        BIN,
        _t5("MT5", vocab_size=_size_of(T5_PIECES, 100), feed_forward_proj="gated-gelu"),
        {"spiece.model": T5_PIECES},
    ),
    Repository(
        "uer/t5-small-chinese-cluecorpussmall",
        TEXT_REWRITER,
        H5_NAME,
        _h5,
        tiny("T5ForConditionalGeneration", "T5"),
        {"vocab.txt": characters("extra0", "extra1")},
        T5_ENDS,
    ),
    Repository(
        "IDEA-CCNL/Randeng-Pegasus-238M-Summary-Chinese",
        TEXT_REWRITER,
        BIN_NAME,
        HALF,
        tiny("PegasusForConditionalGeneration", "Pegasus", scale_embedding=True),
        RANDENG,
        {"decoder_start_token_id": 0, "eos_token_id": 5},
    ),
    Repository(
        "fnlp/bart-base-chinese",
        TEXT_REWRITER,
        ST_SHARD,
        ST_SHARDS,
        tiny("BartForConditionalGeneration", "Bart"),
        config={"decoder_start_token_id": 3, "eos_token_id": 3, "bos_token_id": 2},
    ),
    Repository("xusenlin/uie-base@refs/pr/1", TRIPLE_POINTER, ST_NAME, ST, _uie),
    Repository(
        "uer/roberta-base-chinese-extractive-qa",
        PASSAGE_READER,
        H5_NAME,
        _h5,
        tiny("BertForQuestionAnswering", "Bert", max_position_embeddings=256),
    ),
    Repository("hfl/chinese-roberta-wwm-ext", MASK_FILLER, BIN_NAME, GAMMA, BERT),
    Repository("google-bert/bert-base-chinese", MASK_FILLER, ST_NAME, ST, BERT),
    Repository(
        "junnyu/wobert_chinese_plus_base", MASK_FILLER, BIN_NAME, BIN, BERT, JIEBA
    ),
    Repository(
        "junnyu/roformer_chinese_char_base",
        MASK_FILLER,
        H5_NAME,
        _h5,
        tiny("RoFormerForMaskedLM", "RoFormer", embedding_size=WIDTH),
    ),
    Repository(
        "nghuyong/ernie-3.0-base-zh",
        MASK_FILLER,
        BIN_NAME,
        BIN,
        tiny("ErnieForMaskedLM", "Ernie", use_task_id=True, type_vocab_size=4),
    ),
    Repository(
        "sijunhe/nezha-cn-base",
        MASK_FILLER,
        BIN_NAME,
        BIN,
        _nezha,
        SMALL,
        {"model_type": "nezha", "embedding_size": 128},
    ),
    Repository(
        "voidful/albert_chinese_tiny@refs/pr/1",
        MASK_FILLER,
        ST_NAME,
        ST,
        tiny("AlbertForMaskedLM", "Albert", embedding_size=12),
    ),
    Repository(
        "hfl/chinese-electra-180g-small-generator",
        MASK_FILLER,
        BIN_NAME,
        BIN,
        tiny("ElectraForMaskedLM", "Electra", embedding_size=12),
    ),
    Repository(
        "hfl/chinese-electra-180g-base-discriminator",
        REPLACED_TOKEN_DETECTOR,
        BIN_NAME,
        BIN,
        tiny("ElectraForPreTraining", "Electra"),
        refused=(MASK_FILLER,),
    ),
    Repository(
        "distilbert/distilbert-base-multilingual-cased",
        MASK_FILLER,
        ST_NAME,
        ST,
        tiny(
            "DistilBertForMaskedLM",
            "DistilBert",
            vocab_size=lambda: len(tiny_vocabularies.word_tokens()),
        ),
        {"tokenizer.json": _word_pieces},
    ),
    Repository(
        "FacebookAI/xlm-roberta-base",
        MASK_FILLER,
        ST_NAME,
        ST,
        tiny(
            "XLMRobertaForMaskedLM",
            "XLMRoberta",
            vocab_size=lambda: len(json.loads(_unigram())["model"]["vocab"]),
            type_vocab_size=1,
            **SPECIAL,
        ),
        {"tokenizer.json": _unigram},
    ),
    Repository(
        "hfl/chinese-xlnet-base",
        SENTENCE_ENCODER,
        BIN_NAME,
        BIN,
        tiny("XLNetLMHeadModel", "XLNet", vocab_size=_size_of(XLNET_PIECES)),
        {"spiece.model": XLNET_PIECES},
    ),
    Repository(
        "Tongjilibo/simbert-chinese-tiny",
        SENTENCE_ENCODER,
        BIN_NAME,
        BIN,
        tiny("BertForPreTraining", "Bert"),
    ),
    Repository(
        "Tongjilibo/simbert-chinese-base",
        SENTENCE_REPHRASER,
        BIN_NAME,
        BIN,
        tiny("BertForPreTraining", "Bert"),
    ),
)
FOLDERS = {
    "bert": Repository(
        "chinese_L-12_H-768_A-12",
        MASK_FILLER,
        "bert_model.ckpt.index",
        _checkpoint("bert_config.json", files.google_bert),
        tiny("BertForPreTraining", "Bert"),
        config={"model_type": None},
    ),
    "albert": Repository(
        "albert_tiny_zh_google",
        MASK_FILLER,
        "albert_model.ckpt.index",
        _checkpoint(
            "albert_config_tiny_g.json", files.google_albert, "albert_model.ckpt"
        ),
        tiny("AlbertForPreTraining", "Albert", embedding_size=12),
        config={"model_type": None},
    ),
    "albert_zh": Repository(
        "albert_tiny_489k",
        MASK_FILLER,
        "albert_model.ckpt.index",
        _checkpoint("albert_config_tiny.json", None, "albert_model.ckpt"),
        _albert_zh,
        SMALL,
    ),
}
"""First releases, which are no repositories: they lie in folders. By family."""
