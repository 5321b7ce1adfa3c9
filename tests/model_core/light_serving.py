"""What a process without TensorFlow does with the embedded weights; run by a test.

``python -m tests.model_core.light_serving ARRAYS.npz``: every task once from the
terminal, then the network's own numbers into the file, then one JSON object.
"""

import io
import json
import sys
from pathlib import Path

import numpy as np

from demos.__main__ import open_shelf
from demos.terminal.session import Streams, run

EMBEDDED = Path(__file__).parents[2] / "assets" / "embedded"
HEADS = ("half_pointer", "gplinker")
TEXT = "鲁迅是浙江绍兴人，代表作有《呐喊》。他的弟弟周作人也是作家。"
LABELS = '{"好评": "很", "差评": "不"}'
ASKED = {
    "generation": ["春风", "--style", "五言绝句", "--max-new-tokens", "24"],
    "title": [TEXT],
    "triples": [TEXT],
    "qa": ["鲁迅是哪里人？", "--passage", TEXT, "--compare", "true"],
    "facts": ["苏轼的号是什么？"],
    "fewshot": ["面都坨了。", "--labels", LABELS, "--pattern", "____满意。{text}"],
    "summary": [TEXT * 3, "--max-chars", "40"],
    "similarity": ["手机没电了怎么办", "--text-b", "手机电池耗尽了该怎么处理"],
}


def answers():
    """Return what every task prints."""
    told = {}
    for task, asked in ASKED.items():
        out, err = io.StringIO(), io.StringIO()
        status = run([task, *asked, "--json"], open_shelf, Streams(None, out, err))
        told[task] = [status, out.getvalue() or err.getvalue()]
    return told


def numbers():
    """Return what the network says of fixed tokens, by the Keras engine."""
    from model_core.checkpoints.load import load_network
    from model_core.engines.base import TokenBatch, Writing
    from model_core.engines.keras_engine import KerasEngine

    engine = KerasEngine(load_network(EMBEDDED).network)
    rng = np.random.default_rng(0)
    rows = [rng.integers(10, 6000, size) for size in (24, 17)]
    batch = TokenBatch.from_rows(rows)
    made = dict(engine.read(batch, "bidirectional"))
    edges = np.array([1, 3], "int32")
    made |= engine.apply("half_pointer", made["residual"], edges, edges + 2)
    made |= engine.apply("clauses", made["hidden"])
    made |= engine.apply("source_prior", np.eye(2, 8000, dtype="float32"))
    stepper = engine.stepper(Writing())
    lengths = np.array([24, 17], "int32")
    outputs, cache = stepper.prefill(batch.token_ids, lengths, 64)
    written = []
    for step in range(12):
        written.append(outputs["logits"].argmax(axis=-1).astype("int32"))
        outputs, cache = stepper.decode_one_token(written[-1], lengths + step, cache)
    return made | {"written": np.stack(written), "last": outputs["logits"]}


def borrowed():
    """Return the weights that a part's network has in the shared one's memory."""
    from model_core.checkpoints.load import load_network
    from model_core.models.network import weights_by_name

    lender = load_network(EMBEDDED).network
    own = load_network(
        EMBEDDED, heads=HEADS, own_weights="pointing.safetensors", lender=lender
    )
    theirs, ours = weights_by_name(lender), weights_by_name(own.network)
    return sorted(n for n in ours if ours[n].value is theirs[n].value)


if __name__ == "__main__":
    told = answers()
    import keras

    from model_core.roles.loaded import load_model

    engine = load_model(EMBEDDED, name="embedded").engine
    if hasattr(engine, "wait"):
        engine.wait()
    np.savez(sys.argv[1], **numbers())
    document = {
        "answers": told,
        "engine": engine.name,
        "borrowed": borrowed(),
        "backend": keras.backend.backend(),
        "frameworks": [one for one in ("tensorflow", "torch") if one in sys.modules],
    }
    print(json.dumps(document, ensure_ascii=False))
