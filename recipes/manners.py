"""How the embedded core behaves: loops, rhymes, numbers that the source has.

Changes when another habit is looked at. Asks the parts as the page does, at the page's
own defaults; whether a question has no answer is scored with question answering.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from demos.generation.poem import verse_lines
from demos.generation.task import GenerationRequest, generate
from demos.summary.task import SummaryRequest, summarize_many
from model_core.interfaces import Summarizer, TextGenerator
from recipes.evaluation import read_documents, write_poems
from recipes.metrics import keeping, rhyme
from recipes.metrics.repetition import is_loop, most_repeated
from recipes.task_files import evenly_spaced

Share = dict[str, Any]

SAMPLE_TOKENS = 256
OPENING_CHARS = 16
SOURCES = ("modern", "novels", "poems")
RHYMED_FORMS = ("五言绝句", "七言绝句")


@dataclass(frozen=True, slots=True)
class Opening:
    """How a held-back document begins.

    Attributes:
        source: One of ``SOURCES``.
        text: Its first characters, given as the prompt.
        rest: What its author wrote after them.
    """

    source: str
    text: str
    rest: str


@dataclass(frozen=True, slots=True)
class Amount:
    """How much is asked.

    Attributes:
        samples: Openings to continue.
        poems_per_form: Poems to write, for their rhymes.
    """

    samples: int = 100
    poems_per_form: int = 50


def openings(corpus: Path, count: int) -> tuple[Opening, ...]:
    """Return openings of held-back documents, from every source as evenly as they go.

    A source with too few documents gives them all, the others fill the rest.

    Args:
        corpus: Holds ``modern-held.jsonl`` and so on, written with the corpus.
        count: Of all sources together.

    Raises:
        ValueError: There are no held-back documents.
    """
    held = {name: _openings_of(name, corpus) for name in SOURCES}
    chosen: list[Opening] = []
    by_size = sorted(SOURCES, key=lambda name: len(held[name]))
    for place, name in enumerate(by_size):
        share = (count - len(chosen)) // (len(SOURCES) - place)
        chosen += evenly_spaced(held[name], share) if share else ()
    if not chosen:
        raise ValueError(
            f"expected held-back documents longer than {OPENING_CHARS} characters and "
            f"one sample or more, received none in {corpus} or {count} samples"
        )
    return tuple(chosen)


def loops(model: TextGenerator, begun: Sequence[Opening]) -> Share:
    """Continue openings at the page's defaults, by 256 tokens at most.

    Args:
        model: Writes; the n-th opening has the seed n.
        begun: What it continues.

    Returns:
        ``samples``, ``loops`` (the share with a 4-gram of tokens more than 4 times),
        ``full`` (how many came to 256 tokens: others ended by themselves),
        ``loops_full`` (the share among those), ``tokens`` (their mean),
        ``most_repeated``, ``real`` (the share of loops in what the authors wrote, 256
        characters of it), and ``by_source``, the share of loops by source.
    """
    texts = [_written(model, one.text, seed) for seed, one in enumerate(begun)]
    circling = [is_loop(text) for text in texts]
    full = [len(text) >= SAMPLE_TOKENS for text in texts]
    return {
        "samples": len(texts),
        "loops": _share(circling),
        "full": sum(full),
        "loops_full": _share([c for c, f in zip(circling, full, strict=True) if f]),
        "tokens": round(fmean(map(len, texts)), 1),
        "most_repeated": max(map(most_repeated, texts)),
        "real": _share([is_loop(one.rest[:SAMPLE_TOKENS]) for one in begun]),
        "by_source": {
            name: {"samples": len(own), "loops": _share(own)}
            for name in SOURCES
            if (own := _of_source(name, begun, circling))
        },
    }


def rhymed(model: TextGenerator, corpus: Path, poems_per_form: int) -> Share:
    """Write regular poems and look at the ends of their second and fourth lines.

    Args:
        model: Writes as ``write_poems`` asks it.
        corpus: Holds ``poems-held.jsonl``.
        poems_per_form: Of every form of ``RHYMED_FORMS``.

    Returns:
        ``poems``, ``rhyme`` (their share), ``chance`` (the same ends of different
        poems), ``real`` and ``real_poems`` (held-back poems of these forms), and
        ``by_form``. A poem without a fourth line does not rhyme.
    """
    ends = {
        form: _ends(write_poems(model, form, poems_per_form)) for form in RHYMED_FORMS
    }
    documents = read_documents(corpus / "poems-held.jsonl")
    real = _ends([text for style, text in documents if style in RHYMED_FORMS])
    every = [pair for pairs in ends.values() for pair in pairs]
    return {
        "poems": len(every),
        "rhyme": _rhyming(every),
        "chance": round(rhyme.chance(every), 4),
        "real": _rhyming(real),
        "real_poems": len(real),
        "by_form": {form: _rhyming(pairs) for form, pairs in ends.items()},
    }


def numbers_kept(model: Summarizer, texts: Sequence[str]) -> Share:
    """Summarise texts at the page's defaults: what of them do the summaries keep?

    Args:
        model: Extracts and writes, with copies and the sparse softmax.
        texts: What is summarised.

    Returns:
        ``summaries``, and for every row of ``recipes.metrics.keeping.PIECES``
        ``said``, ``kept`` and their ``share``.

    Raises:
        ModelError: The model cannot answer.
    """
    pairs = []
    requests = [SummaryRequest(text) for text in texts]
    for text, result in zip(texts, summarize_many(requests, model), strict=True):
        if isinstance(result, Exception):
            raise result
        pairs.append((text, result.draft.text))
    found = {name: keeping.kept(pairs, cut) for name, cut in keeping.PIECES.items()}
    return {
        "summaries": len(pairs),
        **{
            name: {"said": one.said, "kept": one.kept, "share": round(one.share, 4)}
            for name, one in found.items()
        },
    }


def report(
    writer: TextGenerator,
    summarizer: Summarizer | None,
    corpus: Path,
    texts: Sequence[str],
    amount: Amount,
) -> Mapping[str, Any]:
    """Return all of it; numbers only where there are texts and who summarises them.

    Args:
        writer: Continues openings and writes poems.
        summarizer: None for weights that cannot.
        corpus: Holds the held-back documents.
        texts: To summarise.
        amount: Of samples and poems.
    """
    rhyme.check_reader()
    made: dict[str, Any] = {
        "task": "manners",
        "loops": loops(writer, openings(corpus, amount.samples)),
        "rhyme": rhymed(writer, corpus, amount.poems_per_form),
    }
    if summarizer is not None and texts:
        made["numbers"] = numbers_kept(summarizer, texts)
    return made


def _openings_of(source: str, corpus: Path) -> list[Opening]:
    return [
        Opening(source, text[:OPENING_CHARS], text[OPENING_CHARS:])
        for _, text in read_documents(corpus / f"{source}-held.jsonl")
        if len(text) > OPENING_CHARS
    ]


def _written(model: TextGenerator, opening: str, seed: int) -> tuple[str, ...]:
    """Return the texts of a sample's tokens."""
    request = GenerationRequest(opening, max_new_tokens=SAMPLE_TOKENS, seed=seed)
    *_, last = generate(request, model)
    return tuple(token.text for token in last.candidates[0].tokens)


def _of_source(
    name: str, begun: Sequence[Opening], circling: Sequence[bool]
) -> list[bool]:
    return [c for one, c in zip(begun, circling, strict=True) if one.source == name]


def _ends(poems: Sequence[str]) -> list[tuple[str, str]]:
    """Return the second and the fourth line of every poem, "" for a line it lacks."""
    lines = [(*verse_lines(poem), "", "", "", "") for poem in poems]
    return [(poem[1], poem[3]) for poem in lines]


def _rhyming(pairs: Sequence[tuple[str, str]]) -> float:
    return _share([rhyme.rhymes(*pair) for pair in pairs])


def _share(told: Sequence[bool]) -> float:
    return round(sum(told) / max(1, len(told)), 4)
