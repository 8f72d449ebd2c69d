from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sanso.promql.extremes import window_extremes

number = st.floats(allow_nan=True, allow_infinity=True) | st.integers(-5, 5).map(float)


@given(
    st.integers(1, 12).flatmap(
        lambda length: st.tuples(
            st.lists(st.lists(number, min_size=length, max_size=length), min_size=1, max_size=4),
            st.lists(st.tuples(st.integers(0, length), st.integers(0, length)).map(sorted), min_size=1, max_size=20),
        )
    )
)
def test_windows_have_the_extremes_of_their_samples(given: tuple[list[list[float]], list[list[int]]]) -> None:
    rows, windows = given
    values = np.array(rows)
    first, last = (np.array(edge, dtype=np.intp) for edge in zip(*windows, strict=True))
    for reduce in (np.fmin, np.fmax):
        found = window_extremes(reduce, values, first, last)
        for place, (start, end) in enumerate(windows):
            if start < end:
                np.testing.assert_array_equal(found[:, place], reduce.reduce(values[:, start:end], axis=1))


def test_more_rows_than_a_block_holds() -> None:
    values = np.random.default_rng(1).normal(size=(3000, 100))
    first = np.arange(0, 90, 3)
    last = first + 10
    found = window_extremes(np.fmax, values, first, last)
    assert (found == np.array([values[:, a:b].max(axis=1) for a, b in zip(first, last, strict=True)]).T).all()
