from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sanso.model.native_histogram import NativeHistogram
from sanso.promql.histograms.table import table_of
from sanso.promql.histograms.zero import with_threshold
from tests.promql.histograms import oracle
from tests.promql.histograms.test_merging import close


@given(st.lists(oracle.histograms(), min_size=1, max_size=4), st.floats(0.0, 40.0))
def test_a_wider_zero_bucket_is_the_plain_one(several: list[NativeHistogram], threshold: float) -> None:
    table = with_threshold(table_of(several), np.full(len(several), threshold))
    for cell, histogram in enumerate(several):
        assert close(table.histogram(cell), oracle.native(oracle.widen(oracle.plain(histogram), threshold)))
