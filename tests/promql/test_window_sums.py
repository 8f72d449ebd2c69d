"""Sums of windows: held against exact arithmetic, and against Prometheus's where terms are too far apart."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanso.model.frame import Floats
from sanso.promql.sums import window_means, window_sums

TERMS = st.lists(
    st.one_of(
        st.floats(min_value=-1e12, max_value=1e12, allow_subnormal=False),
        st.sampled_from([1e100, -1e100, 0.1, -0.1, 1e-30, 0.0]),
    ),
    min_size=1,
    max_size=40,
)


@given(TERMS, st.data())
def test_sums_are_right_to_the_last_digit(terms: list[float], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(terms)))
    last = data.draw(st.integers(first, len(terms)))
    found = float(window_sums(np.array([terms]), np.array([first]), np.array([last]))[0, 0])
    inside = terms[first:last]
    exact = math.fsum(inside)
    # Neumaier's sum has an error of second order in the sum of the sizes.
    allowed = abs(exact) * 2**-52 + math.fsum(map(abs, inside)) * len(inside) ** 2 * 2.0**-104
    assert abs(found - exact) <= allowed


@given(TERMS)
def test_all_windows_at_once_are_each_alone(terms: list[float]) -> None:
    values = np.array([terms, terms[::-1]])
    places = [(first, last) for first in range(len(terms) + 1) for last in range(first, len(terms) + 1)]
    first, last = np.array(places).T
    together = window_sums(values, first, last)
    for window, (start, end) in enumerate(places):
        alone = window_sums(np.ascontiguousarray(values[:, start:end]), np.array([0]), np.array([end - start]))
        np.testing.assert_allclose(together[:, window], alone[:, 0], rtol=1e-15)


def sums(*terms: float) -> float:
    return float(window_sums(np.array([terms]), np.array([0]), np.array([len(terms)]))[0, 0])


def mean(*terms: float) -> float:
    count = np.array([len(terms)])
    return float(window_means(np.array([terms]), np.array([0]), count, count)[0, 0])


@pytest.mark.parametrize(
    ("terms", "wanted"),
    [
        ((1e308, 1e308), math.inf),
        ((math.inf, 1.0), math.inf),
        ((math.inf, -math.inf), math.nan),
        ((math.nan, 1.0), math.nan),
        ((0.1,) * 10, 1.0),
        ((-2.258e220, -1.78264e219, 0.7, 2.258e220, 7.6, 1.78264e219, -458.9), 0.0),  # too far apart for Neumaier too
    ],
)
def test_what_prometheus_makes_of_extremes(terms: tuple[float, ...], wanted: float) -> None:
    np.testing.assert_equal(sums(*terms), wanted)


def test_a_mean_does_not_overflow() -> None:
    assert mean(1e308, 1.2e308, 1.4e308) == pytest.approx(1.2e308)
    assert mean(math.inf, 1.0) == math.inf
    assert mean(0.1, 0.1, 0.1) == 0.1


def test_windows_that_cancel_to_nothing_are_nothing() -> None:
    values: Floats = np.tile([0.1, -0.1], (3, 50))
    first = np.arange(0, 90)
    assert (window_sums(values, first, first + 10) == 0).all()
    assert (window_sums(values, first, first) == 0).all()
