"""Rates of many series at once, beside the plain rule applied to each window by itself."""

from __future__ import annotations

import itertools
import math
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanso.model.frame import ABSENT, STALE, Floats, Frame, is_absent, is_stale
from sanso.model.labels import Labels
from sanso.promql import row_blocks
from sanso.promql.engine import PromEngine
from tests.promql.memory import MemoryReader

RANGE_S, STEP_S = 7, 2

cell = st.sampled_from([0.0, 1.0, 2.5, 40.0, math.nan, math.inf, ABSENT, STALE])
matrix = st.integers(2, 14).flatmap(
    lambda length: st.lists(
        st.lists(st.integers(0, 9), min_size=length, max_size=length).map(lambda each: np.cumsum(each).astype(float))
        | st.lists(cell, min_size=length, max_size=length),
        min_size=1,
        max_size=6,
    )
)


def _plain_rate(times: list[float], values: list[float], start: float, end: float) -> float | None:
    """Prometheus's extrapolated rate of one counter in (start, end]; times in seconds."""
    inside = [(at, value) for at, value in zip(times, values, strict=True) if start < at <= end]
    if len(inside) < 2:
        return None
    (first_at, first), (last_at, last) = inside[0], inside[-1]
    growth = last - first
    for (_, before), (_, after) in itertools.pairwise(inside):
        if after < before:
            growth += before
    covered = last_at - first_at
    spacing = covered / (len(inside) - 1)
    before_s, after_s = first_at - start, end - last_at
    if before_s >= spacing * 1.1:
        before_s = spacing / 2
    if growth > 0 and first >= 0:
        before_s = min(before_s, covered * (first / growth))
    if after_s >= spacing * 1.1:
        after_s = spacing / 2
    return growth * ((covered + before_s + after_s) / covered) / (end - start)


def _rates(values: Floats) -> tuple[list[float], dict[str, dict[float, float]]]:
    """The steps, and by series the rate at each step that has one."""
    times = np.arange(values.shape[1], dtype=np.int64) * 1000 + 10_000
    labels: list[Labels] = [(("__name__", "x_total"), ("n", f"{row:03}")) for row in range(len(values))]
    engine = PromEngine(MemoryReader([Frame(labels, times, values)]))
    end = int(times[-1]) + 3000
    answer = engine.range(f"rate(x_total[{RANGE_S}s])", 10_000, end, STEP_S * 1000)
    found: dict[str, dict[float, float]] = {}
    for series, row in zip(answer.labels, answer.values, strict=True):
        there = ~is_absent(row)
        ats = (answer.times[there] / 1000).tolist()
        found[dict(series)["n"]] = dict(zip(ats, row[there].tolist(), strict=True))
    return (np.arange(10_000, end + 1, STEP_S * 1000) / 1000).tolist(), found


@pytest.mark.parametrize("cells", [1, 20, 1 << 17])
@given(matrix)
def test_each_window_has_the_rate_of_its_own_samples(cells: int, rows: list[list[float]]) -> None:
    values = np.array(rows)
    with mock.patch.object(row_blocks, "_CELLS", cells):
        steps, found = _rates(values)
    for number, row in enumerate(values):
        held = ~(is_absent(row) | is_stale(row))
        times = (np.flatnonzero(held) + 10.0).tolist()
        expected = {
            at: rate for at in steps if (rate := _plain_rate(times, row[held].tolist(), at - RANGE_S, at)) is not None
        }
        ours = found.get(f"{number:03}", {})
        assert ours.keys() == expected.keys()
        for at, rate in expected.items():
            assert ours[at] == pytest.approx(rate, rel=1e-12, nan_ok=True)


def test_one_series_that_falls_among_many_that_rise() -> None:
    values = np.cumsum(np.ones((3000, 60)), axis=1)
    values[2999, 30:] -= 20
    values[1500, 59] = STALE
    _, found = _rates(values)
    assert found["000"][50.0] == pytest.approx(1.0)
    assert found["2999"][42.0] > 1.0  # its reset counts as growth from 0
    assert found["1500"][70.0] == pytest.approx(_plain_rate([64, 65, 66, 67, 68], [55, 56, 57, 58, 59], 63, 70) or 0)
