"""What is compared differs in one thing only."""

from dataclasses import asdict

import pytest

from recipes import comparing, joint


def flat(options):
    values = asdict(options)
    return {
        f"{name}.{part}": value
        for name, held in values.items()
        for part, value in (held if isinstance(held, dict) else {"": held}).items()
    }


def test_the_base_is_what_a_run_does_when_nothing_is_switched():
    assert comparing.VARIANTS["base"] == joint.Options()


@pytest.mark.parametrize(
    "name", [name for name in comparing.VARIANTS if name != "base"]
)
def test_a_variant_switches_one_thing(name):
    base, variant = flat(comparing.BASE), flat(comparing.VARIANTS[name])
    assert sum(base[key] != variant[key] for key in base) == 1


def test_the_time_of_a_step_is_that_between_two_batches(monkeypatch):
    clock = iter([0.0, 3.0, 5.0, 6.0])
    monkeypatch.setattr(comparing.time, "monotonic", lambda: next(clock))
    batches = comparing._timed(iter("abcd"))
    assert [next(batches) for _ in range(4)] == list("abcd")
    assert batches.median_seconds == 2.0
