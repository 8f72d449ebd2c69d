"""What the store writes to SQLite and reads back: the catalogue, the log, the blocks."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sanso.model.frame import Family, Floats
from sanso.model.labels import Labels, labels_of
from sanso.store.blocks import decode_index, encode
from sanso.store.head import View
from sanso.store.readers import Readers
from sanso.store.schema import FILE, open_file
from sanso.store.selection import Piece, from_blocks

_log = logging.getLogger(__name__)
_MOST_WAITING = 20_000
"""Statements kept while the disk takes none: about half an hour of a machine at 1 s."""


@dataclass(frozen=True)
class Contents:
    """What a file holds besides rows: frames with their newest sealed time, series, families, states."""

    frames: list[tuple[int, str, int]]
    series: list[tuple[int, int, Labels]]
    families: dict[str, Family]
    states: dict[str, bytes]


class Disk:
    """One SQLite file: statements wait until `commit`, which writes them in one transaction.

    Attributes:
        notice: Why the last commit failed; empty where it did not.
        lost: Rows given up because the disk took nothing for too long.
    """

    def __init__(self, directory: Path) -> None:
        self.notice = ""
        self.lost = 0
        self._path = directory / FILE
        self._connection = open_file(directory)
        self._waiting: list[tuple[str, tuple[Any, ...]]] = []
        self._layouts = int(self._connection.execute("select coalesce(max(id), 0) from layouts").fetchone()[0])
        self._readers = Readers(self._path)

    def add_frame(self, number: int, name: str) -> None:
        """Remember a frame."""
        self._waiting.append(("insert or ignore into frames values (?, ?)", (number, name)))

    def add_series(self, number: int, frame: int, labels: Labels) -> None:
        """Remember a series."""
        text = json.dumps(dict(labels), ensure_ascii=False)
        self._waiting.append(("insert or replace into series values (?, ?, ?)", (number, frame, text)))

    def add_layout(self, frame: int, series: list[int]) -> int:
        """Remember which series the cells of a row belong to; the number rows name it by."""
        self._layouts += 1
        cells = np.array(series, dtype=np.int32).tobytes()
        self._waiting.append(("insert into layouts values (?, ?, ?)", (self._layouts, frame, cells)))
        return self._layouts

    def add_row(self, frame: int, time_ms: int, layout: int, cells: Floats) -> None:
        """Log a row; the cells are those of its layout."""
        if len(self._waiting) >= _MOST_WAITING:
            self.lost += 1
            return
        statement = "insert or replace into log values (?, ?, ?, ?)"
        self._waiting.append((statement, (frame, time_ms, layout, cells.tobytes())))

    def add_family(self, family: Family) -> None:
        """Remember what a metric is."""
        values = (family.name, family.type, family.help, family.unit)
        self._waiting.append(("insert or replace into families values (?, ?, ?, ?)", values))

    def add_state(self, key: str, value: bytes) -> None:
        """Remember a state."""
        self._waiting.append(("insert or replace into states values (?, ?)", (key, value)))

    def commit(self) -> bool:
        """Write what waits, in one transaction; where the disk does not take it, it goes on waiting."""
        if not self._waiting:
            return True
        if not self._transact(self._waiting):
            return False
        self._waiting = []
        return True

    def seal(self, frame: int, view: View) -> bool:
        """Turn a head into a block, and trim the log of it, in one transaction."""
        if not self.commit():
            return False
        rows = view.rows
        block = encode(view.timeline[:rows], view.series, view.values[:rows])
        first, last = int(view.timeline[0]), int(view.timeline[rows - 1])
        insert = "insert into blocks (frame, first, last, rows, timeline, places, chunks) values (?, ?, ?, ?, ?, ?, ?)"
        return self._transact(
            [
                (insert, (frame, first, last, rows, block.timeline, block.index, block.chunks)),
                ("delete from log where frame = ? and time <= ?", (frame, last)),
                (
                    "delete from layouts where frame = ? and id not in (select max(id) from layouts where frame = ?)",
                    (frame, frame),
                ),
            ]
        )

    def prune(self, oldest_ms: int) -> set[int]:
        """Drop blocks and rows older than that; the series that still stand in blocks."""
        self.commit()
        self._transact(
            [
                ("delete from blocks where last < ?", (oldest_ms,)),
                ("delete from log where time < ?", (oldest_ms,)),
                ("pragma incremental_vacuum(1000)", ()),
            ]
        )
        held: set[int] = set()
        for (index,) in self._connection.execute("select distinct places from blocks"):
            held.update(decode_index(index)[0].tolist())
        return held

    def remove(self, series: Iterable[int], frames: Iterable[int]) -> None:
        """Forget series and frames of which nothing is left; rows of such a frame hold nothing either."""
        self._waiting.extend(("delete from series where id = ?", (number,)) for number in series)
        for number in frames:
            self._waiting.append(("delete from frames where id = ?", (number,)))
            self._waiting.append(("delete from log where frame = ?", (number,)))
            self._waiting.append(("delete from layouts where frame = ?", (number,)))

    def read(self, frame: int, wanted: list[int], start_ms: int, end_ms: int) -> list[Piece]:
        """The sealed part of a frame."""
        with self._readers.reading() as connection:
            return from_blocks(connection, frame, wanted, start_ms, end_ms)

    def load(self) -> Contents:
        """What the file holds besides rows."""
        sql = self._connection.execute
        newest = "select f.id, f.name, coalesce(max(b.last), -1) from frames f left join blocks b on b.frame = f.id"
        frames = sql(f"{newest} group by f.id, f.name").fetchall()
        series = [(n, frame, labels_of(json.loads(text))) for n, frame, text in sql("select * from series")]
        families = {row[0]: Family(*row) for row in sql("select * from families")}
        return Contents(frames, series, families, dict(sql("select * from states").fetchall()))

    def logged(self) -> Iterator[tuple[int, int, list[int], Floats]]:
        """Rows that are not sealed yet: frame, time, series numbers, cells."""
        layouts = {
            number: np.frombuffer(series, dtype=np.int32).tolist()
            for number, series in self._connection.execute("select id, series from layouts")
        }
        rows = self._connection.execute("select frame, time, layout, cells from log order by frame, time")
        for frame, time_ms, layout, cells in rows:
            yield frame, time_ms, layouts[layout], np.frombuffer(cells, dtype=np.float64)

    def size(self) -> tuple[int, int]:
        """Sealed cells, and bytes of the file."""
        index_bytes = "select coalesce(sum(rows * (length(places) - 4) / 12), 0) from blocks"
        with self._readers.reading() as connection:
            (cells,) = connection.execute(index_bytes).fetchone()
        return int(cells), self._path.stat().st_size

    def close(self) -> None:
        """Close every connection."""
        self._readers.close()
        self._connection.close()

    def _transact(self, statements: Iterable[tuple[str, tuple[Any, ...]]]) -> bool:
        sql = self._connection.execute
        try:
            sql("begin immediate")
            for statement, values in statements:
                sql(statement, values)
            sql("commit")
        except sqlite3.OperationalError as error:
            if self._connection.in_transaction:
                sql("rollback")
            if not self.notice:
                _log.warning("history cannot be written (%s); going on in memory", error)
            self.notice = f"history cannot be written ({error}); going on in memory"
            return False
        if self.notice:
            _log.warning("history is written again")
        self.notice = ""
        return True
