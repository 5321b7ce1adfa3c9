"""Published generators other than uer's: what stands around their prompts.

GPT2_ML has BERT's vocabulary and none of its marks; CPM cuts words with jieba first,
writes spaces and newlines as marks, and ends a text with <eod>.
"""

import json

import jieba
import numpy as np
import pytest
import sentencepiece

from model_core.interfaces import TEXT_GENERATOR, GenerationOptions
from model_core.roles.cast import Cast
from model_core.roles.loaded import load_model

reference = pytest.importorskip("tests.model_core.reference_models")

from tests.model_core import numpy_references as papers
from tests.model_core import test_numpy_parity as drawings
from tests.model_core.reference_models import torch, transformers
from tests.model_core.tokenizers import tiny_vocabularies

BERT_MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
GREEDY = GenerationOptions(max_new_tokens=6, temperature=1.0, top_k=1, top_p=1.0)
PROMPT = "今天天气"


def written(generator, prompt, options=GREEDY):
    *_, frame = generator.complete(prompt, options)
    return frame.candidates[0]


# GPT2_ML


@pytest.fixture(scope="module", name="gpt2_ml")
def fixture_gpt2_ml(tmp_path_factory):
    """As Tongjilibo publishes it: BERT's names, one .bin, no model_type."""
    folder = tmp_path_factory.mktemp("gpt2-ml_15g_corpus")
    weights = drawings.drawn(drawings.gpt2_ml_shapes())
    spelt = dict(drawings.in_bert4torch(n, a) for n, a in weights.items())
    tensors = {name: torch.tensor(array) for name, array in spelt.items()}
    torch.save(tensors, folder / "pytorch_model.bin")
    (folder / "config.json").write_text(json.dumps(drawings.GPT2_ML_JSON))
    tokens = [*BERT_MARKS, *"今天气很好，我们去北京。"]
    tokens += [f"[unused{n}]" for n in range(drawings.VOCAB - len(tokens))]
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf8")
    return weights, load_model(folder, name="hub/gpt2-ml")


def greedy(weights, ids, count, forbidden):
    """The paper's choices one by one; marks are never chosen."""
    ids = list(ids)
    for _ in range(count):
        logits = papers.gpt2_ml(weights, np.array(ids), heads=drawings.HEADS)[-1].copy()
        logits[list(forbidden)] = -np.inf
        ids.append(int(logits.argmax()))
    return ids[-count:]


def test_gpt2_ml_reads_a_prompt_without_any_mark(gpt2_ml):
    weights, model = gpt2_ml
    cast = Cast(model)
    assert model.info.family == "gpt2_ml"
    assert cast.roles == (TEXT_GENERATOR.name,)
    tokenizer = model.tokenizer
    assert tokenizer.cls_id == 2  # it is there, and not used
    assert model.prompt_format.opening_ids("", tokenizer) == ()
    assert model.prompt_format.stop_ids(tokenizer) == ()
    prompt = tokenizer.encode(PROMPT).token_ids
    expected = greedy(weights, prompt, 6, tokenizer.special_ids)
    candidate = written(cast.play(TEXT_GENERATOR), PROMPT)
    assert candidate.text == tokenizer.decode(expected)
    assert candidate.finish == "length"


# CPM


def as_released(processor, text):
    """The release's own ids: jieba's words, marks for the person's own blanks."""
    marks = str.maketrans(" \n", "\u2582\u2583")
    words = [word.translate(marks) for word in jieba.cut(text, cut_all=False)]
    return processor.encode(" ".join(words))


def pieces():
    """As in CPM's 30,000 pieces, both marks are among the first hundredth."""
    unused = ",".join(f"[unused{n}]" for n in range(1000))
    return tiny_vocabularies.piece_model(
        control_symbols="<cls>,<sep>,<pad>,<mask>,<eod>",
        user_defined_symbols=f"\u2582,\u2583,<eop>,{unused}",
        vocab_size=1420,
    )


@pytest.fixture(scope="module", name="cpm", params=["distill", "whole"])
def fixture_cpm(request, tmp_path_factory):
    """Both layouts: config.json and spiece.model alone, or with the class as well."""
    folder = tmp_path_factory.mktemp(request.param)
    processor = sentencepiece.SentencePieceProcessor(model_proto=pieces())
    config = transformers.GPT2Config(
        vocab_size=processor.get_piece_size(),
        n_embd=32,
        n_layer=2,
        n_head=4,
        n_positions=48,
    )
    model = reference.built("GPT2LMHeadModel", config)
    reference.save_bin(model, folder)
    (folder / "spiece.model").write_bytes(pieces())
    if request.param == "whole":
        told = {"tokenizer_class": "CpmTokenizer", "do_lower_case": False}
        (folder / "tokenizer_config.json").write_text(json.dumps(told))
    return model, processor, load_model(folder, name="hub/cpm")


def unhealed(generator):
    """A prompt whose last token begins no longer one: nothing is taken back of it."""
    prompts = (f"今天 天气很好\n我们去{end}" for end in tiny_vocabularies.WORDS)
    return next(p for p in prompts if not generator._read(p, GREEDY).healed.rules)


def test_cpm_cuts_words_first_and_opens_with_nothing(cpm):
    theirs, processor, model = cpm
    cast = Cast(model)
    assert cast.roles == (TEXT_GENERATOR.name,)
    tokenizer, generator = model.tokenizer, cast.play(TEXT_GENERATOR)
    assert model.prompt_format.opening_ids("", tokenizer) == ()
    end = processor.piece_to_id("<eod>")
    assert model.prompt_format.stop_ids(tokenizer) == (end,)
    prompt = unhealed(generator)
    ids = as_released(processor, prompt)
    assert list(tokenizer.encode(prompt).token_ids) == ids
    with torch.no_grad():
        rows = theirs.generate(
            torch.tensor([ids]),
            max_new_tokens=6,
            do_sample=False,
            eos_token_id=end,
            pad_token_id=end,
            suppress_tokens=list(generator._forbidden_ids),
        )
    expected = [token for token in rows[0, len(ids) :].tolist() if token != end]
    candidate = written(generator, prompt)
    assert prompt + candidate.text == tokenizer.decode([*ids, *expected])
    assert (candidate.finish == "stop") == (len(expected) < 6)


def test_cpm_ends_a_text_at_its_mark(cpm):
    _, processor, model = cpm
    generator = Cast(model).play(TEXT_GENERATOR)
    end = processor.piece_to_id("<eod>")
    assert end not in generator._forbidden_ids
    assert processor.piece_to_id("<sep>") in generator._forbidden_ids
    assert processor.piece_to_id("<cls>") in generator._forbidden_ids
