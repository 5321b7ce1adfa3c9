"""Blanks are laid out as they are read, and no set drowns another."""

import itertools

import numpy as np
import pytest

from model_core.interfaces import Blanked
from model_core.roles.blanks import BlankLayout
from model_core.roles.mask_filler import NetworkMaskFiller
from recipes.lessons import judging
from tests.model_core.playing_checkpoint import STYLE, load_playing

FEW = [(Blanked("长江", "长。"), "很"), (Blanked("", "湖是咸水湖"), "青海")]
MANY = [(Blanked("", "鲁迅是浙江人"), "上海")] * 200


@pytest.fixture(name="path")
def fixture_path(tmp_path, formats):
    layout = BlankLayout(formats.tokenizer, STYLE)
    judging.encode({"few": FEW, "many": MANY}, layout, 100, tmp_path / "judged.npz")
    return tmp_path / "judged.npz"


def seen(path, rng, text_of, count=400):
    documents = itertools.islice(judging.documents(path, rng), count)
    return [(document, text_of(document.targets)) for document in documents]


def test_every_blank_is_masked_and_its_word_expected_there(path, rng, text_of, formats):
    mask = formats.tokenizer.mask_id
    for document, word in seen(path, rng, text_of, 50):
        assert (document.token_ids[document.places] == mask).all()
        assert (document.token_ids == mask).sum() == len(document.places)
        assert word in ("很", "青海", "上海")
        assert not document.segment_ids.any()
        assert not len(document.source_ids)


def test_a_small_set_is_drawn_as_the_root_of_its_size_says(path, rng, text_of):
    words = [word for _, word in seen(path, rng, text_of)]
    share = 1 - words.count("上海") / len(words)
    expected = np.sqrt(2) / (np.sqrt(2) + np.sqrt(200))
    assert share == pytest.approx(expected, abs=0.04)
    assert words.count("很") == pytest.approx(words.count("青海"), abs=1)


def test_lessons_are_laid_out_as_the_filler_reads(tmp_path, formats):
    filler = NetworkMaskFiller(load_playing(tmp_path))
    layout = BlankLayout(formats.tokenizer, STYLE)
    for sentence, word in FEW:
        count = len(formats.tokenizer.encode(word).token_ids)
        taught, read = (
            layout.blank(sentence, count, 512),
            filler._blank(sentence, count),
        )
        assert taught.token_ids.tolist() == read.token_ids.tolist()
        assert taught.places.tolist() == read.places.tolist()
