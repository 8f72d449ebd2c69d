"""The store: frames in memory, a log that commits every tick, sealed blocks; one SQLite file, one writer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from sanso.model.frame import Family, Frame, Part, Row, is_absent
from sanso.model.labels import Labels
from sanso.model.matchers import Matcher
from sanso.store.background import Background
from sanso.store.disk import Disk
from sanso.store.frame_book import FrameBook
from sanso.store.head import Head
from sanso.store.late import Verdict, chosen
from sanso.store.limits import Limits, StoreStats
from sanso.store.lock import DirectoryLock
from sanso.store.pace import Pace
from sanso.store.pruning import Memory, Pruning
from sanso.store.reading import Reading
from sanso.store.replay import Replay, contents
from sanso.store.sealing import Sealer
from sanso.store.selection import Span
from sanso.store.states import States
from sanso.store.tombstones import Tombstones
from sanso.store.turns import Turns
from sanso.store.upkeep import Upkeep

_log = logging.getLogger(__name__)
_MOST_MEMORY_BYTES = 64 << 20
"""What heads may take while the disk takes nothing: about two hours of 1,000 series at 1 s."""


class Store:
    """`RowWriter` and `SeriesReader` in one. Several threads may read; writers take turns on their own.

    Attributes:
        states: Small named states, committed with the rows.
        upkeep: Integrity and what is done seldom; None in memory.
        lock: On the data directory; None in memory.
        notice: What the user should know about the store; empty where all is well.
    """

    def __init__(self, limits: Limits, disk: Disk | None = None, lock: DirectoryLock | None = None) -> None:
        self._limits = limits
        self._disk = disk
        self.states = States(disk, {})
        self.lock = lock
        self._reading = Reading(disk)
        self._writing = threading.RLock()
        self._tending = self._writing
        self._room = threading.Condition(self._writing)
        self._background: Background | None = None
        self._frames = FrameBook()
        self._memory = Memory(self._reading, self._frames, limits, self._writing)
        self.upkeep: Upkeep | None = None
        if disk is not None:
            turns = Turns(disk, self._writing)
            self.upkeep = Upkeep(disk, turns, self._reading, limits)
            self._sealer = Sealer(disk, turns, self._reading, limits)
            self._pruning = Pruning(self._memory, disk, self._sealer, self.upkeep, self._reading)
        self._families: dict[str, Family] = {}
        self._refused = self._lost = self._held_up = self._rounds = 0
        self._prune_ms: int | None = None
        self._grown = self._closed = False

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        retention_ms: int,
        head_rows: int = 600,
        max_bytes: int = 0,
        late_ms: int = 3_600_000,
        tiers: Mapping[int, int] | None = None,
    ) -> Store:
        """Open or make the store of a data directory, and put back what was committed.

        Args:
            directory: Where it lies.
            retention_ms: How long rows are kept.
            head_rows: Rows in memory before a frame is sealed.
            max_bytes: What the files together may take; 0 for no limit. The oldest goes first.
            late_ms: How much older than its series' newest a sample may be.
            tiers: Coarse copies that stay when rows go: how long, by resolution, both in ms.

        Raises:
            StoreBusyError: Another process holds the directory.
            StoreError: The file cannot be opened.
        """
        directory.mkdir(parents=True, exist_ok=True)
        lock = DirectoryLock(directory)
        try:
            limits = Limits(retention_ms, head_rows, max_bytes, late_ms, tiers or {})
            store = cls(limits, Disk(directory), lock)
        except BaseException:
            lock.close()
            raise
        store._replay()
        return store

    @classmethod
    def in_memory(cls, *, retention_ms: int, head_rows: int = 600, late_ms: int = 3_600_000) -> Store:
        """A store that keeps nothing beyond its process."""
        return cls(Limits(retention_ms, head_rows, 0, late_ms, {}))

    @property
    def notice(self) -> str:
        """What the user should know; empty where all is well."""
        return self._disk.notice if self._disk is not None else ""

    def append(self, frame: str, time_ms: int, row: Row, *, complete: bool = True) -> int:
        """As `RowWriter.append`."""
        with self._writing:
            number = self._frame(frame)
            head = self._reading.heads[number]
            if not row.columns.labels and not head.view.series:  # nothing there, and nothing that could end
                return 0
            if time_ms > head.newest_ms or (not complete and head.has_room(time_ms, row)):
                self._write(number, time_ms, row, complete=complete)
                return 0
            return self._append_late(frame, time_ms, row)

    def commit(self) -> None:
        """As `RowWriter.commit`; also seals heads that are long enough, or that the log lacks rows of.

        Afterwards `notice` is empty where everything that was appended is in the file. Where there is more in memory
        than may be, it waits until some of it is sealed.
        """
        with self._writing:
            if self._disk is None or self.upkeep is None:
                return
            self.upkeep.shrink(Pace())
            written = self._settle()
            if not written and self.upkeep.shrink(Pace(), full=True):
                written = self._settle()
            if written and self._background is None:
                self._tend(Pace())
            if written and not self._sealer.stuck:
                self._disk.say("")
            else:
                self._fit_memory()
            if written and self._background is not None and self._work_is_due():
                self._background.wake()
                self._wait_for_room(self._background)

    def _work_is_due(self) -> bool:
        """Whether there may be something to seal or to bring into the file: waking a thread costs as much as a row."""
        assert self._disk is not None  # only called with one
        grown, self._grown = self._grown, False
        return grown or self._sealer.stuck or self._disk.most_bytes > 0 or self._disk.log_is_long()

    def tend_beside(self) -> None:
        """From now on a thread seals, merges and prunes; before, whoever commits or prunes did, before it returned."""
        if self._disk is None:
            return
        self._tending = threading.RLock()
        self._disk.checkpoint_beside()
        self._background = Background(self._tend, self._sealer.hurried)

    def _wait_for_room(self, background: Background) -> None:
        """Hold whoever writes faster than can be sealed, so that memory does not grow without end."""
        if not self._sealer.overfull():
            return
        self._held_up += 1
        rounds = self._rounds + 2  # one that has begun, and a whole one: what is left then cannot be sealed
        while self._sealer.overfull() and background.alive and not self._sealer.stuck and self._rounds < rounds:
            background.wake()
            self._room.wait(0.1)

    def _tend(self, pace: Pace) -> None:
        """Seal what is long enough, and prune where that was asked for."""
        assert self._disk is not None  # only called with one
        assert self.upkeep is not None
        with self._tending:
            self.upkeep.shrink(pace)
            if not self._sealer.tend(pace) and self.upkeep.shrink(pace, full=True):
                self._sealer.tend(pace)
            with self._room:
                self._rounds += 1
                self._room.notify_all()
            now_ms, self._prune_ms = self._prune_ms, None
            if now_ms is not None:
                self._pruning.prune(now_ms, pace, self._writing)
            if self._background is not None:
                self._disk.checkpoint()

    def describe(self, families: Iterable[Family]) -> None:
        """As `RowWriter.describe`."""
        with self._writing:
            for family in families:
                known = self._families.get(family.name)
                if known is not None and family.type == "unknown" and not family.help:
                    continue  # a federated page says nothing of what it tells: it replaces nothing
                if known != family:
                    self._families[family.name] = family
                    if self._disk is not None:
                        self._disk.waiting.add_family(family)

    def select(
        self,
        matchers: Sequence[Matcher],
        start_ms: int,
        end_ms: int,
        *,
        part: Part = "last",
        step_ms: int = 0,
    ) -> list[Frame]:
        """As `SeriesReader.select`."""
        return self._reading.select(matchers, Span(start_ms, end_ms, part, step_ms))

    def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        """As `SeriesReader.series`."""
        return self._reading.series(matchers, start_ms, end_ms)

    def families(self) -> Mapping[str, Family]:
        """As `SeriesReader.families`."""
        return dict(self._families)

    def delete(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> int:
        """Hide what these series have in [start, end]; `clean` gives the bytes back. How many series that were."""
        with self._writing:
            found = self._reading.catalog.find(matchers)
            for number in (int(number) for group in found.groups for number in group.numbers):
                self._reading.tombstones.add(number, start_ms, end_ms)
                if self._disk is not None:
                    self._disk.waiting.add_tombstone(number, start_ms, end_ms)
            return found.size

    def seal(self, *, clean: bool = False) -> None:
        """Seal every head, however short, and make few long blocks of many.

        Args:
            clean: Also write blocks anew that hold something deleted.
        """
        pace = Pace()
        with self._tending:
            if self._disk is None or self.upkeep is None:
                return
            with self._writing:
                if not self._settle():
                    return
                heads = list(self._reading.heads.items())
            for number, head in heads:
                if not self._sealer.seal(number, head, head.view.rows, pace) and not self._seal_now(number, head):
                    return
            while self.upkeep.compact(pace, all_of_them=True):
                pass
            with self._writing:
                for head in self._reading.heads.values():
                    head.layout = 0  # perhaps no row is left that names one
                self.upkeep.drop_layouts()
                self.upkeep.pack(pace, all_of_them=True)
            if clean and self._reading.tombstones:
                self.upkeep.clean(pace)
            self.upkeep.give_back()

    def prune(self, now_ms: int) -> None:
        """Drop what is older than the retention, forget series of which nothing is left, and do a piece of upkeep."""
        self._prune_ms = now_ms
        if self._disk is None:
            self._memory.prune(now_ms)
        elif self._background is None:
            self._tend(Pace())
        else:
            self._background.wake()

    def stats(self) -> StoreStats:
        """What it holds."""
        samples = sum(head.view.rows * len(head.view.series) for head in list(self._reading.heads.values()))
        size = 0
        if self._disk is not None:
            sealed, size = self._disk.size()
            samples += sealed
        return StoreStats(
            len(self._reading.catalog), samples, size, self._refused, self._lost, not self.notice, self._held_up
        )

    def close(self) -> None:
        """Commit what waits and let go of the directory; a second time does nothing."""
        if self._background is not None:
            self._background.stop()
        with self._writing:
            if self._closed:
                return
            self._closed = True
            if self._disk is not None:
                self._settle()
                self._disk.close()
            if self.lock is not None:
                self.lock.close()

    def _frame(self, name: str) -> int:
        number = self._frames.number(name)
        if number is None:
            number = self._frames.add(name)
            self._reading.heads[number] = Head()
            if self._disk is not None:
                self._disk.waiting.add_frame(number, name)
        return number

    def _write(self, number: int, time_ms: int, row: Row, *, complete: bool) -> bool:
        """Write a row to a head and the log; False where the head has a later one."""
        head = self._reading.heads[number]
        if head.known(row.columns) is None:
            head.learn(row.columns, self._numbers(number, row.columns.labels))
        tiles = head.view.tiles
        whole = head.append(time_ms, row.columns, row.values, complete=complete)
        if whole is None:
            return False
        self._grown |= head.view.tiles is not tiles or head.view.rows > self._limits.head_rows
        if self._disk is not None:
            if not head.layout:
                head.layout = self._disk.waiting.add_layout(number, head.view.series)
            self._disk.waiting.add_row(number, time_ms, head.layout, whole)
        return True

    def _append_late(self, frame: str, time_ms: int, row: Row) -> int:
        """Accept what is new of a row that is not newer than its frame; how many samples were refused."""
        cells = np.flatnonzero(~is_absent(row.values))
        late = chosen(row, cells)
        numbers = self._frames.lanes(frame)
        verdict = Verdict.on(self._reading, numbers, late.columns.labels, time_ms, self._limits.late_ms)
        accepted, refused = verdict.accepted(late.values, time_ms, self._limits.late_ms)
        self._refused += refused
        if not accepted.any():
            return refused
        late = chosen(late, np.flatnonzero(accepted))
        if not any(self._write(lane, time_ms, late, complete=False) for lane in numbers):
            self._write(self._frame(self._frames.next_lane(frame)), time_ms, late, complete=False)
        return refused

    def _numbers(self, frame: int, labels: Iterable[Labels]) -> list[int]:
        numbers = []
        for each in labels:
            number, fresh = self._reading.catalog.add(frame, each)
            numbers.append(number)
            if fresh and self._disk is not None:
                self._disk.waiting.add_series(number, frame, each)
        return numbers

    def _settle(self) -> bool:
        """Write what waits, and seal heads of which the log lacks rows; whether all of it went."""
        assert self._disk is not None  # only called with one
        heads = self._reading.heads
        crowded = self._sealer.crowded()
        if crowded:
            self._disk.waiting.drop_rows()
        committed = self._disk.commit()
        if crowded or not committed:
            for head in heads.values():
                head.unlogged, head.layout = True, 0
        if not (crowded or committed):
            return False
        for number, head in heads.items():
            if head.unlogged and not self._seal_now(number, head):
                return False
            head.unlogged = False
        return True

    def _seal_now(self, number: int, head: Head) -> bool:
        """Seal a head while nobody can write; whether it was done."""
        with self._writing:
            return self._sealer.seal(number, head, head.view.rows, Pace())

    def _fit_memory(self) -> None:
        """While the disk takes nothing: give up the oldest rows of what has grown beyond what memory may hold."""
        heads = self._reading.heads.values()
        grown = [head for head in heads if head.view.rows > self._limits.head_rows]
        if sum(head.view.size for head in heads) > _MOST_MEMORY_BYTES:
            for head in grown:
                rows = head.view.rows // 4
                head.drop(rows, sealed=False)
                self._lost += rows

    def _replay(self) -> None:
        assert self._disk is not None  # only called with one
        found = contents(self._disk.connection)
        self._families = found.families
        self.states = States(self._disk, found.states)
        self._reading.tombstones = Tombstones(found.tombstones)
        heads = self._reading.heads
        for number, name, newest in found.frames:
            self._frames.add(name, number)
            heads[number] = Head(newest)
        for number, frame, labels in found.series:
            self._reading.catalog.add(frame, labels, number)
        replay = Replay(self._disk.connection, self._disk.log, {number: sealed for number, _, sealed in found.frames})
        for frame, times, series, cells in replay.rows():
            heads[frame].restore(times, series, cells)
        self._frames.pass_over(replay.highest_frame)
