"""Columns that move together: one is kept as its difference to the other, where that is smaller.

Bytes sent and bytes received over the loopback, memory free and available, a heap's total and what is in use: machines
are full of them. Whether two move together is judged by a few of their steps only.
"""

from __future__ import annotations

import numpy as np

from sanso.model.frame import Floats, Times

_STEPS, _REMEMBERED = 128, 256
FEWEST_ROWS = _STEPS + 1
_WORTH_TRYING = 0.5
"""Of a column's own restlessness: a difference that is calmer than that is tried."""


class Related:
    """The last columns of a block that were kept by themselves, and how they move.

    Args:
        rows: How many rows the block has.
    """

    def __init__(self, rows: int) -> None:
        self._from = (rows - FEWEST_ROWS) // 2
        self._steps = np.zeros((_REMEMBERED, _STEPS))
        self._restless = np.zeros(_REMEMBERED)
        self._digits = np.full(_REMEMBERED, -1)
        self._places = np.zeros(_REMEMBERED, dtype=np.int64)
        self._next = 0

    def add(self, place: int, digits: int, whole: Times) -> None:
        """Remember a column: whole numbers with so many decimal digits."""
        at = self._next % _REMEMBERED
        self._steps[at] = self._steps_of(whole)
        self._restless[at] = self._steps[at] @ self._steps[at]
        self._digits[at], self._places[at] = digits, place
        self._next += 1

    def of(self, digits: int, whole: Times) -> tuple[int, int] | None:
        """The place of the column that this one is best told from, and 1 or -1: with it or against it."""
        steps = self._steps_of(whole)
        own = float(steps @ steps)
        if not own or not self._next:
            return None
        together = self._steps @ steps
        left = own + self._restless - 2 * np.abs(together)
        left[(self._digits != digits) | (self._restless == 0)] = np.inf
        best = int(left.argmin())
        if not left[best] < _WORTH_TRYING * own:
            return None
        return int(self._places[best]), 1 if together[best] > 0 else -1

    def _steps_of(self, whole: Times) -> Floats:
        steps = np.diff(whole[self._from : self._from + FEWEST_ROWS]).astype(np.float64)
        return np.asarray(steps - steps.mean())  # a steady rise costs nothing, and is no relation
