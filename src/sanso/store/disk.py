"""What the store writes to SQLite and reads back: the catalogue, the log, the blocks."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from sanso.model.frame import Family, Floats
from sanso.model.labels import Labels
from sanso.store.blocks import decode_index, encode
from sanso.store.head import View
from sanso.store.readers import Readers
from sanso.store.schema import FILE, open_file
from sanso.store.selection import Piece, from_blocks

_log = logging.getLogger(__name__)
INSERT_BLOCK = "insert into blocks (frame, first, last, rows, timeline, places, chunks) values (?, ?, ?, ?, ?, ?, ?)"
_MOST_WAITING = 20_000
"""Statements kept while the disk takes none: about half an hour of a machine at 1 s."""


class Disk:
    """One SQLite file: statements wait until `commit`, which writes them in one transaction.

    Attributes:
        connection: The writer's.
        readers: Others'.
        notice: Why the last commit failed; empty where it did not.
        lost: Rows given up because the disk took nothing for too long.
    """

    def __init__(self, directory: Path) -> None:
        self.notice = ""
        self.lost = 0
        self._path = directory / FILE
        self.connection = open_file(directory)
        self._waiting: list[tuple[str, tuple[Any, ...]]] = []
        self._layouts = int(self.connection.execute("select coalesce(max(id), 0) from layouts").fetchone()[0])
        self.readers = Readers(self._path)

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
        if not self.transact(self._waiting):
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
        return self.transact(
            [
                (INSERT_BLOCK, (frame, first, last, rows, block.timeline, block.index, block.chunks)),
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
        self.transact(
            [
                ("delete from blocks where last < ?", (oldest_ms,)),
                ("delete from log where time < ?", (oldest_ms,)),
                ("pragma incremental_vacuum(1000)", ()),
            ]
        )
        held: set[int] = set()
        for (index,) in self.connection.execute("select distinct places from blocks"):
            held.update(decode_index(index)[0].tolist())
        return held

    def add_tombstone(self, number: int, start_ms: int, end_ms: int) -> None:
        """Remember a deletion."""
        self._waiting.append(("insert into tombstones values (?, ?, ?)", (number, start_ms, end_ms)))

    def remove(self, series: Iterable[int], frames: Iterable[int]) -> None:
        """Forget series and frames of which nothing is left; rows of such a frame hold nothing either."""
        for number in series:
            self._waiting.append(("delete from series where id = ?", (number,)))
            self._waiting.append(("delete from tombstones where series = ?", (number,)))
        for number in frames:
            self._waiting.append(("delete from frames where id = ?", (number,)))
            self._waiting.append(("delete from log where frame = ?", (number,)))
            self._waiting.append(("delete from layouts where frame = ?", (number,)))

    def read(self, frame: int, wanted: list[int], start_ms: int, end_ms: int) -> list[Piece]:
        """The sealed part of a frame."""
        with self.readers.reading() as connection:
            return from_blocks(connection, frame, wanted, start_ms, end_ms)

    def size(self) -> tuple[int, int]:
        """Sealed cells, and bytes of the file."""
        index_bytes = "select coalesce(sum(rows * (length(places) - 4) / 12), 0) from blocks"
        with self.readers.reading() as connection:
            (cells,) = connection.execute(index_bytes).fetchone()
        return int(cells), self._path.stat().st_size

    def close(self) -> None:
        """Close every connection."""
        self.readers.close()
        self.connection.close()

    def transact(self, statements: Iterable[tuple[str, tuple[Any, ...]]]) -> bool:
        """Do all of it in one transaction, or nothing; whether it was done."""
        sql = self.connection.execute
        try:
            sql("begin immediate")
            for statement, values in statements:
                sql(statement, values)
            sql("commit")
        except sqlite3.OperationalError as error:
            if self.connection.in_transaction:
                sql("rollback")
            if not self.notice:
                _log.warning("history cannot be written (%s); going on in memory", error)
            self.notice = f"history cannot be written ({error}); going on in memory"
            return False
        if self.notice:
            _log.warning("history is written again")
        self.notice = ""
        return True
