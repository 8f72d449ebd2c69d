from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sanso.promql.sums import run_means, run_sums

term = st.floats(-1e300, 1e300) | st.floats(-1e3, 1e3) | st.sampled_from([0.0, 1e16, -1e16, 1.0, math.nan, math.inf])
runs = st.lists(st.lists(term, min_size=1, max_size=300), min_size=1, max_size=3)


def _expected(terms: list[float]) -> float:
    if not all(map(math.isfinite, terms)):
        return float(np.sum(np.array(terms)))
    try:
        return math.fsum(terms)
    except OverflowError:
        return math.inf


@given(runs)
def test_runs_of_rows_have_the_sums_of_their_terms(groups: list[list[float]]) -> None:
    values = np.array([term for group in groups for term in group])[:, None]
    sizes = np.array([len(group) for group in groups])
    starts = np.cumsum(sizes) - sizes
    with np.errstate(all="ignore"):
        found = run_sums(values, starts, sizes)[:, 0]
        expected = np.array([_expected(group) for group in groups])
    scale = np.array([sum(map(abs, group)) for group in groups])
    for ours, right, size in zip(found.tolist(), expected.tolist(), scale.tolist(), strict=True):
        if math.isfinite(right) and math.isfinite(ours):
            # Neumaier's sum, as Prometheus has it, is right to two numbers' worth of digits.
            assert abs(ours - right) <= max(abs(right) * 2.0**-50, size * 2.0**-90)
        elif math.isnan(right):
            assert math.isnan(ours)


def test_long_runs_are_as_exact_as_they_are_long() -> None:
    dice = np.random.default_rng(2)
    values = dice.normal(size=(1000, 7)) * 10.0 ** dice.integers(-12, 12, (1000, 1))
    found = run_sums(values, np.array([0, 400]), np.array([400, 600]))
    for column in range(7):
        assert found[0, column] == math.fsum(values[:400, column])
        assert found[1, column] == math.fsum(values[400:, column])


def test_means_do_not_overflow() -> None:
    values = np.full((200, 2), 1e308)
    means = run_means(values, np.array([0]), np.array([200]), np.array([[200, 200]]))
    assert np.allclose(means, 1e308, rtol=1e-15)


def test_a_column_whose_terms_are_far_below_the_others() -> None:
    dice = np.random.default_rng(5)
    values = np.column_stack(
        [dice.normal(size=500), dice.normal(size=500) * 1e-30, np.zeros(500), np.full(500, 1e-320)]
    )
    values[:2, 3] = [1e300, -1e300]
    found = run_sums(values, np.array([0]), np.array([500]))[0]
    assert found.tolist() == [math.fsum(column) for column in values.T]
