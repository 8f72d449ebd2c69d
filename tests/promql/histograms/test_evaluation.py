"""Corners of evaluation that no script reaches: mixed ranges, coarse samples, series that become one, large sums."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from sanso.model.frame import STALE, Frame, Part
from sanso.model.labels import series_of
from sanso.model.matchers import Matcher
from sanso.model.native_histogram import NativeHistogram
from sanso.promql.engine import PromEngine
from sanso.promql.histograms import merging
from tests.promql.histograms.test_engine import ONE, X, engine
from tests.promql.histograms.test_reading import frame_of
from tests.promql.memory import MemoryReader


def test_absence_knows_both_kinds() -> None:
    asked = engine(frame_of({X: [1.0, ONE, None, None]}))
    assert asked.range("absent(x)", 0, 3000, 1000).labels == []
    assert asked.range("absent_over_time(x[1500ms])", 0, 3000, 1000).values.shape == (1, 4)
    found = asked.instant("absent_over_time(x[1500ms])", 3000)
    assert found.first() == 1.0
    assert asked.instant("absent_over_time(x[4s])", 3000).labels == []


def test_series_become_one_where_they_never_meet() -> None:
    a, b = series_of("a", job="x"), series_of("b", job="x")
    asked = engine(frame_of({a: [ONE, STALE, STALE], b: [None, 3.0, ONE]}))
    found = asked.range('-{__name__=~"a|b"}', 0, 2000, 1000)
    assert found.labels == [(("job", "x"),)]
    assert found.values[0, 1] == -3.0
    assert [found.histograms[0, step].count for step in (0, 2)] == [-4.0, -4.0]


def test_a_last_sample_may_be_of_either_kind() -> None:
    asked = engine(frame_of({X: [1.0, ONE, 2.0]}))
    assert asked.instant("last_over_time(x[3s])", 2000).first() == 2.0
    assert asked.instant("last_over_time(x[3s])", 1000).histograms == {(0, 0): ONE}
    assert asked.instant("ts_of_last_over_time(x[3s])", 1000).first() == 1.0
    assert asked.instant("ts_of_first_over_time(x[3s])", 2000).first() == 0.0


def test_large_sums_are_done_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = engine(frame_of({series_of("x", n=str(n), g=str(n % 3)): [ONE, ONE] for n in range(9)}))
    whole = asked.range("sum by (g) (x)", 0, 1000, 1000)
    monkeypatch.setattr(merging, "_MOST_CELLS", 8)
    assert asked.range("sum by (g) (x)", 0, 1000, 1000).histograms == whole.histograms
    assert asked.range("avg by (g) (sum_over_time(x[2s]))", 0, 1000, 1000).histograms[0, 1].count == 8.0


class CoarseReader(MemoryReader):
    """Gives coarse samples, and remembers which part it was asked for."""

    def __init__(self, frame: Frame) -> None:
        super().__init__([Frame(frame.labels, frame.timeline * 10_000, frame.values, 10_000)])
        self.asked: list[Part] = []

    def select(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int, *, part: Part = "last", step_ms: int = 0
    ) -> list[Frame]:
        self.asked.append(part)
        found = super().select(matchers, start_ms, end_ms)
        factor = 1.0 if part == "last" else 2.0
        return [Frame(frame.labels, frame.timeline, frame.values * factor, 10_000) for frame in found]


def test_of_coarse_histograms_only_the_last_ones_are_histograms() -> None:
    """The sums or minima of parts are none; the answer says that it was made of fewer samples."""
    reader = CoarseReader(frame_of({X: [ONE, ONE, ONE]}))
    found = PromEngine(reader).instant("sum_over_time(x[30s])", 20_000)
    assert found.histograms[0, 0].count == 12.0
    assert "last" in reader.asked
    assert any("10s" in info for info in found.infos)
    assert not PromEngine(reader).instant("last_over_time(x[30s])", 20_000).infos


def test_parameters_and_operators_leave_histograms_alone() -> None:
    other = NativeHistogram(0, 1.0, 1.0, positive=((0, 1.0),))
    asked = engine(frame_of({X: [ONE], series_of("y", job="a"): [other], series_of("z", job="a"): [2.0]}))
    assert asked.instant("x and y", 0).histograms == {(0, 0): ONE}
    assert asked.instant("x unless y", 0).labels == []
    assert asked.instant("x == bool x", 0).first() == 1.0
    assert asked.instant("x != bool y", 0).first() == 1.0
    product = asked.instant("z * on (job) x", 0).histograms[0, 0]
    assert (product.count, product.sum) == (8.0, 10.0)
    assert np.isnan(asked.instant("scalar(x)", 0).values).all()
    assert asked.instant("sort(x)", 0).labels == []
    assert asked.instant("abs(x)", 0).labels == []
    info = asked.instant("x > 1", 0).infos
    assert info == (
        'PromQL info: incompatible sample types encountered for binary operator ">": histogram > float (1:1)',
    )
