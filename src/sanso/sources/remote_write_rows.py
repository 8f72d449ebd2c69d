"""Samples of series as rows of their frames: one row a frame and time."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from sanso.model.frame import ABSENT_BITS, Floats, Row, Times, absent
from sanso.model.labels import render
from sanso.model.series import RowWriter
from sanso.sources.remote_write_series import Numbers, SeriesBook

_MOST_NAMED = 3
_FIRST = np.zeros(1, dtype=np.intp)


class Rows:
    """Writes samples; says which were refused.

    Args:
        book: The series.
        writer: Where rows go.
    """

    def __init__(self, book: SeriesBook, writer: RowWriter) -> None:
        self._book = book
        self._writer = writer

    def write(self, series: Numbers, values: Floats, times: Times) -> int:
        """Write samples of any times and frames; how many were refused, which the book's problems name."""
        values = _guarded(values)
        book = self._book
        frames = book.frame[series]
        if np.count_nonzero(frames < 0):
            for _, rows in _runs(times):
                book.settle(series[rows])
            frames = book.frame[series]
        return sum(
            self._write_row(frame, time_ms, series[rows], values[rows])
            for (time_ms, frame), rows in _runs(times, frames)
        )

    def put(self, series: Numbers, values: Floats, time_ms: int) -> int:
        """Write cells of one time, each series once; how many were refused, of which nothing is said."""
        values = _guarded(values)
        if np.count_nonzero(self._book.frame[series] < 0):
            self._book.settle(series)
        frames = self._book.frame[series]
        return sum(self._append(frame, time_ms, series[rows], values[rows]) for (frame,), rows in _runs(frames))

    def _append(self, frame: int, time_ms: int, series: Numbers, values: Floats) -> int:
        """Add cells to a row of one frame; how many the store refused."""
        return self._writer.append(
            self._book.frames[frame].name, time_ms, self._row(frame, series, values), complete=False
        )

    def _row(self, frame: int, series: Numbers, values: Floats) -> Row:
        book = self._book
        book.seen_s[series] = book.now_s
        columns = book.columns(frame)
        cells = absent(len(columns.labels))
        cells[book.place[series]] = values
        return Row(columns, cells)

    def _write_row(self, frame: int, time_ms: int, series: Numbers, values: Floats) -> int:
        refused = 0
        row = self._row(frame, series, values)
        if np.count_nonzero(row.values.view(np.uint64) != ABSENT_BITS) < len(series):
            series, values, refused = self._once(series, values)
            row = self._row(frame, series, values)
        failed = self._writer.append(self._book.frames[frame].name, time_ms, row, complete=False)
        if failed:
            self._name(frame, time_ms, series, values, failed)
        return refused + failed

    def _once(self, series: Numbers, values: Floats) -> tuple[Numbers, Floats, int]:
        """Each series once, where a request says one time twice: the first value stands, another is refused."""
        _, first, where = np.unique(series, return_index=True, return_inverse=True)
        other = values.view(np.uint64) != values[first][where].view(np.uint64)
        for number in series[other][:_MOST_NAMED].tolist():
            self._book.complain(f"series {render(self._book.labels[number])[:200]}: two values at one time")
        rest = int(other.sum()) - _MOST_NAMED
        if rest > 0:
            self._book.complain("series: two values at one time", rest)
        return series[first], values[first], int(other.sum())

    def _name(self, frame: int, time_ms: int, series: Numbers, values: Floats, failed: int) -> None:
        """Complain of what was refused; what was taken is taken again without harm, so each can be tried alone."""
        reason = "out of order, too old, or other than what is held at its time"
        named = 0
        for cell, number in enumerate(series.tolist()):
            alone = slice(cell, cell + 1)
            if failed == len(series) or self._append(frame, time_ms, series[alone], values[alone]):
                self._book.complain(f"series {render(self._book.labels[number])[:200]}: {reason}")
                named += 1
                if named in (failed, _MOST_NAMED):
                    break
        if failed > named:
            self._book.complain(f"samples {reason}", failed - named)


def _guarded(values: Floats) -> Floats:
    """Without the NaN that means something to us alone."""
    hidden = values.view(np.uint64) == ABSENT_BITS
    return np.where(hidden, np.nan, values) if np.count_nonzero(hidden) else values


def _runs(*keys: Times) -> list[tuple[tuple[int, ...], Numbers | slice]]:
    """Equal keys, and their places: in the order of the keys; of equal keys in the order in which they came."""
    edges, found = _edges(keys)
    if all(earlier < later for earlier, later in itertools.pairwise(found)):  # they came so
        return [(key, slice(*edge)) for key, edge in zip(found, itertools.pairwise(edges), strict=True)]
    order = np.lexsort(keys[::-1])
    edges, found = _edges([key[order] for key in keys])
    return [(key, order[begin:end]) for key, (begin, end) in zip(found, itertools.pairwise(edges), strict=True)]


def _edges(keys: Sequence[Times]) -> tuple[list[int], list[tuple[int, ...]]]:
    """Where keys change, both ends included, and the keys between."""
    changes = keys[0][1:] != keys[0][:-1]
    for key in keys[1:]:
        changes |= key[1:] != key[:-1]
    begins = np.concatenate([_FIRST, changes.nonzero()[0] + 1])
    return [*begins.tolist(), len(keys[0])], list(zip(*(key[begins].tolist() for key in keys), strict=True))
