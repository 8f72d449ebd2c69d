"""Reading a store: what is sealed and what is in memory, seen together. Readers never lock the writer out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sanso.model.frame import Frame, is_absent
from sanso.model.labels import Labels
from sanso.model.matchers import Matcher
from sanso.store.catalog import Catalog, Group
from sanso.store.disk import Disk
from sanso.store.head import Head
from sanso.store.selection import Span, counted, filled, framed, head_run, unified
from sanso.store.tombstones import Tombstones


class Reading:
    """What a store shows.

    Attributes:
        catalog: Which series there are.
        heads: The newest rows, by frame.
        tombstones: What is hidden; replaced, not emptied, when it is gone from the file.
    """

    def __init__(self, disk: Disk | None) -> None:
        self.catalog = Catalog()
        self.heads: dict[int, Head] = {}
        self.tombstones = Tombstones()
        self._disk = disk

    def select(self, matchers: Sequence[Matcher], span: Span) -> list[Frame]:
        """As `SeriesReader.select`; label lists are shared and must not be changed."""
        found = self.catalog.find(matchers)
        frames = (self.frame(group, span) for group in found.groups)
        return unified([frame for frame in frames if frame is not None], found.repeated)

    def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        """Label sets with a sample in the span, as far as indices tell."""
        found = self.catalog.find(matchers)
        held = (labels for group in found.groups for labels in self._held(group, start_ms, end_ms))
        return list(dict.fromkeys(held)) if found.repeated else list(held)

    def frame(self, group: Group, span: Span) -> Frame | None:
        """The samples of one frame's series; None where there are none."""
        head = self.heads.get(group.frame)
        if head is None:  # pruned meanwhile
            return None
        tombstones = self.tombstones  # before the blocks: what is cleaned meanwhile is then hidden by these
        view = head.view  # before the blocks: a head sealed meanwhile is then read from here
        newest = head_run(view, group.numbers, span.start_ms, span.end_ms)
        if span.part == "count":
            newest = counted(newest)
        first = int(view.timeline[0]) if view.rows else span.end_ms + 1
        coarse_ms = 0
        if self._disk is not None and first > span.start_ms:
            sealed = replace(span, end_ms=min(span.end_ms, first - 1))
            with self._disk.reading(group, sealed) as (runs, coarse_ms):
                times, values = filled([*runs, newest], len(group.labels))
        else:
            times, values = filled([newest], len(group.labels))
        if tombstones:
            tombstones.hide(group.numbers.tolist(), times, values)
        return framed(group.labels, times, values, coarse_ms)

    def _held(self, group: Group, start_ms: int, end_ms: int) -> list[Labels]:
        head = self.heads.get(group.frame)
        if head is None:
            return []
        if self.tombstones:
            frame = self.frame(group, Span(start_ms, end_ms))
            return frame.labels if frame is not None else []
        view = head.view
        times = view.times
        first, last = (int(at) for at in np.searchsorted(times, [start_ms, end_ms + 1]))
        places = view.places.of(group.numbers)
        held = places >= 0
        held[held] = (~is_absent(view.cells(places[held], first, last))).any(axis=1)
        if self._disk is not None and not held.all() and not (view.rows and times[0] <= start_ms):
            held |= np.isin(group.numbers, self._disk.sealed_series(group.frame, start_ms, end_ms))
        return [group.labels[line] for line in np.flatnonzero(held)]
