"""A converted folder is whole or is not there, and says what the old one said."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from model_core import __main__ as terminal
from model_core.checkpoints.load import load_network
from model_core.checkpoints.own_weights import changes
from model_core.checkpoints.reader import open_checkpoint
from model_core.conversion.folders import ConversionRequest, convert_checkpoint
from model_core.interfaces import ModelError
from model_core.models.network import arrays_by_name
from model_core.roles.parts import load_parts
from model_core.tokenizers.load import load_tokenizer
from tests.model_core import reference_models as reference
from tests.model_core.playing_checkpoint import RIVER, write_playing
from tests.model_core.reference_models import torch, transformers
from tests.model_core.tokenizers import tiny_vocabularies as tiny
from tests.model_core.tokenizers.test_reduction import write_words

EMBEDDED = Path(__file__).parents[3] / "assets" / "embedded"
TEXT = "今天天气很好，我们去北京大学。hello playing tokens"


def save(folder, make=reference.bert):
    """A checkpoint whose vocabulary has fewer tokens than its weights have rows."""
    model = make(vocab_size=len(tiny.word_tokens()) + 7)
    model.save_pretrained(folder)
    write_words(folder)
    generation = {"eos_token_id": [3], "pad_token_id": 0, "bad_words_ids": [[9, 10]]}
    (folder / "generation_config.json").write_text(json.dumps(generation))
    config = json.loads((folder / "config.json").read_text())
    config |= {"eos_token_id": 3, "bos_token_id": 50256, "auto_map": {"AutoModel": "x"}}
    (folder / "config.json").write_text(json.dumps(config))
    return model


@pytest.fixture(name="bert", scope="module")
def fixture_bert(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bert")
    return folder, save(folder)


def convert(folder, output, **options):
    return convert_checkpoint(ConversionRequest(folder, output, **options))


def text_file(folder, text=TEXT):
    path = folder / "texts.txt"
    path.write_text(text + "\n", encoding="utf8")
    return path


@pytest.mark.parametrize("make", [reference.bert, reference.gpt2])
def test_kept_tokens_score_what_they_scored(make, tmp_path):
    model = save(tmp_path / "whole", make)
    texts = (text_file(tmp_path),)
    report = convert(tmp_path / "whole", tmp_path / "few", keep_tokens_of=texts)
    whole, few = (load_tokenizer(tmp_path / n) for n in ("whole", "few"))
    ids = few.encode(TEXT).token_ids[:20]
    keep = [whole.token_to_id(few.id_to_token(i)) for i in range(few.vocab_size)]
    old_ids = [keep[i] for i in ids]
    assert old_ids == list(whole.encode(TEXT).token_ids[:20])
    back = type(model).from_pretrained(tmp_path / "few").eval()
    ours = load_network(tmp_path / "few").network
    attention = "causal" if make is reference.gpt2 else "bidirectional"
    with torch.no_grad():
        expected = model(torch.tensor([old_ids])).logits[..., keep].numpy()
        theirs = back(torch.tensor([ids])).logits.numpy()
    np.testing.assert_allclose(theirs, expected, atol=1e-5, rtol=1e-5)
    received = np.asarray(ours(np.array([ids]), attention=attention)["logits"])
    np.testing.assert_allclose(received, expected, atol=1e-4)
    rows = report.before.num_tokens - report.after.num_tokens
    assert rows > 20
    assert report.saved_by_tokens_bytes >= rows * reference.WIDTH * 4
    assert report.after.disk_bytes < report.before.disk_bytes


def test_ids_in_configs_are_the_new_ones(bert, tmp_path):
    folder, _ = bert
    convert(folder, tmp_path / "few", keep_tokens_of=(text_file(tmp_path),))
    tokenizer = load_tokenizer(tmp_path / "few")
    config = json.loads((tmp_path / "few" / "config.json").read_text())
    assert config["vocab_size"] == tokenizer.vocab_size
    assert tokenizer.id_to_token(config["eos_token_id"]) == "[SEP]"
    assert config["bos_token_id"] == 50256  # meant nothing before
    assert "auto_map" not in config
    generation = json.loads((tmp_path / "few" / "generation_config.json").read_text())
    assert generation["eos_token_id"] == [config["eos_token_id"]]
    whole = load_tokenizer(folder)
    names = [whole.id_to_token(i) for i in (9, 10)]
    ids = [tokenizer.token_to_id(name) for name in names]
    expected = [
        old if new is None else new for old, new in zip((9, 10), ids, strict=True)
    ]
    assert generation["bad_words_ids"] == [expected]


def test_reducing_twice_by_the_same_texts_changes_no_byte(bert, tmp_path):
    texts = (text_file(tmp_path),)
    convert(bert[0], tmp_path / "once", keep_tokens_of=texts)
    convert(tmp_path / "once", tmp_path / "twice", keep_tokens_of=texts)
    assert contents(tmp_path / "once") == contents(tmp_path / "twice")


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_our_own_weights_come_back_as_they_were(tmp_path):
    convert(EMBEDDED, tmp_path / "new")
    made = contents(tmp_path / "new")
    del made["model.safetensors"]  # its kernels stood in int8 steps
    for name, content in made.items():
        assert json_or_bytes(content) == json_or_bytes((EMBEDDED / name).read_bytes())
    with open_checkpoint(EMBEDDED) as old, open_checkpoint(tmp_path / "new") as new:
        assert set(old.keys()) == set(new.keys())
        for name in old.keys():  # noqa: SIM118 - not a mapping
            np.testing.assert_allclose(
                new.read(name), old.read(name), rtol=1e-3, atol=1e-7
            )
    texts = (text_file(tmp_path),)
    report = convert(EMBEDDED, tmp_path / "few", keep_tokens_of=texts, dtype="float32")
    assert report.after.num_tokens < 1000
    few = load_tokenizer(tmp_path / "few")
    assert few.decode(few.encode(TEXT).token_ids) == (
        load_tokenizer(EMBEDDED).decode(load_tokenizer(EMBEDDED).encode(TEXT).token_ids)
    )
    assert load_network(tmp_path / "few", heads=("language_model",)).config.vocab_size


def json_or_bytes(content):
    try:
        return json.loads(content)
    except ValueError:
        return content


def refuse(match, folder, output, **options):
    """Ask for what is refused: nothing new may lie beside the output."""
    before = {path: path.stat().st_mtime_ns for path in output.parent.rglob("*")}
    with pytest.raises(ModelError, match=match) as caught:
        convert(folder, output, **options)
    assert {p: p.stat().st_mtime_ns for p in output.parent.rglob("*")} == before
    assert caught.value.zh
    assert caught.value.en


def test_an_output_that_is_there_is_refused(bert, tmp_path):
    folder, _ = bert
    output = tmp_path / "there"
    output.mkdir()
    convert(folder, output)  # empty: nothing is lost
    refuse("已经存在.*exists already", folder, output)
    convert(folder, output, overwrite=True, dtype="float16")
    assert json.loads((output / "config.json").read_text())["dtype"] == "float16"
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
    (output / "notes").mkdir()
    refuse("does not look like a checkpoint", folder, output, overwrite=True)


def test_the_source_is_never_written_over(bert, tmp_path):
    folder, _ = bert
    for output in (folder, folder / "inside", folder.parent):
        with pytest.raises(ModelError, match="就是输入目录"):
            convert(folder, output, overwrite=True)


def test_tokens_without_the_special_ones_are_refused(bert, tmp_path):
    listed = tmp_path / "tokens.txt"
    listed.write_text("[PAD]\n[UNK]\n[CLS]\n北京\n", encoding="utf8")
    refuse(r"缺了 2 个.*\[SEP\]  \[MASK\]", bert[0], tmp_path / "x", keep_tokens=listed)
    listed.write_text("".join(f"{m}\n" for m in (*tiny.BERT_MARKS, "北京")))
    report = convert(bert[0], tmp_path / "x", keep_tokens=listed)
    assert report.after.num_tokens == 6


def with_number(folder, number):
    model = reference.bert()
    with torch.no_grad():
        model.cls.predictions.bias[3] = number
    model.save_pretrained(folder)
    return folder


def test_what_a_dtype_cannot_hold_is_refused_and_nothing_stays(tmp_path):
    folder = with_number(tmp_path / "in", 1e6)
    message = "cls.predictions.bias 里有 float16 装不下的数"
    refuse(message, folder, tmp_path / "out", dtype="float16")
    convert(folder, tmp_path / "out", dtype="bfloat16")


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_damaged_numbers_are_refused_and_nothing_stays(number, tmp_path):
    folder = with_number(tmp_path / "in", float(number))
    with pytest.raises(ValueError, match="holds 1 numbers that are NaN or infinite"):
        convert(folder, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_folder_without_a_vocabulary_keeps_all_its_tokens(tmp_path):
    reference.bert().save_pretrained(tmp_path / "in")
    texts = (text_file(tmp_path),)
    refuse("没有词表", tmp_path / "in", tmp_path / "out", keep_tokens_of=texts)
    assert convert(tmp_path / "in", tmp_path / "out").files == (
        "config.json", "model.safetensors",
    )  # fmt: skip


def test_the_command_tells_what_became_of_it(bert, tmp_path, capsys):
    folder, _ = bert
    output = tmp_path / "new"
    texts = text_file(tmp_path)
    command = ["convert", str(folder), "--output", str(output)]
    options = ["--dtype", "bfloat16", "--keep-tokens-of", str(texts)]
    assert terminal.main([*command, *options]) == 0
    told = capsys.readouterr().out
    for part in ("bert, bfloat16", "磁盘 disk, MB", "内存 memory, MB", "个词", "save"):
        assert part in told
    assert terminal.main(["inspect", str(output)]) == 0
    capsys.readouterr()
    assert terminal.main([*command]) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert transformers.AutoModelForMaskedLM.from_pretrained(output)


@pytest.mark.parametrize("layout", ["maskplay", "pytorch"])
def test_a_parts_own_weights_go_along_unless_tokens_are_left_out(tmp_path, layout):
    folder = write_playing(tmp_path / "ours")
    name = "block_0/attention/query/kernel"
    with open_checkpoint(folder) as reader:
        shared = {n: np.array(reader.read(n)) for n in reader.keys()}  # noqa: SIM118
    own = {**shared, name: shared[name] * np.float32(1.25)}
    save_file(changes(shared, own), folder / "pointing.safetensors")
    named = replace(
        load_parts(folder), own_weights={"pointing": "pointing.safetensors"}
    )
    named.save(folder / "parts.json")

    convert(folder, tmp_path / "same", layout=layout)
    whole = load_network(tmp_path / "same", own_weights="pointing.safetensors")
    found = arrays_by_name(whole.network)[name]
    np.testing.assert_allclose(found, own[name], rtol=2e-2, atol=2e-3)

    few = (text_file(tmp_path, RIVER),)
    convert(folder, tmp_path / "few", layout=layout, keep_tokens_of=few)
    assert load_parts(tmp_path / "few").own_weights == {}
    assert not (tmp_path / "few" / "pointing.safetensors").exists()
