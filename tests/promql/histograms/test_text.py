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


def test_numbers_are_go_s() -> None:
    histogram = NativeHistogram(0, -0.0, 1e-07, positive=((1025, 1e21),))
    assert described(histogram) == "{count:-0, sum:1e-07, (1.7976931348623157e+308,+Inf]:1e+21}"
