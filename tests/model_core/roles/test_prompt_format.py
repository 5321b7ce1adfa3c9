import json

import pytest

from model_core.roles.prompt_format import PromptFormat, load_prompt_format
from model_core.tokenizers.load import load_tokenizer
from tests.model_core.tiny_checkpoint import write_checkpoint


@pytest.fixture(scope="module", name="folder")
def fixture_folder(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("format"))


def test_marks_come_in_the_order_of_training(folder):
    tokenizer = load_tokenizer(folder)
    ids = load_prompt_format(folder).opening_ids("词·江南春", tokenizer)
    tokens = [tokenizer.id_to_token(token_id) for token_id in ids]
    assert tokens == ["[CLS]", "[词]", "江", "南", "春", "[NL]"]


def test_a_request_without_a_style_gets_the_default_one(folder):
    tokenizer = load_tokenizer(folder)
    prompt_format = load_prompt_format(folder)
    assert prompt_format.opening_ids("", tokenizer) == prompt_format.opening_ids(
        "散文", tokenizer
    )


def test_without_a_file_a_bert_vocabulary_opens_with_cls(tmp_path, folder):
    tokenizer = load_tokenizer(folder)
    usual = load_prompt_format(tmp_path)
    assert usual == PromptFormat()
    assert usual.opening_ids("", tokenizer) == (tokenizer.cls_id,)
    assert usual.stop_ids(tokenizer) == (tokenizer.sep_id,)


def test_marks_the_vocabulary_lacks_are_left_out(folder):
    foreign = PromptFormat(opening=("<s>",), stop=("</s>",))
    tokenizer = load_tokenizer(folder)
    assert foreign.opening_ids("", tokenizer) == ()
    assert foreign.stop_ids(tokenizer) == ()


def test_a_file_without_its_fields_is_refused(tmp_path):
    (tmp_path / "generation.json").write_text(json.dumps({"opening": []}))
    with pytest.raises(ValueError, match=r"generation\.json: expected opening, stop"):
        load_prompt_format(tmp_path)
