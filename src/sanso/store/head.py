"""The head of a frame: its newest rows in memory, written by one thread, read by any without a lock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import STALE, Columns, Floats, Row, Times, absent, is_absent, is_stale
from sanso.store.places import Places

_FIRST_ROWS, _MOST_MORE_ROWS = 16, 128


@dataclass(frozen=True)
class View:
    """The rows that a reader may see: everything below `rows` is written and stays.

    Attributes:
        places: Which series the N lines of `values` are.
        timeline: Shape [T] and more.
        values: Shape [N, T] and more: one line a series, so that a reader copies what it wants as it lies.
        rows: T.
    """

    places: Places
    timeline: Times
    values: Floats
    rows: int

    @property
    def series(self) -> list[int]:
        """Series numbers, length N."""
        return self.places.series


@dataclass(frozen=True)
class _Layout:
    """Where a source's columns lie; `columns` is held so that its identity is not given to another."""

    columns: Columns
    places: NDArray[np.intp]
    at: NDArray[np.intp] | slice
    """The same, a slice where they lie as they come."""


class Head:
    """Rows of one frame.

    Attributes:
        view: What readers see; replaced, never changed, when arrays grow.
        newest_ms: The time of the newest row ever, sealed ones included.
        layout: A number for each set of columns, for the log.
        unlogged: Whether it holds rows that the log lacks, because the disk took none.
        dropped: How often rows were dropped.
        added_to: How often its newest row was added to.
    """

    def __init__(self, newest_ms: int = -1) -> None:
        self.newest_ms = newest_ms
        self.layout = 0
        self.unlogged = False
        self.dropped = self.added_to = 0
        self._places: dict[int, int] = {}
        self._layouts: dict[int, _Layout] = {}
        self._last: _Layout | None = None
        self._room = absent(0, _FIRST_ROWS)
        self.view = View(Places([]), np.empty(_FIRST_ROWS, dtype=np.int64), self._room, 0)

    def known(self, columns: Columns) -> NDArray[np.intp] | None:
        """Where these columns lie; None where `learn` has to say first."""
        layout = self._layouts.get(id(columns))
        return layout.places if layout is not None else None

    def has_room(self, time_ms: int, row: Row) -> bool:
        """Whether the newest row is of this time, and holds nothing yet of what this one brings."""
        layout = self._layouts.get(id(row.columns))
        if layout is None or not self._has(time_ms):
            return False
        held = self.view.values[layout.places, self.view.rows - 1]
        return bool((is_absent(held) | is_absent(row.values)).all())

    def learn(self, columns: Columns, series: list[int]) -> NDArray[np.intp]:
        """Give each series of a source's columns a place."""
        places = self._placed(series)
        if len(self._layouts) > 64:  # a source whose columns change every tick must not be remembered for ever
            self._layouts.clear()
        at = slice(0, len(places)) if (places == np.arange(len(places))).all() else places
        self._layouts[id(columns)] = _Layout(columns, places, at)
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
            row: Floats = view.values[:, view.rows - 1]
            free = is_absent(row[layout.places])
            row[layout.places[free]] = values[free]
            self.added_to += 1
            return row.copy()
        if view.rows == len(view.timeline):
            view = self._lengthen(1)
        view.values[layout.at, view.rows] = values
        if complete:
            self._end_missing(view.values[:, view.rows], layout)
        view.timeline[view.rows] = time_ms
        self.newest_ms = time_ms
        self.view = View(view.places, view.timeline, view.values, view.rows + 1)
        if isinstance(layout.at, slice) and len(values) == len(view.values):
            return values
        return view.values[:, view.rows].copy()

    def restore(self, times: Times, series: list[int], values: Floats) -> None:
        """Put back rows of the log, of the same series: times [T] and values [T, N]."""
        places = self._placed(series)
        view = self.view
        if view.rows + len(times) > len(view.timeline):
            view = self._lengthen(len(times))
        rows = view.rows + len(times)
        view.values[places, view.rows : rows] = values.T
        view.timeline[view.rows : rows] = times
        self.newest_ms = max(self.newest_ms, int(times[-1]))
        self.view = View(view.places, view.timeline, view.values, rows)

    def drop(self, rows: int, *, sealed: bool) -> None:
        """Forget the oldest rows; a series stays that has a sample in the rest, or goes on after what was sealed."""
        view = self.view
        held = view.values[:, : view.rows]
        rest = held[:, rows:]
        alive = (~is_absent(rest)).any(axis=1)
        if sealed:
            alive |= _going_on(held[:, :rows])
        keep = np.flatnonzero(alive)
        remaining = view.rows - rows
        size = remaining + _FIRST_ROWS
        timeline = np.empty(size, dtype=np.int64)
        timeline[:remaining] = view.timeline[rows : view.rows]
        self._room = absent(len(keep), size)
        self._room[:, :remaining] = rest[keep]
        places = view.places
        if len(keep) != len(view.series):
            places = Places([view.series[place] for place in keep])
            self._places = {number: place for place, number in enumerate(places.series)}
            self._layouts.clear()
            self._last = self._moved(self._last, view.series)
            self.layout = 0
        self.view = View(places, timeline, self._room, remaining)
        self.dropped += 1

    def _moved(self, layout: _Layout | None, series: list[int]) -> _Layout | None:
        """A layout after places have changed: whoever is missing from the next row has still ended."""
        if layout is None:
            return None
        numbers = (series[place] for place in layout.places)
        places = np.array([self._places[number] for number in numbers if number in self._places], dtype=np.intp)
        return _Layout(layout.columns, places, places)

    def _has(self, time_ms: int) -> bool:
        return self.view.rows > 0 and int(self.view.timeline[self.view.rows - 1]) == time_ms

    def _end_missing(self, row: Floats, layout: _Layout) -> None:
        if self._last is not None and self._last is not layout:
            ended = np.setdiff1d(self._last.places, layout.places)
            ended = ended[is_absent(row[ended])]
            row[ended] = STALE
        self._last = layout

    def _placed(self, series: list[int]) -> NDArray[np.intp]:
        fresh = [number for number in series if number not in self._places]
        if fresh:
            self._widen(fresh)
        return np.array([self._places[number] for number in series], dtype=np.intp)

    def _widen(self, fresh: list[int]) -> None:
        view = self.view
        held = len(view.series)
        wide = held + len(fresh)
        if wide > len(self._room):
            room = absent(wide if not held else wide + wide // 8, len(view.timeline))
            room[:held, : view.rows] = view.values[:, : view.rows]
            self._room = room
        self._places.update({number: held + n for n, number in enumerate(fresh)})
        self.layout = 0
        self.view = View(Places([*view.series, *fresh]), view.timeline, self._room[:wide], view.rows)

    def _lengthen(self, more: int) -> View:
        view = self.view
        size = view.rows + max(more, min(max(view.rows, _FIRST_ROWS), _MOST_MORE_ROWS))
        timeline = np.empty(size, dtype=np.int64)
        timeline[: view.rows] = view.timeline[: view.rows]
        self._room = absent(len(view.series), size)
        self._room[:, : view.rows] = view.values[:, : view.rows]
        self.view = View(view.places, timeline, self._room, view.rows)
        return self.view


def _going_on(held: Floats) -> NDArray[np.bool_]:
    """Which lines of rows [N, T] have a sample, and not a stale marker as their last."""
    last = held[:, -1].copy() if held.shape[1] else absent(len(held))
    for place in np.flatnonzero(is_absent(last)):
        there = np.flatnonzero(~is_absent(held[place]))
        if len(there):
            last[place] = held[place, there[-1]]
    return np.asarray(~is_absent(last) & ~is_stale(last))
