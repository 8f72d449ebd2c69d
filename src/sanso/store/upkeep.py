"""Upkeep of a store's file, a piece at a time: its limit of bytes, compaction, deletions, integrity."""

from __future__ import annotations

import itertools
import logging
from dataclasses import dataclass

from sanso.store.compaction import Parts, Stored, due, merged, without_deleted
from sanso.store.disk import Disk, Statement
from sanso.store.integrity import problems
from sanso.store.tombstones import Tombstones

_log = logging.getLogger(__name__)
_NEARLY_FULL, _ROOM_AGAIN = 0.9, 0.75
"""Of the limit: from where the oldest blocks go, and until where."""


@dataclass(frozen=True)
class Spread:
    """How a file is made up: blocks, rows not sealed yet, oldest and newest time (0 where there is none)."""

    blocks: int
    logged: int
    oldest_ms: int
    newest_ms: int


class Upkeep:
    """Works on the file of a `Disk`, on the writer's turn.

    Args:
        disk: Whose file.
        max_bytes: What file and write-ahead log together may take; 0 for no limit.
    """

    def __init__(self, disk: Disk, max_bytes: int = 0) -> None:
        self._disk = disk
        self._sql = disk.connection.execute
        self._page_bytes = int(self._sql("pragma page_size").fetchone()[0])
        self._most_bytes = 0
        if max_bytes:
            self._limit(max_bytes)

    def shrink(self) -> int:
        """Where the file is near its limit, drop the oldest blocks; how many."""
        if not self._most_bytes or self._used_bytes() < self._most_bytes * _NEARLY_FULL:
            return 0
        dropped = 0
        while self._used_bytes() > self._most_bytes * _ROOM_AGAIN:
            oldest = self._sql("select id from blocks order by last limit 16").fetchall()
            if not oldest or not self._disk.transact([("delete from blocks where id = ?", block) for block in oldest]):
                break
            dropped += len(oldest)
        if dropped:
            _log.warning("history is at its limit of bytes: the oldest %d blocks were dropped", dropped)
            self.give_back()
        return dropped

    def give_back(self) -> None:
        """Give free pages and the write-ahead log back to the file system."""
        self._sql("pragma incremental_vacuum").fetchall()
        self._sql("pragma wal_checkpoint(truncate)").fetchall()

    def compact(self, *, all_of_them: bool = False) -> bool:
        """Make one long block of short ones, where there are enough of them; whether there were."""
        rows = self._sql("select frame, id, rows, first, last from blocks order by frame, first").fetchall()
        for frame, group in itertools.groupby(rows, key=lambda row: row[0]):
            run = due([Stored(*row[1:]) for row in group], all_of_them=all_of_them)
            if run:
                return self._merge(frame, run)
        return False

    def _merge(self, frame: int, run: list[Stored]) -> bool:
        question = "select rows, timeline, places, chunks from blocks where id = ?"
        parts = [Parts(*self._sql(question, (block.id,)).fetchone()) for block in run]
        block = merged(parts)
        deletions: list[Statement] = [("delete from blocks where id = ?", (old.id,)) for old in run]
        return self._disk.transact([*deletions, self._disk.insertion(frame, (run[0].first, run[-1].last), block)])

    def clean(self, tombstones: Tombstones) -> bool:
        """Write every block anew that holds something deleted, and forget the deletions."""
        blocks = self._sql("select id, frame, first, last from blocks").fetchall()
        for number, frame, first, last in blocks:
            question = "select rows, timeline, places, chunks from blocks where id = ?"
            block = without_deleted(Parts(*self._sql(question, (number,)).fetchone()), tombstones)
            if block is not None:
                gone: Statement = ("delete from blocks where id = ?", (number,))
                if not self._disk.transact([gone, self._disk.insertion(frame, (first, last), block)]):
                    return False
        return self._disk.transact([("delete from tombstones", ())])

    def problems(self) -> list[str]:
        """What is wrong with the file; empty where nothing is."""
        with self._disk.readers.reading() as connection:
            return list(problems(connection))

    def spread(self) -> Spread:
        """How the file is made up."""
        with self._disk.readers.reading() as connection:
            (blocks, first, last) = connection.execute("select count(*), min(first), max(last) from blocks").fetchone()
            (logged, begin, end) = connection.execute("select count(*), min(time), max(time) from log").fetchone()
        oldest = min((time for time in (first, begin) if time is not None), default=0)
        return Spread(blocks, logged, oldest, max(last or 0, end or 0))

    def _limit(self, max_bytes: int) -> None:
        """Divide the limit between file and write-ahead log: SQLite itself refuses what goes beyond."""
        log_bytes = max_bytes // 8
        self._most_bytes = max_bytes - 2 * log_bytes
        self._sql(f"pragma max_page_count = {self._most_bytes // self._page_bytes}")
        self._sql(f"pragma wal_autocheckpoint = {max(log_bytes // self._page_bytes // 2, 1)}")
        self._sql(f"pragma journal_size_limit = {log_bytes}")

    def _used_bytes(self) -> int:
        pages, free = (self._sql(f"pragma {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
        return int(pages - free) * self._page_bytes
