"""What the next commit writes: statements, in the order in which they came."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from sanso.model.frame import Family, Floats
from sanso.model.labels import Labels
from sanso.store.log import LogBook, LoggedRow

Statement = tuple[str, tuple[Any, ...]]


class Waiting:
    """Facts (frames, series, families, states, deletions), which wait until they are written, and rows, which do not.

    Args:
        layouts: The highest number that a layout has in the file.
        entries: The highest number that an entry of the log has.
        log: Told of entries.
    """

    def __init__(self, layouts: int, entries: int, log: LogBook) -> None:
        self._facts: list[Statement] = []
        self._fresh: list[Statement] = []
        self._rows: list[LoggedRow] = []
        self._states: dict[str, bytes] = {}
        self._layouts = layouts
        self._entries = entries
        self._log = log

    def facts(self) -> list[Statement]:
        """Everything but rows."""
        states = (("insert or replace into states values (?, ?)", state) for state in self._states.items())
        return [*self._facts, *states]

    @property
    def row_bytes(self) -> int:
        """What the rows take."""
        return sum(len(row.data) for row in self._rows)

    def drop_rows(self) -> None:
        """Forget the rows: the heads have them."""
        self._rows, self._fresh = [], []

    def take_rows(self, most_bytes: int = 0) -> list[Statement]:
        """What writes the rows and their layouts; forgotten here, as the heads have them.

        Args:
            most_bytes: What an entry may take, but for a single row; 0 for anything.
        """
        rows, statements = self._rows, self._fresh
        self.drop_rows()
        while rows:
            some = len(rows)
            if most_bytes:
                sizes = itertools.accumulate(len(row.data) for row in rows)
                some = max(sum(1 for _ in itertools.takewhile(lambda size: size <= most_bytes, sizes)), 1)
            data = b"".join([row.data for row in rows[:some]])
            self._entries += 1
            statements.append(("insert into log values (?, ?)", (self._entries, data)))
            self._log.add(self._entries, rows[:some], len(data))
            rows = rows[some:]
        return statements

    def clear(self) -> None:
        """The facts are written."""
        self._facts = []
        self._states = {}

    def add_frame(self, number: int, name: str) -> None:
        """Remember a frame."""
        self._facts.append(("insert or ignore into frames values (?, ?, -1)", (number, name)))

    def add_series(self, number: int, frame: int, labels: Labels) -> None:
        """Remember a series."""
        text = json.dumps(dict(labels), ensure_ascii=False)
        self._facts.append(("insert or replace into series values (?, ?, ?)", (number, frame, text)))

    def add_layout(self, frame: int, series: list[int]) -> int:
        """Remember which series the cells of a row belong to; the number rows name it by."""
        self._layouts += 1
        cells = np.array(series, dtype=np.int32).tobytes()
        self._fresh.append(("insert into layouts values (?, ?, ?)", (self._layouts, frame, cells)))
        return self._layouts

    def add_row(self, frame: int, time_ms: int, layout: int, cells: Floats) -> None:
        """Log a row, or what was added to one; one cell for each series of its layout."""
        self._rows.append(LoggedRow.of(frame, time_ms, layout, cells))

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
            self._facts.append(("delete from layouts where frame = ?", (number,)))
            self._log.forget(number)
