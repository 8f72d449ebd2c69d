"""Native histograms through the real store: columns come and go, rows are sealed and read again after a restart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sanso.model.frame import Columns, Row
from sanso.model.labels import Labels, series_of
from sanso.model.native_histogram import NativeHistogram, component, parts
from sanso.promql.engine import PromEngine
from sanso.store.store import Store

START = 1_800_000_000_000
X = series_of("x", route="/pay")


def growing(row: int) -> NativeHistogram:
    """One observation more a row, each in a bucket further up than the last but two."""
    counts: dict[int, float] = {}
    for number in range(row + 1):
        counts[number // 3] = counts.get(number // 3, 0.0) + 1
    return NativeHistogram(5, float(row + 1), float(row), positive=tuple(sorted(counts.items())))


def write(store: Store, row: int, cells: dict[Labels, float]) -> None:
    store.append("otlp:app", START + row * 1000, Row(Columns(tuple(cells)), np.array(list(cells.values()))))
    store.commit()


def cells_of(histogram: NativeHistogram) -> dict[Labels, float]:
    return {component(X, part): value for part, value in parts(histogram).items()}


def test_a_histogram_outlives_the_process(tmp_path: Path) -> None:
    store = Store.open(tmp_path, retention_ms=10**12)
    for row in range(40):
        write(store, row, {series_of("up"): 1.0, **cells_of(growing(row))})
    store.seal()
    store.close()
    store = Store.open(tmp_path, retention_ms=10**12)
    try:
        for row in range(40, 60):
            write(store, row, {series_of("up"): 1.0, **cells_of(growing(row))})
        engine = PromEngine(store)
        at = START + 59_000
        assert engine.instant("x", at).histograms == {(0, 0): growing(59)}
        raw = engine.instant("x[1m]", at)
        assert [raw.histograms[0, row] for row in range(60)] == [growing(row) for row in range(60)]
        increase = engine.instant("histogram_count(increase(x[30s]))", at).first()
        assert increase == pytest.approx(30.0)
        assert engine.instant("resets(x[1m])", at).first() == 0.0
        assert engine.instant('count({__name__=~".+"})', at).first() == 2.0
    finally:
        store.close()


def test_a_series_that_ends_and_one_that_becomes_a_float() -> None:
    store = Store.in_memory(retention_ms=10**12)
    write(store, 0, {series_of("up"): 1.0, **cells_of(growing(5))})
    write(store, 1, {series_of("up"): 1.0})
    write(store, 2, {series_of("up"): 1.0, X: 7.0})
    write(store, 3, {series_of("up"): 1.0, **cells_of(growing(2))})
    engine = PromEngine(store)
    found = engine.range("x", START, START + 3000, 1000)
    assert found.labels == [X]
    assert found.histograms == {(0, 0): growing(5), (0, 3): growing(2)}
    assert found.values[0, 2] == 7.0
    assert np.isnan(found.values[0, 1])
    assert engine.instant("count_over_time(x[1m])", START + 3000).first() == 3.0
