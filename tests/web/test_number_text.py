from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanso.web.number_text import number, numbers, scientific, unusual


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-6, "0.000001"),
        (1.5e-5, "0.000015"),
        (9.99e-7, "9.99e-07"),
        (1e-7, "1e-07"),
        (5e-324, "5e-324"),
        (1e15, "1000000000000000"),
        (1e16, "10000000000000000"),
        (1.2345678901234568e17, "123456789012345680"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.5e30, "1.5e+30"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (math.nan, "NaN"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
    ],
)
def test_a_number_as_go_writes_it(value: float, text: str) -> None:
    assert number(value) == text


@given(st.lists(st.floats(), max_size=30))
def test_a_row_is_written_as_its_numbers_are(row: list[float]) -> None:
    values = np.array(row)
    odd = unusual(values)
    assert numbers(values, odd if odd.any() else None) == [number(value).encode() for value in row]


@given(st.floats(allow_nan=False))
def test_a_number_reads_back(value: float) -> None:
    assert float(number(value)) == value
    assert float(scientific(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1e+00"), (0.0, "0e+00"), (-12.5, "-1.25e+01"), (1e-7, "1e-07"), (1e100, "1e+100"), (math.inf, "+Inf")],
)
def test_with_an_exponent_as_go_writes_it(value: float, text: str) -> None:
    assert scientific(value) == text
