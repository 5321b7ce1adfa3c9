from collections import Counter

import numpy as np
import pytest

from model_core.decoding.beam import BeamOptions, beam_search
from model_core.decoding.healing import heal
from model_core.decoding.history import History
from model_core.decoding.loop import SamplingOptions, generate
from tests.model_core.decoding.toy_stepper import ToyStepper


class Words:
    """A vocabulary of words, greedy from the left; ## as in WordPiece."""

    def __init__(self, *tokens):
        self.tokens = tokens
        self.num_questions = 0

    def token_text(self, token_id):
        token = self.tokens[token_id]
        return "" if token.startswith("[") else token.removeprefix("##")

    def ids_starting_with(self, prefix, *, continuation):
        self.num_questions += 1
        return [
            token_id
            for token_id, token in enumerate(self.tokens)
            if token.startswith("##") == continuation
            and self.token_text(token_id).startswith(prefix)
        ]

    def ids(self, *tokens):
        return [self.tokens.index(token) for token in tokens]

    def heal(self, *tokens, prompt=None, **options):
        """Heal a prompt whose tokens touch each other."""
        ids = self.ids(*tokens)
        ends = np.cumsum([len(self.token_text(token_id)) for token_id in ids]).tolist()
        spans = list(zip([0, *ends], ends, strict=False))
        length = ends[-1] if prompt is None else len(prompt)
        return heal(ids, spans, self, num_prompt_chars=length, **options)

    def text(self, token_ids):
        return "".join(map(self.token_text, token_ids))


PLACES = Words(
    *("[CLS]", "广州", "的", "白云", "白云机场", "白", "云", "云朵", "机场", "很", "美")
)
SPANNED = Words("我", "去", "白", "云", "机", "场", "白云机场路", "白云", "机场")
LATIN = Words("i", "play", "playing", "p", "pl", "##ay", "##ayed", "ay", "##ing", "##s")


def allowed_after(vocabulary, healed, *new_tokens):
    """The tokens that may come next, in the vocabulary's own spelling."""
    history = History.of_prompts([[0]])
    for token_id in vocabulary.ids(*new_tokens):
        history = history.append(np.array([token_id], np.int32), np.array([True]))
    logits = np.zeros((1, len(vocabulary.tokens)), np.float32)
    (rule,) = healed.rules
    kept = np.flatnonzero(np.isfinite(rule(logits, history)[0]))
    return {vocabulary.tokens[token_id] for token_id in kept}


def test_a_prompt_cut_inside_a_word_is_taken_back_by_that_word():
    healed = PLACES.heal("广州", "的", "白云")
    assert healed.token_ids == tuple(PLACES.ids("广州", "的"))
    assert healed.removed_text == "白云"
    assert healed.num_removed_tokens == 1
    assert allowed_after(PLACES, healed) == {"白云", "白云机场", "白"}


def test_after_a_part_of_the_removed_text_only_the_rest_may_follow():
    healed = PLACES.heal("广州", "的", "白云")
    assert allowed_after(PLACES, healed, "白") == {"云", "云朵"}


@pytest.mark.parametrize("spelled", [("白云",), ("白云机场",), ("白", "云朵")])
def test_once_the_removed_text_is_spelled_everything_is_free(spelled):
    healed = PLACES.heal("广州", "的", "白云")
    assert allowed_after(PLACES, healed, *spelled) == set(PLACES.tokens)


def test_every_sampled_text_begins_with_the_prompt_and_some_go_on_inside_the_word():
    healed = PLACES.heal("广州", "的", "白云")
    options = SamplingOptions(max_new_tokens=6, rules=healed.rules, seed=0)
    stepper = ToyStepper(len(PLACES.tokens), scale=0.5)
    *_, last = generate(stepper, [healed.token_ids] * 60, options)
    texts = [PLACES.text(row.token_ids) for row in last.rows]
    assert all(text.startswith("白云") for text in texts)
    airports = [text for text in texts if text.startswith("白云机场")]
    assert healed.continuation(airports[0]).startswith("机场")
    firsts = Counter(PLACES.tokens[row.token_ids[0]] for row in last.rows)
    assert set(firsts) == {"白云", "白云机场", "白"}


