"""Reading a store's file back: what was known, and the rows that are not sealed yet."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sanso.model.frame import Family, Floats, Times
from sanso.model.labels import Labels
from sanso.store.packs import every_series

_MOST_ROWS = 256
"""Rows put back at once."""


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
    newest = "select f.id, f.name, coalesce(max(b.last), -1) from frames f left join blocks b on b.frame = f.id"
    frames = sql(f"{newest} group by f.id, f.name").fetchall()
    series = list(every_series(connection))
    families = {row[0]: Family(*row) for row in sql("select * from families")}
    tombstones = sql("select series, first, last from tombstones").fetchall()
    return Contents(frames, series, families, dict(sql("select * from states").fetchall()), tombstones)


def logged(connection: sqlite3.Connection) -> Iterator[tuple[int, Times, list[int], Floats]]:
    """Rows that are not sealed yet, in runs of one frame and layout: frame, times [T], series [N], cells [T, N].

    Rows that are in a block and still in the log, because the process ended between the two, are left out.
    """
    layouts = {
        number: np.frombuffer(series, dtype=np.int32).tolist()
        for number, series in connection.execute("select id, series from layouts")
    }
    rows = connection.execute(
        "select frame, layout, time, cells from log "
        "where time > coalesce((select max(last) from blocks where blocks.frame = log.frame), -1) order by frame, time"
    )
    for (frame, layout), group in itertools.groupby(rows, key=lambda row: row[:2]):
        while run := list(itertools.islice(group, _MOST_ROWS)):
            series = layouts[layout]
            cells = np.frombuffer(b"".join(row[3] for row in run), dtype=np.float64)
            times = np.array([row[2] for row in run], dtype=np.int64)
            yield frame, times, series, cells.reshape(len(run), len(series))
