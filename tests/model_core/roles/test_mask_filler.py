"""Blanks are scored as the softmax says; what is learned stays on its copy."""

from dataclasses import replace

import numpy as np
import pytest
from keras import ops
from safetensors.numpy import save_file

from model_core.checkpoints.own_weights import changes
from model_core.checkpoints.reader import open_checkpoint
from model_core.engines.base import TokenBatch
from model_core.interfaces import Blanked, LearningOptions, ModelError
from model_core.interfaces.roles import MASK_FILLER, SENTENCE_ENCODER
from model_core.models.network import weights_by_name
from model_core.roles.cast import Cast
from model_core.roles.loaded import load_model
from model_core.roles.mask_filler import NetworkMaskFiller
from model_core.roles.parts import load_parts
from tests.model_core.playing_checkpoint import (
    RIVER,
    STYLE,
    load_playing,
    write_playing,
)
from tests.model_core.tokenizers.tiny_vocabularies import piece_model

SENTENCES = (
    Blanked("这部电影真", "，不错。"),
    Blanked("", "看。这部电影很长"),
    Blanked("体育标签的是", ""),
)
WORDS = ("好", "好看", "不错", "差", "Linux")


@pytest.fixture(scope="module", name="filler")
def fixture_filler(tmp_path_factory):
    return NetworkMaskFiller(load_playing(tmp_path_factory.mktemp("filler")))


def laid_out(model, sentence, word):
    """``[CLS][短文] before [MASK] x n after [SEP]`` by hand."""
    tokenizer = model.tokenizer
    ids = tokenizer.encode(word).token_ids
    texts = (sentence.before, sentence.after)
    before, after = (tokenizer.encode(text).token_ids for text in texts)
    opening = [tokenizer.cls_id, tokenizer.token_to_id(STYLE), *before]
    masks = [tokenizer.mask_id] * len(ids)
    return [*opening, *masks, *after, tokenizer.sep_id], len(opening), ids


def expected_log_prob(model, sentence, word):
    ids, first, targets = laid_out(model, sentence, word)
    outputs = model.engine.read(TokenBatch.from_rows([ids]), "bidirectional")
    logits = outputs["logits"][0].astype("float64")
    log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    return np.mean([log_p[first + n, target] for n, target in enumerate(targets)])


def weights(model):
    return {
        name: np.array(ops.convert_to_numpy(weight))
        for name, weight in weights_by_name(model.engine.network).items()
    }


def test_scores_are_the_mean_log_softmax_at_the_masks(filler):
    scores = filler.log_probs(SENTENCES, WORDS)
    assert scores.shape == (3, 5)
    assert scores.dtype == np.float64
    for row, sentence in enumerate(SENTENCES):
        for column, word in enumerate(WORDS):
            expected = expected_log_prob(filler._model, sentence, word)
            assert scores[row, column] == pytest.approx(expected, abs=1e-4)
    assert (scores < 0).all()


def test_words_of_different_lengths_do_not_disturb_each_other(filler):
    together = filler.log_probs(SENTENCES, WORDS)
    for column, word in enumerate(WORDS):
        alone = filler.log_probs(SENTENCES, [word])[:, 0]
        np.testing.assert_allclose(together[:, column], alone, atol=1e-5)


def test_sentences_together_are_one_by_one_in_their_order(filler):
    sentences = [Blanked(RIVER[:n], RIVER[n:]) for n in range(20)] + [*SENTENCES]
    together = filler.log_probs(sentences, ("好", "好看"))
    for row, sentence in enumerate(sentences):
        alone = filler.log_probs([sentence], ("好", "好看"))[0]
        np.testing.assert_allclose(together[row], alone, atol=1e-4)


def test_one_token_words_share_one_distribution(filler):
    tokenizer = filler._model.tokenizer
    words = [
        text
        for token_id in range(tokenizer.vocab_size)
        if (text := tokenizer.token_text(token_id))
        and tokenizer.encode(text).token_ids == (token_id,)
    ]
    assert len(words) > 80
    scores = filler.log_probs(SENTENCES[:1], words)
    assert 0.5 < np.exp(scores).sum() <= 1 + 1e-6


