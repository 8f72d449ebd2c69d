"""Upkeep of a store's file, a piece at a time: its limit of bytes, compaction, deletions, integrity."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from sanso.model.errors import StoreError
from sanso.store.coarse import coarse
from sanso.store.columns import BlockColumns, Index, read_index
from sanso.store.compaction import LONGEST_COARSE_ROWS, LONGEST_ROWS, Stored, due, merged, without_deleted
from sanso.store.disk import Disk
from sanso.store.head import Head, View
from sanso.store.integrity import problems
from sanso.store.limits import Limits
from sanso.store.packs import packing, without
from sanso.store.reading import Reading
from sanso.store.tombstones import Tombstones
from sanso.store.waiting import Statement

_log = logging.getLogger(__name__)
_NEARLY_FULL, _ROOM_AGAIN = 0.9, 0.75
"""Of the limit: from where the oldest blocks go, and until where."""
_COARSE_SHARE = 0.25
"""Of all cells: more than that coarse samples may not be where bytes are short."""
_LOG_SHARE = 0.25
"""Of the limit: what rows that are not sealed may take."""
_FEWEST_PACKED = 500
_SPARE = 8
"""One page in so many may be free before some are given back: what comes next needs them."""
_MOST_CELLS = 10_000_000
"""Raw cells made coarse at once: two long blocks of 1,000 series."""


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
        reading: What series and deletions there are.
        limits: What may stay.

    Attributes:
        dropped: Blocks dropped so far, none in their place.
    """

    def __init__(self, disk: Disk, reading: Reading, limits: Limits) -> None:
        self._disk = disk
        self._reading = reading
        self._limits = limits
        self._sql = disk.connection.execute
        self._page_bytes = int(self._sql("pragma page_size").fetchone()[0])
        self._most_bytes = 0
        self.dropped = 0
        if limits.max_bytes:
            self._limit(limits.max_bytes)

    def shrink(self, *, full: bool = False) -> int:
        """Where the file is near its limit, drop the oldest blocks; how many. Of raw ones, coarse samples stay.

        Args:
            full: Something did not fit: it is near enough.
        """
        if not self._most_bytes or (not full and self._used_bytes() < self._most_bytes * _NEARLY_FULL):
            return 0
        dropped = 0
        while self._used_bytes() > self._most_bytes * _ROOM_AGAIN:
            oldest = self._oldest()
            if oldest is None or not self._drop(*oldest):
                break
            dropped += 1
        if dropped:
            _log.warning("history is at its limit of bytes: the oldest %d blocks were dropped", dropped)
            self.give_back()
        return dropped

    def expire(self, now_ms: int) -> None:
        """Drop what is older than it may be, raw samples to be coarse from then on; a piece of it where it is much."""
        cells = 0
        oldest_raw = now_ms - self._limits.retention_ms
        question = "select id, rows * columns from blocks where tier = 0 and last < ? order by last"
        for block, size in self._sql(question, (oldest_raw,)).fetchall():
            cells += size
            if not self._drop(block, 0) or cells > _MOST_CELLS:
                break
        gone: list[Statement] = [("delete from log where time < ?", (oldest_raw,))]
        known = {0, *self._limits.tiers}
        for (tier,) in self._sql("select distinct tier from blocks where tier > 0").fetchall():
            kept_ms = self._limits.tiers.get(tier, 0)
            old = (tier, now_ms - kept_ms)
            self.dropped += self._sql("select count(*) from blocks where tier = ? and last < ?", old).fetchone()[0]
            gone.append(("delete from blocks where tier = ? and last < ?", old))
            if tier not in known:
                _log.warning("samples of %d ms are dropped: that resolution is no longer configured", tier)
        self._disk.transact(gone)
        pages, free = (self._sql(f"pragma {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
        if free > pages // _SPARE:
            self._disk.connection.executescript("pragma incremental_vacuum(4000)")

    def pack(self, *, all_of_them: bool = False) -> None:
        """Pack the catalogue's new series, where there are many; all of them: and forget layouts that no row names."""
        statements = packing(self._disk.connection, 1 if all_of_them else _FEWEST_PACKED)
        if all_of_them:
            statements.append(("delete from layouts where id not in (select layout from log)", ()))
        if statements:
            self._disk.transact(statements)

    def forget(self, dead: set[int]) -> None:
        """Take forgotten series out of the packs."""
        try:
            self._disk.transact(without(self._disk.connection, dead))
        except StoreError as error:
            _log.warning("forgotten series stay in the catalogue: %s", error)

    def give_back(self) -> None:
        """Give free pages and the write-ahead log back to the file system."""
        self._disk.connection.executescript("pragma incremental_vacuum")  # `execute` would free one page only
        self._sql("pragma wal_checkpoint(truncate)").fetchall()

    def compact(self, *, all_of_them: bool = False) -> bool:
        """Make one long block of short ones, where there are enough of them; whether there were."""
        question = "select frame, tier, id, rows, first, last from blocks order by frame, tier, first"
        rows = self._sql(question).fetchall()
        for (frame, tier), group in itertools.groupby(rows, key=lambda row: row[:2]):
            longest = LONGEST_COARSE_ROWS if tier else LONGEST_ROWS
            run = due([Stored(*row[2:]) for row in group], all_of_them=all_of_them, longest=longest)
            if run and self._may_be_merged(run):
                return self._merge(frame, tier, run)
        return False

    def _may_be_merged(self, run: list[Stored]) -> bool:
        """Whether what is merged fits into the write-ahead log, where there is a limit."""
        if not self._disk.most_log_bytes:
            return True
        question = "select sum(length(data)) from pieces where id between ? and ?"
        sizes = (self._sql(question, (old.id << 20, (old.id + 1 << 20) - 1)).fetchone()[0] for old in run)
        return sum(size or 0 for size in sizes) < self._disk.most_log_bytes // 2

    def _merge(self, frame: int, tier: int, run: list[Stored]) -> bool:
        block = merged([self._columns(each.id) for each in run], coarse=bool(tier))
        deletions: list[Statement] = [("delete from blocks where id = ?", (old.id,)) for old in run]
        span = (run[0].first, run[-1].last)
        return self._disk.transact([*deletions, *self._disk.insertion(frame, tier, span, block)])

    def clean(self, tombstones: Tombstones) -> bool:
        """Write every block anew that holds something deleted, and forget the deletions."""
        for number, frame, tier, *span in self._sql("select id, frame, tier, first, last from blocks").fetchall():
            block = without_deleted(*self._columns(number), tombstones, coarse=bool(tier))
            if block is not None:
                gone: Statement = ("delete from blocks where id = ?", (number,))
                if not self._disk.transact([gone, *self._disk.insertion(frame, tier, (span[0], span[1]), block)]):
                    return False
        return self._disk.transact([("delete from tombstones", ())])

    def _drop(self, number: int, tier: int) -> bool:
        """Drop a block; of a raw one its coarse samples are made first."""
        made = [] if tier else self._coarse(number)
        self.dropped += not made
        return self._disk.transact([("delete from blocks where id = ?", (number,)), *made])

    def _coarse(self, number: int) -> list[Statement]:
        """What adds the coarse blocks of a raw one."""
        made: list[Statement] = []
        frame, *span = self._sql("select frame, first, last from blocks where id = ?", (number,)).fetchone()
        leaders = self._reading.catalog.leaders(frame)
        for resolution_ms, kept_ms in self._limits.tiers.items():
            if kept_ms <= self._limits.retention_ms:
                continue
            try:
                block = coarse(*self._columns(number), self._reading.tombstones, leaders, resolution_ms)
            except StoreError as error:
                _log.warning("block %d has no coarse samples: %s", number, error)
                return []
            if block.columns:
                made += self._disk.insertion(frame, resolution_ms, (span[0], span[1]), block)
        return made

    def _oldest(self) -> tuple[int, int] | None:
        """The block to give up first, and its resolution: a coarse one where those are more than their share."""
        held = dict(self._sql("select tier > 0, sum(rows * columns) from blocks group by 1").fetchall())
        coarse_first = held.get(1, 0) > _COARSE_SHARE * sum(held.values())
        order = "tier = 0, last, id" if coarse_first else "tier > 0, last, id"
        found: tuple[int, int] | None = self._sql(f"select id, tier from blocks order by {order} limit 1").fetchone()
        return found

    def _columns(self, number: int) -> tuple[Index, BlockColumns]:
        index = read_index(self._disk.connection, number)
        return index, BlockColumns(self._disk.connection, number, index)

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
        self._disk.most_log_bytes = log_bytes

    def crowded(self, heads: Iterable[Head]) -> bool:
        """Whether rows that are not sealed need more of the limit than is theirs: sealed they take a tenth of it."""
        if not self._most_bytes:
            return False
        return sum(self._logged_bytes(head.view) for head in heads) > self._most_bytes * _LOG_SHARE

    def _logged_bytes(self, view: View) -> int:
        """What a head's rows take in the log; a long one fills whole pages beside the tree's."""
        row = 8 * len(view.series)
        return int(view.rows) * (row + (self._page_bytes if 4 * row > self._page_bytes else 100))

    def most_rows(self, series: int) -> int:
        """How many rows of so many series may be sealed in one transaction; 0 for any number."""
        if not self._disk.most_log_bytes or not series:
            return 0
        return max(self._disk.most_log_bytes // 2 // (9 * series), 1)

    def _used_bytes(self) -> int:
        pages, free = (self._sql(f"pragma {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
        return int(pages - free) * self._page_bytes
