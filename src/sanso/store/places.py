"""Where series stand among the lines of a head or the columns of a block."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


class Places:
    """Series by place; never changed once made."""

    def __init__(self, series: Sequence[int]) -> None:
        self.series = list(series)

    @cached_property
    def numbers(self) -> Numbers:
        """The series, shape [N]."""
        return np.array(self.series, dtype=np.int64)

    def of(self, wanted: Numbers) -> NDArray[np.intp]:
        """The place of each wanted series; -1 where it has none."""
        if np.array_equal(wanted, self.numbers):
            return np.arange(len(wanted), dtype=np.intp)
        if not len(self.numbers):
            return np.full(len(wanted), -1, dtype=np.intp)
        order, ordered = self._ordered
        found = np.minimum(ordered.searchsorted(wanted), len(ordered) - 1)
        return np.where(ordered[found] == wanted, order[found], -1)

    @cached_property
    def _ordered(self) -> tuple[NDArray[np.intp], Numbers]:
        order = np.argsort(self.numbers, kind="stable")
        return order, self.numbers[order]
