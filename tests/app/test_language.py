import pytest

from app.language import language_of


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "zh"),
        ("", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-US,en;q=0.9", "en"),
        ("en;q=0.5, zh;q=0.9", "zh"),
        ("fr,en;q=0.7", "en"),
        ("fr", "zh"),
        ("en;q=0", "zh"),
        ("*", "zh"),
        ("en;q=x,,;", "zh"),
        ("EN", "en"),
    ],
)
def test_the_first_spoken_language_of_the_header_counts(header, language):
    assert language_of(header) == language
