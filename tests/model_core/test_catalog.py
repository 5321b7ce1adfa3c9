"""The table of published weights is complete and free of invented facts."""

import re

import pytest

from model_core.catalog import (
    CARDS,
    DEFAULT_WEIGHTS,
    TASKS,
    cards_for,
    check_head,
    find_card,
)
from model_core.checkpoints.hub import check_repo_id
from model_core.interfaces import ModelError
from model_core.models.families import FAMILIES

REPOSITORIES = {
    "uer/gpt2-distil-chinese-cluecorpussmall",
    "uer/gpt2-chinese-cluecorpussmall",
    "uer/gpt2-medium-chinese-cluecorpussmall",
    "uer/gpt2-large-chinese-cluecorpussmall",
    "uer/gpt2-xlarge-chinese-cluecorpussmall",
    "uer/gpt2-chinese-poem",
    "uer/gpt2-chinese-couplet",
    "uer/gpt2-chinese-lyric",
    "uer/gpt2-chinese-ancient",
    "uer/roberta-base-chinese-extractive-qa",
    "luhua/chinese_pretrain_mrc_roberta_wwm_ext_large",
    "luhua/chinese_pretrain_mrc_macbert_large",
    "hfl/chinese-roberta-wwm-ext",
    "hfl/chinese-roberta-wwm-ext-large",
    "google-bert/bert-base-chinese",
    "hfl/chinese-macbert-base",
    "hfl/rbt3",
    "hfl/rbt6",
    "hfl/rbtl3",
    "thu-coai/CDial-GPT_LCCC-base",
    "thu-coai/CDial-GPT_LCCC-large",
    "Tongjilibo/nezha_gpt_dialog",
    "nghuyong/ernie-3.0-base-zh",
    "sijunhe/nezha-cn-base",
    "junnyu/wobert_chinese_plus_base",
    "junnyu/roformer_chinese_base",
    "junnyu/roformer_chinese_char_base",
    "junnyu/roformer_v2_chinese_char_base",
    "voidful/albert_chinese_tiny",
    "voidful/albert_chinese_base",
    "hfl/chinese-electra-180g-small-generator",
    "distilbert/distilbert-base-multilingual-cased",
    "xusenlin/uie-base",
    "imxly/t5-pegasus-small",
    "imxly/t5-pegasus",
    "IDEA-CCNL/Randeng-Pegasus-238M-Summary-Chinese",
    "IDEA-CCNL/Randeng-Pegasus-523M-Summary-Chinese",
    "csebuetnlp/mT5_multilingual_XLSum",
    "fnlp/bart-base-chinese",
}


def test_every_published_checkpoint_has_one_row():
    assert sorted(card.repo_id for card in CARDS) == sorted(REPOSITORIES)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_a_row_is_filled_in(card):
    assert check_repo_id(card.repo_id) == (card.repo_id, None)
    assert card.head in FAMILIES[card.family].heads
    assert set(card.tasks) <= set(TASKS)
    assert card.tasks or card.refusals
    assert re.fullmatch(r".*[\u4e00-\u9fff]?.* · [ -~]+", card.title)
    assert not card.note or " · " in card.note
    assert card.download_bytes >= 0
    assert (card.prompt_format == "cls_first") == (card.family in {"gpt2", "gpt"})
    assert bool(card.turns) == ("dialogue" in card.tasks)


def test_names_are_unique_and_find_their_row():
    names = [name for card in CARDS for name in {card.name, card.repo_id}]
    assert len(names) == len(set(names))
    assert all(
        find_card(card.name) is card is find_card(card.repo_id) for card in CARDS
    )
    assert find_card("nobody/knows") is None


def test_no_row_names_a_commit_or_a_digest():
    assert not re.search(r"[0-9a-f]{12,}", repr(CARDS))


@pytest.mark.parametrize("task", sorted(DEFAULT_WEIGHTS))
def test_the_default_of_a_task_is_one_of_its_rows_and_comes_first(task):
    assert cards_for(task)[0].repo_id == DEFAULT_WEIGHTS[task]


def test_rows_of_a_task_keep_the_tables_order_after_the_default():
    names = [card.name for card in cards_for("generation")]
    assert len(names) == 9
    assert names[1:] == [card.name for card in CARDS if card.name in names][1:]


def test_an_unknown_task_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"generation, dialogue.*received 'poetry'"):
        cards_for("poetry")


def test_the_random_cloze_head_is_refused_and_the_encoder_is_not():
    with pytest.raises(ModelError) as caught:
        check_head("hfl/chinese-roberta-wwm-ext-large", "masked_lm")
    assert caught.value.kind == "missing_head"
    assert "随机数" in caught.value.zh
    assert "random cloze head" in caught.value.en
    check_head("hfl/chinese-roberta-wwm-ext-large", "pooler")
    check_head("hfl/chinese-roberta-wwm-ext", "masked_lm")
    check_head("nobody/knows", "masked_lm")
