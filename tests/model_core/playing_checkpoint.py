"""A checkpoint folder of ours that plays every part, with random weights."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
from keras import ops

from model_core.checkpoints.export import export_weights
from model_core.interfaces import Relation
from model_core.models.network import weights_by_name
from model_core.roles.loaded import load_model
from model_core.roles.parts import PARTS, Parts
from model_core.tokenizers.word_marks import NUM_MARKS
from tests.model_core.tiny import ROTARY, build_network

HEADS = (
    "language_model",
    "source_prior",
    "span",
    "copy",
    "clauses",
    "half_pointer",
    "gplinker",
)
MARKS = (
    "[标题]", "[摘要]", "[抽取]", "[问题]", "[答案]", "[三元组]", "[谓语]", "[宾语]",
    "[知识]", "[短文]", "[散文]",
)  # fmt: skip
CORE = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[NL]")
RIVER = "长江发源于青藏高原，全长约六千三百公里，流经上海后注入东海。"
WRITER = "鲁迅是浙江绍兴人，代表作有《呐喊》和《彷徨》，一八八一年出生。"
LAKE = "青海湖位于青海省，是中国最大的咸水湖，面积约四千五百平方公里。"
TEXTS = (RIVER, WRITER, LAKE)
QUESTIONS = "长江有多长？鲁迅是哪里人？青海湖在哪个省？谁写了呐喊"
WORDS = "好坏很这部电影真差看是不的标签体育财经，。不错好看"
RELATIONS = (
    Relation("人物", "出生地", "地点"),
    Relation("图书作品", "作者", "人物"),
    Relation("河流", "长度", "数字"),
)
STYLE = "[短文]"


@cache
def tokens():
    """The vocabulary: marks, the characters of the texts, a few pieces."""
    characters = dict.fromkeys("".join((*TEXTS, QUESTIONS, WORDS)))
    return (*CORE, *MARKS, *characters, "Li", "##nu", "##x", "2", "##0", "##2", "a")


def config_of(tokens_, **changes):
    """The tiny config with everything on."""
    return replace(
        ROTARY,
        vocab_size=len(tokens_),
        max_position_embeddings=512,
        mark_vocab_size=NUM_MARKS,
        num_conditions=2,
        condition_size=6,
        num_relations=len(RELATIONS),
        **changes,
    )


def write_playing(folder, *, heads=HEADS, parts=PARTS, seed=0, spread=0.6):
    """Write a folder that ``load_model`` reads; return it."""
    config = config_of(tokens())
    network = build_network(config, heads, seed=seed)
    weights = {}
    for name, weight in weights_by_name(network).items():
        values = np.array(ops.convert_to_numpy(weight)) * spread
        weights[name] = values + (1 if name.endswith("gamma") else 0)
    export_weights(weights, config, folder, heads=heads, dtype="float32")
    write_vocabulary(folder, tokens())
    if parts is not None:
        Parts(parts, RELATIONS, True, ("正面", "负面"), STYLE).save(
            folder / "parts.json"
        )
    return folder


def write_vocabulary(folder, vocabulary):
    """Write the files that ``load_tokenizer`` reads."""
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf8")
    settings = {
        "do_lower_case": False,
        "strip_accents": False,
        "newline_token": "[NL]",
        "additional_special_tokens": [*MARKS],
    }
    text = json.dumps(settings, ensure_ascii=False)
    (folder / "tokenizer_config.json").write_text(text, encoding="utf8")


def load_playing(folder, **options):
    """Write and load such a checkpoint."""
    return load_model(write_playing(folder, **options), name="tiny")
