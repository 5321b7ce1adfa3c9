"""A tiny mBART-50 that was taught two sentences' triples, in the layout of mREBEL.

Changes with that layout: safetensors or pytorch_model.bin, tokenizer.json,
tokenizer_config.json, special_tokens_map.json, added_tokens.json, config.json whose
decoder starts with <s>.
"""

import json
from functools import cache

import pytest

pytest.importorskip("transformers")

import tokenizers
from tokenizers import decoders, models, pre_tokenizers

from tests.model_core.reference_models import save_bin, torch, transformers

REPO = "Babelscape/mrebel-large"
WRITER = "鲁迅是浙江绍兴人，代表作有《呐喊》和《彷徨》，一八八一年出生。"
BAND = "The Red Hot Chili Peppers were formed in Los Angeles by Kiedis and Flea."
WRITTEN = {
    WRITER: "<triplet> 鲁迅 <per> 绍兴 <loc> place of birth <per> 呐喊 <media> "
    "notable work <triplet> 彷徨 <media> 鲁迅 <per> author",
    BAND: "<triplet> Red Hot Chili Peppers <org> Los Angeles <loc> location of "
    "formation <org> Kiedis <per> has part <org> Nirvana <org> different from",
}
TRIPLES = {
    WRITER: {
        ("per", "鲁迅", "place of birth", "loc", "绍兴"),
        ("per", "鲁迅", "notable work", "media", "呐喊"),
        ("media", "彷徨", "author", "per", "鲁迅"),
    },
    BAND: {
        ("org", "Red Hot Chili Peppers", "location of formation", "loc", "Los Angeles"),
        ("org", "Red Hot Chili Peppers", "has part", "per", "Kiedis"),
    },
}  # Nirvana is not in the text
MARKS = ("<triplet>", "<relation>", "tp_XX", "<loc>", "<per>", "<org>", "<media>")
LANGUAGES = ("en_XX", "zh_CN")
LAYOUT = ("<s>", "<pad>", "</s>", "<unk>")
STEPS, RATE = 80, 0.01


@cache
def definition():
    """The tokenizer.json: XLM-R's Unigram, then languages, <mask> and marks."""
    texts = [*WRITTEN, *WRITTEN.values()]
    words = {f"▁{w}" for text in texts for w in text.split() if w.isascii()}
    characters = {char for text in texts for char in text if char != " "}
    rows = [(mark, 0.0) for mark in LAYOUT]
    rows += [("▁", -3.0), *((char, -4.0) for char in sorted(characters))]
    rows += [(word, -2.0) for word in sorted(words - set(MARKS))]
    pipeline = tokenizers.Tokenizer(models.Unigram(rows, unk_id=3))
    pipeline.pre_tokenizer = pre_tokenizers.Metaspace()
    pipeline.decoder = decoders.Metaspace()
    pipeline.add_special_tokens([*LAYOUT, *LANGUAGES, "<mask>", *MARKS])
    return pipeline


def ids_of(opening, text):
    """The reference's ids of a source or a target: opened by a language, ended."""
    pipeline = definition()
    ids = pipeline.encode(text, add_special_tokens=False).ids
    return [pipeline.token_to_id(opening), *ids, pipeline.token_to_id("</s>")]


def sources():
    """The ids of both sentences."""
    return [ids_of("zh_CN", WRITER), ids_of("en_XX", BAND)]


@cache
def taught():
    """The reference's model, after a second of lessons."""
    torch.set_num_threads(1)  # so small that threads only wait for one another
    torch.manual_seed(3)
    config = transformers.MBartConfig(
        vocab_size=definition().get_vocab_size(), d_model=48, encoder_layers=2,
        decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=4,
        encoder_ffn_dim=64, decoder_ffn_dim=64, max_position_embeddings=96,
        scale_embedding=True, dropout=0.0, pad_token_id=1, bos_token_id=0,
        eos_token_id=2, decoder_start_token_id=0, forced_eos_token_id=2,
    )  # fmt: skip
    model = transformers.MBartForConditionalGeneration(config)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    inputs = padded(sources(), 1)
    targets = padded([ids_of("tp_XX", text) for text in WRITTEN.values()], 1)
    labels = targets[:, 1:].masked_fill(targets[:, 1:] == 1, -100)
    for _ in range(STEPS):
        logits = model(
            input_ids=inputs,
            attention_mask=inputs != 1,
            decoder_input_ids=targets[:, :-1],
        ).logits
        loss = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), labels.flatten(), label_smoothing=0.1
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def padded(rows, filler):
    """Rows of ids as one tensor."""
    longest = max(map(len, rows))
    return torch.tensor([row + [filler] * (longest - len(row)) for row in rows])


def write_written(folder, save=save_bin, model=None):
    """Write a folder as the hub serves it; return it."""
    folder.mkdir(parents=True, exist_ok=True)
    save(model or taught(), folder)
    pipeline = definition()
    pipeline.save(str(folder / "tokenizer.json"))
    named = {
        "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>",
        "sep_token": "</s>", "pad_token": "<pad>", "cls_token": "<s>",
        "mask_token": "<mask>",
        "additional_special_tokens": [*MARKS, "<unk>", *LANGUAGES],
    }  # fmt: skip
    config = {**named, "tokenizer_class": "MBart50Tokenizer", "tgt_lang": "tp_XX"}
    added = {mark: pipeline.token_to_id(mark) for mark in MARKS}
    for name, values in (
        ("special_tokens_map.json", named),
        ("tokenizer_config.json", config),
        ("added_tokens.json", added),
    ):
        (folder / name).write_text(json.dumps(values), encoding="utf8")
    return folder
