"""Sources that do what a test says."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from sanso.model.frame import Columns, Family, Row
from sanso.model.labels import series_of


def row(name: str, *values: float) -> Row:
    """One series a value, told apart by `i`."""
    return Row(Columns(tuple(series_of(name, i=str(i)) for i in range(len(values)))), np.array(values))


class FakeSource:
    """Gives what `answer` gives."""

    def __init__(self, name: str, answer: Callable[[int], Row | None]) -> None:
        self.name = name
        self.families = (Family(name, "gauge", f"What {name} gives."),)
        self.reads = 0
        self._answer = answer

    def read(self, now_ms: int) -> Row | None:
        self.reads += 1
        return self._answer(now_ms)


class HangingSource(FakeSource):
    """Hangs until it is let go."""

    def __init__(self, name: str) -> None:
        self.free = threading.Event()
        super().__init__(name, self._hang)

    def _hang(self, now_ms: int) -> Row:
        self.free.wait(30)
        return row(self.name, float(now_ms))
