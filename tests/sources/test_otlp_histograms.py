from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanso.sources.otlp_histograms import MOST_BOUNDS, Grid, Sketch, bound_text, sketch_of
from tests.sources.otlp_requests import NOW_MS, PROTOBUF, exponential, receiver, request

SCALES = st.integers(-10, 20)
COUNTS = st.lists(st.integers(0, 100), min_size=1, max_size=60)


def covered(*sketches: Sketch) -> Grid:
    grid = Grid()
    for sketch in sketches:
        if sketch.counts:
            grid.cover(sketch.scale, min(sketch.counts), max(sketch.counts))
    return grid


@given(SCALES, st.integers(-3_000, 3_000), COUNTS, st.integers(0, 9))
def test_no_count_is_lost(scale: int, offset: int, counts: list[int], floor: int) -> None:
    sketch = sketch_of(scale, offset, counts, floor)
    grid = covered(sketch)
    reached = sketch.cumulative(grid)
    assert sum(sketch.counts.values()) + floor == sum(counts) + floor
    assert reached == sorted(reached)
    if reached:
        assert reached[-1] == sum(counts) + floor
        assert reached[0] >= floor


@given(st.integers(3, 8), st.integers(-500, 500), COUNTS)
def test_at_fine_scales_each_bound_counts_what_lies_under_it(scale: int, offset: int, counts: list[int]) -> None:
    sketch = sketch_of(scale, offset, counts, 0)
    grid = covered(sketch)
    step = 2 ** (scale - grid.scale)
    for k, total in zip(range(grid.low, grid.high + 1), sketch.cumulative(grid), strict=True):
        assert total == sum(count for place, count in enumerate(counts) if offset + place + 1 <= k * step)


@given(SCALES, SCALES, st.integers(-300, 300), COUNTS, COUNTS)
def test_merging_adds_the_counts(one: int, other: int, offset: int, counts: list[int], more: list[int]) -> None:
    merged, added = sketch_of(one, offset, counts, 1), sketch_of(other, offset, more, 2)
    before = sum(merged.counts.values()) + sum(added.counts.values())
    merged.add(added)
    assert sum(merged.counts.values()) == before == sum(counts) + sum(more)
    assert merged.floor == 3


@given(st.lists(st.tuples(SCALES, st.integers(-(2**31), 2**31 - 1)), min_size=1, max_size=6))
def test_the_grid_stays_contiguous_rising_and_small(pushed: list[tuple[int, int]]) -> None:
    grid = covered(*(sketch_of(scale, offset, [1, 1], 0) for scale, offset in pushed))
    bounds = grid.bounds()
    assert len(bounds) <= grid.high - grid.low + 1 <= MOST_BOUNDS + 1
    assert bounds == sorted(bounds)
    assert all(math.isfinite(bound) for bound in bounds)


@pytest.mark.parametrize("scale", [-(2**31), -2_000, -11, 0, 20, 2**31 - 1])
@pytest.mark.parametrize("offset", [-(2**31), 0, 2**31 - 1])
def test_no_scale_or_offset_is_too_much(scale: int, offset: int) -> None:
    otlp, rows, _ = receiver()
    for place in range(2):
        made = request("exponential_histogram", exponential(scale, offset, [3], 1), at_ms=NOW_MS + place)
        assert otlp.receive(made.SerializeToString(), content_type=PROTOBUF).rejected == 0
    assert rows.last()['m_bucket{job="s", le="+Inf"}'] == 4.0
    later = request("exponential_histogram", exponential(3, 0, [1]), at_ms=NOW_MS + 9)
    assert otlp.receive(later.SerializeToString(), content_type=PROTOBUF).rejected == 0


def test_all_series_of_a_metric_have_the_same_bounds() -> None:
    otlp, rows, _ = receiver()
    for at_ms, attributes, offset in ((0, "a", 0), (1, "b", 30), (2, "a", 0)):
        made = request(
            "exponential_histogram",
            exponential(3, offset, [1, 1]),
            at_ms=NOW_MS + at_ms,
            attributes={"who": attributes},
        )
        otlp.receive(made.SerializeToString(), content_type=PROTOBUF)
    bounds = [
        {dict(labels).get("le") for labels in row.columns.labels} - {None}
        for _, time, row in rows.rows
        if time > NOW_MS and len(row.values) > 10
    ]
    assert bounds[-1] == bounds[-2]
    assert len(bounds[-1]) > 30


def test_zero_and_negative_values_lie_under_every_bound() -> None:
    made = request("exponential_histogram", exponential(3, 7, [5], zeros=2))
    point = made.resource_metrics[0].scope_metrics[0].metrics[0].exponential_histogram.data_points[0]
    point.negative.bucket_counts.append(3)
    point.count += 3
    otlp, rows, _ = receiver()
    otlp.receive(made.SerializeToString(), content_type=PROTOBUF)
    assert rows.last() == {
        f'm_bucket{{job="s", le="{bound_text(2 ** (7 / 8))}"}}': 5.0,
        'm_bucket{job="s", le="2"}': 10.0,
        'm_bucket{job="s", le="+Inf"}': 10.0,
        'm_count{job="s"}': 10.0,
    }


def test_exponential_deltas_add_up_while_the_grid_grows() -> None:
    otlp, rows, _ = receiver()
    for place, offset in enumerate((0, 16, -8)):
        made = request("exponential_histogram", exponential(3, offset, [2]), delta=True, at_ms=NOW_MS + place)
        otlp.receive(made.SerializeToString(), content_type=PROTOBUF)
    last = rows.last()
    assert last['m_bucket{job="s", le="1"}'] == 2.0
    assert last['m_bucket{job="s", le="2"}'] == 4.0
    assert last['m_count{job="s"}'] == last['m_bucket{job="s", le="+Inf"}'] == 6.0
