"""What visitors have taught: each copy its owner's alone, held for a while, then freed.

Changes when the server's rules for learned weights change. Knows no component; the
weights that everyone shares are elsewhere and never change.
"""

import secrets
import shutil
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from demos.errors import DemoError
from demos.fewshot.learner import LessonKey
from model_core.interfaces import LearningFrame, MaskFiller, WeightsInfo

KEPT_SECONDS = 30 * 60.0
MOST_BYTES = 1 << 30  # all copies together
LARGEST_BYTES = 600_000_000  # of weights that can be taught here
ZIP_FOLDER = "learned-"
ZIP_NAME = "maskplay-learned.zip"


class Countdown:
    """Calls back when nobody has restarted it for so long.

    Args:
        seconds: How long.
        act: What to call, from another thread.
    """

    def __init__(self, seconds: float, act: Callable[[], None]) -> None:
        self._seconds = seconds
        self._act = act
        self._timer: threading.Timer | None = None

    def restart(self) -> None:
        """Begin anew."""
        self.stop()
        self._timer = threading.Timer(self._seconds, self._act)
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        """Never call back."""
        if self._timer is not None:
            self._timer.cancel()


@dataclass(slots=True, eq=False)
class Held:
    """One learned copy.

    Attributes:
        person: Whose it is.
        filler: The copy.
        countdown: Until it is freed.
        kept: Whether its owner chose to keep it.
        folder: Where it was packed for download, None while it was not.
    """

    person: str
    filler: MaskFiller
    countdown: Countdown
    kept: bool = False
    folder: Path | None = None


