from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sanso.model.native_histogram import Hint, NativeHistogram
from sanso.promql.histograms.comparing import equal, resets
from sanso.promql.histograms.table import table_of
from tests.promql.histograms import oracle
from tests.promql.histograms.test_merging import certain

ANY = st.one_of(oracle.histograms(), oracle.customs())


def was_reset(before: NativeHistogram, after: NativeHistogram) -> bool:
    return bool(resets(table_of([before, after]), np.array([0]), np.array([1]))[0])


@given(ANY, ANY)
def test_a_reset_is_the_plain_one(before: NativeHistogram, after: NativeHistogram) -> None:
    assert was_reset(before, after) == oracle.reset(oracle.plain(before), oracle.plain(after))


@given(oracle.histograms(widths=(0.25,)), oracle.histograms(widths=(0.25,)))
def test_growth_is_no_reset(before: NativeHistogram, growth: NativeHistogram) -> None:
    grown = certain(before, growth)
    assert not was_reset(before, grown)
    if growth.count:
        assert was_reset(grown, before)


@given(ANY, ANY)
def test_a_hint_decides(before: NativeHistogram, after: NativeHistogram) -> None:
    assert was_reset(before, replace(after, hint=Hint.RESET))
    assert not was_reset(before, replace(after, hint=Hint.NO_RESET))


@given(st.lists(ANY, min_size=2, max_size=2))
def test_equality_is_that_of_values(pair: list[NativeHistogram]) -> None:
    table = table_of(pair)
    found = equal(table.take(np.array([0, 1])), table.take(np.array([0, 0])))
    assert found.tolist() == [True, pair[0] == pair[1]]


def test_nan_is_like_itself() -> None:
    table = table_of([NativeHistogram(0, 1.0, float("nan"))])
    assert equal(table, table).all()
