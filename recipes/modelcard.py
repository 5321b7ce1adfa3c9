"""The model card of the embedded core, filled with the run's own figures.

Changes when the card reports another figure; its words are in the template beside it.
"""

import json
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).with_name("modelcard_template.md")
DEVICES = {
    "tensorflow": "CPU（2 核，Keras + TensorFlow，float32）",
    "jax": "GPU（Keras + JAX）",
}
SOURCES = {
    "modern": "现代文 · modern prose",
    "novels": "小说 · novels",
    "poems": "诗词 · poems",
}


def write_card(folder: Path, scores: dict[str, Any], progress: dict[str, Any]) -> None:
    """Write README.md and scores.json of a checkpoint folder.

    Args:
        folder: Holds config.json.
        scores: By source the result of ``bits_per_character``; ``poems_form`` the
            shares by form; ``parameters``, ``poems_per_form``.
        progress: The facts of the run's snapshot.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf8"))
    text = TEMPLATE.read_text(encoding="utf8").format(
        parameters=scores["parameters"] / 1e6,
        layers=config["num_hidden_layers"],
        hidden=config["hidden_size"],
        heads=config["num_attention_heads"],
        vocabulary=config["vocab_size"],
        tokens=progress["tokens"] / 1e6,
        steps=progress["step"],
        hours=progress["seconds"] / 3600,
        device=" + ".join(DEVICES[name] for name in dict.fromkeys(progress["device"])),
        rows="".join(_rows(scores)),
    )
    (folder / "README.md").write_text(text, encoding="utf8")
    figures = json.dumps(scores, ensure_ascii=False, indent=1) + "\n"
    (folder / "scores.json").write_text(figures, encoding="utf8")


def _rows(scores: dict[str, Any]) -> list[str]:
    rows = [
        f"| {title}，每字比特 · bits per character "
        f"| {scores[name]['bits_per_character']:.3f} "
        f"| {scores[name]['characters']} 字 · characters |\n"
        for name, title in SOURCES.items()
    ]
    return rows + [
        f"| {form} 合格 · form kept | {share:.1%} "
        f"| {scores['poems_per_form']} 首 · poems |\n"
        for form, share in scores["poems_form"].items()
    ]
