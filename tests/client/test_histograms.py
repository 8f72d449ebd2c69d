from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanso.client.histograms import histogram_of
from sanso.model.native_histogram import CUSTOM_SCHEMA, NativeHistogram
from sanso.promql.histograms.text import buckets
from sanso.web.histogram_text import histogram_json
from tests.promql.histograms import oracle


@given(st.one_of(oracle.histograms(), oracle.customs()))
def test_what_a_server_writes_is_read(histogram: NativeHistogram) -> None:
    """Count, sum and every bucket with its bounds; whether they come from a schema does not matter."""
    found = histogram_of(json.loads(histogram_json(histogram)))
    assert (found.count, found.sum) == (histogram.count, histogram.sum)
    expected, got = list(buckets(histogram)), list(buckets(found))
    assert [bucket.held for bucket in got] == [bucket.held for bucket in expected]
    for one, other in zip(expected, got, strict=True):
        assert other.lower == pytest.approx(one.lower)
        assert other.upper == pytest.approx(one.upper)


@given(oracle.histograms(schemas=(-4, 0, 5, 8), widths=(0.0,)))
def test_an_exponential_schema_is_recognised(histogram: NativeHistogram) -> None:
    found = histogram_of(json.loads(histogram_json(histogram)))
    if histogram.positive or histogram.negative:
        assert (found.schema, found.positive, found.negative) == (
            histogram.schema,
            histogram.positive,
            histogram.negative,
        )


def test_custom_bounds_are_recognised() -> None:
    histogram = NativeHistogram(CUSTOM_SCHEMA, 6.0, 9.0, positive=((0, 1.0), (1, 2.0), (2, 3.0)), bounds=(0.3, 5.0))
    assert histogram_of(json.loads(histogram_json(histogram))) == histogram


@pytest.mark.parametrize(
    "histogram",
    [
        NativeHistogram(2, 3.0, math.inf, positive=((4097, 3.0),)),
        NativeHistogram(CUSTOM_SCHEMA, 3.0, 9.0, positive=((1, 3.0),), bounds=(-1.0, 4.0)),
        NativeHistogram(CUSTOM_SCHEMA, 3.0, 9.0, positive=((1, 3.0),), bounds=(0.0, 4.0)),
        NativeHistogram(CUSTOM_SCHEMA, 3.0, 9.0, positive=((2, 3.0),), bounds=(1.0, 4.0)),
        NativeHistogram(0, 0.0, 0.0),
    ],
)
def test_odd_bounds(histogram: NativeHistogram) -> None:
    """Infinite observations, buckets across or from zero, nothing at all."""
    found = histogram_of(json.loads(histogram_json(histogram)))
    assert list(buckets(found)) == list(buckets(histogram))
