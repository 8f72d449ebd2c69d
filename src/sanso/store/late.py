"""Rows that come late: what of them is accepted, and where it goes.

Rows of a frame rise in time. A row that does not goes into a lane of its own beside the frame: a frame by the name of
the first and a number, in which times rise again. A sender whose rows are a little out of order needs two or three
lanes; a series that is sent from its beginning when others of its frame are far ahead gets one for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import Columns, Floats, Frame, Row, Times, absent, is_absent
from sanso.model.labels import Labels, LabelSets
from sanso.store.catalog import Group
from sanso.store.head import View
from sanso.store.places import Numbers
from sanso.store.reading import Reading
from sanso.store.selection import Span

_FOREVER_MS = 1 << 62
_LANE = "\x1f"


def lane_name(frame: str, number: int) -> str:
    """The name of a frame's lane, from 1."""
    return f"{frame}{_LANE}{number}"


def frame_of(name: str) -> str:
    """The frame that a lane belongs to; a frame's own name for itself."""
    return name.partition(_LANE)[0]


@dataclass
class Verdict:
    """What is known of a late row's cells: the newest time of each series, and its value at the row's time."""

    newest: Times
    value: Floats

    @classmethod
    def on(
        cls, reading: Reading, lanes: Sequence[int], labels: Sequence[Labels], time_ms: int, late_ms: int
    ) -> Verdict:
        """What these lanes hold of the series; of two values at one time the earlier lane's stands."""
        verdict = cls(np.full(len(labels), -1, dtype=np.int64), absent(len(labels)))
        for lane in lanes:
            entries = [reading.catalog.entry(lane, name) for name in labels]
            numbers = np.array([entry.number if entry else -1 for entry in entries], dtype=np.int64)
            cells = np.flatnonzero(numbers >= 0)
            verdict._note_newest(reading.heads[lane].view, cells, numbers[cells])
            near = cells[verdict.newest[cells] - time_ms <= late_ms]
            unknown = near[verdict.newest[near] < 0]
            for asked, end_ms in ((near, time_ms), (unknown, _FOREVER_MS)):
                if len(asked):
                    group = Group(lane, numbers[asked], LabelSets(labels[cell] for cell in asked))
                    verdict._learn(labels, reading.frame(group, Span(time_ms, end_ms)), time_ms)
        return verdict

    def _note_newest(self, view: View, cells: NDArray[np.intp], numbers: Numbers) -> None:
        """The newest times that the head alone knows: no block has a newer one."""
        places = view.places.of(numbers)
        held = places >= 0
        if held.any():
            newest = newest_in(view, places[held])
            self.newest[cells[held]] = np.maximum(self.newest[cells[held]], newest)

    def _learn(self, labels: Sequence[Labels], held: Frame | None, time_ms: int) -> None:
        lines = {name: line for line, name in enumerate(held.labels)} if held is not None else {}
        for cell, name in enumerate(labels):
            line = lines.get(name)
            if held is None or line is None:
                continue
            there = np.flatnonzero(~is_absent(held.values[line]))
            self.newest[cell] = max(self.newest[cell], int(held.timeline[there[-1]]))
            if held.timeline[there[0]] == time_ms and is_absent(self.value[cell : cell + 1])[0]:
                self.value[cell] = held.values[line, there[0]]

    def accepted(self, values: Floats, time_ms: int, window_ms: int) -> tuple[NDArray[np.bool_], int]:
        """Which cells are new and not too late, and how many are refused (a sample sent twice is neither)."""
        there = ~is_absent(self.value)
        same = there & (self.value.view(np.uint64) == values.view(np.uint64))
        accepted = ~there & (self.newest - time_ms <= window_ms)
        return accepted, int((~accepted & ~same).sum())


def newest_in(view: View, places: NDArray[np.intp]) -> Times:
    """The newest time of each line of a head that has a sample there; -1 where none has."""
    times = np.full(len(places), -1, dtype=np.int64)
    if view.rows:
        held = ~is_absent(view.cells(places, 0, view.rows))
        last = view.rows - 1 - held[:, ::-1].argmax(axis=1)
        times = np.where(held.any(axis=1), view.timeline[last], times)
    return times


def chosen(row: Row, cells: NDArray[np.intp]) -> Row:
    """The row with these cells only."""
    if len(cells) == len(row.values):
        return row
    return Row(Columns(tuple(row.columns.labels[cell] for cell in cells)), row.values[cells])
