import pytest

from recipes.metrics.margins import is_above, margin


def test_a_share_of_few_may_be_far_off():
    assert margin(0.5, 100) == pytest.approx(0.098)
    assert margin(0.5, 400) == pytest.approx(margin(0.5, 100) / 2)
    assert margin(0.0, 9) == margin(1.0, 9) == 0


@pytest.mark.parametrize(
    ("share", "above"), [(0.125, False), (0.16, False), (0.2, True)]
)
def test_what_lies_within_the_error_is_not_above(share, above):
    assert is_above(share, 200, 0.114) is above
