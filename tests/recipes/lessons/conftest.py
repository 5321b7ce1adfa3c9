"""Formats over a tiny vocabulary, and every task's lessons encoded once."""

import numpy as np
import pytest

from model_core.roles.formats import Formats
from model_core.tokenizers.load import load_tokenizer
from model_core.tokenizers.word_marks import WORD_MARKS
from recipes.lessons import extracting, facts, pointing, reading, rewriting
from tests.model_core.playing_checkpoint import RELATIONS, tokens, write_vocabulary
from tests.recipes.lessons import toy_data


@pytest.fixture(scope="session", name="folder")
def fixture_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("lessons")


@pytest.fixture(scope="session", name="formats")
def fixture_formats(folder):
    write_vocabulary(folder, tokens())
    return Formats(load_tokenizer(folder), WORD_MARKS)


@pytest.fixture(scope="session", name="lessons")
def fixture_lessons(folder, formats):
    rewriting.encode(toy_data.PAIRS, formats, folder / "title.npz", 400)
    reading.encode(toy_data.QUESTIONS, formats, folder / "qa.npz")
    pointing.encode(toy_data.TRIPLES, RELATIONS, formats, folder / "triples.npz")
    facts.encode(toy_data.FACTS, formats, folder / "facts.npz")
    extracting.encode(list(toy_data.CLAUSES), formats, folder / "extract.npz")
    return folder


@pytest.fixture(name="rng")
def fixture_rng():
    return np.random.default_rng(0)


@pytest.fixture(name="shown")
def fixture_shown(formats):
    """Spell ids, marks included."""

    def shown(ids):
        return " ".join(formats.tokenizer.id_to_token(int(one)) for one in ids)

    return shown


@pytest.fixture(name="text_of")
def fixture_text_of(formats):
    return lambda ids: formats.tokenizer.decode([int(one) for one in ids])
