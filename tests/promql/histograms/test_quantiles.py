from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sanso.model.native_histogram import CUSTOM_SCHEMA, NativeHistogram
from sanso.promql.histograms.quantiles import fractions, quantiles, variances
from sanso.promql.histograms.table import table_of
from tests.promql.histograms import oracle

ANY = st.one_of(oracle.histograms(), oracle.customs())


@given(ANY, st.floats(0, 1))
def test_a_quantile_lies_in_the_bucket_that_holds_it(histogram: NativeHistogram, wanted: float) -> None:
    assume(histogram.count)
    rank = wanted * histogram.count
    assume(abs(rank - round(rank)) > 1e-6)  # at an edge either bucket may be taken
    found = quantiles(table_of([histogram]), np.array([wanted]))
    lower, upper = oracle.quantile_bucket(oracle.plain(histogram), wanted)
    slack = 1e-9 * (1 + max((abs(edge) for edge in (lower, upper) if math.isfinite(edge)), default=0.0))
    assert lower - slack <= found.lower[0] <= found.value[0] + slack
    assert found.value[0] - slack <= found.upper[0] <= upper + slack


@given(ANY, st.lists(st.floats(0, 1), min_size=2, max_size=2).map(sorted))
def test_quantiles_rise(histogram: NativeHistogram, wanted: list[float]) -> None:
    assume(histogram.count)
    low, high = (quantiles(table_of([histogram]), np.array([q])).value[0] for q in wanted)
    assert low <= high + 1e-9 * abs(high)


@given(oracle.histograms(), st.floats(0.01, 0.99))
def test_a_fraction_is_the_inverse_of_a_quantile(histogram: NativeHistogram, wanted: float) -> None:
    assume(histogram.count)
    table = table_of([histogram])
    found = quantiles(table, np.array([wanted]))
    assume(found.lower[0] < found.upper[0])
    share, _ = fractions(table, np.array([-np.inf]), found.value)
    assert share[0] == pytest.approx(wanted, abs=1e-9)


@given(oracle.histograms(), st.lists(st.floats(-50, 50), min_size=3, max_size=3).map(sorted))
def test_fractions_add_up(histogram: NativeHistogram, values: list[float]) -> None:
    assume(histogram.count)
    table = table_of([histogram])
    low, middle, high = (np.array([value]) for value in values)
    parts = fractions(table, low, middle)[0] + fractions(table, middle, high)[0]
    assert parts[0] == pytest.approx(fractions(table, low, high)[0][0], abs=1e-9)
    assert fractions(table, np.array([-np.inf]), np.array([np.inf]))[0][0] == pytest.approx(1.0)


@given(oracle.histograms())
def test_variance_is_that_of_the_middles(histogram: NativeHistogram) -> None:
    assume(histogram.count)
    mean = histogram.sum / histogram.count
    total = 0.0
    for lower, upper, count in oracle.buckets(oracle.plain(histogram)):
        middle = 0.0 if lower <= 0 <= upper else math.copysign(math.sqrt(lower * upper), lower)
        total += count * (middle - mean) ** 2
    assert variances(table_of([histogram]))[0] == pytest.approx(total / histogram.count, rel=1e-9, abs=1e-12)


def test_nan_observations_are_told() -> None:
    """Twelve observations up to 1, three that are not a number."""
    table = table_of([NativeHistogram(0, 15.0, math.nan, positive=((0, 12.0),))])
    high = quantiles(table, np.array([0.81]))
    assert math.isnan(high.value[0])
    assert high.unreached[0]
    low = quantiles(table, np.array([0.8]))
    assert low.value[0] == 1.0
    assert low.skewed[0]
    share, left_out = fractions(table, np.array([-np.inf]), np.array([np.inf]))
    assert share[0] == 0.8
    assert left_out[0]


def test_nothing_has_no_quantile() -> None:
    found = quantiles(table_of([NativeHistogram(0, 0.0, 0.0)] * 3), np.array([0.5, -1.0, 2.0]))
    assert math.isnan(found.value[0])
    assert found.value[1:].tolist() == [-math.inf, math.inf]


def test_custom_buckets_at_the_ends() -> None:
    """Below the first bound nothing is known but zero, above the last nothing but the bound."""
    table = table_of([NativeHistogram(CUSTOM_SCHEMA, 4.0, 5.0, positive=((0, 2.0), (2, 2.0)), bounds=(5.0, 10.0))] * 2)
    found = quantiles(table, np.array([0.25, 0.9]))
    assert found.value.tolist() == [2.5, 10.0]
    assert found.lower.tolist() == [0.0, 10.0]
    assert found.upper.tolist() == [5.0, math.inf]


def test_no_histogram_has_no_figures() -> None:
    nothing = np.empty(0)
    assert len(quantiles(table_of([]), nothing).value) == 0
    assert len(fractions(table_of([]), nothing, nothing)[0]) == 0