@pytest.mark.parametrize("shorten", ["before", "after"])
@pytest.mark.parametrize(("before", "after"), [(900, 40), (40, 900), (900, 900)])
def test_what_does_not_fit_gives_way_from_its_far_end(filler, shorten, before, after):
    model = filler._model
    sentence = Blanked(("长" * before)[:-1] + "好", "看" + "江" * (after - 1), shorten)
    blank = filler._blank(sentence, 2)
    limit = model.config.max_position_embeddings
    assert len(blank.token_ids) == limit
    names = [model.tokenizer.id_to_token(int(one)) for one in blank.token_ids]
    assert names[:2] == ["[CLS]", STYLE]
    assert names[-1] == "[SEP]"
    first = names.index("[MASK]")
    assert blank.places.tolist() == [first, first + 1]
    kept_before, kept_after = first - 2, limit - first - 3
    room = limit - 5
    if shorten == "after":
        assert kept_before == min(before, room)
        assert kept_after == room - kept_before
    else:
        assert kept_after == min(after, room)
        assert kept_before == room - kept_after
    if kept_before:
        assert names[first - 1] == "好"  # the near end stays
    if kept_after:
        assert names[first + 2] == "看"


@pytest.mark.parametrize("word", ["😀", "", "好😀", "\u200b"])
def test_a_word_that_cannot_be_spelled_is_refused(filler, word):
    with pytest.raises(ModelError, match="词表拼不出") as error:
        filler.log_probs(SENTENCES, ["好", word])
    assert error.value.kind == "unsupported"
    assert "cannot spell" in error.value.en


def test_nothing_to_score_is_an_empty_table(filler):
    assert filler.log_probs([], WORDS).shape == (0, 5)
    assert filler.log_probs(SENTENCES, []).shape == (3, 0)


# Learning

TRAINING = [
    Blanked(f"这部电影{word}", "。") for word in ("好看", "很好", "很差", "真差")
]
ANSWERS = [0, 0, 1, 1]


@pytest.fixture(scope="module", name="learned")
def fixture_learned(filler):
    """Frames of learning, and the shared weights before and after it."""
    before = weights(filler._model)
    options = LearningOptions(
        max_steps=12, learning_rate=5e-3, batch_size=4, mask_rate=0.0
    )
    frames = list(filler.learn(TRAINING, ("体育", "财经"), ANSWERS, options))
    return frames, before, weights(filler._model)


def test_learning_never_changes_the_shared_weights(learned):
    _, before, after = learned
    for name, weight in before.items():
        np.testing.assert_array_equal(after[name], weight)


def test_frames_tell_every_step_and_the_last_one_brings_the_copy(learned):
    frames, _, _ = learned
    assert [frame.step for frame in frames] == list(range(1, 13))
    assert all(frame.num_steps == 12 for frame in frames)
    assert all(len(frame.losses) == frame.step for frame in frames)
    assert all(frame.learned is None for frame in frames[:-1])
    assert frames[-1].learned is not None
    seconds = [frame.elapsed_seconds for frame in frames]
    assert seconds == sorted(seconds)


def test_what_was_learned_is_better_at_it(filler, learned):
    frames, _, _ = learned
    taught = frames[-1].learned
    before, after = (
        one.log_probs(TRAINING, ("体育", "财经"))[np.arange(4), ANSWERS].mean()
        for one in (filler, taught)
    )
    assert after > before + 0.3
    assert frames[-1].losses[-1] < 0.9 * frames[0].losses[0]


def test_a_saved_copy_comes_back_and_fills_the_same_blanks(filler, learned, tmp_path):
    taught = learned[0][-1].learned
    taught.save(str(tmp_path / "made"))
    loaded = load_model(tmp_path / "made", name="made")
    assert loaded.info.family == "maskplay"
    cast = Cast(loaded)
    assert cast.roles == (MASK_FILLER.name, SENTENCE_ENCODER.name)
    again = cast.play(MASK_FILLER)
    # float16 on disk: three digits
    np.testing.assert_allclose(
        again.log_probs(SENTENCES, WORDS), taught.log_probs(SENTENCES, WORDS), atol=5e-3
    )
    other = filler.log_probs(SENTENCES, WORDS)
    assert np.abs(other - again.log_probs(SENTENCES, WORDS)).max() > 0.05


