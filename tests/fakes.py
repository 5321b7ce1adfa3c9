"""Stand-ins behind the Protocols: what the tests of demos and the page run on."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module

from model_core.interfaces import (
    Alternative,
    Candidate,
    GenerationFrame,
    GenerationOptions,
    ModelError,
    ModelFacts,
    ModelState,
    Role,
    TokenScore,
    WeightsInfo,
)

EMBEDDED = WeightsInfo(
    name="embedded",
    family="maskplay",
    num_parameters=8_000_000,
    size_bytes=32_000_000,
    dtype="float32",
    engine="keras-tensorflow",
    device="cpu",
)
STYLES = ("散文", "小说", "五言绝句", "七言绝句")
TEXT = "床前明月光，疑是地上霜。举头望明月，低头思故乡。"


@dataclass
class FakeGenerator:
    """A TextGenerator that writes ``text``, one character a step.

    Candidate ``n`` starts at character ``n`` of the text; the seed, where there is one,
    shifts them all. A prompt in ``failures`` raises its ModelError. ``closed`` counts
    the runs that have ended, by themselves or by being closed.
    """

    text: str = TEXT
    weights: WeightsInfo = EMBEDDED
    styles: tuple[str, ...] = STYLES
    conditions: tuple[str, ...] = ("正面", "负面")
    step_seconds: float = 0.0
    failures: dict[str, ModelError] = field(default_factory=dict)
    asked: list[tuple[str, GenerationOptions]] = field(default_factory=list)
    closed: int = 0

    def complete(
        self, prompt: str, options: GenerationOptions
    ) -> Iterator[GenerationFrame]:
        """Yield one more character of every candidate per frame."""
        self.asked.append((prompt, options))
        try:
            if prompt in self.failures:
                raise self.failures[prompt]
            if options.style and options.style not in self.styles:
                raise ModelError("unsupported", "没有这种体裁。", "No such style.")
            yield from self._frames(options)
        finally:
            self.closed += 1

    def _frames(self, options: GenerationOptions) -> Iterator[GenerationFrame]:
        seed = 7 if options.seed is None else options.seed
        steps = min(options.max_new_tokens, len(self.text))
        for step in range(1, steps + 1):
            time.sleep(self.step_seconds)
            ending = "stop" if step == len(self.text) else "length"
            yield GenerationFrame(
                candidates=tuple(
                    self._candidate(seed + row, step, ending if step == steps else "")
                    for row in range(options.num_return)
                ),
                num_new_tokens=step * options.num_return,
                elapsed_seconds=step / 100,
                weights=self.weights,
                seed=seed,
            )

    def _candidate(self, shift: int, step: int, finish: str) -> Candidate:
        start = shift % len(self.text)
        turned = (self.text[start:] + self.text[:start])[:step]
        runners_up = (Alternative("的", 0.25), Alternative("了", 0.125))
        tokens = tuple(TokenScore(char, -1.0, runners_up) for char in turned)
        return Candidate(turned, -float(step), tokens, finish)


@dataclass(frozen=True)
class FakeReadiness:
    """The fields of ``model_core.shelf.Readiness``."""

    ready: bool = True
    zh: str = "可以使用。"
    en: str = "Ready."


@dataclass(frozen=True)
class FakeCard:
    """The fields of ``model_core.catalog.ModelCard`` that a page shows."""

    name: str
    title: str


@dataclass
class FakePlayer:
    """A Player of the parts in ``parts``, by the role's name."""

    parts: dict[str, object]
    weights: WeightsInfo = EMBEDDED

    @property
    def roles(self) -> tuple[str, ...]:
        """Names of the parts."""
        return tuple(self.parts)

    def rehearse(self, stopped: Callable[[], bool]) -> None:
        """There is nothing to compile."""

    def play(self, role: Role):
        """Return the part, or refuse as the real one does."""
        if role.name not in self.parts:
            raise ModelError("missing_head", f"不会{role.zh}。", f"Cannot {role.en}.")
        return self.parts[role.name]


