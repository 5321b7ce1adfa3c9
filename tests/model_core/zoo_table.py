"""The zoo, measured: each model in each format against its reference, as a table.

    python -m tests.model_core.zoo_table > docs/zoo.md

Every cell is the outcome of writing the model in that format, reading it with the
tables and running the network; nothing is filled in by hand but the notes. Changes when
the table gets a column.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

from model_core.checkpoints.load import load_network
from model_core.checkpoints.reader import open_checkpoint
from model_core.checkpoints.survey import load_config, survey_tensors
from model_core.checkpoints.weight_map import carry_out
from model_core.models.network import weights_by_name
from tests.model_core import zoo_formats as files
from tests.model_core.reference_models import torch
from tests.model_core.test_parity import TOLERANCE
from tests.model_core.zoo_cases import CASES, HEAD_OF_OUTPUT, model_of

KERAS_FAMILIES = frozenset(
    {"bert", "roberta", "albert", "electra", "distilbert", "xlnet", "gpt2", "gpt"}
    | {"t5", "bart", "mbart", "pegasus", "roformer"}
)
"""Families that transformers' TF classes existed for."""
TENSORFLOW_NAMES: dict[str, Callable] = {
    "BertForPreTraining": files.google_bert,
    "BertModel": files.google_bert,
    "BertForQuestionAnswering": files.google_bert,
    "BertForSequenceClassification": files.google_bert,
    "NEZHA": files.google_bert,
    "RoFormerForMaskedLM": files.google_bert,
    "RoFormer V2": files.google_bert,
    "AlbertForPreTraining": files.google_albert,
    "AlbertForSequenceClassification": files.google_albert,
    "albert_zh": lambda tensors: tensors,
    "ElectraForMaskedLM": files.google_electra_generator,
    "ElectraForPreTraining": files.google_electra,
    "XLNetLMHeadModel": files.google_xlnet,
    "GPT2LMHeadModel": files.openai_gpt2,
    "T5ForConditionalGeneration": partial(files.mesh_t5, norm="layer_norm"),
    "T5 1.1": partial(files.mesh_t5, norm="rms_norm"),
    "mT5": partial(files.mesh_t5, norm="rms_norm"),
    "T5-PEGASUS (bert4keras)": partial(files.mesh_t5, norm="rms_norm"),
    "GPT2_ML": lambda tensors: tensors,
}
"""Models that were published as TensorFlow checkpoints, and who names them how."""
UNNAMED = (
    "BertForPreTraining",
    "NEZHA",
    "AlbertForPreTraining",
    "albert_zh",
    "XLNetLMHeadModel",
    "GPT2LMHeadModel",
)
"""Whose configs beside TensorFlow checkpoints have no ``model_type``."""
GAMMA_BETA = frozenset({"bert", "roberta", "ernie", "electra", "albert"})


@dataclass(frozen=True)
class Column:
    """One format.

    Attributes:
        title: For the table.
        write: Writes a model's weights and config into a folder.
        exists: Whether a case is published, or kept by people, in it.
        dtype: What the numbers are rounded to on the way.
    """

    title: str
    write: Callable
    exists: Callable
    dtype: torch.dtype | None = None


def _torch_file(write):
    def into(folder, case, model):
        write_config(folder, model.config)
        write(folder, model.tensors)

    return into


def _keras_file(folder, case, model, *, modern):
    write_config(folder, model.config)
    files.write_h5(folder, model.model, modern=modern)


def _tensorflow_file(folder, case, model):
    unnamed = case.title in UNNAMED
    values = {n: v for n, v in model.config.items() if n != "model_type" or not unnamed}
    if case.family == "xlnet":
        values |= {"n_token": values.pop("vocab_size"), "untie_r": True}
    if case.family == "gpt2":
        named = {"n_vocab": "vocab_size", "n_ctx": "n_positions"}
        named |= {key: key for key in ("n_embd", "n_head", "n_layer")}
        values = {key: values[theirs] for key, theirs in named.items()}
    name = dict.fromkeys(("albert", "albert_zh"), "albert_config_tiny.json")
    name |= {"xlnet": "xlnet_config.json", "gpt2": "hparams.json"}
    own = name.get(case.family, "bert_config.json") if unnamed else "config.json"
    write_config(folder, values, own)
    original = getattr(model, "original", None)
    named = TENSORFLOW_NAMES[case.title](original or model.tensors)
    files.write_tensorflow(folder, named)


