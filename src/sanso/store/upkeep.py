"""Upkeep of a store's file, a piece at a time: its limit of bytes, compaction, deletions, integrity."""

from __future__ import annotations

import itertools
import logging
from dataclasses import dataclass
from typing import Any

from sanso.model.errors import StoreError
from sanso.store.blocks import Block
from sanso.store.coarse import coarse
from sanso.store.columns import BlockColumns, Index, read_index
from sanso.store.compaction import LONGEST_COARSE_ROWS, LONGEST_ROWS, Stored, due, merged, without_deleted
from sanso.store.disk import Disk
from sanso.store.integrity import problems
from sanso.store.limits import Limits
from sanso.store.pace import Pace
from sanso.store.packs import packing, without
from sanso.store.reading import Reading
from sanso.store.tombstones import Tombstones
from sanso.store.turns import Turns

_log = logging.getLogger(__name__)
_NEARLY_FULL, _ROOM_AGAIN = 0.9, 0.75
"""Of the limit: from where the oldest blocks go, and until where."""
_COARSE_SHARE = 0.25
"""Of all cells: more than that coarse samples may not be where bytes are short."""
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
    """Works on the file of a `Disk`: reads beside the writer, and takes short turns of his.

    Args:
        disk: Whose file.
        turns: The writer's.
        reading: What series and deletions there are.
        limits: What may stay.

    Attributes:
        dropped: Blocks dropped so far, none in their place.
    """

    def __init__(self, disk: Disk, turns: Turns, reading: Reading, limits: Limits) -> None:
        self._disk = disk
        self._turns = turns
        self._reading = reading
        self._limits = limits
        self._ask = disk.readers.ask
        self.dropped = 0
        if limits.max_bytes:
            self._limit(limits.max_bytes)

    def shrink(self, pace: Pace, *, full: bool = False) -> int:
        """Where the file is near its limit, drop the oldest blocks; how many. Of raw ones, coarse samples stay.

        Args:
            pace: How fast.
            full: Something did not fit: it is near enough.
        """
        most = self._disk.most_bytes
        if not most or (not full and self._used_bytes() < most * _NEARLY_FULL):
            return 0
        dropped = 0
        while self._used_bytes() > most * _ROOM_AGAIN:
            oldest = self._oldest()
            if oldest is None or not self._drop(*oldest, pace):
                break
            dropped += 1
        if dropped:
            _log.warning("history is at its limit of bytes: the oldest %d blocks were dropped", dropped)
        elif full and self._used_bytes() > most * _NEARLY_FULL:
            dropped = self._drop_rows()
        if dropped:
            self.give_back()
        return dropped

    def expire(self, now_ms: int, pace: Pace) -> None:
        """Drop what is older than it may be, raw samples to be coarse from then on; a piece of it where it is much."""
        cells = 0
        oldest_raw = now_ms - self._limits.retention_ms
        question = "select id, rows * columns from blocks where tier = 0 and last < ? order by last"
        for block, size in self._ask(question, (oldest_raw,)):
            cells += size
            if not self._drop(block, 0, pace) or cells > _MOST_CELLS:
                break
        for (tier,) in self._ask("select distinct tier from blocks where tier > 0"):
            if tier not in self._limits.tiers:
                _log.warning("samples of %d ms are dropped: that resolution is no longer configured", tier)
            oldest = now_ms - self._limits.tiers.get(tier, 0)
            for (block,) in self._ask("select id from blocks where tier = ? and last < ?", (tier, oldest)):
                self._drop(block, tier, pace)
        self._turns.vacuum(_SPARE, pace)

    def pack(self, pace: Pace, *, all_of_them: bool = False) -> None:
        """Pack the catalogue's new series, where there are many, or all of them."""
        with self._disk.readers.reading() as connection:
            steps = packing(connection, 1 if all_of_them else _FEWEST_PACKED)
        self._turns.each(steps, pace)

    def drop_layouts(self) -> None:
        """Forget the layouts of frames that have no rows in the log; rows that come must have others."""
        unused = self._disk.log.take_layouts_of_sealed()
        self._turns.transact([("delete from layouts where id = ?", (layout,)) for layout in unused])

    def forget(self, dead: set[int]) -> None:
        """Take forgotten series out of the packs."""
        try:
            with self._disk.readers.reading() as connection:
                statements = without(connection, dead)
            self._turns.transact(statements)
        except StoreError as error:
            _log.warning("forgotten series stay in the catalogue: %s", error)

    def give_back(self) -> None:
        """Give free pages and the write-ahead log back to the file system."""
        with self._turns.taken():
            self._disk.connection.executescript("pragma incremental_vacuum")  # `execute` would free one page only
            self._disk.connection.execute("pragma wal_checkpoint(truncate)").fetchall()

    def compact(self, pace: Pace, *, all_of_them: bool = False) -> bool:
        """Make one long block of short ones, where there are enough of them; whether there were."""
        rows = self._ask("select frame, tier, id, rows, first, last from blocks order by frame, tier, first")
        for (frame, tier), group in itertools.groupby(rows, key=lambda row: row[:2]):
            longest = LONGEST_COARSE_ROWS if tier else LONGEST_ROWS
            run = due([Stored(*row[2:]) for row in group], all_of_them=all_of_them, longest=longest)
            if run and self._may_be_merged(run):
                return self._merge(frame, tier, run, pace)
        return False

    def _may_be_merged(self, run: list[Stored]) -> bool:
        """Whether what is merged fits into the write-ahead log, where there is a limit."""
        if not self._disk.most_log_bytes:
            return True
        question = "select sum(length(data)) from pieces where id between ? and ?"
        sizes = (self._one(question, (old.id << 20, (old.id + 1 << 20) - 1)) for old in run)
        return sum(size or 0 for size in sizes) < self._disk.most_log_bytes // 2

    def _merge(self, frame: int, tier: int, run: list[Stored], pace: Pace) -> bool:
        block = merged([self._columns(each.id) for each in run], pace, coarse=bool(tier))
        span = (run[0].first, run[-1].last)
        return self._turns.swap([(frame, tier, span, block)], [old.id for old in run], pace)

    def clean(self, pace: Pace) -> None:
        """Write every block anew that holds something deleted, and forget the deletions that there were."""
        tombstones, changes = self._reading.tombstones, self._reading.tombstones.changes
        for number, frame, tier, first, last in self._ask("select id, frame, tier, first, last from blocks"):
            block = without_deleted(self._columns(number), tombstones, pace, coarse=bool(tier))
            if block is not None and not self._turns.swap([(frame, tier, (first, last), block)], [number], pace):
                return
        with self._turns.taken():
            if changes == tombstones.changes and self._disk.transact([("delete from tombstones", ())]):
                self._reading.tombstones = Tombstones()

    def _drop(self, number: int, tier: int, pace: Pace) -> bool:
        """Drop a block; of a raw one its coarse samples are made first."""
        tombstones, changes = self._reading.tombstones, self._reading.tombstones.changes

        def unchanged() -> bool:
            return tombstones is self._reading.tombstones and changes == tombstones.changes

        made = [] if tier else self._coarse(number, tombstones, pace)
        self.dropped += not made
        return self._turns.swap(made, [number], pace, holds=unchanged)

    def _drop_rows(self) -> int:
        """Where rows that are not sealed are all there is: drop the oldest quarter of the largest head; how many."""
        with self._turns.taken():
            number, head = max(self._reading.heads.items(), key=lambda pair: pair[1].view.size)
            rows = head.view.rows // 4
            if not rows:
                return 0
            trimming = self._disk.log.trimming(number, int(head.view.timeline[rows - 1]))
            cut = self._turns.trimmed(trimming, at_once=True)
            if not self._disk.transact(cut.statements):
                return 0
            cut.done()
            head.drop(rows, sealed=False)
        self.dropped += 1
        _log.warning("history is at its limit of bytes: the oldest %d rows were dropped", rows)
        return rows

    def _coarse(self, number: int, tombstones: Tombstones, pace: Pace) -> list[tuple[int, int, tuple[int, int], Block]]:
        """The coarse blocks of a raw one."""
        made: list[tuple[int, int, tuple[int, int], Block]] = []
        found = self._disk.readers.ask_one("select frame, first, last from blocks where id = ?", (number,))
        if found is None:
            return []
        frame, first, last = found
        leaders = self._reading.catalog.leaders(frame)
        for resolution_ms, kept_ms in self._limits.tiers.items():
            if kept_ms <= self._limits.retention_ms:
                continue
            try:
                block = coarse(self._columns(number), tombstones, leaders, resolution_ms, pace)
            except StoreError as error:
                _log.warning("block %d has no coarse samples: %s", number, error)
                return []
            if block.columns:
                made.append((frame, resolution_ms, (first, last), block))
        return made

    def _oldest(self) -> tuple[int, int] | None:
        """The block to give up first, and its resolution: a coarse one where those are more than their share."""
        held = dict(self._ask("select tier > 0, sum(rows * columns) from blocks group by 1"))
        coarse_first = held.get(1, 0) > _COARSE_SHARE * sum(held.values())
        order = "tier = 0, last, id" if coarse_first else "tier > 0, last, id"
        found: tuple[int, int] | None = self._disk.readers.ask_one(
            f"select id, tier from blocks order by {order} limit 1"
        )
        return found

    def _columns(self, number: int) -> tuple[Index, BlockColumns]:
        """A block that is read a piece at a time: no reading lasts, so the write-ahead log can be emptied."""
        with self._disk.readers.reading() as connection:
            index = read_index(connection, number)
        return index, BlockColumns(self._disk.readers.ask_one, number, index)

    def problems(self) -> list[str]:
        """What is wrong with the file; empty where nothing is."""
        with self._disk.readers.reading() as connection:
            return list(problems(connection))

    def spread(self) -> Spread:
        """How the file is made up."""
        with self._disk.readers.reading() as connection:
            (blocks, first, last) = connection.execute("select count(*), min(first), max(last) from blocks").fetchone()
        with self._turns.taken():
            logged, begin, end = self._disk.log.spread()
        oldest = min([*([first] if blocks else []), *([begin] if logged else [])], default=0)
        return Spread(blocks, logged, oldest, max(last or 0, end))

    def _limit(self, max_bytes: int) -> None:
        """Divide the limit between file and write-ahead log: SQLite itself refuses what goes beyond."""
        log_bytes = max_bytes // 8
        sql = self._disk.connection.execute
        self._disk.most_bytes = max_bytes - 2 * log_bytes
        sql(f"pragma max_page_count = {self._disk.most_bytes // self._disk.page_bytes}")
        sql(f"pragma wal_autocheckpoint = {max(log_bytes // self._disk.page_bytes // 2, 1)}")
        sql(f"pragma journal_size_limit = {log_bytes}")
        self._disk.most_log_bytes = log_bytes

    def _used_bytes(self) -> int:
        pages, free = (self._one(f"pragma {name}") for name in ("page_count", "freelist_count"))
        return int((pages - free) * self._disk.page_bytes)

    def _one(self, question: str, values: tuple[Any, ...] = ()) -> Any:
        return self._disk.readers.ask_one(question, values)[0]
