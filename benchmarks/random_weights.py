"""Writes the random networks that everyone loads, and what transformers makes of them.

Changes when another network is measured. A process of its own: ``python -m
benchmarks.random_weights FOLDER SCALE THREADS``. A fresh network repeats one token for
ever, which any mistake would repeat as well; here the next token hangs on all layers
and on the place, and special tokens get zeros, so that no choice ever ends a text.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from benchmarks.shapes import (
    SCALES,
    SPECIAL_TOKENS,
    Scale,
    Values,
    bart_values,
    bert_values,
    drawn_ids,
    gpt2_values,
    prompts,
    source,
    vocabulary,
)

WIDER = 3.0
"""Times the usual 0.02, of the feed-forward and of the places."""
UNEVEN = 0.3
"""Spread of the logarithm of a token's length: best tokens lead more clearly."""
FEED_FORWARD = ("fc1.weight", "fc2.weight", "mlp.c_fc.weight", "mlp.c_proj.weight")
INNER_AXIS = {"fc2.weight": 1, "mlp.c_proj.weight": 0}
"""Of the second matrix; an activation's mean is to add nothing to every state."""
TOKENS = ("wte.weight", "shared.weight", "word_embeddings.weight")
PLACES = ("wpe.weight", "embed_positions.weight")
LAST_NORMS = (
    "transformer.ln_f.weight",
    "decoder.layers.{last}.final_layer_norm.weight",
)
"""Random signs there keep a tied vocabulary from repeating what was read."""
DONE = "reference.npz"
TOKENIZER = {
    "tokenizer_class": "BertTokenizer",
    "do_lower_case": False,
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
    "bos_token": "[CLS]",
    "eos_token": "[SEP]",
}


def main() -> None:
    """Write what is not there yet."""
    folder, scale = Path(sys.argv[1]), SCALES[sys.argv[2]]
    torch.set_num_threads(int(sys.argv[3]))
    transformers.utils.logging.disable_progress_bar()
    kinds = (
        ("gpt2", transformers.GPT2Config, transformers.GPT2LMHeadModel, gpt2_values),
        ("bert", transformers.BertConfig, transformers.BertModel, bert_values),
        (
            "bart",
            transformers.BartConfig,
            transformers.BartForConditionalGeneration,
            bart_values,
        ),
    )
    for name, config, kind, values in kinds:
        if not (folder / name / DONE).exists():
            write_network(folder / name, config, kind, values(scale), scale)


def write_network(
    folder: Path, config: Any, kind: Any, values: Values, scale: Scale
) -> None:
    """Write one network, its vocabulary and the reference's answers."""
    torch.manual_seed(0)
    network = kind(config(**values)).eval()
    with torch.no_grad():
        for name, weight in network.named_parameters():
            liven(name, weight, scale.side_layers - 1)
    network.save_pretrained(folder)
    written = "\n".join(vocabulary(scale)) + "\n"
    (folder / "vocab.txt").write_text(written, encoding="utf8")
    settings = json.dumps(TOKENIZER, indent=1)
    (folder / "tokenizer_config.json").write_text(settings, encoding="utf8")
    with torch.inference_mode():
        np.savez(folder / DONE, **ANSWERS[folder.name](network, scale))


def liven(name: str, weight: Any, last: int) -> None:
    """Change a weight in place, so that what is written is not one token.

    Args:
        name: As transformers calls it.
        weight: Drawn by transformers.
        last: The number of a decoder's last layer.
    """
    if name.endswith((*FEED_FORWARD, *PLACES)):
        weight *= WIDER
    for inner, axis in INNER_AXIS.items():
        if name.endswith(inner):
            weight -= weight.mean(axis, keepdim=True)
    if name.endswith(TOKENS):
        weight *= torch.exp(UNEVEN * torch.randn(len(weight), 1))
        weight[: len(SPECIAL_TOKENS)] = 0.0
    if name.endswith(tuple(norm.format(last=last) for norm in LAST_NORMS)):
        weight.copy_(torch.sign(torch.randn(len(weight))))


def gpt2_answers(network: Any, scale: Scale) -> dict[str, Any]:
    """Return greedy tokens per batch, and the least lead of a best token's logit."""
    answers: dict[str, Any] = {}
    for batch in scale.decode_batches:
        ids = torch.from_numpy(prompts(scale, batch)).long()
        tokens, leads, past = [], [], None
        for _ in range(scale.new_tokens):
            out = network(ids, past_key_values=past, use_cache=True)
            past = out.past_key_values
            best = out.logits[:, -1].topk(2)
            ids = best.indices[:, :1]
            leads.append(float((best.values[:, 0] - best.values[:, 1]).min()))
            tokens.append(ids)
        answers[f"batch_{batch}"] = torch.cat(tokens, 1).int().numpy()
        answers[f"lead_{batch}"] = np.float32(min(leads))
    return answers


def bert_answers(network: Any, scale: Scale) -> dict[str, Any]:
    """Return the first text's last states at every shape."""
    answers = {}
    for batch, length in scale.reads:
        ids = torch.from_numpy(drawn_ids(scale, batch, length)[:1]).long()
        answers[f"read_{batch}x{length}"] = network(ids).last_hidden_state.numpy()
    return answers


def bart_answers(network: Any, scale: Scale) -> dict[str, Any]:
    """Return the best target."""
    ids = torch.from_numpy(source(scale)).long()
    found = network.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        num_beams=scale.num_beams,
        max_new_tokens=scale.target_tokens,
        min_new_tokens=scale.target_tokens,
        length_penalty=1.0,
        do_sample=False,
    )
    return {"target": found[:, 1:].int().numpy()}


ANSWERS = {"gpt2": gpt2_answers, "bert": bert_answers, "bart": bart_answers}

if __name__ == "__main__":
    main()
