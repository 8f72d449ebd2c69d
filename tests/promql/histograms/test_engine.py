"""What the test scripts do not ask: raw samples, parts that nobody may see, edges of quantiles."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from sanso.model.frame import Frame, is_absent
from sanso.model.labels import series_of
from sanso.model.native_histogram import CUSTOM_SCHEMA, NativeHistogram
from sanso.model.series import Edge
from sanso.promql.engine import PromEngine
from tests.promql.histograms import oracle
from tests.promql.histograms.test_reading import frame_of
from tests.promql.memory import MemoryReader

ONE = NativeHistogram(0, 4.0, 5.0, positive=((0, 1.0), (1, 2.0), (2, 1.0)))
X = series_of("x", job="a")


def engine(*frames: Frame) -> PromEngine:
    return PromEngine(MemoryReader([Frame(f.labels, f.timeline * 1000, f.values) for f in frames]))


def test_raw_samples_are_histograms() -> None:
    asked = engine(frame_of({X: [ONE, None, 2.0, ONE], series_of("x"): [1.0, None, None, None]}))
    found = asked.instant("x[1m]", 3000)
    rows = {labels: row for row, labels in enumerate(found.labels)}
    assert rows.keys() == {X, series_of("x")}
    assert found.times.tolist() == [0, 1000, 2000, 3000]
    row = rows[X]
    assert found.histograms == {(row, 0): ONE, (row, 3): ONE}
    assert is_absent(found.values[row]).tolist() == [True, True, False, True]


def test_parts_are_never_seen() -> None:
    asked = engine(frame_of({X: [ONE]}))
    assert asked.instant('{job="a"}', 0).labels == [X]
    assert asked.instant('{job="a", __hist__="count"}', 0).labels == []
    assert asked.instant('{job="a", __hist__=""}', 0).labels == [X]
    assert asked.instant('count({__hist__!="count", job="a"})', 0).first() == 1.0


def test_a_histogram_is_held_once_however_many_steps_see_it() -> None:
    found = engine(frame_of({X: [ONE]})).range("x", 0, 5000, 1000)
    assert len(found.histograms) == 6
    assert len({id(histogram) for histogram in found.histograms.values()}) == 1


def bucket_of(asked: PromEngine, expr: str) -> tuple[float, float, float]:
    edges: tuple[Edge, ...] = ("lower", "inside", "upper")
    low, value, high = (asked.instant(expr, 0, edge=edge).first() for edge in edges)
    assert low is not None
    assert value is not None
    assert high is not None
    return low, value, high


@given(oracle.histograms(), st.floats(0, 1))
def test_a_quantile_s_edges_are_its_bucket_s(histogram: NativeHistogram, wanted: float) -> None:
    assume(histogram.count)
    low, value, high = bucket_of(engine(frame_of({X: [histogram]})), f"histogram_quantile({wanted!r}, x)")
    slack = 1e-9 * (abs(low) + abs(high))
    assert low <= value + slack
    assert value <= high + slack
    inside = [(lower, upper) for lower, upper, _ in oracle.buckets(oracle.plain(histogram))]
    assert any(lower - slack <= low <= high <= upper + slack for lower, upper in inside)


def test_edges_of_classic_histograms() -> None:
    counts = {"-1": 1.0, "1": 5.0, "2": 8.0, "+Inf": 10.0}
    asked = engine(frame_of({series_of("x_bucket", le=le): [count] for le, count in counts.items()}))
    assert bucket_of(asked, "histogram_quantile(0.65, x_bucket)") == (1.0, 1.5, 2.0)
    assert bucket_of(asked, "histogram_quantile(0.99, x_bucket)") == (2.0, 2.0, np.inf)
    assert bucket_of(asked, "histogram_quantile(0.05, x_bucket)") == (-np.inf, -1.0, -1.0)
    assert bucket_of(asked, "histogram_quantile(2, x_bucket)") == (np.inf, np.inf, np.inf)


def test_edges_of_custom_buckets() -> None:
    custom = NativeHistogram(CUSTOM_SCHEMA, 4.0, 5.0, positive=((0, 1.0), (1, 2.0), (2, 1.0)), bounds=(5.0, 10.0))
    asked = engine(frame_of({X: [custom]}))
    assert bucket_of(asked, "histogram_quantile(0.5, x)") == (5.0, 7.5, 10.0)
    assert bucket_of(asked, "histogram_quantile(1, x)") == (10.0, 10.0, np.inf)


def test_edges_hold_over_a_range() -> None:
    asked = engine(frame_of({X: [ONE, ONE]}))
    found = asked.range("histogram_quantile(0.5, x)", 0, 1000, 1000, edge="upper")
    assert found.values.tolist() == [[2.0, 2.0]]
