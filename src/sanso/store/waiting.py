"""What the next commit writes: statements, in the order in which they came."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from sanso.model.frame import Family, Floats
from sanso.model.labels import Labels

Statement = tuple[str, tuple[Any, ...]]


class Waiting:
    """Facts (frames, series, families, states, deletions), which wait until they are written, and rows, which do not.

    Args:
        layouts: The highest number that a layout has in the file.
    """

    def __init__(self, layouts: int) -> None:
        self._facts: list[Statement] = []
        self._rows: list[Statement] = []
        self._states: dict[str, bytes] = {}
        self._layouts = layouts

    def facts(self) -> list[Statement]:
        """Everything but rows."""
        states = (("insert or replace into states values (?, ?)", state) for state in self._states.items())
        return [*self._facts, *states]

    def take_rows(self) -> list[Statement]:
        """The rows, which are forgotten: the heads have them."""
        rows, self._rows = self._rows, []
        return rows

    def clear(self) -> None:
        """The facts are written."""
        self._facts = []
        self._states = {}

    def add_frame(self, number: int, name: str) -> None:
        """Remember a frame."""
        self._facts.append(("insert or ignore into frames values (?, ?)", (number, name)))

    def add_series(self, number: int, frame: int, labels: Labels) -> None:
        """Remember a series."""
        text = json.dumps(dict(labels), ensure_ascii=False)
        self._facts.append(("insert or replace into series values (?, ?, ?)", (number, frame, text)))

    def add_layout(self, frame: int, series: list[int]) -> int:
        """Remember which series the cells of a row belong to; the number rows name it by."""
        self._layouts += 1
        cells = np.array(series, dtype=np.int32).tobytes()
        self._rows.append(("insert into layouts values (?, ?, ?)", (self._layouts, frame, cells)))
        return self._layouts

    def add_row(self, frame: int, time_ms: int, layout: int, cells: Floats) -> None:
        """Log a row; the cells are those of its layout."""
        statement = "insert or replace into log values (?, ?, ?, ?)"
        self._rows.append((statement, (frame, time_ms, layout, cells.tobytes())))

    def add_family(self, family: Family) -> None:
        """Remember what a metric is."""
        values = (family.name, family.type, family.help, family.unit)
        self._facts.append(("insert or replace into families values (?, ?, ?, ?)", values))

    def add_state(self, key: str, value: bytes) -> None:
        """Remember a state."""
        self._states[key] = value

    def add_tombstone(self, number: int, start_ms: int, end_ms: int) -> None:
        """Remember a deletion."""
        self._facts.append(("insert into tombstones values (?, ?, ?)", (number, start_ms, end_ms)))

    def remove(self, series: Iterable[int], frames: Iterable[int]) -> None:
        """Forget series and frames of which nothing is left; rows of such a frame hold nothing either."""
        for number in series:
            self._facts.append(("delete from series where id = ?", (number,)))
            self._facts.append(("delete from tombstones where series = ?", (number,)))
        for number in frames:
            self._facts.append(("delete from frames where id = ?", (number,)))
            self._facts.append(("delete from log where frame = ?", (number,)))
            self._facts.append(("delete from layouts where frame = ?", (number,)))
