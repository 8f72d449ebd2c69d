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
from sanso.model.labels import Labels
from sanso.store.head import View

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
    def nothing(cls, cells: int) -> Verdict:
        """Nothing is held of any of them."""
        return cls(np.full(cells, -1, dtype=np.int64), absent(cells))

    def learn(self, labels: Sequence[Labels], held: Frame, time_ms: int) -> None:
        """Take in what a lane holds of these series from the row's time on; an earlier lane's value stands."""
        rows = {name: row for row, name in enumerate(held.labels)}
        for cell, name in enumerate(labels):
            row = rows.get(name)
            if row is None:
                continue
            there = np.flatnonzero(~is_absent(held.values[row]))
            self.newest[cell] = max(self.newest[cell], int(held.timeline[there[-1]]))
            if held.timeline[there[0]] == time_ms and is_absent(self.value[cell : cell + 1])[0]:
                self.value[cell] = held.values[row, there[0]]

    def accepted(self, values: Floats, time_ms: int, window_ms: int) -> tuple[NDArray[np.bool_], int]:
        """Which cells are new and not too late, and how many are refused (a sample sent twice is neither)."""
        there = ~is_absent(self.value)
        same = there & (self.value.view(np.uint64) == values.view(np.uint64))
        accepted = ~there & (self.newest - time_ms <= window_ms)
        return accepted, int((~accepted & ~same).sum())


def newest_in(view: View, places: Sequence[int]) -> Times:
    """The newest time of each column of a head that has a sample there; -1 where none has."""
    held = ~is_absent(np.ascontiguousarray(view.values[: view.rows][:, list(places)]))
    times = np.full(len(places), -1, dtype=np.int64)
    if view.rows:
        last = view.rows - 1 - held[::-1].argmax(axis=0)
        times = np.where(held.any(axis=0), view.timeline[last], times)
    return times


def chosen(row: Row, cells: NDArray[np.intp]) -> Row:
    """The row with these cells only."""
    if len(cells) == len(row.values):
        return row
    return Row(Columns(tuple(row.columns.labels[cell] for cell in cells)), row.values[cells])
