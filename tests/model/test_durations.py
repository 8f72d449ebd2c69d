from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanso.model.durations import format_duration_ms, parse_duration_ms


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("500ms", 500),
        ("1s", 1000),
        ("1h30m", 5_400_000),
        ("15d", 1_296_000_000),
        ("100y", 3_153_600_000_000),
        ("30", 30_000),
        (2.5, 2500),
        ("1.5s", 1500),
    ],
)
def test_durations_are_read(text: str | float, ms: int) -> None:
    assert parse_duration_ms(text) == ms


@pytest.mark.parametrize("text", ["", "s", "5 minutes", "-1s", "1x", "1s garbage"])
def test_bad_durations_say_how_to_write_them(text: str) -> None:
    with pytest.raises(ValueError, match="write it like"):
        parse_duration_ms(text)


@given(st.integers(min_value=0, max_value=10**13))
def test_spelling_round_trips(ms: int) -> None:
    assert parse_duration_ms(format_duration_ms(ms)) == ms
