"""Deletions: spans of time in which a series is not to be seen, until the blocks that hold it are written anew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sanso.model.frame import ABSENT, Floats, Times


class Tombstones:
    """Spans by series number; both ends belong to a span.

    Attributes:
        changes: How many spans were added so far.
    """

    def __init__(self, spans: Iterable[tuple[int, int, int]] = ()) -> None:
        self._spans: dict[int, tuple[tuple[int, int], ...]] = {}
        self.changes = 0
        for number, start_ms, end_ms in spans:
            self.add(number, start_ms, end_ms)

    def __bool__(self) -> bool:
        return bool(self._spans)

    def add(self, number: int, start_ms: int, end_ms: int) -> None:
        """Hide a span of a series."""
        self.changes += 1
        self._spans[number] = (*self._spans.get(number, ()), (start_ms, end_ms))

    def remove(self, numbers: Iterable[int]) -> None:
        """Forget series that are gone."""
        for number in numbers:
            self._spans.pop(number, None)

    def of(self, number: int) -> Sequence[tuple[int, int]]:
        """The spans of a series."""
        return self._spans.get(number, ())

    def hide(self, numbers: Sequence[int], times: Times, values: Floats) -> None:
        """Make what was deleted absent in values [N, T], in place."""
        for row, number in enumerate(numbers):
            for start_ms, end_ms in self._spans.get(number, ()):
                first, last = times.searchsorted([start_ms, end_ms + 1])
                values[row, first:last] = ABSENT
