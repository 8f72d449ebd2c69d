"""Sums of groups of histograms: each group's is what it would be alone, to the last digit."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sanso.promql.histograms.merging import _totals

number = st.floats(-1e6, 1e6)
groups = st.lists(st.lists(number, min_size=1, max_size=6) | st.lists(number, min_size=60, max_size=70), min_size=1)


@given(groups)
def test_a_group_s_sum_does_not_depend_on_its_neighbours(members: list[list[float]]) -> None:
    values = np.array([term for group in members for term in group])
    starts = np.cumsum([0, *(len(group) for group in members)])[:-1]
    together = _totals(np.array([values, -values]), starts)
    alone = [float(_totals(np.array(group), np.array([0]))[0]) for group in members]
    assert together[0].tolist() == alone
    assert together[1].tolist() == [-total for total in alone]


@given(st.lists(number, min_size=1, max_size=64))
def test_few_are_added_one_after_the_other(terms: list[float]) -> None:
    total = terms[0]
    for term in terms[1:]:
        total += term
    assert _totals(np.array(terms), np.array([0])).tolist() == [total]
