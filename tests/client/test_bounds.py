from __future__ import annotations

import numpy as np

from sanso.client.bounds import bounded, bounded_range
from sanso.client.local import LocalClient
from sanso.model.clock import SystemClock
from sanso.model.frame import Frame, is_absent
from sanso.model.labels import series_of
from sanso.model.readings import Overview
from sanso.promql.engine import PromEngine
from tests.promql.memory import MemoryReader


def client() -> LocalClient:
    """A classic histogram of eight observations up to 1, two up to 2."""
    labels = [series_of("x_bucket", le=le) for le in ("1", "2", "+Inf")]
    frame = Frame(labels, np.arange(2, dtype=np.int64) * 1000, np.array([[8.0, 8.0], [10.0, 10.0], [10.0, 10.0]]))
    return LocalClient(PromEngine(MemoryReader([frame])), SystemClock(), no_overview, {})


def no_overview(_: int) -> Overview:
    raise AssertionError("nobody asks")


def test_a_value_lies_between_its_bounds() -> None:
    found = bounded(client(), "histogram_quantile(0.9, x_bucket)", 1000)
    assert (found.low.tolist(), found.answer.values.tolist(), found.high.tolist()) == ([[1.0]], [[1.5]], [[2.0]])


def test_an_expression_may_turn_quantiles_around() -> None:
    found = bounded_range(client(), "-histogram_quantile(0.9, x_bucket)", 0, 1000, 1000)
    assert found.low.tolist() == [[-2.0, -2.0]]
    assert found.high.tolist() == [[-1.0, -1.0]]


def test_other_figures_are_certain() -> None:
    found = bounded(client(), 'x_bucket{le="1"}', 1000)
    assert found.low.tolist() == found.high.tolist() == [[8.0]]


def test_bounds_that_a_filter_has_taken_are_unknown() -> None:
    found = bounded(client(), "histogram_quantile(0.9, x_bucket) > 1.2", 1000)
    assert found.answer.values.tolist() == [[1.5]]
    assert is_absent(found.low).all()
