"""The reader in every mode: answers stand where it says, windows lose nothing."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

from model_core.decoding.mlm_voting import CUT_COST
from model_core.decoding.span_reading import softmax
from model_core.decoding.voting import vote
from model_core.interfaces import ModelError, ReadingOptions
from model_core.roles.formats import ANSWER_MASKS
from model_core.roles.loaded import load_model
from model_core.roles.passage_reader import (
    MAX_WINDOWS,
    OVERLAP_TOKENS,
    WINDOW_TOKENS,
    NetworkPassageReader,
    cut_windows,
    most_alike,
)
from model_core.tokenizers.word_marks import begins_word
from tests.model_core.playing_checkpoint import (
    LAKE,
    RIVER,
    TEXTS,
    WRITER,
    load_playing,
    tokens,
)
from tests.model_core.tokenizers.tiny_vocabularies import unigram_json

MODES = ("span", "mlm", "seq2seq")
QUESTION = "鲁迅是哪里人？"
LONG = LAKE * 9 + RIVER + LAKE * 5 + WRITER


@pytest.fixture(scope="module", name="reader")
def fixture_reader(tmp_path_factory):
    return NetworkPassageReader(load_playing(tmp_path_factory.mktemp("reader")))


def options(mode, **changes):
    return ReadingOptions(mode, **{"max_answer_tokens": 6} | changes)


def last(reader, mode, passages=TEXTS, question=QUESTION, **changes):
    *_, frame = reader.read(question, passages, options(mode, **changes))
    return frame


def told(frame):
    """What a frame says, without the time it took."""
    return replace(frame, elapsed_seconds=0.0)


def check_answer(answer, passages):
    assert 0 <= answer.probability <= 1 + 1e-6
    if answer.passage < 0:
        assert answer.start == -1
        return
    passage = passages[answer.passage]
    assert answer.text
    end = answer.start + len(answer.text)
    assert passage[answer.start : end] == answer.text


def test_weights_read_in_the_modes_they_were_trained_for_the_best_first(reader):
    names = {"span": "span", "cloze": "mlm", "reading": "seq2seq"}
    parts = reader._model.parts.names
    assert reader.modes == tuple(names[part] for part in parts if part in names)
    assert set(reader.modes) == set(MODES)
    assert reader.weights.name == "tiny"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("question", [QUESTION, "长江有多长？", "？"])
def test_extractive_answers_stand_in_their_passage_where_it_says(
    reader, mode, question
):
    frame = last(reader, mode, question=question, num_answers=4)
    assert frame.mode == mode
    assert frame.finished
    assert 1 <= len(frame.answers) <= 4
    for answer in frame.answers:
        check_answer(answer, TEXTS)
        assert (answer.passage == -1) == (answer.text == "")
    texts = [answer.text for answer in frame.answers]
    assert len(texts) == len(set(texts))
    assert [v.passage for v in frame.votes] == [0, 1, 2]
    for vote_ in frame.votes:
        assert 0 <= vote_.has_answer <= 1
        assert 0 <= vote_.probability <= 1 + 1e-6
        if vote_.start >= 0:
            passage = TEXTS[vote_.passage]
            assert passage[vote_.start :].startswith(vote_.text)


@pytest.mark.parametrize("mode", MODES)
def test_answers_come_best_first_and_the_same_again(reader, mode):
    first, again = (last(reader, mode, num_answers=5) for _ in range(2))
    assert told(first) == told(again)
    found = [one.probability for one in first.answers if one.text]
    if mode != "mlm":  # which ranks by votes
        assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("mode", MODES)
def test_a_passage_says_for_itself_what_it_says_alone(reader, mode):
    together = last(reader, mode)
    for index, passage in enumerate(TEXTS):
        (alone,) = last(reader, mode, passages=[passage]).votes
        mine = together.votes[index]
        assert mine.has_answer == pytest.approx(alone.has_answer, abs=1e-5)
        if mode != "seq2seq" or mine.text:
            assert (mine.text, mine.start) == (alone.text, alone.start)
            assert mine.probability == pytest.approx(alone.probability, abs=1e-5)


@pytest.mark.parametrize("mode", MODES)
def test_answers_do_not_depend_on_the_order_of_passages(reader, mode):
    forward = last(reader, mode)
    backward = last(reader, mode, passages=TEXTS[::-1])
    one, other = forward.answers[0], backward.answers[0]
    assert one.text == other.text
    assert one.probability == pytest.approx(other.probability, abs=1e-5)
    if one.passage >= 0:
        assert one.passage == len(TEXTS) - 1 - other.passage


def test_written_answers_come_step_by_step(reader):
    frames = list(reader.read(QUESTION, TEXTS, options("seq2seq")))
    assert [frame.num_steps for frame in frames] == list(range(1, len(frames) + 1))
    assert [frame.finished for frame in frames] == [False] * (len(frames) - 1) + [True]
    for mode in ("span", "mlm"):
        assert len(list(reader.read(QUESTION, TEXTS, options(mode)))) == 1


@pytest.mark.parametrize("mode", ["seq2seq", "mlm"])
def test_free_answers_need_not_stand_anywhere(reader, mode):
    frame = last(reader, mode, extractive=False)
    assert frame.answers
    for answer in frame.answers:
        check_answer(answer, TEXTS)
        assert "[" not in answer.text or answer.passage >= 0


@pytest.mark.parametrize("mode", MODES)
def test_an_answer_is_no_longer_than_asked(reader, mode):
    lengths = {}
    for limit in (1, 2, 6):
        frame = last(reader, mode, max_answer_tokens=limit, num_answers=5)
        lengths[limit] = max(len(answer.text) for answer in frame.answers)
        assert lengths[limit] <= limit
        assert all(len(said.text) <= limit for said in frame.votes)
    assert lengths[6] > 1 or mode == "mlm"


# In one pass


def test_masks_vote_by_the_formula(reader):
    """Whole words by the mean of their masks, voted over the passages, by hand."""
    model = reader._model
    formats, question = model.formats, model.formats.piece(QUESTION)
    own, pieces, borders = [], [], []
    for passage in TEXTS:
        piece = formats.piece(passage)
        source = formats.cloze(question, piece, ANSWER_MASKS)
        places = 2 + np.arange(ANSWER_MASKS, dtype="int32")[None]
        outputs = reader._read([source], ("language_model",), places)
        own.append(softmax(outputs["logits"])[0])
        pieces.append(piece.token_ids.tolist())
        borders.append([*begins_word(piece.mark_ids).tolist(), True])
    stop = model.tokenizer.sep_id

    stops = np.array([read[0, stop] for read in own])
    assert (stops < 0.5).all()
    odds = (1 - stops) / stops
    shares = odds / odds.sum()

    def probability(index, ids):
        steps = [*ids, stop][:ANSWER_MASKS]
        judged = [own[index][n, t] for n, t in enumerate(steps)]
        mean = float(np.prod(judged, dtype="float64") ** (1 / len(judged)))
        cuts = [
            2 - borders[index][at] - borders[index][at + len(ids)]
            for at in range(len(pieces[index]) - len(ids) + 1)
            if tuple(pieces[index][at : at + len(ids)]) == ids
        ]
        return mean * np.exp(-min(cuts) * CUT_COST) if cuts else 0.0

    frame = last(reader, "mlm", num_answers=4, max_answer_tokens=64)
    votes = []
    for answer in frame.answers:
        ids = model.tokenizer.encode(answer.text).token_ids
        each = shares * [probability(n, ids) for n in range(3)]
        assert answer.probability == pytest.approx(each.sum(), rel=1e-3)
        votes.append(vote(each))
    assert votes == sorted(votes, reverse=True)
    assert len(votes) == 4
    for index, said in enumerate(frame.votes):
        assert said.has_answer == pytest.approx(1 - own[index][0, stop], abs=1e-5)


@pytest.mark.parametrize(
    ("limit", "text"), [(64, "浙江绍兴"), (4, "浙江绍兴"), (2, "浙江"), (1, "浙")]
)
def test_sure_masks_are_read_as_far_as_asked(reader, monkeypatch, limit, text):
    monkeypatch.setattr(reader, "_borders", lambda _: None)  # 绍兴人 is one word
    tokenizer = reader._model.tokenizer
    wanted = [*tokenizer.encode("浙江绍兴").token_ids, tokenizer.sep_id]

    def sure(sources, heads, places):
        logits = np.zeros((len(sources), places.shape[1], len(tokens())), "float32")
        for place, token_id in enumerate(wanted[: places.shape[1]]):
            logits[:, place, token_id] = 20
        logits[0, 0, tokenizer.sep_id] = 40  # the river has no answer
        return {"logits": logits}

    monkeypatch.setattr(reader, "_read", sure)
    passages = [RIVER, WRITER * 2]
    answer = last(reader, "mlm", passages=passages, max_answer_tokens=limit).answers[0]
    assert answer.text == text
    assert (answer.passage, answer.start) == (1, WRITER.index("浙江"))
    assert answer.probability > 0.99


# Spans


def test_a_span_has_the_probability_of_its_edges(reader):
    model = reader._model
    piece = model.formats.piece(WRITER)
    source = model.formats.cloze(model.formats.piece(QUESTION), piece, ANSWER_MASKS)
    outputs = reader._read([source], ("span",))
    inside = slice(source.text_start, source.text_end)
    edges = [
        softmax(np.append(outputs[name][0, 0], outputs[name][0, inside]))
        for name in ("start_logits", "end_logits")
    ]
    frame = last(reader, "span", passages=[WRITER], num_answers=3)
    none = edges[0][0] * edges[1][0]
    assert frame.votes[0].has_answer == pytest.approx(1 - none, abs=1e-6)
    every = {
        (a, b): edges[0][1 + a] * edges[1][1 + b]
        for a in range(len(piece))
        for b in range(a, min(a + 6, len(piece)))
    }
    for answer in frame.answers:
        if not answer.text:
            assert answer.probability == pytest.approx(none, rel=1e-6)
            continue
        a, b = answer.start, answer.start + len(answer.text) - 1
        assert answer.probability == pytest.approx(every[a, b], rel=1e-6)
    best = max(every.values())
    found = max(a.probability for a in frame.answers if a.text)
    assert found == pytest.approx(best, rel=1e-6)


def log_odds(none, rival):
    return float(np.log(none) - np.log(rival))


@pytest.mark.parametrize("mode", ["span", "mlm", "seq2seq"])
def test_no_answer_is_said_where_its_shifted_odds_say_so(reader, mode):
    """Just below the odds of an answer it is not said, just above them it is."""
    never = NetworkPassageReader(reader._model, dict.fromkeys(("mlm", "seq2seq"), -60))
    frame = last(never, mode, passages=[WRITER])
    best = max(answer.probability for answer in frame.answers if answer.text)
    none = 1 - frame.votes[0].has_answer
    odds = log_odds(none, best if mode == "span" else 1 - none)
    for more, said in ((-0.01, False), (0.01, True)):
        shifted = NetworkPassageReader(reader._model, {mode: more - odds})
        answer = last(shifted, mode, passages=[WRITER]).answers[0]
        assert (answer.text == "") is said


def test_windows_are_compared_by_their_scores(reader, monkeypatch):
    """A window without an answer is as sure of its best span by itself."""

    def scored(sources, heads, places=None):
        shape = (len(sources), max(len(source.token_ids) for source in sources))
        logits = np.full(shape, -9.0, "float32")
        logits[:, 0] = 0
        for row, source in enumerate(sources):
            holds = "绍兴" in "".join(texts[row])
            logits[row, source.text_start] = 6 if holds else 4
        return {"start_logits": logits, "end_logits": logits}

    texts = [RIVER, WRITER]
    monkeypatch.setattr(reader, "_read", scored)
    frame = last(reader, "span", passages=texts, num_answers=2)
    assert [answer.passage for answer in frame.answers] == [1, 0]
    total = np.exp(6) + np.exp(4) + 1
    assert frame.answers[0].probability == pytest.approx(
        (np.exp(6) / total) ** 2, rel=1e-2
    )
    assert frame.votes[0].probability == pytest.approx(
        (np.exp(4) / (np.exp(4) + 1)) ** 2, rel=1e-2
    )


# Windows


@pytest.mark.parametrize("mode", MODES)
def test_offsets_are_those_of_the_whole_passage(reader, mode):
    passages = [LONG, RIVER]
    frame = last(reader, mode, passages=passages, num_answers=5)
    assert frame.num_windows == 1 + -(-(len(LONG) - WINDOW_TOKENS) // 160) + 1
    for answer in frame.answers:
        check_answer(answer, passages)
    assert len(frame.votes) == 2
    for said in frame.votes:
        if said.start >= 0:
            passage = passages[said.passage]
            assert passage[said.start :].startswith(said.text)


@pytest.mark.parametrize("room", [32, 100, 224])
@pytest.mark.parametrize("length", [0, 1, 31, 32, 33, 224, 225, 500])
def test_windows_cover_a_passage_and_overlap(reader, room, length):
    text = (RIVER * 20)[:length]
    piece = reader._model.formats.piece(text)
    windows = list(cut_windows(piece, room))
    assert all(1 <= len(window) <= room for window in windows)
    covered = [span for window in windows for span in window.spans]
    assert set(covered) == set(piece.spans)
    for one, other in itertools.pairwise(windows):
        shared = set(one.spans) & set(other.spans)
        assert len(shared) >= min(OVERLAP_TOKENS, room // 2)


def test_of_too_many_windows_those_like_the_question_are_read(reader):
    passages = [LAKE] * 60 + [WRITER] + [LAKE] * 30
    frame = last(reader, "span", passages=passages)
    assert frame.num_windows == MAX_WINDOWS
    votes = frame.votes
    assert len(votes) == 91
    assert votes[60].has_answer > 0
    unread = [said for said in votes if said.has_answer == 0]
    assert len(unread) == 91 - MAX_WINDOWS
    assert all(said.text == "" and said.start == -1 for said in unread)


def test_windows_keep_their_order():
    class Window:
        def __init__(self, ids):
            self.piece = type("P", (), {"token_ids": np.array(ids)})

    question = type("P", (), {"token_ids": np.array([1, 2, 3])})
    windows = [Window([9, 9]), Window([1, 2, 3]), Window([9]), Window([0, 2, 3])]
    assert most_alike(windows, question, 2) == [windows[1], windows[3]]
    assert most_alike(windows, question, 4) == windows


# What cannot be read


@pytest.mark.parametrize("mode", MODES)
def test_without_a_passage_there_is_no_answer(reader, mode):
    for passages in ([], ["", "\u200b"]):
        frame = last(reader, mode, passages=passages)
        assert [answer.text for answer in frame.answers] == [""]
        assert frame.finished
        assert len(frame.votes) == len(passages)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "passage", ["😀🎉", "ﷺ שלום", "长", "\n\n长江\r\n", "2022 Linux"]
)
def test_any_passage_can_be_read(reader, mode, passage):
    for answer in last(reader, mode, passages=[passage]).answers:
        check_answer(answer, [passage])


def test_a_question_that_leaves_no_room_is_refused(reader):
    with pytest.raises(ModelError, match="问题有 500 个词元") as error:
        last(reader, "span", question="长" * 500)
    assert error.value.kind == "unsupported"
    assert "leaves no room for a passage" in error.value.en


def test_a_mode_that_the_weights_lack_is_refused_with_theirs(tmp_path):
    model = load_playing(tmp_path, parts=("cloze", "title"))
    reader = NetworkPassageReader(model)
    assert reader.modes == ("mlm",)
    with pytest.raises(ModelError, match="不会“span”方式，会的是：mlm") as error:
        last(reader, "span")
    assert error.value.kind == "unsupported"
    assert last(reader, "mlm").answers


# Published readers


@pytest.fixture(scope="module", name="published")
def fixture_published(tmp_path_factory):
    """A BERT with a span head, as a hub serves it, and its own implementation."""
    reference = pytest.importorskip("tests.model_core.reference_models")
    folder = tmp_path_factory.mktemp("published")
    vocabulary = [token for token in tokens() if token != "[NL]"]
    model = reference.bert(
        "BertForQuestionAnswering",
        vocab_size=len(vocabulary),
        max_position_embeddings=128,
    )
    reference.save_safetensors(model, folder)
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf8")
    config = json.dumps({"do_lower_case": True})
    (folder / "tokenizer_config.json").write_text(config)
    return model, NetworkPassageReader(load_model(folder, name="hub/reader"))


def test_a_published_reader_points_and_nothing_else(published):
    _, reader = published
    assert reader.modes == ("span",)
    with pytest.raises(ModelError, match="不会“mlm”方式"):
        last(reader, "mlm")


def test_a_published_reader_is_asked_as_it_was_trained(published):
    """``[CLS] question [SEP] passage [SEP]``, the passage being segment 1."""
    import torch

    theirs, reader = published
    tokenizer = reader._model.tokenizer
    question, passage = (tokenizer.encode(text) for text in (QUESTION, WRITER))
    opening = [tokenizer.cls_id, *question.token_ids, tokenizer.sep_id]
    ids = [*opening, *passage.token_ids, tokenizer.sep_id]
    segments = [0] * len(opening) + [1] * (len(passage) + 1)
    with torch.no_grad():
        expected = theirs(
            input_ids=torch.tensor([ids]), token_type_ids=torch.tensor([segments])
        )
    source = reader._plain(
        *(reader._model.formats.piece(t) for t in (QUESTION, WRITER))
    )
    assert source.token_ids.tolist() == ids
    found = reader._read([source], ("span",))
    for name in ("start_logits", "end_logits"):
        logits = getattr(expected, name)[0].numpy()
        np.testing.assert_allclose(found[name][0], logits, atol=1e-4)
    inside = slice(len(opening), len(ids) - 1)
    starts, ends = (
        softmax(np.append(logits[0, 0], logits[0, inside]))
        for logits in (found["start_logits"], found["end_logits"])
    )
    frame = last(reader, "span", passages=[WRITER], num_answers=1)
    every = [
        (starts[1 + a] * ends[1 + b], a, b)
        for a in range(len(passage))
        for b in range(a, min(a + 6, len(passage)))
    ]
    probability, first, final = max(every)
    best = next(answer for answer in frame.answers if answer.text)
    assert best.probability == pytest.approx(probability, rel=1e-5)
    spans = passage.spans
    assert best.text == WRITER[spans[first][0] : spans[final][1]]


def test_a_published_reader_cuts_long_passages(published):
    _, reader = published
    passages = [RIVER * 6, WRITER]
    frame = last(reader, "span", passages=passages)
    assert frame.num_windows > 3
    for answer in frame.answers:
        check_answer(answer, passages)


@pytest.mark.parametrize("kind", ["Roberta", "XLMRoberta"])
def test_a_reader_of_one_segment_is_asked_as_its_reference_asks(kind, tmp_path):
    """``<s> question </s> </s> passage </s>``, all of it segment 0."""
    reference = pytest.importorskip("tests.model_core.reference_models")
    import torch
    import transformers

    definition = json.dumps(unigram_json())
    (tmp_path / "tokenizer.json").write_text(definition)
    pieces = transformers.XLMRobertaTokenizerFast.from_pretrained(tmp_path)
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=len(pieces), hidden_size=32, num_hidden_layers=2,
        num_attention_heads=4, intermediate_size=48, max_position_embeddings=130,
        type_vocab_size=1, bos_token_id=0, pad_token_id=1, eos_token_id=2,
    )  # fmt: skip
    theirs = reference.built(f"{kind}ForQuestionAnswering", config)
    reference.save_safetensors(theirs, tmp_path)
    reader = NetworkPassageReader(load_model(tmp_path, name="hub/one segment"))
    texts = "我们去北京", "今天天气很好 hello world"
    asked = pieces(*texts, return_tensors="pt", truncation=False)
    with torch.no_grad():
        expected = theirs(**asked)
    source = reader._plain(*(reader._model.formats.piece(text) for text in texts))
    assert source.token_ids.tolist() == asked["input_ids"][0].tolist()
    places = [n for n, one in enumerate(asked.sequence_ids()) if one == 1]
    assert [*range(source.text_start, source.text_end)] == places
    found = reader._read([source], ("span",))
    for name in ("start_logits", "end_logits"):
        logits = getattr(expected, name)[0].numpy()
        np.testing.assert_allclose(found[name][0], logits, atol=1e-4)
    frame = last(reader, "span", passages=texts[1:], question=texts[0])
    check_answer(frame.answers[0], texts[1:])
