"""The memory that models may take follows the machine, and a container's limit."""

import ctypes
from pathlib import Path

import pytest

from model_core import memory
from model_core.memory import ASSUMED_BYTES, budget_bytes, machine_bytes, weights_bytes


def test_a_container_with_less_than_its_machine_counts(tmp_path: Path):
    limit = tmp_path / "memory.max"
    limit.write_text("1000000\n")
    assert machine_bytes([limit]) == 1_000_000
    assert budget_bytes(machine_bytes([limit])) == 500_000


@pytest.mark.parametrize("text", ["max\n", "", "9223372036854771712\n", "-1\n"])
def test_a_container_without_a_limit_has_its_machines_memory(tmp_path: Path, text):
    limit = tmp_path / "memory.max"
    limit.write_text(text)
    assert machine_bytes([limit]) == machine_bytes([tmp_path / "none"]) > 2**28


def test_a_system_that_does_not_tell_is_taken_for_a_small_laptop(monkeypatch):
    monkeypatch.delattr(memory.os, "sysconf")
    assert machine_bytes([]) == ASSUMED_BYTES


def test_half_precision_takes_half_and_a_mixed_policy_keeps_whole_weights():
    assert weights_bytes(10) == weights_bytes(10, "mixed_bfloat16") == 40
    assert weights_bytes(10, "bfloat16") == weights_bytes(10, "float16") == 20


def resident_bytes():
    pages = Path("/proc/self/statm").read_text("ascii").split()[1]
    return int(pages) * memory.os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="not glibc")
def test_freed_memory_goes_back_to_the_system():
    small = [bytes(10_000) for _ in range(5_000)]  # below what is mapped by itself
    last = bytes(10_000)  # keeps the heap's end where it is
    del small
    held = resident_bytes()
    memory.give_back()
    assert held - resident_bytes() > 30_000_000
    assert last


class Other:
    """A C library that has no such call."""

    asked = ()

    def __getattr__(self, name):
        self.asked += (name,)
        raise AttributeError(name)


def test_a_library_without_that_call_is_left_alone(monkeypatch):
    other = Other()
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: other)
    memory.give_back()
    assert other.asked == ("malloc_trim",)


@pytest.mark.parametrize("failure", [OSError, TypeError])
def test_a_system_that_opens_no_library_by_no_name_is_left_alone(monkeypatch, failure):
    opened = []

    def refuse(name):
        opened.append(name)
        raise failure(name)

    monkeypatch.setattr(memory.ctypes, "CDLL", refuse)
    memory.give_back()
    assert opened == [None]
