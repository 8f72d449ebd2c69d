from __future__ import annotations

import numpy as np

from sanso.model.frame import ABSENT, STALE, absent, is_absent, is_stale


def test_the_three_nan_are_distinct_and_survive_copies() -> None:
    values = np.array([ABSENT, STALE, np.nan, 1.0])
    copied = np.concatenate([values, absent(1)])[:4].copy()
    assert np.isnan(copied[:3]).all()
    assert is_absent(copied).tolist() == [True, False, False, False]
    assert is_stale(copied).tolist() == [False, True, False, False]


def test_absent_is_full_of_absence() -> None:
    assert is_absent(absent(2, 3)).all()
    assert absent(2, 3).shape == (2, 3)
