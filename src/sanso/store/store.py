"""The store: frames in memory, a log that commits every tick, sealed blocks; one SQLite file, one writer."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sanso.model.frame import Family, Frame, Part, Row, is_absent
from sanso.model.labels import Labels
from sanso.model.matchers import Matcher
from sanso.store.catalog import Catalog, Entry
from sanso.store.disk import Disk
from sanso.store.head import Head
from sanso.store.late import Verdict, chosen, frame_of, lane_name, newest_in
from sanso.store.lock import DirectoryLock
from sanso.store.replay import contents, logged
from sanso.store.selection import Piece, from_head, joined, unified
from sanso.store.states import States
from sanso.store.tombstones import Tombstones
from sanso.store.upkeep import Upkeep

_log = logging.getLogger(__name__)
_FOREVER_MS = 1 << 62
_IDLE_MS = 30 * 60_000
"""A head that nobody has written to for so long is sealed as it is."""


@dataclass(frozen=True)
class StoreStats:
    """What a store holds: series, samples (cells of rows kept), bytes on disk; and what it had to refuse or lose."""

    series: int
    samples: int
    bytes: int
    refused: int
    lost: int


@dataclass(frozen=True)
class Limits:
    """As `Store.open` takes them."""

    retention_ms: int
    head_rows: int
    max_bytes: int
    late_ms: int


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
        self.upkeep = Upkeep(disk, limits.max_bytes) if disk is not None else None
        self.states = States(disk, {})
        self._lock = lock
        self._catalog = Catalog()
        self._heads: dict[int, Head] = {}
        self._frames: dict[str, int] = {}
        self._lanes: dict[str, list[str]] = {}
        self._families: dict[str, Family] = {}
        self._tombstones = Tombstones()
        self._refused = 0
        self._next_frame = 1
        self._closed = False
        self._writing = threading.RLock()

    @classmethod
    def open(
        cls, directory: Path, *, retention_ms: int, head_rows: int = 600, max_bytes: int = 0, late_ms: int = 3_600_000
    ) -> Store:
        """Open or make the store of a data directory, and put back what was committed.

        Args:
            directory: Where it lies.
            retention_ms: How long rows are kept.
            head_rows: Rows in memory before a frame is sealed.
            max_bytes: What the files together may take; 0 for no limit. The oldest goes first.
            late_ms: How much older than its series' newest a sample may be.

        Raises:
            StoreBusyError: Another process holds the directory.
            StoreError: The file cannot be opened.
        """
        directory.mkdir(parents=True, exist_ok=True)
        lock = DirectoryLock(directory)
        try:
            store = cls(Limits(retention_ms, head_rows, max_bytes, late_ms), Disk(directory), lock)
        except BaseException:
            lock.close()
            raise
        store._replay()
        return store

    @classmethod
    def in_memory(cls, *, retention_ms: int, head_rows: int = 600, late_ms: int = 3_600_000) -> Store:
        """A store that keeps nothing beyond its process."""
        return cls(Limits(retention_ms, head_rows, 0, late_ms))

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
            head = self._heads[number]
            if not row.columns.labels and not head.view.series:  # nothing there, and nothing that could end
                return 0
            if time_ms > head.newest_ms or (not complete and head.has_room(time_ms, row)):
                self._write(number, time_ms, row, complete=complete)
                return 0
            return self._append_late(frame, time_ms, row)

    def commit(self) -> None:
        """As `RowWriter.commit`; also seals heads that are long enough."""
        with self._writing:
            if self._disk is not None:
                self._seal()
                if not self._disk.commit() and self.upkeep is not None and self.upkeep.shrink():
                    self._disk.commit()

    def describe(self, families: Iterable[Family]) -> None:
        """As `RowWriter.describe`."""
        with self._writing:
            for family in families:
                if self._families.get(family.name) != family:
                    self._families[family.name] = family
                    if self._disk is not None:
                        self._disk.add_family(family)

    def select(
        self,
        matchers: Sequence[Matcher],
        start_ms: int,
        end_ms: int,
        *,
        part: Part = "last",  # noqa: ARG002 - no tiers yet: all samples are raw
        step_ms: int = 0,  # noqa: ARG002
    ) -> list[Frame]:
        """As `SeriesReader.select`."""
        by_frame: dict[int, list[Entry]] = {}
        for entry in self._catalog.find(matchers):
            by_frame.setdefault(entry.frame, []).append(entry)
        frames = (self._read(number, entries, start_ms, end_ms) for number, entries in by_frame.items())
        return unified([frame for frame in frames if frame is not None])

    def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        """As `SeriesReader.series`."""
        return [labels for frame in self.select(matchers, start_ms, end_ms) for labels in frame.labels]

    def families(self) -> Mapping[str, Family]:
        """As `SeriesReader.families`."""
        return dict(self._families)

    def delete(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> int:
        """Hide what these series have in [start, end]; `clean` gives the bytes back. How many series that were."""
        with self._writing:
            found = self._catalog.find(matchers)
            for entry in found:
                self._tombstones.add(entry.number, start_ms, end_ms)
                if self._disk is not None:
                    self._disk.add_tombstone(entry.number, start_ms, end_ms)
            return len(found)

    def seal(self, *, clean: bool = False) -> None:
        """Seal every head, however short, and make few long blocks of many.

        Args:
            clean: Also write blocks anew that hold something deleted.
        """
        with self._writing:
            if self._disk is None or self.upkeep is None:
                return
            self._seal(rows=1)
            self._disk.commit()
            while self.upkeep.compact(all_of_them=True):
                pass
            if clean and self._tombstones and self.upkeep.clean(self._tombstones):
                self._tombstones = Tombstones()
            self.upkeep.give_back()

    def prune(self, now_ms: int) -> None:
        """Drop what is older than the retention, forget series of which nothing is left, and do a piece of upkeep."""
        oldest = now_ms - self._limits.retention_ms
        with self._writing:
            held: set[int] = set()
            for head in self._heads.values():
                view = head.view
                gone = int(np.searchsorted(view.timeline[: view.rows], oldest))
                if gone > view.rows // 4 or gone > self._limits.head_rows:
                    head.drop(gone, sealed=False)
                held.update(head.view.series)
            if self._disk is not None and self.upkeep is not None:
                self._seal(rows=1, older_than_ms=now_ms - _IDLE_MS)
                self.upkeep.shrink()
                self.upkeep.compact()
                held |= self._disk.prune(oldest)
            dead = self._catalog.numbers() - held
            self._catalog.remove(dead)
            self._tombstones.remove(dead)
            frames = self._catalog.frames()
            ended = [name for name, number in self._frames.items() if number not in frames]
            for name in ended:
                del self._heads[self._frames[name]]
            if self._disk is not None:
                self._disk.remove(dead, [self._frames[name] for name in ended])
            for name in ended:
                del self._frames[name]
                self._lanes.pop(name, None)
            self._lanes = {name: kept for name, lanes in self._lanes.items() if (kept := self._living(lanes))}

    def stats(self) -> StoreStats:
        """What it holds."""
        samples = sum(head.view.rows * len(head.view.series) for head in list(self._heads.values()))
        size = lost = 0
        if self._disk is not None:
            sealed, size = self._disk.size()
            samples += sealed
            lost = self._disk.lost
        return StoreStats(len(self._catalog), samples, size, self._refused, lost)

    def close(self) -> None:
        """Commit what waits and let go of the directory; a second time does nothing."""
        with self._writing:
            if self._closed:
                return
            self._closed = True
            if self._disk is not None:
                self._disk.commit()
                self._disk.close()
            if self._lock is not None:
                self._lock.close()

    def _frame(self, name: str) -> int:
        number = self._frames.get(name)
        if number is None:
            number = self._frames[name] = self._next_frame
            self._next_frame += 1
            self._heads[number] = Head()
            if self._disk is not None:
                self._disk.add_frame(number, name)
        return number

    def _write(self, number: int, time_ms: int, row: Row, *, complete: bool) -> bool:
        """Write a row to a head and the log; False where the head has a later one."""
        head = self._heads[number]
        if head.known(row.columns) is None:
            head.learn(row.columns, self._numbers(number, row.columns.labels))
        whole = head.append(time_ms, row.columns, row.values, complete=complete)
        if whole is None:
            return False
        if self._disk is not None:
            if not head.layout:
                head.layout = self._disk.add_layout(number, head.view.series)
            self._disk.add_row(number, time_ms, head.layout, whole)
        return True

    def _append_late(self, frame: str, time_ms: int, row: Row) -> int:
        """Accept what is new of a row that is not newer than its frame; how many samples were refused."""
        cells = np.flatnonzero(~is_absent(row.values))
        late = chosen(row, cells)
        lanes = [frame, *self._living(self._lanes.get(frame, []))]
        verdict = self._verdict([self._frames[lane] for lane in lanes], time_ms, late.columns.labels)
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

    def _verdict(self, lanes: Sequence[int], time_ms: int, labels: Sequence[Labels]) -> Verdict:
        verdict = Verdict.nothing(len(labels))
        for number in lanes:
            entries = [entry for name in labels if (entry := self._catalog.entry(number, name)) is not None]
            if entries:
                self._note_newest(verdict, number, labels)
            near = [entry for entry in entries if not self._too_late(verdict, labels, entry, time_ms)]
            held = self._read(number, near, time_ms, _FOREVER_MS) if near else None
            if held is not None:
                verdict.learn(labels, held, time_ms)
        return verdict

    def _note_newest(self, verdict: Verdict, number: int, labels: Sequence[Labels]) -> None:
        """The newest times that the head alone knows: enough to refuse what is far too late without reading."""
        view = self._heads[number].view
        where = {series: place for place, series in enumerate(view.series)}
        known = [(cell, self._catalog.entry(number, name)) for cell, name in enumerate(labels)]
        placed = [(cell, where[entry.number]) for cell, entry in known if entry is not None and entry.number in where]
        if placed:
            cells = [cell for cell, _ in placed]
            verdict.newest[cells] = np.maximum(verdict.newest[cells], newest_in(view, [place for _, place in placed]))

    def _too_late(self, verdict: Verdict, labels: Sequence[Labels], entry: Entry, time_ms: int) -> bool:
        return bool(verdict.newest[labels.index(entry.labels)] - time_ms > self._limits.late_ms)

    def _living(self, lanes: Iterable[str]) -> list[str]:
        return [lane for lane in lanes if lane in self._frames]

    def _numbers(self, frame: int, labels: Iterable[Labels]) -> list[int]:
        numbers = []
        for each in labels:
            number, fresh = self._catalog.add(frame, each)
            numbers.append(number)
            if fresh and self._disk is not None:
                self._disk.add_series(number, frame, each)
        return numbers

    def _read(self, number: int, entries: list[Entry], start_ms: int, end_ms: int) -> Frame | None:
        wanted = [entry.number for entry in entries]
        head = self._heads.get(number)
        if head is None:  # pruned meanwhile
            return None
        view = head.view  # before the blocks: a head sealed meanwhile is then read from here
        pieces: list[Piece] = []
        first = int(view.timeline[0]) if view.rows else end_ms + 1
        if self._disk is not None and first > start_ms:
            pieces = self._disk.read(number, wanted, start_ms, min(end_ms, first - 1))
        pieces.append(from_head(view, wanted, start_ms, end_ms))
        if self._tombstones:
            for times, values in pieces:
                self._tombstones.hide(wanted, times, values)
        return joined(entries, pieces)

    def _seal(self, rows: int = 0, older_than_ms: int = _FOREVER_MS) -> None:
        """Seal heads that are long enough, or that nobody has written to since."""
        assert self._disk is not None  # only called with one
        enough = rows or self._limits.head_rows
        for number, head in self._heads.items():
            view = head.view
            if view.rows >= enough and head.newest_ms < older_than_ms and self._disk.seal(number, view):
                head.drop(view.rows, sealed=True)

    def _replay(self) -> None:
        assert self._disk is not None  # only called with one
        found = contents(self._disk.connection)
        self._families = found.families
        self.states = States(self._disk, found.states)
        self._tombstones = Tombstones(found.tombstones)
        for number, name, newest in found.frames:
            self._frames[name] = number
            self._heads[number] = Head(newest)
            self._next_frame = max(self._next_frame, number + 1)
            if frame_of(name) != name:
                self._lanes.setdefault(frame_of(name), []).append(name)
        for number, frame, labels in found.series:
            self._catalog.add(frame, labels, number)
        for frame, time_ms, series, cells in logged(self._disk.connection):
            if frame in self._heads:  # else its last series has ended, and with it the frame
                self._heads[frame].restore(time_ms, series, cells)
