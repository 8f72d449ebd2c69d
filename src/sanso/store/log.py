"""The log: rows that are not sealed yet, an entry for all that one commit writes.

An entry goes when every row in it is sealed. Rows of frames that are sealed at other times stand in one entry, so one
in which few rows are left is written anew without the others.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sanso.model.errors import StoreError
from sanso.model.frame import ABSENT_BITS, Floats, absent

_HEADER = struct.Struct("<qiiii")
_CELL, _PLACED = 8, 12
_LEFT = 0.5
"""Of its rows: an entry in which no more are left is written anew."""
FOREVER_MS = 1 << 62


class LoggedRow(NamedTuple):
    """A row, or what was added to one.

    Attributes:
        frame: Its number.
        time_ms: When.
        layout: The number of the layout that says whose its cells are.
        data: The header, and the cells.
    """

    frame: int
    time_ms: int
    layout: int
    data: bytes

    @classmethod
    def of(cls, frame: int, time_ms: int, layout: int, cells: Floats) -> LoggedRow:
        """A row of one cell a series of its layout: where many are absent, only the others with their places."""
        there = cells.view(np.uint64) != ABSENT_BITS
        count = int(np.count_nonzero(there))
        if count * _PLACED < len(cells) * _CELL:
            packed = there.nonzero()[0].astype("<i4").tobytes() + cells[there].tobytes()
        else:
            packed, count = cells.tobytes(), len(cells)
        return cls(frame, time_ms, layout, _HEADER.pack(time_ms, frame, layout, count, len(packed)) + packed)

    def cells(self, width: int) -> Floats:
        """One a series of its layout, which has so many.

        Raises:
            StoreError: It is damaged.
        """
        count = _HEADER.unpack_from(self.data)[3]
        begin = _HEADER.size
        size = len(self.data) - begin
        if size == _CELL * count and count == width:
            return np.frombuffer(self.data, dtype=np.float64, offset=begin)
        cells = absent(width)
        if size == _PLACED * count:
            places = np.frombuffer(self.data, dtype="<i4", count=count, offset=begin)
            if count == 0 or (places[0] >= 0 and places[-1] < width and (np.diff(places) > 0).all()):
                cells[places] = np.frombuffer(self.data, dtype=np.float64, offset=begin + 4 * count)
                return cells
        raise StoreError("a part of the log is damaged: restore a backup")


def rows_of(entry: bytes) -> Iterator[LoggedRow]:
    """The rows of an entry, in the order in which they came.

    Raises:
        StoreError: It is damaged.
    """
    at = 0
    while at < len(entry):
        try:
            time_ms, frame, layout, count, size = _HEADER.unpack_from(entry, at)
        except struct.error as error:
            raise StoreError("a part of the log is damaged: restore a backup") from error
        end = at + _HEADER.size + size
        if size < 0 or count < 0 or end > len(entry):
            raise StoreError("a part of the log is damaged: restore a backup")
        yield LoggedRow(frame, time_ms, layout, entry[at:end])
        at = end


@dataclass(slots=True)
class _Entry:
    """How many rows it has, how many of them are needed, and its bytes."""

    rows: int
    needed: int
    size: int


@dataclass(frozen=True)
class Trimming:
    """What can go when the rows of a frame up to a time are sealed: so many of its rows, and layouts."""

    frame: int
    until_ms: int
    rows: int
    layouts: list[int]


class LogBook:
    """Which entries hold which rows: what is needed to know when an entry can go.

    Args:
        page_bytes: Of the file.

    Attributes:
        size: Bytes that all entries take in the file, about.
    """

    def __init__(self, page_bytes: int) -> None:
        self.size = 0
        self._page_bytes = page_bytes
        self._times: dict[int, array[int]] = {}
        self._of: dict[int, array[int]] = {}
        self._layouts: dict[int, list[tuple[int, int]]] = {}
        """By frame: layouts, and the time of the first row of each."""
        self._entries: dict[int, _Entry] = {}
        self._due: dict[int, None] = {}
        """Entries that should go, or be written anew."""

    def add(self, number: int, rows: Iterable[LoggedRow], size: int, passed_over: int = 0) -> None:
        """Remember an entry.

        Args:
            number: Its number.
            rows: Those of its rows that are needed.
            size: Bytes of its data.
            passed_over: How many others it has.
        """
        needed = 0
        for frame, time_ms, layout, _ in rows:
            times = self._times.get(frame)
            if times is None:
                times = self._times[frame] = array("q")
                self._of[frame] = array("q")
            times.append(time_ms)
            self._of[frame].append(number)
            layouts = self._layouts.setdefault(frame, [])
            if not layouts or layouts[-1][0] != layout:
                layouts.append((layout, time_ms))
            needed += 1
        entry = self._entries[number] = _Entry(needed + passed_over, needed, self._taken(size))
        self.size += entry.size
        self._look_at(number)

    def trimming(self, frame: int, until_ms: int) -> Trimming:
        """What can go when rows of a frame up to this time are in a block; nothing is changed yet."""
        rows = bisect_right(self._times.get(frame, ()), until_ms)
        layouts = self._layouts.get(frame, [])
        unused = sum(first <= until_ms for _, first in layouts[1:])
        return Trimming(frame, until_ms, rows, [layout for layout, _ in layouts[:unused]])

    def apply(self, trimming: Trimming) -> None:
        """Those rows are not needed any more."""
        frame = trimming.frame
        if frame in self._times:
            for number, count in Counter(self._of[frame][: trimming.rows]).items():
                self._entries[number].needed -= count
                self._look_at(number)
            del self._of[frame][: trimming.rows]
            del self._times[frame][: trimming.rows]
            del self._layouts[frame][: len(trimming.layouts)]

    def forget(self, frame: int) -> None:
        """A frame has ended."""
        self.apply(self.trimming(frame, FOREVER_MS))
        for held in (self._times, self._of, self._layouts):
            held.pop(frame, None)

    def take_layouts_of_sealed(self) -> list[int]:
        """The layouts of frames that have no row left; rows that come must have others."""
        found = []
        for frame, layouts in self._layouts.items():
            if not self._times[frame]:
                found += [layout for layout, _ in layouts]
                layouts.clear()
        return found

    def due(self, most_bytes: int, after: Trimming | None = None) -> tuple[list[int], list[int]]:
        """Entries that can go, and such as should be written anew; together not much more than so many bytes.

        Args:
            most_bytes: How much at once.
            after: What is about to be applied.
        """
        left = Counter(self._of[after.frame][: after.rows]) if after and after.frame in self._of else Counter()
        gone, thin, size = [], [], 0
        for number in dict.fromkeys([*self._due, *left]):
            entry = self._entries[number]
            needed = entry.needed - left[number]
            if not needed:
                gone.append(number)
            elif needed <= entry.rows * _LEFT:
                thin.append(number)
            size += entry.size
            if size > most_bytes:
                break
        return gone, thin

    def needed(self, rows: Iterable[LoggedRow], after: Trimming | None = None) -> list[LoggedRow]:
        """Those of an entry's rows that are needed."""
        return [row for row in rows if row.time_ms >= self._oldest(row.frame, after)]

    def settled(self, gone: Iterable[int], thinned: Iterable[tuple[int, int]]) -> None:
        """Entries are gone; others have so many bytes now, and only rows that are needed."""
        for number in gone:
            self.size -= self._entries.pop(number).size
            self._due.pop(number, None)
        for number, size in thinned:
            entry = self._entries[number]
            self.size -= entry.size
            entry.size, entry.rows = self._taken(size), entry.needed
            self.size += entry.size
            self._due.pop(number, None)

    def spread(self) -> tuple[int, int, int]:
        """How many rows are needed, and the oldest and the newest time of them; 0 where there is none."""
        held = [times for times in self._times.values() if times]
        rows = sum(len(set(times)) for times in held)
        return rows, min((times[0] for times in held), default=0), max((times[-1] for times in held), default=0)

    def _taken(self, size: int) -> int:
        """What data take in the file: what is long fills whole pages beside the tree's."""
        return size + (self._page_bytes if 4 * size > self._page_bytes else 100)

    def _oldest(self, frame: int, after: Trimming | None) -> int:
        times = self._times.get(frame, ())
        first = after.rows if after is not None and after.frame == frame else 0
        return times[first] if first < len(times) else FOREVER_MS

    def _look_at(self, number: int) -> None:
        entry = self._entries[number]
        if entry.needed <= entry.rows * _LEFT:
            self._due[number] = None
