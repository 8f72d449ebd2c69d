from __future__ import annotations

import numpy as np

from sanso.model.frame import ABSENT, STALE, absent, is_absent, is_stale, is_whole


def test_the_three_nan_are_distinct_and_survive_copies() -> None:
    values = np.array([ABSENT, STALE, np.nan, 1.0])
    copied = np.concatenate([values, absent(1)])[:4].copy()
    assert np.isnan(copied[:3]).all()
    assert is_absent(copied).tolist() == [True, False, False, False]
    assert is_stale(copied).tolist() == [False, True, False, False]


def test_absent_is_full_of_absence() -> None:
    assert is_absent(absent(2, 3)).all()
    assert absent(2, 3).shape == (2, 3)


def test_a_matrix_is_whole_when_no_cell_is_any_nan() -> None:
    assert is_whole(np.empty((0, 4)))
    for size in (1, 7, 8, 65):
        values = np.full((3, size), np.inf)
        assert is_whole(values)
        for hole in (ABSENT, STALE, np.nan, -np.nan):
            for at in range(size):
                holed = values.copy()
                holed[1, at] = hole
                assert not is_whole(holed)
