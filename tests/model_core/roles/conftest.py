"""What roles are compared with is exact: nobody asks for rounded weights here."""

import pytest

from model_core.engines import automatic
from model_core.engines.native.engine import NativeEngine


@pytest.fixture(autouse=True, scope="module")
def fixture_exact():
    """Let ``auto`` mean the same kernels with float32 weights."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(automatic, "_native", NativeEngine)
        yield
