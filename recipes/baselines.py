"""What each task scores without any model: the least that weights must beat.

Changes when a baseline is made stronger. Pure: examples in, predictions out.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import permutations

import numpy as np

from recipes import bayes
from recipes.cutting import cut_sentences
from recipes.metrics.rouge import ngrams
from recipes.metrics.triples import Strings
from recipes.tasks_data import (
    FewshotExample,
    KgExample,
    KgFact,
    QaExample,
    SummaryExample,
    TitleExample,
    TriplesExample,
)

_END_MARKS = re.compile(r"[\s。！？!?.]+$")


def first_sentences(examples: Iterable[TitleExample]) -> list[str]:
    """Title: the first sentence without its end mark."""
    return [_first_sentence(example.text) for example in examples]


def first_characters(
    train: Sequence[SummaryExample], examples: Iterable[SummaryExample]
) -> list[str]:
    """Summary: as many first characters as a summary of the train file has on average.

    Raises:
        ValueError: There is no train summary to take the length from.
    """
    _check_train("summary", train)
    length = round(sum(len(example.summary) for example in train) / len(train))
    return [example.text[:length] for example in examples]


def likeliest_sentences(examples: Iterable[QaExample]) -> list[str]:
    """QA: the passage's sentence that shares most character bigrams with the question.

    The first of equals, without its end mark.
    """
    return [_likeliest_sentence(e.question, e.passage) for e in examples]


def dictionary_triples(
    train: Sequence[TriplesExample], examples: Iterable[TriplesExample]
) -> list[tuple[Strings, ...]]:
    """Triples: known names of a text, joined by the predicate their types mostly have.

    Names and their most frequent type come from the train file. A pair of strings seen
    there keeps its own most frequent predicate.

    Raises:
        ValueError: There is nothing to learn the dictionary from.
    """
    _check_train("triples", train)
    dictionary = _Dictionary(train)
    return [dictionary.triples(example.text) for example in examples]


def remembered_triples(
    train: Sequence[TriplesExample], examples: Iterable[TriplesExample]
) -> list[tuple[Strings, ...]]:
    """Triples: only pairs of strings that the train file has; what memory alone gives.

    Raises:
        ValueError: There is nothing to remember.
    """
    _check_train("triples", train)
    dictionary = _Dictionary(train)
    return [dictionary.remembered(example.text) for example in examples]


def commonest_labels(examples: Sequence[FewshotExample]) -> list[str]:
    """Few-shot: the label most frequent in what is scored, the first of equals.

    No answer that is always the same does better; a train split of a few examples per
    label has no majority to speak of.
    """
    return [_commonest(Counter(e.label for e in examples))] * len(examples)


def naive_bayes_labels(
    train: Sequence[FewshotExample], examples: Sequence[FewshotExample]
) -> list[str]:
    """Few-shot: naive Bayes over character bigrams, learned from the train split.

    Raises:
        ValueError: There is no train example.
    """
    _check_train("fewshot", train)
    texts = [e.text + e.text_b for e in train]
    names = list(dict.fromkeys(e.label for e in train))
    numbers = bayes.number_bigrams(texts)
    labels = np.array([names.index(e.label) for e in train])
    model = bayes.learn(bayes.tabulate(texts, numbers), labels, len(names))
    asked = bayes.tabulate([e.text + e.text_b for e in examples], numbers)
    return [names[best] for best in model.scores(asked).argmax(axis=1)]


def overlapping_facts(
    facts: Sequence[KgFact], examples: Iterable[KgExample]
) -> list[KgFact]:
    """KG questions: the fact whose key shares most characters with the question.

    A key is its subject and predicate. Of equals the one with fewest other characters,
    then the first.

    Raises:
        ValueError: The base is empty.
    """
    if not facts:
        raise ValueError("expected facts to choose from, received an empty base")
    places = defaultdict(list)
    keys = [frozenset(fact.subject + fact.predicate) for fact in facts]
    for index, key in enumerate(keys):
        for character in key:
            places[character].append(index)
    postings = {c: np.asarray(where) for c, where in places.items()}
    sizes = np.array([len(key) for key in keys])
    return [facts[_best_key(example.question, postings, sizes)] for example in examples]


class _Dictionary:
    """Names, their types, and the predicates between them, as a train file has them."""

    def __init__(self, train: Iterable[TriplesExample]) -> None:
        types: dict[str, Counter[str]] = defaultdict(Counter)
        by_types: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        by_strings: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for triple in (t for example in train for t in example.triples):
            types[triple.subject][triple.subject_type] += 1
            types[triple.object][triple.object_type] += 1
            by_types[triple.subject_type, triple.object_type][triple.predicate] += 1
            by_strings[triple.subject, triple.object][triple.predicate] += 1
        self._type = {name: _commonest(counts) for name, counts in types.items()}
        self._by_types = {pair: _commonest(c) for pair, c in by_types.items()}
        self._by_strings = {pair: _commonest(c) for pair, c in by_strings.items()}
        self._longest = max(map(len, types))

    def triples(self, text: str) -> tuple[Strings, ...]:
        """Return a triple for every ordered pair of names that allows one."""
        return self._joined(text, self._predicate)

    def remembered(self, text: str) -> tuple[Strings, ...]:
        """Return the triples of pairs of strings that were seen as a pair."""
        return self._joined(text, lambda *pair: self._by_strings.get(pair, ""))

    def _joined(
        self, text: str, predicate_of: Callable[[str, str], str]
    ) -> tuple[Strings, ...]:
        pairs = permutations(self._names(text), 2)
        triples = ((s, predicate_of(s, o), o) for s, o in pairs)
        return tuple(triple for triple in triples if triple[1])

    def _names(self, text: str) -> list[str]:
        """Return the distinct names of a text, longest match from the left."""
        found, start = [], 0
        while start < len(text):
            lengths = range(min(self._longest, len(text) - start), 0, -1)
            words = (text[start : start + length] for length in lengths)
            name = next((word for word in words if word in self._type), "")
            if name:
                found.append(name)
            start += len(name) or 1
        return list(dict.fromkeys(found))

    def _predicate(self, subject: str, object_: str) -> str:
        types = self._type[subject], self._type[object_]
        seen = self._by_strings.get((subject, object_))
        return seen or self._by_types.get(types, "")


def _commonest(counts: Counter[str]) -> str:
    return counts.most_common(1)[0][0]


def _first_sentence(text: str) -> str:
    sentences = (_END_MARKS.sub("", s).strip() for s in cut_sentences(text))
    return next(filter(None, sentences), "")


def _likeliest_sentence(question: str, passage: str) -> str:
    asked = ngrams(question, 2)
    sentences = [_END_MARKS.sub("", s).strip() for s in cut_sentences(passage)]
    return max(sentences, key=lambda s: (asked & ngrams(s, 2)).total(), default="")


def _best_key(question: str, postings: dict[str, np.ndarray], sizes: np.ndarray) -> int:
    """Return the key with most of the question's characters and fewest others.

    Args:
        question: What is asked.
        postings: Character to the indices of the keys that have it.
        sizes: Distinct characters of every key, int (num_keys,).
    """
    shared = np.zeros(len(sizes), "int64")
    for character in set(question):
        if character in postings:
            shared[postings[character]] += 1
    return int(np.argmax(shared * (sizes.max() + 1) - sizes))


def _check_train(task: str, train: Sequence[object]) -> None:
    if not train:
        raise ValueError(
            f"expected train examples for the baseline of {task}, received none: "
            "give the train file with --train FILE"
        )