@pytest.mark.slow
def test_a_lesson_begins_with_the_weights_that_words_have_for_themselves(tmp_path):
    folder = write_playing(tmp_path / "tiny", spread=0.3, seed=4)
    name = "block_1/feed_forward/inner/kernel"
    with open_checkpoint(folder) as reader:
        shared = {n: np.array(reader.read(n)) for n in reader.keys()}  # noqa: SIM118
    own = {**shared, name: shared[name] * np.float32(3)}
    save_file(changes(shared, own), folder / "words.safetensors")
    before = Cast(load_model(folder, name="tiny")).play(MASK_FILLER)
    told = {"words": "words.safetensors"}
    replace(load_parts(folder), own_weights=told).save(folder / "parts.json")
    after = Cast(load_model(folder, name="tiny")).play(MASK_FILLER)

    still = LearningOptions(max_steps=2, learning_rate=1e-9, mask_rate=0.0)
    *_, last = after.learn(TRAINING, ("体育", "财经"), ANSWERS, still)
    last.learned.save(str(tmp_path / "made"))
    saved = Cast(load_model(tmp_path / "made", name="made")).play(MASK_FILLER)

    scores = [one.log_probs(SENTENCES, WORDS) for one in (before, after, saved)]
    np.testing.assert_allclose(scores[1], scores[2], atol=5e-3)
    assert np.abs(scores[0] - scores[1]).max() > 0.05


@pytest.mark.parametrize("file", ["spiece.model", "chinese_sp.model"])
def test_a_saved_copy_reads_pieces_as_its_origin_does(file, tmp_path):
    """XLM-R's ids are not those of its SentencePiece model: its config says so."""
    transformers = pytest.importorskip("transformers")
    config = transformers.XLMRobertaConfig(
        vocab_size=400,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=66,
    )
    folder = tmp_path / "origin"
    transformers.XLMRobertaForMaskedLM(config).save_pretrained(folder)
    (folder / file).write_bytes(piece_model(vocab_size=390))
    origin = NetworkMaskFiller(load_model(folder, name="origin"))
    origin.save(str(tmp_path / "copy"))
    copy = NetworkMaskFiller(load_model(tmp_path / "copy", name="copy"))
    blank, words = (Blanked("我们去", "的"),), ("北京", "广州")
    np.testing.assert_allclose(
        copy.log_probs(blank, words), origin.log_probs(blank, words), atol=1e-2
    )


@pytest.mark.slow
def test_learning_ends_with_its_time(filler):
    options = LearningOptions(max_steps=500, max_seconds=0.0, batch_size=2)
    (frame,) = filler.learn(TRAINING, ("体育", "财经"), ANSWERS, options)
    assert (frame.step, frame.num_steps) == (1, 500)
    assert frame.learned is not None


def test_learning_can_be_given_up(filler):
    before = weights(filler._model)
    frames = filler.learn(TRAINING, ("体育", "财经"), ANSWERS, LearningOptions())
    assert next(frames).learned is None
    frames.close()
    with pytest.raises(StopIteration):
        next(frames)
    for name, weight in weights(filler._model).items():
        np.testing.assert_array_equal(weight, before[name])


def test_a_word_to_learn_must_be_spelled_too(filler):
    with pytest.raises(ModelError, match="词表拼不出“😀”"):
        next(filler.learn(TRAINING[:1], ("😀",), [0], LearningOptions()))


# Published weights


def test_a_published_cloze_head_fills_blanks_without_a_style(tmp_path):
    reference = pytest.importorskip("tests.model_core.reference_models")
    import torch

    characters = list(dict.fromkeys("".join(s.before + s.after for s in SENTENCES)))
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters, "好", "差"]
    vocabulary = list(dict.fromkeys(vocabulary))
    theirs = reference.bert("BertForMaskedLM", vocab_size=len(vocabulary))
    reference.save_safetensors(theirs, tmp_path)
    text = "\n".join(vocabulary) + "\n"
    (tmp_path / "vocab.txt").write_text(text, encoding="utf8")
    filler = NetworkMaskFiller(load_model(tmp_path, name="hub/bert"))
    tokenizer = filler._model.tokenizer
    scores = filler.log_probs(SENTENCES, ("好", "差"))
    for row, sentence in enumerate(SENTENCES):
        before, after = (
            tokenizer.encode(t).token_ids for t in (sentence.before, sentence.after)
        )
        ids = [tokenizer.cls_id, *before, tokenizer.mask_id, *after, tokenizer.sep_id]
        with torch.no_grad():
            logits = theirs(input_ids=torch.tensor([ids])).logits[0, 1 + len(before)]
        log_p = torch.log_softmax(logits.double(), dim=-1).numpy()
        expected = log_p[[tokenizer.token_to_id(word) for word in ("好", "差")]]
        np.testing.assert_allclose(scores[row], expected, atol=1e-4)
