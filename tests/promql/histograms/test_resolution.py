from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sanso.model.native_histogram import NativeHistogram
from sanso.promql.histograms.resolution import reduced
from sanso.promql.histograms.table import table_of
from tests.promql.histograms import oracle
from tests.promql.histograms.test_merging import certain, close

FINE = oracle.histograms(schemas=(1, 3, 5), widths=(0.0,))


def coarser(histogram: NativeHistogram, schema: int) -> NativeHistogram:
    return reduced(table_of([histogram]), np.array([schema])).histogram(0)


@given(FINE, st.integers(-4, 1))
def test_reduction_is_the_plain_one(histogram: NativeHistogram, schema: int) -> None:
    assert close(coarser(histogram, schema), oracle.native(oracle.reduce(oracle.plain(histogram), schema)))


@given(FINE, FINE, st.integers(-4, 1))
def test_reduction_commutes_with_addition(a: NativeHistogram, b: NativeHistogram, schema: int) -> None:
    assert close(coarser(certain(a, b), schema), certain(coarser(a, schema), coarser(b, schema)))


@given(st.lists(FINE, min_size=1, max_size=5), st.data())
def test_each_goes_to_its_own_schema(several: list[NativeHistogram], data: st.DataObject) -> None:
    schemas = [data.draw(st.integers(-2, histogram.schema)) for histogram in several]
    table = reduced(table_of(several), np.array(schemas))
    for cell, (histogram, schema) in enumerate(zip(several, schemas, strict=True)):
        assert close(table.histogram(cell), coarser(histogram, schema))
