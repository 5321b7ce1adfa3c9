"""A learned copy is its owner's alone, held for a while, and then freed."""

import gc
import time
import weakref
import zipfile
from dataclasses import replace

import pytest

from app.learned import (
    LARGEST_BYTES,
    ZIP_NAME,
    LearnedStore,
    SharedLesson,
    check_teachable,
)
from demos.errors import DemoError
from demos.fewshot.learner import LessonKey
from model_core.interfaces import LearningFrame
from tests.fake_mask_filler import FakeMaskFiller
from tests.fakes import EMBEDDED


@pytest.fixture
def store(tmp_path):
    held = LearnedStore(tmp_path)
    yield held
    for token in list(held._held):
        held.release(token)


def sized(number):
    return FakeMaskFiller(replace(EMBEDDED, size_bytes=number))


def test_what_was_learned_is_found_by_its_token_alone(store):
    filler = FakeMaskFiller()
    token = store.offer("甲", filler)
    assert store.open(token) is filler
    assert len(token) == 32
    for guess in ("", None, "甲", token[:-1]):
        with pytest.raises(DemoError) as caught:
            store.open(guess)
        assert "已经不在了" in caught.value.zh
        assert "freed after 30 minutes without use" in caught.value.en


def test_a_new_lesson_takes_the_place_of_one_that_was_not_kept(store):
    first = store.offer("甲", FakeMaskFiller())
    other = store.offer("乙", FakeMaskFiller())
    second = store.offer("甲", FakeMaskFiller())
    assert len(store) == 2
    with pytest.raises(DemoError):
        store.keep(first)
    store.open(second)
    store.open(other)


def test_one_is_kept_while_another_is_learned(store):
    first = store.offer("甲", FakeMaskFiller())
    store.keep(first)
    second = store.offer("甲", FakeMaskFiller())
    store.open(first)
    store.keep(second)
    assert len(store) == 1
    with pytest.raises(DemoError):
        store.open(first)


def test_who_withdraws_or_leaves_frees_their_own_only(store):
    kept = store.offer("甲", FakeMaskFiller())
    store.keep(kept)
    store.offer("甲", FakeMaskFiller())
    other = store.offer("乙", FakeMaskFiller())
    store.withdraw("甲")
    assert len(store) == 2
    store.leave("甲")
    assert len(store) == 1
    store.open(other)


def test_a_freed_copy_is_gone_from_memory(store):
    filler = FakeMaskFiller()
    last_seen = weakref.ref(filler)
    token = store.offer("甲", filler)
    del filler
    store.release(token)
    gc.collect()
    assert last_seen() is None


def test_what_is_not_used_is_freed_in_time(tmp_path):
    store = LearnedStore(tmp_path, kept_seconds=0.15)
    store.offer("甲", FakeMaskFiller())
    used = store.offer("乙", FakeMaskFiller())
    for _ in range(4):
        time.sleep(0.06)
        store.open(used)
    assert len(store) == 1
    time.sleep(0.4)
    assert len(store) == 0


def test_too_much_makes_the_longest_unused_go(tmp_path):
    store = LearnedStore(tmp_path, most_bytes=250)
    tokens = [store.offer(name, sized(100)) for name in "甲乙"]
    store.open(tokens[0])
    store.offer("丙", sized(100))
    store.open(tokens[0])
    with pytest.raises(DemoError):
        store.open(tokens[1])
    store.offer("丁", sized(10_000))  # the newest may always stay
    assert len(store) == 1
    store.leave("丁")


def test_a_download_is_a_zip_of_the_checkpoint_and_goes_with_the_copy(store, tmp_path):
    token = store.offer("甲", FakeMaskFiller())
    path = store.pack(token)
    assert path == store.pack(token)
    assert path.is_relative_to(tmp_path)
    assert path.name == ZIP_NAME
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["maskplay-learned/votes.json"]
    assert list(path.parent.iterdir()) == [path]
    store.release(token)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_earns_a_sentence_and_leaves_nothing(store, tmp_path):
    class Unwritten(FakeMaskFiller):
        def save(self, folder):
            raise OSError(28, "No space left on device")

    token = store.offer("甲", Unwritten())
    with pytest.raises(DemoError, match="No space left on device"):
        store.pack(token)
    assert list(tmp_path.iterdir()) == []


def test_the_shared_lesson_is_the_last_one_and_is_forgotten():
    memory = SharedLesson(kept_seconds=0.1)
    keys = [LessonKey(("embedded", ""), number) for number in range(2)]
    frame = LearningFrame(1, 1, (), 0.0)
    memory.keep(keys[0], frame)
    assert memory.recall(keys[0]) is frame
    memory.keep(keys[1], frame)
    assert memory.recall(keys[0]) is None
    assert memory.recall(keys[1]) is frame
    time.sleep(0.3)
    assert memory.recall(keys[1]) is None


def test_weights_that_are_too_large_are_not_taught_here():
    check_teachable(EMBEDDED)
    with pytest.raises(DemoError) as caught:
        check_teachable(replace(EMBEDDED, name="a/b", size_bytes=LARGEST_BYTES + 1))
    assert "a/b" in caught.value.zh
    assert "python -m demos fewshot" in caught.value.en
