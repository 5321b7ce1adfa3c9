"""A survey as lines for a person and as JSON values.

Changes when ``python -m model_core inspect`` shows something else. Reads nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from model_core.checkpoints.survey import Survey

MAX_NAMES_PRINTED = 40


def survey_values(survey: Survey) -> dict[str, Any]:
    """Return a survey as JSON values; ``ok`` tells whether the checkpoint is sound."""
    differences = survey.plan.differences
    return {
        "ok": survey.is_sound,
        "family": survey.family.name,
        "config": survey.config.to_dict(),
        "num_parameters": survey.num_parameters,
        "heads": list(survey.heads),
        "formats": list(survey.formats),
        "files": list(survey.file_names),
        "layout": survey.layout,
        "dtypes": dict(survey.dtypes),
        "missing": list(differences.missing),
        "missing_of_heads": {k: list(v) for k, v in survey.incomplete_heads.items()},
        "unused": list(differences.unused),
        "without_rule": list(differences.unfilled),
        "misshapen": list(differences.misshapen),
        "contradictions": list(survey.contradictions),
        "skipped": list(survey.plan.skipped),
        "ignored": list(survey.plan.ignored),
    }


def survey_lines(survey: Survey) -> Iterator[str]:
    """Yield what a person reads, one line each."""
    yield from _facts(survey)
    values = survey_values(survey)
    for key, title in _FINDINGS.items():
        yield from _finding(title, values[key])
    for head, names in survey.incomplete_heads.items():
        yield from _finding(f"missing of the {head} head", list(names))
    yield (
        "sound: every weight has its tensor"
        if survey.is_sound
        else "NOT sound: see the lines above"
    )


_FINDINGS: Mapping[str, str] = {
    "missing": "tensors missing",
    "unused": "tensors unused",
    "without_rule": "weights without a rule",
    "misshapen": "shapes that differ",
    "contradictions": "contradictions",
    "skipped": "tensors of heads that are not loaded",
    "ignored": "buffers and heads without use here",
}


def _facts(survey: Survey) -> Iterator[str]:
    config = survey.config
    rows = (
        ("family", survey.family.name),
        ("heads", ", ".join(survey.heads) or "none"),
        ("parameters", f"{survey.num_parameters:,}"),
        ("layers", config.num_hidden_layers),
        ("hidden size", config.hidden_size),
        ("attention heads", config.num_attention_heads),
        ("intermediate size", config.intermediate_size),
        ("vocabulary", config.vocab_size),
        ("positions", f"{config.max_position_embeddings} ({config.position_kind})"),
        ("segments", config.type_vocab_size),
        ("activation", config.hidden_act),
        ("layer norm", f"{config.norm_placement}, epsilon {config.layer_norm_eps:g}"),
        ("formats", ", ".join(survey.formats)),
        ("files read", ", ".join(survey.file_names)),
        ("elements", ", ".join(f"{n} x {d}" for d, n in survey.dtypes.items())),
    )
    for title, value in rows:
        yield f"{title + ':':<20}{value}"


def _finding(title: str, names: list[str]) -> Iterator[str]:
    if not names:
        return
    yield f"{title} ({len(names)}):"
    for name in names[:MAX_NAMES_PRINTED]:
        yield f"  {name}"
    if len(names) > MAX_NAMES_PRINTED:
        yield f"  and {len(names) - MAX_NAMES_PRINTED} more; --json lists all"
