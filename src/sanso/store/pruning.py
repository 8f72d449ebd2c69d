"""Pruning: what is older than the retention goes, and series of which nothing is left are forgotten."""

from __future__ import annotations

import threading

import numpy as np

from sanso.store.disk import Disk
from sanso.store.frame_book import FrameBook
from sanso.store.limits import Limits
from sanso.store.pace import Pace
from sanso.store.reading import Reading
from sanso.store.sealing import Sealer
from sanso.store.upkeep import Upkeep

_IDLE_MS = 30 * 60_000
"""A head that nobody has written to for so long is sealed as it is."""


class Memory:
    """What is pruned of a store's memory; that is all there is where nothing is written to a disk.

    Args:
        reading: Heads and catalogue.
        frames: Which frames there are.
        limits: What may stay.
        writing: The writer's turn.
    """

    def __init__(self, reading: Reading, frames: FrameBook, limits: Limits, writing: threading.RLock) -> None:
        self._reading = reading
        self._frames = frames
        self._limits = limits
        self._writing = writing

    def prune(self, now_ms: int) -> None:
        """Drop old rows, and forget series that have no others."""
        with self._writing:
            for number, rows in self.old(now_ms):
                self._reading.heads[number].drop(rows, sealed=False)
            self.forget(self._reading.catalog.numbers() - self.held())

    def old(self, now_ms: int) -> list[tuple[int, int]]:
        """Frames whose heads have many rows older than the retention, and how many."""
        found = []
        oldest = now_ms - self._limits.retention_ms
        for number, head in list(self._reading.heads.items()):
            view = head.view
            rows = int(np.searchsorted(view.times, oldest))
            if rows > min(view.rows // 4, self._limits.head_rows):
                found.append((number, rows))
        return found

    def held(self) -> set[int]:
        """The series that stand in heads."""
        return {number for head in list(self._reading.heads.values()) for number in head.view.series}

    def forget(self, dead: set[int]) -> list[int]:
        """Forget series, and frames that have no others; the latter's numbers."""
        self._reading.catalog.remove(dead)
        self._reading.tombstones.remove(dead)
        ended = self._frames.forget_others(self._reading.catalog.frames())
        for number in ended:
            del self._reading.heads[number]
        return ended


class Pruning:
    """The same for a store with a file, with the rest of the upkeep that is done now and then."""

    def __init__(self, memory: Memory, disk: Disk, sealer: Sealer, upkeep: Upkeep, reading: Reading) -> None:
        self._memory = memory
        self._disk = disk
        self._sealer = sealer
        self._upkeep = upkeep
        self._reading = reading
        self._looked = (-1, -1)

    def prune(self, now_ms: int, pace: Pace, writing: threading.RLock) -> None:
        """Drop what is old, merge, pack, and forget series of which nothing is left."""
        for number, rows in self._memory.old(now_ms):  # by way of blocks: coarse samples of them may have to stay
            self._sealer.seal(number, self._reading.heads[number], rows, pace, old=True)
        if self._sealer.tend(pace, idle_since_ms=now_ms - _IDLE_MS):
            self._upkeep.expire(now_ms, pace)
        self._upkeep.shrink(pace)
        while self._upkeep.compact(pace):
            pass
        self._upkeep.pack(pace)
        dead = self._reading.catalog.numbers() - self._memory.held()
        sealed = (self._upkeep.dropped, self._sealer.sealed)
        if dead and sealed == self._looked:  # what is in no head was in a block when it was last looked at
            return
        if dead:
            self._looked = sealed
            dead -= self._disk.series_held()
        with writing:
            dead -= self._memory.held()  # of what has come meanwhile
            if dead:
                self._upkeep.forget(dead)
            self._disk.waiting.remove(dead, self._memory.forget(dead))