def test_beams_spell_the_removed_text_too():
    healed = PLACES.heal("广州", "的", "白云")
    options = BeamOptions(5, num_beams=4, num_return=4, rules=healed.rules)
    *_, last = beam_search(ToyStepper(len(PLACES.tokens)), healed.token_ids, options)
    assert all(PLACES.text(row.token_ids).startswith("白云") for row in last.rows)


def test_the_most_tokens_whose_text_begins_a_longer_one_are_taken():
    healed = SPANNED.heal("我", "去", "白云", "机")
    assert healed.removed_text == "白云机"
    assert healed.num_removed_tokens == 2
    assert allowed_after(SPANNED, healed) == {"白云机场路", "白云", "白"}
    assert allowed_after(SPANNED, healed, "白", "云") == {"机", "机场"}


def test_more_is_taken_even_where_less_begins_nothing():
    healed = SPANNED.heal("我", "去", "白云", "机场")  # nothing begins with 机场 alone
    assert healed.removed_text == "白云机场"


def test_no_more_than_three_tokens_are_taken():
    healed = SPANNED.heal("我", "去", "白", "云", "机", "场")
    assert healed.token_ids == tuple(SPANNED.ids("我", "去", "白", "云", "机", "场"))
    assert SPANNED.heal("我", "白", "云", "机").num_removed_tokens == 3


def test_a_vocabulary_of_characters_heals_nothing_for_three_lookups():
    characters = Words(*"广州的白云机场")
    healed = characters.heal(*"广州的白云")
    assert healed.token_ids == tuple(characters.ids(*"广州的白云"))
    assert healed.rules == ()
    assert healed.removed_text == ""
    assert healed.continuation("机场") == "机场"
    assert characters.num_questions <= 6  # three texts, two kinds of token


def test_after_a_space_nothing_is_healed():
    assert LATIN.heal("i", "play", prompt="iplay ").rules == ()


def test_healing_never_reaches_across_a_space():
    ids = SPANNED.ids("我", "白云", "机")
    spans = [(0, 1), (1, 3), (4, 5)]  # 我白云 机
    healed = heal(ids, spans, SPANNED, num_prompt_chars=5)
    assert healed.removed_text == "机"


def test_healing_never_takes_a_special_token():
    marked = Words("[CLS]", "[X]", "云", "云朵")
    healed = marked.heal("[CLS]", "[X]", "云")
    assert healed.token_ids == (0, 1)
    assert marked.heal("[CLS]", "[X]").rules == ()


def test_the_first_token_stays_unless_the_caller_has_one_before_it():
    assert PLACES.heal("白云").rules == ()
    assert PLACES.heal("白云", num_kept_tokens=0).token_ids == ()


def test_inside_a_spaced_word_the_rest_must_continue_it():
    healed = LATIN.heal("i", "play")
    assert allowed_after(LATIN, healed) == {"play", "playing", "pl"}
    assert allowed_after(LATIN, healed, "pl") == {"##ay", "##ayed"}


def test_a_continuation_is_healed_by_continuations():
    healed = LATIN.heal("i", "pl", "##ay")
    assert healed.removed_text == "play"  # playing begins with it
    words = Words("un", "##do", "##does", "do", "does")
    healed = words.heal("un", "##do")
    assert healed.removed_text == "do"
    assert allowed_after(words, healed) == {"##do", "##does"}


@pytest.mark.parametrize(
    ("generated", "continuation"),
    [("", ""), ("白", ""), ("白云", ""), ("白云机场", "机场"), (" 白云机场", "机场")],
)
def test_the_text_shown_goes_on_where_the_prompt_ended(generated, continuation):
    healed = PLACES.heal("广州", "的", "白云")
    assert healed.continuation(generated) == continuation


def test_a_row_that_was_forced_off_the_text_is_left_free():
    healed = PLACES.heal("广州", "的", "白云")
    assert allowed_after(PLACES, healed, "很") == set(PLACES.tokens)
