"""The store: frames in memory, a log that commits every tick, sealed blocks; one SQLite file, one writer."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from sanso.model.frame import Family, Frame, Part, Row, is_absent
from sanso.model.labels import Labels
from sanso.model.matchers import Matcher
from sanso.store.disk import Disk
from sanso.store.head import Head
from sanso.store.late import Verdict, chosen, frame_of, lane_name
from sanso.store.limits import Limits, StoreStats
from sanso.store.lock import DirectoryLock
from sanso.store.reading import Reading
from sanso.store.replay import contents, logged
from sanso.store.selection import Span
from sanso.store.states import States
from sanso.store.tombstones import Tombstones
from sanso.store.upkeep import Upkeep

_log = logging.getLogger(__name__)
_FOREVER_MS = 1 << 62
_MOST_MEMORY_BYTES = 64 << 20
"""What heads may take while the disk takes nothing: about two hours of 1,000 series at 1 s."""
_IDLE_MS = 30 * 60_000
"""A head that nobody has written to for so long is sealed as it is."""


class Store:
    """`RowWriter` and `SeriesReader` in one. Several threads may read; writers take turns on their own.

    Attributes:
        states: Small named states, committed with the rows.
        upkeep: Integrity and what is done seldom; None in memory.
        notice: What the user should know about the store; empty where all is well.
    """

    def __init__(self, limits: Limits, disk: Disk | None = None, lock: DirectoryLock | None = None) -> None:
        self._limits = limits
        self._disk = disk
        self.states = States(disk, {})
        self._lock = lock
        self._reading = Reading(disk)
        self.upkeep = Upkeep(disk, self._reading, limits) if disk is not None else None
        self._frames: dict[str, int] = {}
        self._lanes: dict[str, list[str]] = {}
        self._families: dict[str, Family] = {}
        self._refused = self._lost = 0
        self._looked = (-1, -1)
        self._heads_dropped = 0
        self._next_frame = 1
        self._closed = False
        self._writing = threading.RLock()

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

    def set_url(self, url: str) -> None:
        """Say to other processes where this one answers."""
        if self._lock is not None:
            self._lock.set_url(url)

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

        Afterwards `notice` is empty where everything that was appended is in the file.
        """
        with self._writing:
            if self._disk is None or self.upkeep is None:
                return
            self.upkeep.shrink()
            if self._settle() or (self.upkeep.shrink(full=True) and self._settle()):
                self._disk.say("")
            else:
                self._fit_memory()

    def describe(self, families: Iterable[Family]) -> None:
        """As `RowWriter.describe`."""
        with self._writing:
            for family in families:
                if self._families.get(family.name) != family:
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
        with self._writing:
            if self._disk is None or self.upkeep is None:
                return
            if not self._settle(rows=1):
                return
            while self.upkeep.compact(all_of_them=True):
                pass
            self.upkeep.pack(all_of_them=True)
            for head in self._reading.heads.values():
                head.layout = 0  # no row is left that names one
            if clean and self._reading.tombstones and self.upkeep.clean(self._reading.tombstones):
                self._reading.tombstones = Tombstones()
            self.upkeep.give_back()

    def prune(self, now_ms: int) -> None:
        """Drop what is older than the retention, forget series of which nothing is left, and do a piece of upkeep."""
        oldest = now_ms - self._limits.retention_ms
        with self._writing:
            for number, head in self._reading.heads.items():
                gone = int(np.searchsorted(head.view.timeline[: head.view.rows], oldest))
                if gone > min(head.view.rows // 4, self._limits.head_rows):
                    self._drop_oldest(number, head, gone)
            if self._disk is not None and self.upkeep is not None:
                if self._settle(rows=1, older_than_ms=now_ms - _IDLE_MS):
                    self.upkeep.expire(now_ms)
                self.upkeep.shrink()
                self.upkeep.compact()
                self.upkeep.pack()
            self._forget()

    def _drop_oldest(self, number: int, head: Head, rows: int) -> None:
        """Drop rows that are older than the retention: by way of a block, where coarse samples of them are to stay."""
        self._heads_dropped += 1
        if self._disk is None or self._disk.seal(number, replace(head.view, rows=rows)):
            head.drop(rows, sealed=False)

    def _forget(self) -> None:
        """Forget series of which nothing is left, and the frames that had no others."""
        heads = self._reading.heads.values()
        held = {number for head in heads for number in head.view.series}
        dead = self._reading.catalog.numbers() - held
        if self._disk is not None and self.upkeep is not None and dead:
            sealed = (self.upkeep.dropped, self._heads_dropped)
            if sealed == self._looked:  # what is in no head was in a block when it was last looked at
                return
            self._looked = sealed
            dead -= self._disk.series_held()
            if dead:
                self.upkeep.forget(dead)
        self._reading.catalog.remove(dead)
        self._reading.tombstones.remove(dead)
        frames = self._reading.catalog.frames()
        ended = [name for name, number in self._frames.items() if number not in frames]
        if self._disk is not None:
            self._disk.waiting.remove(dead, [self._frames[name] for name in ended])
        for name in ended:
            del self._reading.heads[self._frames.pop(name)]
            self._lanes.pop(name, None)
        self._lanes = {name: kept for name, lanes in self._lanes.items() if (kept := self._living(lanes))}

    def stats(self) -> StoreStats:
        """What it holds."""
        samples = sum(head.view.rows * len(head.view.series) for head in list(self._reading.heads.values()))
        size = 0
        if self._disk is not None:
            sealed, size = self._disk.size()
            samples += sealed
        return StoreStats(len(self._reading.catalog), samples, size, self._refused, self._lost, not self.notice)

    def close(self) -> None:
        """Commit what waits and let go of the directory; a second time does nothing."""
        with self._writing:
            if self._closed:
                return
            self._closed = True
            if self._disk is not None:
                self._settle()
                self._disk.close()
            if self._lock is not None:
                self._lock.close()

    def _frame(self, name: str) -> int:
        number = self._frames.get(name)
        if number is None:
            number = self._frames[name] = self._next_frame
            self._next_frame += 1
            self._reading.heads[number] = Head()
            if self._disk is not None:
                self._disk.waiting.add_frame(number, name)
        return number

    def _write(self, number: int, time_ms: int, row: Row, *, complete: bool) -> bool:
        """Write a row to a head and the log; False where the head has a later one."""
        head = self._reading.heads[number]
        if head.known(row.columns) is None:
            head.learn(row.columns, self._numbers(number, row.columns.labels))
        whole = head.append(time_ms, row.columns, row.values, complete=complete)
        if whole is None:
            return False
        if self._disk is not None:
            if not head.layout:
                head.layout = self._disk.waiting.add_layout(number, head.view.series)
            self._disk.waiting.add_row(number, time_ms, head.layout, whole)
        return True

    def _append_late(self, frame: str, time_ms: int, row: Row) -> int:
        """Accept what is new of a row that is not newer than its frame; how many samples were refused."""
        cells = np.flatnonzero(~is_absent(row.values))
        late = chosen(row, cells)
        lanes = [frame, *self._living(self._lanes.get(frame, []))]
        numbers = [self._frames[lane] for lane in lanes]
        verdict = Verdict.on(self._reading, numbers, late.columns.labels, time_ms, self._limits.late_ms)
        accepted, refused = verdict.accepted(late.values, time_ms, self._limits.late_ms)
        self._refused += refused
        if not accepted.any():
            return refused
        late = chosen(late, np.flatnonzero(accepted))
        if not any(self._write(self._frames[lane], time_ms, late, complete=False) for lane in lanes):
            name = lane_name(frame, next(n for n in itertools.count(1) if lane_name(frame, n) not in self._frames))
            self._lanes.setdefault(frame, []).append(name)
            self._write(self._frame(name), time_ms, late, complete=False)
        return refused

    def _living(self, lanes: Iterable[str]) -> list[str]:
        return [lane for lane in lanes if lane in self._frames]

    def _numbers(self, frame: int, labels: Iterable[Labels]) -> list[int]:
        numbers = []
        for each in labels:
            number, fresh = self._reading.catalog.add(frame, each)
            numbers.append(number)
            if fresh and self._disk is not None:
                self._disk.waiting.add_series(number, frame, each)
        return numbers

    def _settle(self, rows: int = 0, older_than_ms: int = _FOREVER_MS) -> bool:
        """Write what waits, and seal heads: long ones, and those of which the log lacks rows; whether all of it went.

        Args:
            rows: How long is long; 0 for what the limits say.
            older_than_ms: Leave long heads that were written to since.
        """
        assert self._disk is not None  # only called with one
        assert self.upkeep is not None
        heads = self._reading.heads
        crowded = self.upkeep.crowded(heads.values())
        if crowded:
            self._disk.waiting.take_rows()
        committed = self._disk.commit()
        if crowded or not committed:
            for head in heads.values():
                head.unlogged, head.layout = True, 0
        if not (crowded or committed):
            return False
        enough = rows or self._limits.head_rows
        for number, head in heads.items():
            long = head.view.rows >= enough and head.newest_ms < older_than_ms
            if (long or head.unlogged) and not self._seal(number, head):
                return False
            head.unlogged = False
        return True

    def _seal(self, number: int, head: Head) -> bool:
        """Seal a head, in as many blocks as a limit of bytes asks for; whether it was done."""
        assert self._disk is not None  # only called with one
        assert self.upkeep is not None
        most = self.upkeep.most_rows(len(head.view.series)) or head.view.rows
        while head.view.rows:
            rows = min(most, head.view.rows)
            self._heads_dropped += 1
            if not self._disk.seal(number, replace(head.view, rows=rows)):
                return False
            head.drop(rows, sealed=True)
        return True

    def _fit_memory(self) -> None:
        """While the disk takes nothing: give up the oldest rows of what has grown beyond what memory may hold."""
        heads = self._reading.heads.values()
        grown = [head for head in heads if head.view.rows > self._limits.head_rows]
        if sum(head.view.values.nbytes for head in heads) > _MOST_MEMORY_BYTES:
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
            self._frames[name] = number
            heads[number] = Head(newest)
            self._next_frame = max(self._next_frame, number + 1)
            if frame_of(name) != name:
                self._lanes.setdefault(frame_of(name), []).append(name)
        for number, frame, labels in found.series:
            self._reading.catalog.add(frame, labels, number)
        for frame, times, series, cells in logged(self._disk.connection):
            if frame in heads:  # else its last series has ended, and with it the frame
                heads[frame].restore(times, series, cells)
