"""Classic buckets from sketches: counts right to 1.1 % of a bound, the same bounds everywhere."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sanso.sdk.buckets import Buckets, cumulative
from sanso.sdk.sketch import Sketch

ERROR = 2 ** (1 / 64)
VALUES = st.lists(st.floats(-1e9, 1e9) | st.floats(0, 20), max_size=200)


def sketch_of(values: list[float]) -> Sketch:
    sketch = Sketch()
    sketch.add(list(values))
    return sketch


@given(VALUES, st.sets(st.floats(1e-9, 1e9), max_size=20).map(sorted))
@example([0.0, -1.0, 1.0, 2.0, 2.0000001], [1.0, 2.0])
def test_counts_are_right_to_the_stated_error(values: list[float], bounds: list[float]) -> None:
    counts = cumulative(sketch_of(values), tuple(bounds))
    for bound, count in zip(bounds, counts, strict=True):
        assert sum(value <= bound / ERROR / 1.000001 for value in values) <= count
        assert count <= sum(value <= bound * ERROR * 1.000001 for value in values)
    assert counts == sorted(counts)


@given(VALUES)
def test_powers_of_two_are_exact(values: list[float]) -> None:
    bounds = tuple(2.0**power for power in range(-10, 11))
    expected = [sum(value <= bound for value in values) for bound in bounds]
    assert cumulative(sketch_of(values), bounds) == expected


@pytest.mark.parametrize("name", ["a_seconds", "a_bytes", "a_ratio", "a_score", "tokens"])
def test_bounds_by_the_name_are_positive_and_rise(name: str) -> None:
    bounds = Buckets().of(name)
    assert 10 <= len(bounds) <= 20
    assert bounds[0] > 0
    assert all(low < high < math.inf for low, high in pairwise(bounds))


def test_given_bounds() -> None:
    buckets = Buckets({"a_seconds": (1, 2)})
    assert buckets.of("a_seconds") == (1.0, 2.0)
    assert buckets.of("b_seconds") == Buckets().of("b_seconds")
    for wrong in ((2, 1), (1, 1), (0, 1), (-1, 1), (1, math.inf), (1, math.nan)):
        with pytest.raises(ValueError, match="the bounds of a must be positive and rise"):
            Buckets({"a": wrong})
