"""From a caller's options to rules in their one right order.

Changes when an option becomes a rule. Forbidding comes first, so that nothing later
can bring a forbidden token back; then what lowers logits; then what cuts the tail.
"""

from model_core.decoding.logits import (
    ForbiddenTokens,
    LogitsRule,
    MinNewTokens,
    NoRepeatNgram,
    RepetitionPenalty,
    Temperature,
    TopK,
    TopP,
)
from model_core.interfaces import GenerationOptions


def rules_for(
    options: GenerationOptions,
    stop_token_ids: tuple[int, ...],
    forbidden_token_ids: tuple[int, ...] = (),
    first: tuple[LogitsRule, ...] = (),
) -> tuple[LogitsRule, ...]:
    """Return the rules of a request; options that are off give none.

    Args:
        options: What the caller asked for. With ``num_beams`` > 1 the search ranks by
            the model's own probabilities: temperature, top-k and top-p are left out.
        stop_token_ids: Held back until ``min_new_tokens``; never penalised.
        forbidden_token_ids: Never generated, e.g. [PAD], [UNK], [CLS], [MASK].
        first: How the text must begin, e.g. ``Healed.rules``.

    Raises:
        ValueError: An option outside its range.
    """
    forbidding: list[LogitsRule] = []
    if forbidden_token_ids:
        forbidding.append(ForbiddenTokens(forbidden_token_ids))
    if options.min_new_tokens:
        forbidding.append(MinNewTokens(options.min_new_tokens, stop_token_ids))
    against_repetition = _rules_against_repetition(options, stop_token_ids)
    sampling = () if options.num_beams > 1 else _sampling_rules(options)
    return (*forbidding, *first, *against_repetition, *sampling)


def _rules_against_repetition(
    options: GenerationOptions, stop_token_ids: tuple[int, ...]
) -> tuple[LogitsRule, ...]:
    rules: list[LogitsRule] = []
    if options.repetition_penalty != 1:
        rules.append(RepetitionPenalty(options.repetition_penalty, stop_token_ids))
    if options.no_repeat_ngram_size:
        rules.append(NoRepeatNgram(options.no_repeat_ngram_size, stop_token_ids))
    return tuple(rules)


def _sampling_rules(options: GenerationOptions) -> tuple[LogitsRule, ...]:
    rules: list[LogitsRule] = []
    if options.temperature != 1:
        rules.append(Temperature(options.temperature))
    if options.top_k:
        rules.append(TopK(options.top_k))
    if options.top_p != 1:
        rules.append(TopP(options.top_p))
    return tuple(rules)
