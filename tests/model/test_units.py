from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanso.model.units import format_bounds, format_duration, format_value


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "percent", "–"),
        (float("nan"), "bytes", "–"),
        (45.24, "percent", "45.2%"),
        (0.0, "percent", "0.0%"),
        (1536.0, "bytes", "1.50 KiB"),
        (0.0, "bytes", "0 B"),
        (25_769_803_776.0, "bytes", "24 GiB"),
        (1_048_576.0, "bytes_per_second", "1 MiB/s"),
        (0.0123, "seconds", "12.3 ms"),
        (0.0, "seconds", "0 s"),
        (90.0, "seconds", "1.50 min"),
        (12.34, "per_second", "12.3/s"),
        (123456.0, "per_second", "123 k/s"),
        (8.0, "count", "8"),
        (61.0, "celsius", "61°C"),
        (-0.0512, "score", "-0.051"),
        (float("inf"), "seconds", "+∞"),
        (2.5, "furlongs", "2.50 furlongs"),
    ],
)
def test_values_read_well(value: float | None, unit: str, text: str) -> None:
    assert format_value(value, unit) == text


@given(st.floats(min_value=0, max_value=1e12), st.sampled_from(["bytes", "bytes_per_second", "per_second", "seconds"]))
def test_every_size_fits_a_cell(value: float, unit: str) -> None:
    assert len(format_value(value, unit)) <= 13


@given(st.floats(min_value=1e-9, max_value=1e8))
def test_durations_keep_three_digits(seconds: float) -> None:
    number, unit = format_duration(seconds).split()
    scale = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86400}[unit]
    assert float(number) * scale == pytest.approx(seconds, rel=0.006, abs=1e-9)


@pytest.mark.parametrize(
    ("low", "high", "value", "text"),
    [
        (0.0414, 0.0423, 0.0418, "±1.2%"),
        (0.1, 0.25, 0.183, "100–250 ms"),
        (0.5, 1.0, 0.612, "500 ms–1 s"),
        (0.0, 0.005, 0.003, "≤ 5 ms"),
        (10.0, float("inf"), 10.0, "≥ 10 s"),
    ],
)
def test_bounds_are_told_in_few_words(low: float, high: float, value: float, text: str) -> None:
    assert format_bounds(low, high, value, "seconds") == text
