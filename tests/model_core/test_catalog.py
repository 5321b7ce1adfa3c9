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
from model_core.catalog.sizes import MILLIONS
from model_core.checkpoints.hub import check_repo_id
from model_core.interfaces import ModelError
from model_core.models.families import FAMILIES
from tests.model_core.published_shapes import SHAPES, parameters

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
    "microsoft/DialoGPT-small",
    "microsoft/DialoGPT-medium",
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
    "Tongjilibo/simbert-chinese-tiny",
    "Tongjilibo/simbert-chinese-small",
    "Tongjilibo/simbert-chinese-base",
    "junnyu/roformer_chinese_sim_char_ft_base",
    "hfl/chinese-xlnet-base",
    "uer/roberta-base-finetuned-jd-binary-chinese",
    "uer/roberta-base-finetuned-dianping-chinese",
    "uer/roberta-base-finetuned-chinanews-chinese",
    "IDEA-CCNL/Erlangshen-Roberta-110M-Sentiment",
    "IDEA-CCNL/Erlangshen-Roberta-110M-Similarity",
    "IDEA-CCNL/Erlangshen-Roberta-110M-NLI",
    "hfl/chinese-electra-180g-small-discriminator",
    "hfl/chinese-electra-180g-base-discriminator",
    "Tongjilibo/gpt2-ml_15g_corpus",
    "Tongjilibo/gpt2-ml_30g_corpus",
    "mymusise/CPM-Generate-distill",
    "TsinghuaAI/CPM-Generate",
    "Babelscape/mrebel-large",
    "fnlp/bart-large-chinese",
    "uer/bart-base-chinese-cluecorpussmall",
    "uer/pegasus-base-chinese-cluecorpussmall",
    "uer/t5-small-chinese-cluecorpussmall",
    "uer/t5-base-chinese-cluecorpussmall",
    "uer/t5-v1_1-small-chinese-cluecorpussmall",
    "uer/t5-v1_1-base-chinese-cluecorpussmall",
    "nghuyong/ernie-3.0-xbase-zh",
    "nghuyong/ernie-3.0-medium-zh",
    "nghuyong/ernie-3.0-mini-zh",
    "nghuyong/ernie-3.0-micro-zh",
    "nghuyong/ernie-3.0-nano-zh",
    "sijunhe/nezha-cn-large",
    "sijunhe/nezha-base-wwm",
    "sijunhe/nezha-large-wwm",
    "junnyu/wobert_chinese_base",
    "voidful/albert_chinese_small",
    "voidful/albert_chinese_large",
    "voidful/albert_chinese_xlarge",
    "voidful/albert_chinese_xxlarge",
    "clue/albert_chinese_tiny",
    "hfl/chinese-electra-180g-base-generator",
    "hfl/chinese-xlnet-mid",
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
    others = ("CPM", "DialoGPT")  # whose vocabularies are not BERT's
    opened = card.family in {"gpt2", "gpt"} and not card.name.startswith(others)
    assert (card.prompt_format == "cls_first") == opened
    assert bool(card.turns) == ("dialogue" in card.tasks)
    assert (card.pooling is not None) == ("similarity" in card.tasks)


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
    assert len(names) == 13
    assert names[1:] == [card.name for card in CARDS if card.name in names][1:]


def test_an_unknown_task_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"generation, title.*received 'poetry'"):
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


# Sizes


def test_every_row_says_how_large_it_is():
    assert {card.repo_id for card in CARDS} == MILLIONS.keys() == SHAPES.keys()


@pytest.mark.parametrize(("repo_id", "count"), list(parameters()))
def test_a_size_is_what_the_published_config_makes_it(repo_id, count):
    assert MILLIONS[repo_id] == pytest.approx(count / 1e6, rel=0.01, abs=0.05)


@pytest.mark.parametrize(
    "card", [card for card in CARDS if card.download_bytes], ids=lambda card: card.name
)
def test_a_published_file_holds_so_many_numbers(card):
    """Of four bytes or two; what lies beside the weights is below a twelfth of them."""
    if card.repo_id == "Tongjilibo/simbert-chinese-tiny":
        return  # its token embedding is in eight
    for_each = card.download_bytes / (MILLIONS[card.repo_id] * 1e6)
    assert 0.98 * 4 <= for_each <= 4.35 or 0.98 * 2 <= for_each <= 2.2


def test_a_rows_family_is_that_of_its_published_config():
    for card in CARDS:
        values, _ = SHAPES[card.repo_id]
        assert values["model_type"] in FAMILIES[card.family].model_types
