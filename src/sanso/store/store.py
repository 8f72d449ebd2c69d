"""The store: frames in memory, a log that commits every tick, sealed blocks; one SQLite file, one writer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sanso.model.clock import Clock
from sanso.model.frame import Family, Frame, Row, is_absent
from sanso.model.labels import Labels
from sanso.model.matchers import Matcher
from sanso.store.catalog import Catalog, Entry
from sanso.store.disk import Disk
from sanso.store.head import Head
from sanso.store.lock import DirectoryLock
from sanso.store.selection import Piece, from_head, joined, unified

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoreStats:
    """What a store holds: series, samples (cells of rows kept), bytes on disk; and what it had to refuse or lose."""

    series: int
    samples: int
    bytes: int
    refused: int
    lost: int


class Store:
    """`RowWriter`, `SeriesReader` and `StateKeeper` in one. Several threads may read; writers take turns on their own.

    Attributes:
        notice: What the user should know about the store; empty where all is well.
    """

    def __init__(self, clock: Clock, retention_ms: int, head_rows: int, disk: Disk | None, lock: DirectoryLock | None):
        self._clock = clock
        self._retention_ms = retention_ms
        self._head_rows = head_rows
        self._disk = disk
        self._lock = lock
        self._catalog = Catalog()
        self._heads: dict[int, Head] = {}
        self._frames: dict[str, int] = {}
        self._families: dict[str, Family] = {}
        self._states: dict[str, bytes] = {}
        self._refused = 0
        self._next_frame = 1
        self._closed = False
        self._writing = threading.RLock()

    @classmethod
    def open(cls, directory: Path, clock: Clock, *, retention_ms: int, head_rows: int = 600, url: str = "") -> Store:
        """Open or make the store of a data directory, and put back what was committed.

        Raises:
            StoreBusyError: Another process holds the directory.
            StoreError: The file cannot be opened.
        """
        directory.mkdir(parents=True, exist_ok=True)
        lock = DirectoryLock(directory)
        try:
            store = cls(clock, retention_ms, head_rows, Disk(directory), lock)
        except BaseException:
            lock.close()
            raise
        store.set_url(url)
        store._replay()
        return store

    @classmethod
    def in_memory(cls, clock: Clock, *, retention_ms: int, head_rows: int = 600) -> Store:
        """A store that keeps nothing beyond its process."""
        return cls(clock, retention_ms, head_rows, None, None)

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
            if head.known(row.columns) is None:
                head.learn(row.columns, self._numbers(number, row.columns.labels))
            whole = head.append(time_ms, row.columns, row.values, complete=complete)
            if whole is None:
                refused = int((~is_absent(row.values)).sum())
                self._refused += refused
                return refused
            if self._disk is not None:
                if not head.layout:
                    head.layout = self._disk.add_layout(number, head.view.series)
                self._disk.add_row(number, time_ms, head.layout, whole)
            return 0

    def commit(self) -> None:
        """As `RowWriter.commit`; also seals heads that are long enough."""
        with self._writing:
            if self._disk is not None:
                self._seal()
                self._disk.commit()

    def describe(self, families: Iterable[Family]) -> None:
        """As `RowWriter.describe`."""
        with self._writing:
            for family in families:
                if self._families.get(family.name) != family:
                    self._families[family.name] = family
                    if self._disk is not None:
                        self._disk.add_family(family)

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Frame]:
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

    def load_state(self, key: str) -> bytes | None:
        """As `StateKeeper.load_state`."""
        return self._states.get(key)

    def save_state(self, key: str, value: bytes) -> None:
        """As `StateKeeper.save_state`."""
        with self._writing:
            self._states[key] = value
            if self._disk is not None:
                self._disk.add_state(key, value)

    def prune(self, now_ms: int) -> None:
        """Drop what is older than the retention, and forget series of which nothing is left."""
        oldest = now_ms - self._retention_ms
        with self._writing:
            held: set[int] = set()
            for head in self._heads.values():
                view = head.view
                gone = int(np.searchsorted(view.timeline[: view.rows], oldest))
                if gone > view.rows // 4 or gone > self._head_rows:
                    head.drop(gone, sealed=False)
                held.update(head.view.series)
            if self._disk is not None:
                held |= self._disk.prune(oldest)
            dead = self._catalog.numbers() - held
            self._catalog.remove(dead)
            frames = self._catalog.frames()
            ended = [name for name, number in self._frames.items() if number not in frames]
            for name in ended:
                del self._heads[self._frames[name]]
            if self._disk is not None:
                self._disk.remove(dead, [self._frames[name] for name in ended])
            for name in ended:
                del self._frames[name]

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
        return joined(entries, pieces)

    def _seal(self) -> None:
        assert self._disk is not None  # only called with one
        for number, head in self._heads.items():
            view = head.view
            if view.rows >= self._head_rows and self._disk.seal(number, view):
                head.drop(view.rows, sealed=True)

    def _replay(self) -> None:
        assert self._disk is not None  # only called with one
        contents = self._disk.load()
        self._families = contents.families
        self._states = contents.states
        for number, name, newest in contents.frames:
            self._frames[name] = number
            self._heads[number] = Head(newest)
            self._next_frame = max(self._next_frame, number + 1)
        for number, frame, labels in contents.series:
            self._catalog.add(frame, labels, number)
        for frame, time_ms, series, cells in self._disk.logged():
            if frame in self._heads:  # else its last series has ended, and with it the frame
                self._heads[frame].restore(time_ms, series, cells)