def write_config(folder, values, name="config.json"):
    """Write a config as JSON, under the name that its format has."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(values, default=str))


def _always(case):
    return True


def _is_first(case):
    """One model per family shows what does not depend on its head."""
    return case is next(c for c in CASES if c.family == case.family)


def _can_be_rounded(case):
    return _is_first(case) and case.family not in {
        "nezha", "gpt2_ml", "albert_zh", "t5_bert4keras",
    }  # fmt: skip


def _has_keras(case):
    return case.family in KERAS_FAMILIES and case.title != "RoFormer V2"


COLUMNS = {
    "safetensors": Column("safetensors", _torch_file(files.write_safetensors), _always),
    "safetensors-sharded": Column(
        "分片 sharded", _torch_file(files.write_sharded_safetensors), _is_first
    ),
    "safetensors-bf16": Column(
        "bf16", _torch_file(files.write_bfloat16), _can_be_rounded, torch.bfloat16
    ),
    "bin": Column("bin", _torch_file(files.write_bin), _always),
    "bin-legacy": Column(
        "bin 旧式 legacy", _torch_file(files.write_legacy_bin), _is_first
    ),
    "bin-sharded": Column(
        "bin 分片 sharded", _torch_file(files.write_sharded_bin), _is_first
    ),
    "bin-fp16": Column(
        "bin fp16",
        _torch_file(files.write_half_bin),
        _can_be_rounded,
        torch.float16,
    ),
    "bin-gamma": Column(
        "gamma/beta",
        _torch_file(files.write_old_names_bin),
        lambda case: _is_first(case) and case.family in GAMMA_BETA,
    ),
    "h5": Column("h5", partial(_keras_file, modern=False), _has_keras),
    "h5-modern": Column("h5 ≥4.24", partial(_keras_file, modern=True), _has_keras),
    "tensorflow": Column(
        "TF checkpoint", _tensorflow_file, lambda c: c.title in TENSORFLOW_NAMES
    ),
}
SAME_NAMES = frozenset(
    {"safetensors-sharded", "bin", "bin-legacy", "bin-sharded", "bin-gamma"}
    | {"h5-modern"}
)
"""Formats whose numbers are enough: their names are those of another that is run."""
CELLS = tuple(
    (index, name)
    for index, case in enumerate(CASES)
    for name, column in COLUMNS.items()
    if column.exists(case)
)


@cache
def _loaded(index):
    """Build a case's network once, by the path that every load takes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        COLUMNS["safetensors"].write(path, CASES[index], model_of(index))
        return load_network(path)


@cache
def measure(index, name):
    """Return the largest differences by output of one model in one format.

    What the file gives is put into the network, which is asked; where the numbers are
    those of the first format to the last bit, so are the outputs.
    """
    case, column, loaded = CASES[index], COLUMNS[name], _loaded(index)
    model = model_of(index)
    if column.dtype is not None:
        model = model.rounded(column.dtype)
    with tempfile.TemporaryDirectory() as folder:
        column.write(Path(folder), case, model)
        numbers = _read(Path(folder), tuple(loaded.network.heads))
    weights = weights_by_name(loaded.network)
    assert numbers.keys() == weights.keys()
    if name in SAME_NAMES and _are_equal(numbers, _first_numbers(index)):
        return measure(index, "safetensors")
    for weight, array in numbers.items():
        weights[weight].assign(array)
    return model.differences(loaded.network, loaded, case.outputs)


@cache
def _first_numbers(index):
    with tempfile.TemporaryDirectory() as folder:
        COLUMNS["safetensors"].write(Path(folder), CASES[index], model_of(index))
        return _read(Path(folder), tuple(_loaded(index).network.heads))


def _read(folder, heads):
    """Return every weight of a checkpoint through its family's table."""
    weights = {}
    with open_checkpoint(folder) as reader:
        plan = survey_tensors(load_config(folder), reader, heads).plan
        carry_out(plan, reader.read, lambda n, a: weights.__setitem__(n, np.array(a)))
    return weights


def _are_equal(one, other):
    return all(np.array_equal(array, other[name]) for name, array in one.items())


def head_rows():
    """Yield (family, title, head, cells) of every row of the table."""
    for index, case in enumerate(CASES):
        for head in case.heads:
            cells = [_cell(index, name, head) for name in COLUMNS]
            yield case.family, case.title, head, cells


def _cell(index, name, head):
    case = CASES[index]
    if (index, name) not in CELLS:
        return "—" if name in ("h5", "h5-modern", "tensorflow") else "·"
    found = measure(index, name)
    worst = max(v for o, v in found.items() if HEAD_OF_OUTPUT.get(o, case.lm) == head)
    return f"✓ {worst:.0e}" if worst < TOLERANCE else f"✗ {worst:.0e}"


PAGE = Path(__file__).with_name("zoo_page.md")


def render():
    """Return the whole page."""
    import transformers

    titles = [column.title for column in COLUMNS.values()]
    lines = [
        "| 家族 family | 模型 model | 头 head | " + " | ".join(titles) + " |",
        "|---|---|---|" + "---|" * len(titles),
    ]
    before = ""
    for family, title, head, cells in head_rows():
        shown = "" if family == before else f"**{family}**"
        before = family
        lines.append(f"| {shown} | {title} | {head} | " + " | ".join(cells) + " |")
    page = PAGE.read_text(encoding="utf8")
    page = page.replace("{transformers}", transformers.__version__)
    return page.replace("{table}", "\n".join(lines))


def is_whole(page):
    """Tell whether no cell of a page's table says that a format disagrees."""
    rows = (line for line in page.splitlines() if line.startswith("|"))
    return not any("✗" in row for row in rows)


if __name__ == "__main__":
    text = render()
    sys.stdout.write(text)
    sys.exit(not is_whole(text))
