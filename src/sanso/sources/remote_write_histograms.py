"""Native histograms written: the parts of one are columns of a frame, and it is taken whole or not at all."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sanso.model.errors import DecodeError
from sanso.model.frame import STALE, STALE_BITS, Floats, Times, is_stale
from sanso.model.labels import render
from sanso.model.native_histogram import parts
from sanso.model.native_messages import native_of
from sanso.sources.remote_write_rows import Rows
from sanso.sources.remote_write_series import Numbers, SeriesBook

_CORE = ("schema", "count", "sum")
"""Parts that every histogram has: where a time holds these already, it holds a histogram."""
_STALE_BYTES = struct.pack("<Q", STALE_BITS)

InTime = Callable[[Times, Numbers], NDArray[np.bool_]]


class HistogramRows:
    """Writes native histograms.

    Args:
        book: The series.
        rows: Writes their parts.
    """

    def __init__(self, book: SeriesBook, rows: Rows) -> None:
        self._book = book
        self._rows = rows
        self._newest: dict[int, int] = {}

    def forget(self) -> None:
        """Series have new numbers from now on."""
        self._newest.clear()

    def write(self, given: Sequence[tuple[int, Any]], in_time: InTime) -> int:
        """Write histogram messages, each with its series' number; how many were taken."""
        if not given:
            return 0
        times = np.array([message.timestamp for _, message in given], dtype=np.int64)
        good = in_time(times, np.array([number for number, _ in given], dtype=np.int64))
        held: list[tuple[int, int, dict[int, float]]] = []
        for (number, message), fits in zip(given, good.tolist(), strict=True):
            if number < 0 or not fits:
                continue
            try:
                held.append((number, message.timestamp, self._cells(number, message)))
            except DecodeError as error:
                self._book.complain(f"histograms of {render(self._book.labels[number])[:200]}: {error}")
        return self._write(held)

    def ends(self, series: Numbers, values: Floats) -> NDArray[np.bool_]:
        """Which plain samples are stale markers of series that are native histograms."""
        return np.asarray(is_stale(values) & self._book.histograms(series))

    def end(self, series: Numbers, times: Times) -> int:
        """End histograms that a plain stale marker names; how many were."""
        return self._write(
            [(number, time, self._ended(number)) for number, time in zip(series.tolist(), times.tolist(), strict=True)]
        )

    def _cells(self, number: int, message: Any) -> dict[int, float]:
        if struct.pack("<d", message.sum) == _STALE_BYTES:
            return self._ended(number)
        return {self._book.part(number, part): value for part, value in parts(native_of(message)).items()}

    def _ended(self, number: int) -> dict[int, float]:
        core = (self._book.part(number, part) for part in _CORE)
        return dict.fromkeys((*core, *self._book.parts(number)), STALE)

    def _write(self, held: Sequence[tuple[int, int, dict[int, float]]]) -> int:
        """Those newer than their series' newest at once by time; others one by one, their core first."""
        together: dict[int, list[tuple[int, dict[int, float]]]] = {}
        taken = 0
        for number, time_ms, cells in held:
            self._book.seen_s[number] = self._book.now_s
            newest = self._newest.get(number)
            self._newest[number] = max(time_ms, newest or time_ms)
            if newest is not None and time_ms > newest:
                together.setdefault(time_ms, []).append((number, cells))
            else:
                taken += self._write_alone(number, time_ms, cells)
        for time_ms in sorted(together):
            row = {part: value for _, cells in together[time_ms] for part, value in cells.items()}
            if not self._put(time_ms, row):
                taken += len(together[time_ms])
                continue
            for number, cells in together[time_ms]:  # which of them: what was taken is taken again without harm
                taken += self._write_alone(number, time_ms, cells)
        return taken

    def _write_alone(self, number: int, time_ms: int, cells: dict[int, float]) -> bool:
        core = {part: cells[part] for part in (self._book.part(number, name) for name in _CORE)}
        if self._put(time_ms, core):
            name = render(self._book.labels[number])[:200]
            self._book.complain(f"histograms of {name}: out of order, too old, or other than what is held at its time")
            return False
        self._put(time_ms, {part: value for part, value in cells.items() if part not in core})
        return True

    def _put(self, time_ms: int, cells: dict[int, float]) -> int:
        if not cells:
            return 0
        series = np.array(list(cells), dtype=np.int64)
        return self._rows.put(series, np.array(list(cells.values()), dtype=np.float64), time_ms)
