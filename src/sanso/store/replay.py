"""Reading a store's file back: what was known, and the rows that are not sealed yet."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sanso.model.frame import Family, Floats
from sanso.model.labels import Labels, labels_of


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
    series = [(n, frame, labels_of(json.loads(text))) for n, frame, text in sql("select * from series")]
    families = {row[0]: Family(*row) for row in sql("select * from families")}
    tombstones = sql("select series, first, last from tombstones").fetchall()
    return Contents(frames, series, families, dict(sql("select * from states").fetchall()), tombstones)


def logged(connection: sqlite3.Connection) -> Iterator[tuple[int, int, list[int], Floats]]:
    """Rows that are not sealed yet: frame, time, series numbers, cells."""
    layouts = {
        number: np.frombuffer(series, dtype=np.int32).tolist()
        for number, series in connection.execute("select id, series from layouts")
    }
    rows = connection.execute("select frame, time, layout, cells from log order by frame, time")
    for frame, time_ms, layout, cells in rows:
        yield frame, time_ms, layouts[layout], np.frombuffer(cells, dtype=np.float64)