STAND_INS = {  # by the role's name; these files import this one
    "text_rewriter": "tests.fake_text_rewriter:FakeRewriter",
    "triple_pointer": "tests.fake_triple_pointer:FakeTriplePointer",
    "passage_reader": "tests.fake_passage_reader:FakePassageReader",
    "fact_finder": "tests.fake_fact_finder:FakeFactFinder",
    "mask_filler": "tests.fake_mask_filler:FakeMaskFiller",
    "summarizer": "tests.fake_summarizer:FakeSummarizer",
    "dialogue_partner": "tests.fake_dialogue_partner:FakeDialoguePartner",
    "sentence_encoder": "tests.fake_sentences:FakeSentenceEncoder",
    "sentence_rephraser": "tests.fake_sentences:FakeSentenceRephraser",
    "text_classifier": "tests.fake_sentences:FakeTextClassifier",
    "replaced_token_detector": "tests.fake_sentences:FakeReplacedTokenDetector",
}


def every_player() -> dict[str, object]:
    """Return a stand-in for every part but the generator's."""
    places = {role: place.split(":") for role, place in STAND_INS.items()}
    return {
        role: getattr(import_module(module), name)()
        for role, (module, name) in places.items()
    }


@dataclass
class FakeShelf:
    """A ModelShelf that is ready at once and knows the names in ``known``.

    ``players`` plays parts by the role's name, every part unless a test says otherwise;
    the generator writes in any case.
    """

    generator: FakeGenerator = field(default_factory=FakeGenerator)
    players: dict[str, object] = field(default_factory=every_player)
    ready: FakeReadiness = field(default_factory=FakeReadiness)
    known: tuple[str, ...] = ("auto", "embedded", "uer/gpt2-distil")
    loaded: list[str] = field(default_factory=lambda: ["embedded"])
    started: int = 0
    closed: int = 0

    def start(self) -> None:
        """Count the calls."""
        self.started += 1

    def readiness(self) -> FakeReadiness:
        """Return what the test put there."""
        return self.ready

    def states(self) -> tuple[ModelState, ...]:
        """One line per known name; those loaded are ready."""
        return tuple(self._state(name) for name in self.known if name != "auto")

    def cards(self, task: str) -> tuple[FakeCard, ...]:
        """The same cards for every task."""
        return tuple(FakeCard(name, name) for name in self.known if "/" in name)

    def catalogue(self) -> tuple[ModelFacts, ...]:
        """What is known of the cards."""
        return tuple(self.describe(card.name) for card in self.cards(""))

    def describe(self, name: str) -> ModelFacts:
        """Facts of a known name."""
        self._check(name)
        return ModelFacts(name, name, "gpt2", ("generation",), 400_000_000, 400_000_000)

    def load(self, name: str) -> None:
        """Load at once."""
        self._check(name)
        if name not in self.loaded:
            self.loaded.append(name)

    def unload(self, name: str) -> None:
        """Unload at once."""
        self._check(name)
        if name in self.loaded:
            self.loaded.remove(name)

    def model(self, role: Role, weights: str = "auto", *, timeout_seconds: float = 60):
        """Return who plays the part, for a known name."""
        self._check(weights)
        parts = {"text_generator": self.generator, **self.players}
        return FakePlayer(parts).play(role)

    def close(self) -> None:
        """Count the calls."""
        self.closed += 1

    def _state(self, name: str) -> ModelState:
        ready = name in self.loaded
        info = EMBEDDED if ready else None
        return ModelState(name, name, "ready" if ready else "absent", info=info)

    def _check(self, name: str) -> None:
        if name not in self.known:
            known = ", ".join(self.known)
            raise ModelError(
                "unknown_weights",
                f"没有名为 {name} 的权重，可用的有 {known}。",
                f"No weights are named {name}; there are {known}.",
            )


@dataclass
class OneAble(FakeShelf):
    """A shelf on which one of its weights plays the parts; the others only write."""

    able: str = "uer/gpt2-distil"
    loaded: list[str] = field(default_factory=lambda: ["embedded", "uer/gpt2-distil"])

    def model(self, role: Role, weights: str = "auto", *, timeout_seconds: float = 60):
        """Return who plays the part, where these weights can."""
        self._check(weights)
        players = self.players if weights == self.able else {}
        return FakePlayer({"text_generator": self.generator, **players}).play(role)
