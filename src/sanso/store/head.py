"""The head of a frame: its newest rows in memory, written by one thread, read by any without a lock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import ABSENT, STALE, Columns, Floats, Row, Times, absent, is_absent, is_stale
from sanso.store.places import Places

_FIRST_ROWS, _MOST_ROWS = 16, 128
_TILE_BYTES = 4 << 20
"""A wide head's tiles have fewer rows: each is made while a writer waits."""
_LINES = 64


class View(NamedTuple):
    """The rows that a reader may see: everything below `rows` is written and stays.

    The cells lie in tiles, one after the other in time, so that rows which come need no others to be moved. In a tile
    each series has a line, so that a reader copies what it wants as it lies; those that came later have none.

    Attributes:
        places: Which series the N lines are.
        timeline: Shape [T] and more.
        tiles: Each of shape [its lines, its rows].
        starts: The row with which each tile begins; before 0 where some of its rows are dropped.
        rows: T.
    """

    places: Places
    timeline: Times
    tiles: tuple[Floats, ...]
    starts: tuple[int, ...]
    rows: int

    @property
    def series(self) -> list[int]:
        """Series numbers, length N."""
        return self.places.series

    @property
    def times(self) -> Times:
        """Shape [T]."""
        return self.timeline[: self.rows]

    @property
    def size(self) -> int:
        """Bytes of memory."""
        return sum(tile.nbytes for tile in self.tiles)

    def fill(self, out: Floats, lines: NDArray[np.intp] | slice, first: int) -> None:
        """Copy cells of lines that there are, from a row on, into an array; as many rows as it has."""
        last, count = first + out.shape[1], len(self.series)
        if isinstance(lines, slice):
            lines = slice(*lines.indices(count))  # tiles may have more
        for tile, start in zip(self.tiles, self.starts, strict=True):
            begin, end = max(first, start), min(last, start + tile.shape[1])
            if begin >= end:
                continue
            part = out[:, begin - first : end - first]
            if len(tile) >= count:
                part[:] = tile[lines, begin - start : end - start]
                continue
            wanted = np.arange(count)[lines]
            there = wanted < len(tile)
            part[~there] = ABSENT
            part[there] = tile[wanted[there], begin - start : end - start]

    def cells(self, lines: NDArray[np.intp] | slice, first: int, last: int) -> Floats:
        """A copy of the cells of lines in rows [first, last)."""
        count = len(range(*lines.indices(len(self.series)))) if isinstance(lines, slice) else len(lines)
        out = np.empty((count, last - first))
        self.fill(out, lines, first)
        return out

    def columns(self, rows: int) -> Iterator[Floats]:
        """The oldest cells of every line, so many."""
        for begin in range(0, len(self.series), _LINES):
            yield from self.cells(slice(begin, min(begin + _LINES, len(self.series))), 0, rows)


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
        self.view = View(Places([]), np.empty(_FIRST_ROWS, dtype=np.int64), (absent(0, _FIRST_ROWS),), (0,), 0)

    def known(self, columns: Columns) -> NDArray[np.intp] | None:
        """Where these columns lie; None where `learn` has to say first."""
        layout = self._layouts.get(id(columns))
        return layout.places if layout is not None else None

    def has_room(self, time_ms: int, row: Row) -> bool:
        """Whether the newest row is of this time, and holds nothing yet of what this one brings."""
        layout = self._layouts.get(id(row.columns))
        if layout is None or not self._has(time_ms):
            return False
        held = self._newest(self.view)[layout.places]
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
            What has come, one cell a series of the view.
        """
        layout = self._layouts[id(columns)]
        view = self.view
        if time_ms < self.newest_ms or (time_ms == self.newest_ms and not self._has(time_ms)):
            return None
        if time_ms == self.newest_ms:
            return self._fill(layout.places, values)
        if view.rows == view.starts[-1] + view.tiles[-1].shape[1]:
            view = self._lengthen()
        row = view.tiles[-1][:, view.rows - view.starts[-1]]
        row[layout.at] = values
        if complete:
            self._end_missing(row, layout)
        view.timeline[view.rows] = time_ms
        self.newest_ms = time_ms
        self.view = View(view.places, view.timeline, view.tiles, view.starts, view.rows + 1)
        if isinstance(layout.at, slice) and len(values) == len(view.series):
            return values
        return row[: len(view.series)].copy()

    def restore(self, times: Times, series: list[int], values: Floats) -> None:
        """Put back rows of the log, of the same series: times [T] and values [T, N]; the first may add to a row."""
        places = self._placed(series)
        if len(times) and self._has(int(times[0])):
            self._fill(places, values[0])
            times, values = times[1:], values[1:]
        while len(times):
            view = self.view
            if view.rows == view.starts[-1] + view.tiles[-1].shape[1]:
                view = self._lengthen()
            begin = view.rows - view.starts[-1]
            rows = min(len(times), view.tiles[-1].shape[1] - begin)
            view.tiles[-1][places, begin : begin + rows] = values[:rows].T
            view.timeline[view.rows : view.rows + rows] = times[:rows]
            self.newest_ms = max(self.newest_ms, int(times[rows - 1]))
            self.view = view._replace(rows=view.rows + rows)
            times, values = times[rows:], values[rows:]

    def drop(self, rows: int, *, sealed: bool) -> None:
        """Forget the oldest rows; a series stays that has a sample in the rest, or goes on after what was sealed."""
        view = self.view
        alive = ~is_absent(_lasts(view, rows, view.rows))
        if sealed and not alive.all():
            last = _lasts(view, 0, rows)
            alive |= ~is_absent(last) & ~is_stale(last)
        kept = [(tile, start - rows) for tile, start in zip(view.tiles, view.starts, strict=True)]
        kept = [pair for pair in kept if pair[1] + pair[0].shape[1] > 0] or kept[-1:]
        places = view.places
        if not alive.all():
            keep = np.flatnonzero(alive)
            room = absent(len(keep), view.rows - rows + _FIRST_ROWS)
            view.fill(room[:, : view.rows - rows], keep, rows)
            kept = [(room, 0)]
            places = Places([view.series[place] for place in keep])
            self._places = {number: place for place, number in enumerate(places.series)}
            self._layouts.clear()
            self._last = self._moved(self._last, view.series)
            self.layout = 0
        tiles, starts = zip(*kept, strict=True)
        timeline = np.empty(starts[-1] + tiles[-1].shape[1], dtype=np.int64)
        timeline[: view.rows - rows] = view.timeline[rows : view.rows]
        self.view = View(places, timeline, tiles, starts, view.rows - rows)
        self.dropped += 1

    def _moved(self, layout: _Layout | None, series: list[int]) -> _Layout | None:
        """A layout after places have changed: whoever is missing from the next row has still ended."""
        if layout is None:
            return None
        numbers = (series[place] for place in layout.places)
        places = np.array([self._places[number] for number in numbers if number in self._places], dtype=np.intp)
        return _Layout(layout.columns, places, places)

    def _fill(self, places: NDArray[np.intp], values: Floats) -> Floats:
        """Add to the newest row what it lacks; that, one cell a series of the view."""
        row = self._newest(self.view)
        free = is_absent(row[places])
        places, values = places[free], values[free]
        row[places] = values
        self.added_to += 1
        added = absent(len(self.view.series))
        added[places] = values
        return added

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
        tile = view.tiles[-1]
        if wide > len(tile):
            written = max(view.rows - view.starts[-1], 0)
            room = absent(wide if not held else wide + wide // 8, tile.shape[1])
            room[: len(tile), :written] = tile[:, :written]
            tile = room
        self._places.update({number: held + n for n, number in enumerate(fresh)})
        self.layout = 0
        self.view = view._replace(places=Places([*view.series, *fresh]), tiles=(*view.tiles[:-1], tile))

    def _lengthen(self) -> View:
        view = self.view
        lines = len(view.series)
        most = max(min(_MOST_ROWS, _TILE_BYTES // (8 * max(lines, 1))), _FIRST_ROWS)
        tile = absent(lines, min(2 * view.tiles[-1].shape[1], most))
        timeline = np.empty(view.rows + tile.shape[1], dtype=np.int64)
        timeline[: view.rows] = view.times
        self.view = View(view.places, timeline, (*view.tiles, tile), (*view.starts, view.rows), view.rows)
        return self.view

    def _newest(self, view: View) -> Floats:
        """The cells of the newest row, and perhaps more."""
        row: Floats = view.tiles[-1][:, view.rows - 1 - view.starts[-1]]
        return row


def _lasts(view: View, first: int, last: int) -> Floats:
    """The last cell of each line in rows [first, last) that is not absent; absent where there is none."""
    found = absent(len(view.series))
    looked = np.arange(len(found))
    begins = [max(start, first) for start in view.starts if start < last]
    for begin in (last - 1, *reversed(begins)):  # most have one in the very last row
        if not len(looked) or not first <= begin < last:
            continue
        held = view.cells(looked, begin, last)
        there = ~is_absent(held)
        at = held.shape[1] - 1 - there[:, ::-1].argmax(axis=1)
        found[looked] = held[np.arange(len(looked)), at]
        looked = looked[~there.any(axis=1)]
        last = begin
    return found
