"""Decisions read from bytes, so that whoever changes bytes steers them; where they end, every decision is the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")


class Choices:
    """Bytes, consumed from the front."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """How many bytes there are still."""
        return len(self._data) - self._at

    def number(self, below: int) -> int:
        """From 0 to below - 1."""
        if self._at >= len(self._data):
            return 0
        self._at += 1
        return self._data[self._at - 1] % below

    def of(self, items: Sequence[_T]) -> _T:
        """One of the items."""
        return items[self.number(len(items))]

    def rest(self) -> bytes:
        """What is left."""
        found, self._at = self._data[self._at :], len(self._data)
        return found
