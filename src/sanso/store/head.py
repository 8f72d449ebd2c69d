"""The head of a frame: its newest rows in memory, written by one thread, read by any without a lock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import ABSENT_BITS, STALE, Columns, Floats, Row, Times, absent, is_absent

_FIRST_ROWS = 16


@dataclass(frozen=True)
class View:
    """The rows that a reader may see: everything below `rows` is written and stays."""

    series: list[int]
    timeline: Times
    values: Floats
    rows: int


@dataclass(frozen=True)
class _Layout:
    """Where a source's columns lie; `columns` is held so that its identity is not given to another."""

    columns: Columns
    places: NDArray[np.intp]


class Head:
    """Rows T × N of one frame.

    Attributes:
        view: What readers see; replaced, never changed, when arrays grow.
        newest_ms: The time of the newest row ever, sealed ones included.
        layout: A number for each set of columns, for the log.
    """

    def __init__(self, newest_ms: int = -1) -> None:
        self.newest_ms = newest_ms
        self.layout = 0
        self._places: dict[int, int] = {}
        self._layouts: dict[int, _Layout] = {}
        self._last: _Layout | None = None
        self.view = View([], np.empty(_FIRST_ROWS, dtype=np.int64), absent(_FIRST_ROWS, 0), 0)

    def known(self, columns: Columns) -> NDArray[np.intp] | None:
        """Where these columns lie; None where `learn` has to say first."""
        layout = self._layouts.get(id(columns))
        return layout.places if layout is not None else None

    def has_room(self, time_ms: int, row: Row) -> bool:
        """Whether the newest row is of this time, and holds nothing yet of what this one brings."""
        if not self._has(time_ms):
            return False
        layout = self._layouts.get(id(row.columns))
        if layout is None:
            return False
        held = self.view.values[self.view.rows - 1, layout.places]
        return bool((is_absent(held) | is_absent(row.values)).all())

    def learn(self, columns: Columns, series: list[int]) -> NDArray[np.intp]:
        """Give each series of a source's columns a place."""
        fresh = [number for number in series if number not in self._places]
        if fresh:
            self._widen(fresh)
        places = np.array([self._places[number] for number in series], dtype=np.intp)
        if len(self._layouts) > 64:  # a source whose columns change every tick must not be remembered for ever
            self._layouts.clear()
        self._layouts[id(columns)] = _Layout(columns, places)
        return places

    def append(self, time_ms: int, columns: Columns, values: Floats, *, complete: bool) -> Floats | None:
        """Write a row; None where it is older than the newest. `learn` must have seen the columns.

        Returns:
            The whole row as it is now, one cell a series of the view.
        """
        layout = self._layouts[id(columns)]
        view = self.view
        if time_ms < self.newest_ms or (time_ms == self.newest_ms and not self._has(time_ms)):
            return None
        if time_ms == self.newest_ms:
            row: Floats = view.values[view.rows - 1]
            free = is_absent(row[layout.places])
            row[layout.places[free]] = values[free]
            return row
        if view.rows == len(view.timeline):
            view = self._lengthen()
        row = view.values[view.rows]
        row[layout.places] = values
        if complete:
            self._end_missing(row, layout)
        view.timeline[view.rows] = time_ms
        self.newest_ms = time_ms
        self.view = View(view.series, view.timeline, view.values, view.rows + 1)
        return row

    def restore(self, time_ms: int, series: list[int], values: Floats) -> None:
        """Put back a row of the log."""
        fresh = [number for number in series if number not in self._places]
        if fresh:
            self._widen(fresh)
        view = self.view if self.view.rows < len(self.view.timeline) else self._lengthen()
        view.values[view.rows, [self._places[number] for number in series]] = values
        view.timeline[view.rows] = time_ms
        self.newest_ms = max(self.newest_ms, time_ms)
        self.view = View(view.series, view.timeline, view.values, view.rows + 1)

    def drop(self, rows: int, *, sealed: bool) -> None:
        """Forget the oldest rows; a series stays that has a sample in the rest, or in what was sealed just now."""
        view = self.view
        kept_rows = view.values[rows : view.rows]
        alive = ~is_absent(kept_rows).all(axis=0)
        if sealed:
            alive |= ~is_absent(view.values[:rows]).all(axis=0)
        keep = np.flatnonzero(alive)
        remaining = view.rows - rows
        size = max(remaining + _FIRST_ROWS, _FIRST_ROWS)
        timeline, values = np.empty(size, dtype=np.int64), absent(size, len(keep))
        timeline[:remaining] = view.timeline[rows : view.rows]
        values[:remaining] = kept_rows[:, keep]
        series = [view.series[place] for place in keep]
        if len(series) != len(view.series):
            self._places = {number: place for place, number in enumerate(series)}
            self._layouts.clear()
            self._last = None
            self.layout = 0
        self.view = View(series, timeline, values, remaining)

    def _has(self, time_ms: int) -> bool:
        return self.view.rows > 0 and int(self.view.timeline[self.view.rows - 1]) == time_ms

    def _end_missing(self, row: Floats, layout: _Layout) -> None:
        if self._last is not None and self._last is not layout:
            ended = np.setdiff1d(self._last.places, layout.places)
            ended = ended[is_absent(row[ended])]
            row[ended] = STALE
        self._last = layout

    def _widen(self, fresh: list[int]) -> None:
        view = self.view
        values = absent(len(view.timeline), len(view.series) + len(fresh))
        values[: view.rows, : len(view.series)] = view.values[: view.rows]
        series = [*view.series, *fresh]
        self._places.update({number: len(view.series) + n for n, number in enumerate(fresh)})
        self.layout = 0
        self.view = View(series, view.timeline.copy(), values, view.rows)

    def _lengthen(self) -> View:
        view = self.view
        size = max(2 * view.rows, _FIRST_ROWS)
        timeline = np.empty(size, dtype=np.int64)
        timeline[: view.rows] = view.timeline[: view.rows]
        values = np.full((size, len(view.series)), ABSENT_BITS, dtype=np.uint64).view(np.float64)
        values[: view.rows] = view.values[: view.rows]
        self.view = View(view.series, timeline, values, view.rows)
        return self.view
