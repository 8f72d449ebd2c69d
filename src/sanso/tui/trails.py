"""What the sparklines draw: history as it was asked for once, then every reading that arrived since."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping

from sanso.model.readings import Overview

POINTS = 240
"""How many values are kept a vital sign: as many as the widest plot draws."""


class Trails:
    """The last values of every plain vital sign, one an interval, oldest first, NaN for gaps."""

    def __init__(self) -> None:
        self._values: dict[str, deque[float]] = {}

    def seed(self, histories: Mapping[str, Iterable[float]]) -> None:
        """Begin anew with what was stored."""
        self._values = {name: deque(values, maxlen=POINTS) for name, values in histories.items()}

    def extend(self, overview: Overview) -> None:
        """Add one reading of each vital sign that has a single value."""
        for name, readings in overview.vitals.items():
            if len(readings) == 1 and not readings[0].labels:
                value = readings[0].value
                self._values.setdefault(name, deque(maxlen=POINTS)).append(math.nan if value is None else value)

    def of(self, name: str) -> list[float]:
        """The values of one vital sign; empty where none is known."""
        return list(self._values.get(name, ()))

    def seen(self, name: str) -> bool:
        """Whether this sign ever had a value here."""
        return any(math.isfinite(value) for value in self._values.get(name, ()))
