"""A checkpoint in any format becomes safetensors with a config, adapted or not.

Changes when a converted checkpoint has other weights or another config. Tensors pass
one by one, without a framework; vocabularies are not known here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from model_core.checkpoints.adaptation import AS_SAVED, Adaptation
from model_core.checkpoints.convert_config import (
    own_config,
    published_config,
    with_new_ids,
)
from model_core.checkpoints.errors import CheckpointMismatchError
from model_core.checkpoints.export import MODEL_TYPE, write_config
from model_core.checkpoints.publishing import published_tensors
from model_core.checkpoints.reader import CheckpointReader, formats_in, open_checkpoint
from model_core.checkpoints.safetensors_writing import (
    STORED,
    check_dtype,
    write_safetensors,
)
from model_core.checkpoints.survey import Survey, load_config, survey_tensors
from model_core.checkpoints.tables import TABLES
from model_core.checkpoints.weight_map import twin_differences

Layout = Literal["pytorch", "maskplay"]
DEFAULT_DTYPE = "float32"


@dataclass(frozen=True, slots=True)
class Conversion:
    """What is asked for.

    Attributes:
        dtype: Element type of every tensor; None for the file's own.
        layout: ``pytorch``: the names of the checkpoint's family; ``maskplay``: ours.
        adaptation: Fewer tokens, more positions, layers of their own.
        max_shard_bytes: Cut into shards where the tensors need more.
        tokenizer_class: Which reading of the vocabulary our own config shall name,
            which does not say what kind of network it was; "" for none.
    """

    dtype: str | None = None
    layout: Layout = "pytorch"
    adaptation: Adaptation = AS_SAVED
    max_shard_bytes: int | None = None
    tokenizer_class: str = ""


@dataclass(frozen=True, slots=True)
class Converted:
    """What was written.

    Attributes:
        before: The checkpoint as it was.
        after: The checkpoint as it was adapted, under the names that it was read by.
        dtype: Element type of every tensor.
    """

    before: Survey
    after: Survey
    dtype: str

    @property
    def num_dropped(self) -> int:
        """Numbers that went with the tokens left out."""
        config = replace(self.before.config, vocab_size=self.after.config.vocab_size)
        return (
            self.before.num_parameters
            - replace(self.before, config=config).num_parameters
        )

    @property
    def left_out(self) -> tuple[str, ...]:
        """Tensors of heads that are not whole: they are not written."""
        return self.before.plan.skipped


def convert_weights(folder: Path, output: Path, conversion: Conversion) -> Converted:
    """Write weights and config.json of a checkpoint.

    Args:
        folder: Holds a checkpoint as the hub serves it.
        output: Exists, and is another folder.
        conversion: What is asked for.

    Raises:
        CheckpointFormatError: A file is truncated, corrupt, hostile or unknown.
        CheckpointMismatchError: Tensors are missing, unused or of another shape;
            ``NumberTooLargeError``, one of these, where the dtype cannot hold a number.
        UnsupportedModelError: No family here fits the config.
        ValueError: The adaptation does not fit.
    """
    values = load_config(folder)
    with open_checkpoint(folder) as reader:
        formats = formats_in(folder)
        before = survey_tensors(values, reader, "all", formats)
        after = survey_tensors(values, reader, "all", formats, conversion.adaptation)
        _check(after, reader)
        dtype = conversion.dtype or _dtype_of(before)
        check_dtype(dtype)
        # a config that cannot say it is found out before anything is written
        made = _config(values, after, conversion, dtype)
        own = conversion.layout == "maskplay" or after.family.name == MODEL_TYPE
        table = TABLES[MODEL_TYPE if own else after.family.name]
        write_safetensors(
            output,
            published_tensors(table, after, reader),
            dtype=dtype,
            max_shard_bytes=conversion.max_shard_bytes,
            origin=MODEL_TYPE if own else "pt",
        )
    write_config(output, made)
    return Converted(before, after, dtype)


def _check(survey: Survey, reader: CheckpointReader) -> None:
    if survey.plan.differences:
        raise CheckpointMismatchError(str(survey.plan.differences))
    contradictions = twin_differences(survey.plan, reader.read)
    if contradictions:
        raise CheckpointMismatchError("; ".join(contradictions))


def _dtype_of(survey: Survey) -> str:
    """Return the one element type that the file's numbers have, or the widest."""
    found = [dtype for dtype in survey.dtypes if "float" in dtype]
    return found[0] if len(found) == 1 and found[0] in STORED else DEFAULT_DTYPE


def _config(
    values: Mapping[str, Any], survey: Survey, conversion: Conversion, dtype: str
) -> Mapping[str, Any]:
    family, config = survey.family, survey.config
    keep = conversion.adaptation.keep_tokens or ()
    new_ids = {old: new for new, old in enumerate(keep)}
    if family.name == MODEL_TYPE or conversion.layout == "pytorch":
        made = published_config(
            values, family, config, None if family.name == MODEL_TYPE else dtype
        )
    else:
        tokenizer_class = conversion.tokenizer_class
        made = own_config(values, family, config, survey.heads, tokenizer_class)
    return with_new_ids(made, new_ids)
