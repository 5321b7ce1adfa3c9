"""Settings of every test: how property tests run, and which marked tests can run here.

A marked test that cannot run is skipped with the reason, unless ``-m`` names its mark.
"""

import os
import shutil
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# what serves may do without it; references, training and the parts are told here
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

# a shared machine stalls at times: the laws are about values, not about speed
settings.register_profile(
    "house", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")

CAN_RUN: dict[str, tuple[Callable[[], object], str]] = {
    "browser": (lambda: shutil.which("chromium"), "no chromium on this machine"),
    "device": (lambda: shutil.which("nvidia-smi"), "no accelerator on this machine"),
    "weights": (lambda: False, "asks the real hub: run it with -m weights"),
    "slow": (lambda: False, "takes minutes: run it with -m slow"),
    "kernels": (
        lambda: any(
            map(shutil.which, (os.environ.get("CC", ""), "cc", "gcc", "clang"))
        ),
        "no C compiler on this machine",
    ),
}


LONGEST = (
    "test_backends.py",
    "test_page.py",
    "test_tabs.py",
    "test_family_generation.py",
    "test_hub_to_text.py",
    "test_hub_layouts.py",
    "test_bad_checkpoints.py",
    "test_embedded_plays.py",
    "test_training.py",
)
"""Files that take minutes: begun first, so that none of them ends alone."""


def pytest_collection_modifyitems(config, items):
    """Skip what cannot run here and was not asked for by its mark."""
    items.sort(key=lambda item: item.path.name not in LONGEST)
    asked = config.option.markexpr
    for item in items:
        params = getattr(item, "callspec", None)
        values = params.params.values() if params else ()
        if any(isinstance(one, str) and one.startswith("native") for one in values):
            item.add_marker("kernels")
    for mark, (can_run, reason) in CAN_RUN.items():
        if mark not in asked and not can_run():
            for item in items:
                if item.get_closest_marker(mark):
                    item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Let reports of tests with broken text travel between processes."""
    report = yield
    report.sections = [
        (name, text.encode("utf8", "replace").decode("utf8"))
        for name, text in report.sections
    ]
    return report
