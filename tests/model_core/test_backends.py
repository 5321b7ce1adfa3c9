"""The core's laws hold on every Keras backend: the same test files, run again."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NETWORK = (
    "test_masks.py",
    "test_network.py",
    "test_marks_and_conditions.py",
    "models/test_heads.py",
    "test_engines.py",
    "test_keras_rules.py",
    "test_keras_loop.py",
    "roles/test_source_stepper.py",
)
QUICK = NETWORK[:2]
"""Of these; jax compiles every shape of the others anew, and of every config."""
NOT_QUICK = (
    "post_norm", "pre_norm", "rich", "names_its_outputs", "low_precision",
    "heads_asked_for", "vocabulary_head",
)  # fmt: skip
# every shape is compiled anew, which takes minutes where XLA compiles it
PARTS = tuple(
    f"roles/test_{name}.py"
    for name in (
        "text_generator",
        "conditioned_writing",
        "text_rewriter",
        "passage_reader",
        "triple_pointer",
        "fact_finder",
        "mask_filler",
        "summarizer",
    )
)
APART = {
    ("numpy", "roles/test_mask_filler.py"),
    *((backend, f"test_keras_{of}.py") for backend in ("numpy", "torch")
      for of in ("rules", "loop")),
}  # fmt: skip
"""Numpy has no gradients: there another process learns; see test_apart. Whole loops are
of the backends that compile them."""

OPTIONS = ("-q", "-n", "0", "-p", "no:cacheprovider", "-k")


def slow(backend, laws):
    """Take minutes, or are of a backend that nobody needs but some may have."""
    marks = pytest.mark.slow
    return pytest.param(backend, laws, marks=marks, id=f"{backend} {len(laws)} files")


@pytest.mark.parametrize(
    ("backend", "laws"),
    [
        pytest.param("jax", QUICK, id="jax"),  # recipes train with it
        pytest.param("numpy", QUICK, id="numpy"),  # where kernels are, it serves
        slow("numpy", NETWORK),
        slow("jax", NETWORK),
        slow("torch", NETWORK),
        *(slow(backend, PARTS) for backend in ("jax", "torch", "numpy")),
    ],
)
@pytest.mark.timeout(900)
def test_the_laws_hold_on_another_backend(backend, laws):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is a test extra and is not installed")
    files = [str(HERE / name) for name in laws if (backend, name) not in APART]
    left_out = ("native", *(NOT_QUICK if laws is QUICK else ()))
    chosen = " and ".join(f"not {name}" for name in left_out)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *OPTIONS, chosen, *files],
        # an instruction set that nobody has: every network runs on the backend
        env=os.environ | {"KERAS_BACKEND": backend, "MASKPLAY_INSTRUCTIONS": "none"},
        capture_output=True,
        text=True,
        cwd=HERE.parents[1],
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
