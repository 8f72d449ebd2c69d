"""What the store writes to SQLite and reads back: the catalogue, the log, the blocks."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sanso.store.blocks import Block, decode_index
from sanso.store.catalog import Group
from sanso.store.coarse import CODES, chosen, code_of, parts_in
from sanso.store.columns import Indices
from sanso.store.log import LogBook
from sanso.store.places import Numbers
from sanso.store.readers import Readers
from sanso.store.schema import FILE, open_file
from sanso.store.selection import Run, Span, block_run, counted
from sanso.store.waiting import Statement, Waiting

_log = logging.getLogger(__name__)
_INSERT_BLOCK = "insert into blocks values (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_CHECKPOINT_BYTES = 4 << 20
_MOST_LOG_BYTES = 16 << 20
_PROBE_BYTES = 1 << 16
"""What the disk must take before it is believed to be writable again."""


@dataclass(frozen=True)
class Insertion:
    """What adds a block: its number, the statement for itself and those for its pieces, which may go in before."""

    number: int
    row: Statement
    pieces: list[Statement]


class Disk:
    """One SQLite file: statements wait until `commit`, which writes them in one transaction.

    Where the disk takes nothing, rows do not wait here: they are in the heads, and are sealed from there when it does.

    Attributes:
        connection: The writer's.
        readers: Others'.
        log: What is where in the log.
        waiting: What the next commit writes.
        page_bytes: Of the file.
        notice: Why not everything that was appended is in the file; empty where it is.
        most_bytes: How long the file may be; 0 for any length.
        most_log_bytes: How long the write-ahead log may be before a transaction, and a transaction; 0 for any length.
    """

    def __init__(self, directory: Path) -> None:
        self.notice = ""
        self.most_bytes = self.most_log_bytes = 0
        self.path = directory / FILE
        self._log_path = directory / f"{FILE}-wal"
        self.connection = open_file(directory)
        (self.page_bytes,) = self.connection.execute("pragma page_size").fetchone()
        self.log = LogBook(self.page_bytes)
        self.waiting = Waiting(self._highest("layouts"), self._highest("log"), self.log)
        self._logged = 0
        self._clear_halves()
        self._blocks = max(self._highest("blocks"), self._highest("pieces") >> 20)
        self._indices = Indices()
        self.readers = Readers(self.path)

    def commit(self) -> bool:
        """Write what waits, in one transaction; where the disk takes it not, rows are given up: heads have them."""
        rows = self.waiting.take_rows(self.most_log_bytes // 4)
        if self.notice and not self._probed():
            return False
        for batch in self._batches([*self.waiting.facts(), *rows]):
            if not self.transact(batch):
                return False
        self.waiting.clear()
        return True

    def _batches(self, statements: list[Statement]) -> list[list[Statement]]:
        """The statements in transactions: one, but where a limit of bytes asks for shorter ones."""
        if not self.most_log_bytes:
            return [statements] if statements else []
        batches: list[list[Statement]] = []
        room = 0
        for statement, values in statements:
            size = 200 + sum(len(value) for value in values if isinstance(value, bytes | str))
            if size > room:
                batches.append([])
                room = self.most_log_bytes // 2
            batches[-1].append((statement, values))
            room -= size
        return batches

    def _probed(self) -> bool:
        """Whether the disk takes a little again: cheaper to ask than to seal everything and fail."""
        empty: Statement = ("delete from layouts where id = 0", ())
        return self.transact([empty, ("insert into layouts values (0, 0, zeroblob(?))", (_PROBE_BYTES,))]) and (
            self.transact([empty])
        )

    def insertion(self, frame: int, tier: int, span: tuple[int, int], block: Block) -> Insertion:
        """What adds a block; its number is never given again, so that what is known of it may be kept."""
        self._blocks += 1
        number = self._blocks
        values = (number, frame, tier, *span, block.rows, block.columns, block.timeline, block.index)
        pieces: list[Statement] = [
            ("insert into pieces values (?, ?)", ((number << 20) + place, piece))
            for place, piece in enumerate(block.pieces)
        ]
        return Insertion(number, (_INSERT_BLOCK, values), pieces)

    def most_rows(self, series: int) -> int:
        """How many rows of so many series may be sealed in one transaction; 0 for any number."""
        if not self.most_log_bytes or not series:
            return 0
        return max(self.most_log_bytes // 2 // (9 * series), 1)

    def checkpoint_beside(self) -> None:
        """Somebody calls `checkpoint`: whoever commits does so only where that comes not soon enough."""
        if not self.most_log_bytes:
            self.connection.execute(f"pragma wal_autocheckpoint = {_MOST_LOG_BYTES // self.page_bytes}")

    def log_is_long(self) -> bool:
        """Whether the write-ahead log should be brought into the file."""
        return bool(self._logged * self.page_bytes >= _CHECKPOINT_BYTES)

    def checkpoint(self) -> None:
        """Bring the write-ahead log into the file where it is long; writers may go on meanwhile."""
        if not self.log_is_long():
            return
        self._logged = 0
        with self.readers.idle() as connection, contextlib.suppress(sqlite3.OperationalError):
            connection.execute("pragma wal_checkpoint(passive)").fetchall()

    def series_held(self) -> set[int]:
        """The series that stand in blocks."""
        found = [np.empty(0, dtype=np.int64)]
        for tier, index in self.readers.ask("select distinct tier, places from blocks"):
            numbers = decode_index(index)[0]
            found.append(np.unique(numbers // CODES) if tier else numbers)
        return set(np.unique(np.concatenate(found)).tolist())

    @contextmanager
    def reading(self, group: Group, span: Span) -> Iterator[tuple[list[Run], int]]:
        """The sealed part of a frame's series in a span, oldest first, and its coarsest resolution; 0 for raw.

        The runs can be filled while this lasts.
        """
        with self.readers.reading() as connection:
            blocks = _blocks_in(connection, group.frame, span.start_ms, span.end_ms)
            runs, coarse_ms = [], 0
            for each in chosen(blocks, span.end_ms, span.step_ms):
                index = self._indices.of(connection, each.block)
                if each.tier:
                    columns = parts_in(index, code_of(group.numbers, span.part))
                else:
                    columns = index.places.of(group.numbers)
                run = block_run(connection, each.block, index, columns, (span.start_ms, each.until_ms))
                if len(run.times):
                    coarse_ms = max(coarse_ms, each.tier)
                    ones = span.part == "count" and not each.tier
                    runs.append(counted(run) if ones else run)
            yield runs, coarse_ms

    def sealed_series(self, frame: int, start_ms: int, end_ms: int) -> Numbers:
        """The series that blocks of this span have."""
        found = [np.empty(0, dtype=np.int64)]
        with self.readers.reading() as connection:
            for block, tier, _ in _blocks_in(connection, frame, start_ms, end_ms):
                numbers = self._indices.of(connection, block).places.numbers
                found.append(numbers // CODES if tier else numbers)
        return np.unique(np.concatenate(found))

    def size(self) -> tuple[int, int]:
        """Sealed cells, and bytes of the file."""
        with self.readers.reading() as connection:
            counted_cells = "select coalesce(sum(rows * columns), 0) from blocks where tier = 0"
            (cells,) = connection.execute(counted_cells).fetchone()
        return int(cells), self.path.stat().st_size

    def close(self) -> None:
        """Close every connection."""
        self.readers.close()
        self.connection.close()

    def transact(self, statements: Iterable[Statement]) -> bool:
        """Do all of it in one transaction, or nothing; whether it was done."""
        sql = self.connection.execute
        if self.most_log_bytes and not self._log_fits():
            self.say("history is near its limit of bytes while a long reading lasts; going on in memory")
            return False
        try:
            sql("begin immediate")
            for statement, values in statements:
                sql(statement, values)
                self._logged += self._pages(values)
            sql("commit")
        except sqlite3.OperationalError as error:
            if self.connection.in_transaction:
                sql("rollback")
            self.say(f"history cannot be written ({error}); going on in memory")
            return False
        return True

    def _pages(self, values: tuple[Any, ...]) -> int:
        """About how many pages a statement writes: the tree's, and those of what is too long for it."""
        return int(2 + sum(len(value) for value in values if isinstance(value, bytes)) // self.page_bytes)

    def say(self, notice: str) -> None:
        """Tell the user, and the log where it is news; empty when everything that was appended is in the file."""
        if notice and not self.notice:
            _log.warning("%s", notice)
        if self.notice and not notice:
            _log.warning("history is written again")
        self.notice = notice

    def _log_fits(self) -> bool:
        """Whether the write-ahead log is short; where it is not, it is brought into the file first, if nobody reads."""
        if self._log_bytes() > self.most_log_bytes:
            self.connection.execute("pragma busy_timeout = 20")
            self.connection.execute("pragma wal_checkpoint(truncate)").fetchall()
            self.connection.execute("pragma busy_timeout = 5000")
        return self._log_bytes() <= self.most_log_bytes

    def _log_bytes(self) -> int:
        return self._log_path.stat().st_size if self._log_path.exists() else 0

    def _clear_halves(self) -> None:
        """Take out the pieces of a block that was being written when the process ended."""
        self.transact([("delete from pieces where id >= ?", (self._highest("blocks") + 1 << 20,))])

    def _highest(self, table: str) -> int:
        return int(self.connection.execute(f"select coalesce(max(id), 0) from {table}").fetchone()[0])


def _blocks_in(connection: sqlite3.Connection, frame: int, start_ms: int, end_ms: int) -> list[tuple[int, int, int]]:
    question = "select id, tier, first from blocks where frame = ? and last >= ? and first <= ? order by last"
    return connection.execute(question, (frame, start_ms, end_ms)).fetchall()
