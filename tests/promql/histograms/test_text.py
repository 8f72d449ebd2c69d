from __future__ import annotations

import math

import pytest
from hypothesis import given

from sanso.model.native_histogram import CUSTOM_SCHEMA, NativeHistogram
from sanso.promql.histograms.text import buckets, described
from tests.promql.histograms import oracle


@given(oracle.histograms())
def test_buckets_are_the_plain_ones(histogram: NativeHistogram) -> None:
    found = [(bucket.lower, bucket.upper, bucket.held) for bucket in buckets(histogram)]
    expected = list(oracle.buckets(oracle.plain(histogram)))
    assert [count for _, _, count in found] == [count for _, _, count in expected]
    for (lower, upper, _), (low, high, _) in zip(found, expected, strict=True):
        assert lower == pytest.approx(low)
        assert upper == pytest.approx(high)


def test_a_histogram_is_a_line() -> None:
    """As Prometheus's count_values names it."""
    histogram = NativeHistogram(0, 20.0, 1234567.0, 2.0, 0.001, ((0, 1.0), (1, 2.0)), ((0, 1.0), (1, 2.0)))
    assert described(histogram) == (
        "{count:20, sum:1.234567e+06, [-2,-1):2, [-1,-0.5):1, [-0.001,0.001]:2, (0.5,1]:1, (1,2]:2}"
    )
    custom = NativeHistogram(CUSTOM_SCHEMA, 3.0, math.nan, positive=((0, 1.0), (2, 2.0)), bounds=(5.0, 1e-05))
    assert described(custom) == "{count:3, sum:NaN, [-Inf,5]:1, (1e-05,+Inf]:2}"


def test_bounds_are_prometheus_s_to_the_last_digit() -> None:
    """Which are not always the nearest numbers: 2 ** -0.25 is 0.8408964152537145."""
    histogram = NativeHistogram(2, 3.0, 1.0, positive=((-1, 1.0), (0, 1.0)), negative=((-1, 1.0),))
    assert described(histogram) == (
        "{count:3, sum:1, [-0.8408964152537144,-0.7071067811865475):1, "
        "(0.7071067811865475,0.8408964152537144]:1, (0.8408964152537144,1]:1}"
    )
    finest = NativeHistogram(8, 1.0, 1.0, positive=((-1, 1.0),))
    assert described(finest) == "{count:1, sum:1, (0.9945994234836328,0.9972960560854698]:1}"


def test_a_zero_bucket_that_holds_less_than_nothing_is_not_shown() -> None:
    assert described(NativeHistogram(0, -3.0, 1.0, -1.0, 0.001, positive=((1, -2.0),))) == (
        "{count:-3, sum:1, (1,2]:-2}"
    )


def test_numbers_are_go_s() -> None:
    histogram = NativeHistogram(0, -0.0, 1e-07, positive=((1025, 1e21),))
    assert described(histogram) == "{count:-0, sum:1e-07, (1.7976931348623157e+308,+Inf]:1e+21}"