class LearnedStore:
    """Learned copies by their tokens, which nobody can guess.

    A person has one that was learned last and one that is kept. What is not used for
    half an hour is freed; so is what was used longest ago when there are too many.

    Args:
        folder: Where downloads are written.
        kept_seconds: How long an unused copy is held.
        most_bytes: How much all of them may take; the newest may always stay.
    """

    def __init__(
        self,
        folder: Path,
        *,
        kept_seconds: float = KEPT_SECONDS,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._folder = folder
        self._kept_seconds = kept_seconds
        self._most_bytes = most_bytes
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._lock = threading.RLock()
        self._packing = threading.Lock()

    def __len__(self) -> int:
        """Return the number of copies."""
        return len(self._held)

    def offer(self, person: str, filler: MaskFiller) -> str:
        """Take in what a person has just taught, in the place of what they left."""
        token = secrets.token_hex(16)
        countdown = Countdown(self._kept_seconds, lambda: self.release(token))
        with self._lock:
            self.withdraw(person)
            self._held[token] = Held(person, filler, countdown)
            countdown.restart()
            self._make_room()
        return token

    def keep(self, token: str) -> None:
        """Keep a copy, in the place of its owner's earlier one.

        Raises:
            DemoError: It is gone.
        """
        with self._lock:
            held = self._find(token)
            self._free(lambda one: one.person == held.person and one is not held)
            held.kept = True

    def withdraw(self, person: str) -> None:
        """Free what a person has learned and not kept."""
        with self._lock:
            self._free(lambda held: held.person == person and not held.kept)

    def open(self, token: str | None) -> MaskFiller:
        """Return a copy and hold it for longer.

        Raises:
            DemoError: It is gone.
        """
        return self._find(token).filler

    def pack(self, token: str | None) -> Path:
        """Return a zip of a copy's checkpoint, written at the first asking.

        Raises:
            DemoError: The copy is gone, or the disk is full.
        """
        held = self._find(token)
        with self._packing:
            if held.folder is None:
                place = self._folder / f"{ZIP_FOLDER}{secrets.token_hex(16)}"
                held.folder = place
                try:
                    write_zip(held.filler, place)
                except OSError as error:
                    held.folder = None
                    shutil.rmtree(place, ignore_errors=True)
                    raise _disk(error) from error
            return held.folder / ZIP_NAME

    def release(self, token: str | None) -> None:
        """Free a copy; one that is not there is fine."""
        with self._lock:
            held = self._held.pop(token or "", None)
        if held is not None:
            _free(held)

    def leave(self, person: str) -> None:
        """Free what a person has taught."""
        with self._lock:
            self._free(lambda held: held.person == person)

    def _find(self, token: str | None) -> Held:
        with self._lock:
            held = self._held.get(token or "")
            if held is None:
                raise gone(self._kept_seconds)
            self._held.move_to_end(token or "")
            held.countdown.restart()
            return held

    def _free(self, is_meant: Callable[[Held], bool]) -> None:
        for token in [token for token, held in self._held.items() if is_meant(held)]:
            self.release(token)

    def _make_room(self) -> None:
        while len(self._held) > 1 and self._num_bytes() > self._most_bytes:
            self.release(next(iter(self._held)))

    def _num_bytes(self) -> int:
        return sum(held.filler.weights.size_bytes for held in self._held.values())


@dataclass(slots=True)
class SharedLesson:
    """The lesson that the endpoint gave last: a script asks the same many times.

    Attributes:
        kept_seconds: How long it is held unused.
    """

    kept_seconds: float = KEPT_SECONDS
    _last: tuple[LessonKey, LearningFrame] | None = None
    _countdown: Countdown = field(init=False)

    def __post_init__(self) -> None:
        """Prepare to forget."""
        self._countdown = Countdown(self.kept_seconds, self.forget)

    def recall(self, key: LessonKey) -> LearningFrame | None:
        """Return the lesson's last frame, None where it was not given last."""
        last = self._last
        if last is None or last[0] != key:
            return None
        self._countdown.restart()
        return last[1]

    def keep(self, key: LessonKey, frame: LearningFrame) -> None:
        """Keep a lesson in the place of the one before."""
        self._last = key, frame
        self._countdown.restart()

    def forget(self) -> None:
        """Free it."""
        self._last = None


def check_teachable(weights: WeightsInfo) -> None:
    """Refuse weights that are too large to be copied and taught here.

    Raises:
        DemoError: They are.
    """
    if weights.size_bytes > LARGEST_BYTES:
        got, most = (f"{size / 1e6:.0f} MB" for size in (weights.size_bytes, 6e8))
        raise DemoError(
            f"网页上能教的权重最大 {most}，{weights.name} 有 {got}；"
            "请改用小一些的，或在终端里学：python -m demos fewshot --examples FILE。",
            f"Weights taught on this page may have {most}; {weights.name} has {got}. "
            "Choose smaller ones, or use the terminal: "
            "python -m demos fewshot --examples FILE.",
        )


def write_zip(filler: MaskFiller, place: Path) -> None:
    """Write a checkpoint folder, pack it, and leave the zip alone in its place."""
    checkpoint = place / "checkpoint"
    checkpoint.mkdir(parents=True)
    filler.save(str(checkpoint))
    with zipfile.ZipFile(place / ZIP_NAME, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(checkpoint.rglob("*")):
            archive.write(path, Path("maskplay-learned") / path.relative_to(checkpoint))
    shutil.rmtree(checkpoint)


def gone(seconds: float) -> DemoError:
    """Return what is said of a copy that is not there."""
    minutes = f"{seconds / 60:g}"
    return DemoError(
        f"学过的权重已经不在了：{minutes} 分钟没用就会释放，离开页面也会。"
        "请重新学习，或改由原来的权重来答。",
        f"What was learned is gone: it is freed after {minutes} minutes without use, "
        "and when one leaves the page. Learn again, or ask the original weights.",
    )


def _disk(error: OSError) -> DemoError:
    return DemoError(
        f"写不了下载文件（{error.strerror}），请稍后再试。",
        f"The download cannot be written ({error.strerror}): try again later.",
    )


def _free(held: Held) -> None:
    held.countdown.stop()
    if held.folder is not None:
        with suppress(OSError):
            shutil.rmtree(held.folder)
