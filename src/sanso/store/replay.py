"""Reading a store's file back: what was known, and the rows that are not sealed yet."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from sanso.model.frame import Family, Floats, Times
from sanso.model.labels import Labels
from sanso.store.log import LogBook, LoggedRow, rows_of
from sanso.store.packs import every_series

_MOST_ROWS, _MOST_BYTES = 256, 16 << 20
"""Rows put back at once, and what may wait until there are so many."""


@dataclass(frozen=True)
class Contents:
    """What a file holds besides rows: frames with their newest sealed time, series, families, states, deletions."""

    frames: list[tuple[int, str, int]]
    series: list[tuple[int, int, Labels]]
    families: dict[str, Family]
    states: dict[str, bytes]
    tombstones: list[tuple[int, int, int]]


def contents(connection: sqlite3.Connection) -> Contents:
    """What the file holds besides rows."""
    sql = connection.execute
    frames = sql("select id, name, sealed from frames").fetchall()
    series = list(every_series(connection))
    families = {row[0]: Family(*row) for row in sql("select * from families")}
    tombstones = sql("select series, first, last from tombstones").fetchall()
    return Contents(frames, series, families, dict(sql("select * from states").fetchall()), tombstones)


class Replay:
    """The rows that are not sealed yet, put back.

    Args:
        connection: To the file.
        log: Told of every entry.
        sealed: Until when each frame is sealed.

    Attributes:
        highest_frame: The highest number of a frame that is named; that frame may have ended.
    """

    def __init__(self, connection: sqlite3.Connection, log: LogBook, sealed: Mapping[int, int]) -> None:
        self._connection = connection
        self._log = log
        self._sealed = sealed
        self._runs: dict[int, list[LoggedRow]] = {}
        self._bytes = 0
        self.highest_frame = 0

    def rows(self) -> Iterator[tuple[int, Times, list[int], Floats]]:
        """In runs of one frame and layout: frame, times [T], series [N], cells [T, N]; a run may add to its first row.

        Rows that are in a block and still in the log are left out, and those of frames that have ended.

        Raises:
            StoreError: The log is damaged.
        """
        layouts = {
            number: np.frombuffer(series, dtype=np.int32).tolist()
            for number, series in self._connection.execute("select id, series from layouts")
        }
        for number, data in self._connection.execute("select id, data from log order by id"):
            needed, others = [], 0
            for row in rows_of(data):
                self.highest_frame = max(self.highest_frame, row.frame)
                if row.time_ms <= self._sealed.get(row.frame, row.time_ms):
                    others += 1
                    continue
                needed.append(row)
                yield from self._held_back(row, layouts)
            self._log.add(number, needed, len(data), others)
        for frame in list(self._runs):
            yield self._run(frame, layouts)

    def _held_back(
        self, row: LoggedRow, layouts: dict[int, list[int]]
    ) -> Iterator[tuple[int, Times, list[int], Floats]]:
        """Runs that end with this row, or before it, or because there is too much of them."""
        run = self._runs.get(row.frame)
        if run and (run[-1].layout != row.layout or run[-1].time_ms == row.time_ms or len(run) == _MOST_ROWS):
            yield self._run(row.frame, layouts)
        self._runs.setdefault(row.frame, []).append(row)
        self._bytes += len(row.data)
        if self._bytes > _MOST_BYTES:
            for frame in list(self._runs):
                yield self._run(frame, layouts)

    def _run(self, frame: int, layouts: dict[int, list[int]]) -> tuple[int, Times, list[int], Floats]:
        run = self._runs.pop(frame)
        self._bytes -= sum(len(row.data) for row in run)
        series = layouts[run[0].layout]
        cells = np.concatenate([row.cells(len(series)) for row in run]).reshape(len(run), len(series))
        return frame, np.array([row.time_ms for row in run], dtype=np.int64), series, cells
