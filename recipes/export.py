"""A trained run becomes a checkpoint folder: weights, config, vocabulary, styles.

Changes when the shipped folder gains a file. The model card is modelcard.py's.
"""

import json
from pathlib import Path

import numpy as np

from model_core.checkpoints.export import export_weights
from model_core.config import TransformerConfig
from model_core.roles.parts import FILE_NAME as PARTS_FILE
from model_core.roles.parts import Parts
from model_core.training.lineage import lineage
from model_core.training.snapshot import load_snapshot
from recipes.vocabulary import MARKS, NEWLINE

PLAIN_STYLES = ("散文", "短文", "小说")
VERSE_STYLES = (
    "五言绝句", "七言绝句", "五言律诗", "七言律诗", "五言古诗", "七言古诗",
)  # fmt: skip
# The tunes with the most ci in the training data, most frequent first.
TUNES = (
    "浣溪沙", "水调歌头", "鹧鸪天", "菩萨蛮", "点绛唇", "满江红", "临江仙", "西江月",
    "念奴娇", "蝶恋花", "沁园春", "清平乐", "满庭芳", "虞美人", "卜算子", "如梦令",
)  # fmt: skip
DEFAULT_STYLE = "散文"


def styles() -> dict[str, dict[str, object]]:
    """Return how each style is asked for, in display order."""
    table: dict[str, dict[str, object]] = {
        name: {"marks": [f"[{name}]"]} for name in (*PLAIN_STYLES, *VERSE_STYLES)
    }
    for tune in TUNES:
        table[f"词·{tune}"] = {"marks": ["[词]"], "text": f"{tune}\n"}
    table["曲"] = {"marks": ["[曲]"]}
    return table


def export(
    run: Path,
    corpus: Path,
    config: TransformerConfig,
    folder: Path,
    *,
    heads: tuple[str, ...] = ("language_model",),
    parts: Parts | None = None,
    averaged: bool = False,
) -> None:
    """Write the checkpoint folder of a run, weights in float16.

    Args:
        run: The snapshot.
        corpus: Holds vocab.txt.
        config: What the run was trained as.
        folder: Made where it does not exist.
        heads: What it was trained with.
        parts: What it was trained to play; None for free writing alone.
        averaged: Take the running means of the weights, where the run kept them.
    """
    arrays, facts = load_snapshot(run)
    prefix = "averaged/" if averaged else "weights/"
    weights = {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
    training = {"training": {"runs": lineage(facts)}}
    export_weights(weights, config, folder, heads=heads, facts=training)
    if parts is not None:
        parts.save(folder / PARTS_FILE)
    vocabulary = (corpus / "vocab.txt").read_text(encoding="utf8")
    (folder / "vocab.txt").write_text(vocabulary, encoding="utf8")
    write_tokenizer_settings(folder)
    _write(
        folder / "generation.json",
        {
            "opening": ["[CLS]"],
            "stop": ["[SEP]"],
            "styles": styles(),
            "default_style": DEFAULT_STYLE,
        },
    )
    _write(folder / "training_curve.json", _thinned(facts["curve"]))


def write_tokenizer_settings(folder: Path) -> None:
    """Write how text becomes tokens, beside the vocabulary."""
    _write(folder / "tokenizer_config.json", _tokenizer_settings())


def _tokenizer_settings() -> dict[str, object]:
    return {
        "do_lower_case": False,
        "strip_accents": False,
        "full_width": "fold",
        "newline_token": NEWLINE,
        "additional_special_tokens": [mark for mark in MARKS if mark != NEWLINE],
    }


def _thinned(curve: list[list[float]], rows: int = 200) -> list[list[float]]:
    """Return at most so many rows of a curve, its last one included."""
    if len(curve) <= rows:
        return curve
    chosen = np.linspace(0, len(curve) - 1, rows).round().astype(int)
    return [curve[index] for index in chosen]


def _write(path: Path, values: object) -> None:
    text = json.dumps(values, ensure_ascii=False, indent=1) + "\n"
    path.write_text(text, encoding="utf8")
