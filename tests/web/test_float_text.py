from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanso.model.frame import ABSENT, is_absent
from sanso.web import counted_text, float_text
from sanso.web.number_text import number
from tests.web.points import one_by_one

cell = st.floats() | st.integers(-3, 3).map(float) | st.just(ABSENT)
counted_cell = st.integers(-(10**6), 10**6).map(lambda parts: parts / 100 + 0.0) | st.just(ABSENT)


def matrices(cells: st.SearchStrategy[float]) -> st.SearchStrategy[list[list[float]]]:
    return st.integers(1, 5).flatmap(
        lambda steps: st.lists(st.lists(cells, min_size=steps, max_size=steps), min_size=1, max_size=12)
    )


@pytest.mark.parametrize("at_once", [1, 7, 1 << 13])
@given(matrices(cell))
def test_any_numbers_with_gaps(at_once: int, rows: list[list[float]]) -> None:
    values = np.array(rows)
    times = [b"%d" % place for place in range(values.shape[1])]
    held = ~is_absent(values)
    with mock.patch.object(float_text, "_AT_ONCE", at_once):
        assert list(float_text.points(values, times, held)) == one_by_one(values, times)
        if held.all():
            assert list(float_text.points(values, times)) == one_by_one(values, times)


@pytest.mark.parametrize("at_once", [1, 7, 1 << 15])
@given(matrices(counted_cell))
def test_numbers_of_few_decimals_with_gaps(at_once: int, rows: list[list[float]]) -> None:
    values = np.array(rows)
    times = [b"%d.5" % place for place in range(values.shape[1])]
    held = ~is_absent(values)
    assert counted_text.countable(values, held).all()
    with mock.patch.object(counted_text, "_AT_ONCE", at_once):
        assert list(counted_text.points(values, times, held)) == one_by_one(values, times)
        some = held.any(axis=1)
        names = counted_text.padded([b",%d[" % row for row in range(int(some.sum()))])
        if names is not None:
            whole = b"".join(counted_text.series(values[some], times, names, held[some]))
            texts = enumerate(one_by_one(values[some], times))
            assert whole == b"".join(b",%d[%b]}" % (row, text) for row, text in texts)


def test_no_points_at_all() -> None:
    assert list(float_text.points(np.empty((2, 0)), [])) == [b"", b""]
    assert list(float_text.points(np.empty((0, 2)), [b"1", b"2"])) == []


def test_a_whole_number_among_others_has_no_decimals() -> None:
    (text,) = float_text.points(np.array([[0.1, 3.0, 1e300, 1 / 3]]), [b"1", b"2", b"3", b"4"])
    assert text == b'[1,"0.1"],[2,"3"],[3,"%b"],[4,"0.3333333333333333"]' % number(1e300).encode()
