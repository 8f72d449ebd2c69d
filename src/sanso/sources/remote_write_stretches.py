"""Remote-write 1.0 requests read by what came before.

A sender repeats itself: the same series one after the other, with other values and times. It may cut its stream at
other places every time. So a request that was read is kept as a stretch of that stream: a request that begins like one
in any of its series, and goes on like it byte by byte but for values and times, needs nothing to be looked up for as
long as it does; then another stretch goes on, or the same one after a series that came without its value, or with it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sanso.sources.remote_write_shape import (
    FULL,
    TIME,
    VALUE,
    ZERO,
    Bytes,
    Places,
    Samples,
    Shape,
    samples_at,
    shape_in,
)

_MOST_BYTES = 64 << 20
"""Of all stretches: what is needed for about 300,000 series."""
_FEW_RUNS, _RUN_BYTES = 8, 2_500
"""A run costs as much as so many bytes that are looked through for their shape: when it comes to more, that is done."""
_MANY_RUNS = 20
"""From here on a request is kept though its series are in stretches: some of those look otherwise now."""
_FIRST_LOOK = 8_192
"""Bytes compared first, after a run was short."""
_UNKNOWN = -2
_INDEX_BITS = 32

Numbers = NDArray[np.int64]
Learnt = Callable[[bytes], int | None]
"""The number of a series by the bytes of its labels: below 0 where it is refused, None where these are not labels."""


@dataclass(frozen=True)
class _Run:
    """Series of a request that lie as they did before; the same as a stretch has, or one alone."""

    series: Numbers
    ends: Places
    full: NDArray[np.bool_]


class _Stretch:
    """A request that was read.

    Attributes:
        alive: How many of its series are not in a newer one.
    """

    def __init__(self, body: Bytes, run: _Run) -> None:
        self.body = body
        self.run = run
        self.edges = np.concatenate([np.zeros(1, dtype=np.intp), run.ends])
        self.alive = len(run.series)
        fixed = np.full(len(body), 255, dtype=np.uint8)
        values, times = run.ends[run.full] - VALUE, run.ends - TIME
        np.ndarray(len(body) - 7, "<u8", fixed, strides=(1,))[values] = 0
        np.ndarray(len(body) - 3, "<u4", fixed, strides=(1,))[times] = 0
        np.ndarray(len(body) - 1, "<u2", fixed, strides=(1,))[times + 4] = 0
        self._fixed = fixed
        """All bits where a byte is the same every time."""

    @property
    def size(self) -> int:
        """Bytes of memory."""
        return 2 * len(self.body) + 25 * len(self.run.series)

    def follow(self, body: Bytes, at: int, first: int, look: int) -> _Run:
        """As many series as go on in a request as they do here, from the one with this index on."""
        begin = int(self.edges[first])
        end = begin + min(len(body) - at, len(self.body) - begin)
        matched = begin
        while matched < end:
            until = min(matched + look, end)
            other = body[matched - begin + at : until - begin + at] ^ self.body[matched:until]
            other &= self._fixed[matched:until]
            different = other.view(bool)
            place = int(different.argmax())
            if different[place]:
                matched += place
                break
            matched, look = until, look * 8
        last = int(self.edges.searchsorted(matched, "right")) - 1
        run = self.run
        if at == begin and last - first == len(run.series):
            return run
        return _Run(run.series[first:last], run.ends[first:last] + (at - begin), run.full[first:last])


class StretchReader:
    """Reads requests of the usual shape; remembers series, and the last requests as stretches.

    Args:
        most_bytes: Of memory for stretches.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._keys: dict[bytes, int] = {}
        self._stretches: OrderedDict[int, _Stretch] = OrderedDict()
        self._bytes = self._made = 0
        self._where = np.zeros(0, dtype=np.int64)
        """Of each series: the number of the newest stretch that has it, and its index there in the lower bits."""

    def forget(self) -> None:
        """Series have new numbers from now on."""
        self._keys.clear()
        self._stretches.clear()
        self._bytes = 0

    def read(self, body: bytes, learnt: Learnt) -> Samples | None:
        """The samples; None where the request is of another shape."""
        whole = np.frombuffer(body, dtype=np.uint8)
        runs = self._runs(body, whole)
        if runs is not None:
            run = _joined(runs)
            if len(runs) > _MANY_RUNS:
                self._learn(whole, run)
            return samples_at(whole, run.ends, run.full, run.series)
        shape = shape_in(whole)
        if shape is None:
            return None
        numbers = self._numbers(body, shape, learnt)
        if numbers is None:
            return None
        run = _Run(np.array(numbers, dtype=np.int64), shape.ends, shape.full)
        found = samples_at(whole, run.ends, run.full, run.series)
        if found is not None and (run.series >= 0).all():
            self._learn(whole, run)
        return found

    def _runs(self, body: bytes, whole: Bytes) -> list[_Run] | None:
        """The runs that a request consists of; None where those are too many, or it has anything else."""
        runs: list[_Run] = []
        at, look = 0, len(body)
        while at < len(body):
            cut = _first_series(body, at)
            if cut is None or len(runs) > _FEW_RUNS + at // _RUN_BYTES:
                return None
            labels, end, full = cut
            number = self._keys.get(labels)
            if number is None or number >= len(self._where):  # never in a request that was kept
                return None
            where = int(self._where[number])
            stretch = self._stretches.get(where >> _INDEX_BITS)
            if stretch is None:
                return None
            index = where & (1 << _INDEX_BITS) - 1
            if stretch.run.full[index] == full:
                self._stretches.move_to_end(where >> _INDEX_BITS)
                runs.append(stretch.follow(whole, at, index, look))
                if not len(runs[-1].ends):  # the same labels in other bytes: a length may be written in several ways
                    return None
                end = int(runs[-1].ends[-1])
                look = max(2 * (end - at), _FIRST_LOOK)
            else:
                runs.append(_Run(np.array([number]), np.array([end]), np.array([full])))
            at = end
        return runs or None

    def _learn(self, body: Bytes, run: _Run) -> None:
        """Keep a request as a stretch.

        Those of which every series is in a newer one go, and where they are many those that were not used for longest.
        """
        self._grow(int(run.series.max()) + 1)
        before, counts = np.unique(self._where[run.series] >> _INDEX_BITS, return_counts=True)
        self._made += 1
        made = self._stretches[self._made] = _Stretch(body, run)
        self._bytes += made.size
        self._where[run.series] = (self._made << _INDEX_BITS) + np.arange(len(run.series))
        for number, count in zip(before.tolist(), counts.tolist(), strict=True):
            old = self._stretches.get(number)
            if old is not None:
                old.alive -= count
                if old.alive <= 0:
                    self._drop(number)
        while self._bytes > self._most_bytes and len(self._stretches) > 1:
            self._drop(next(iter(self._stretches)))

    def _drop(self, number: int) -> None:
        self._bytes -= self._stretches.pop(number).size

    def _grow(self, count: int) -> None:
        if count > len(self._where):
            self._where = np.concatenate([self._where, np.zeros(count, dtype=np.int64)])

    def _numbers(self, body: bytes, shape: Shape, learnt: Learnt) -> list[int] | None:
        """The number of each series, by its labels."""
        keys = self._keys
        places = list(zip(shape.labels.tolist(), shape.samples.tolist(), strict=True))
        numbers = [keys.get(body[begin:end], _UNKNOWN) for begin, end in places]
        for row, number in enumerate(numbers):
            if number == _UNKNOWN:
                key = body[slice(*places[row])]
                found = learnt(key)
                if found is None:
                    return None
                numbers[row] = found
                if found >= 0:
                    keys[key] = found
        return numbers


def _first_series(body: bytes, at: int) -> tuple[bytes, int, bool] | None:
    """The labels of a series that begins there, its end, and whether it has a value; None where that is not seen."""
    if body[at] != 0x0A or at + 3 > len(body):
        return None
    length, begin = body[at + 1], at + 2
    if length > 127:
        if body[begin] > 127:
            return None
        length, begin = length & 127 | body[begin] << 7, begin + 1
    end = begin + length
    if end > len(body):
        return None
    if length > FULL and body[end - FULL : end - VALUE] == b"\x12\x10\x09":
        return body[begin : end - FULL], end, True
    if length > ZERO and body[end - ZERO : end - TIME] == b"\x12\x07\x10":
        return body[begin : end - ZERO], end, False
    return None


def _joined(runs: list[_Run]) -> _Run:
    if len(runs) == 1:
        return runs[0]
    return _Run(
        np.concatenate([run.series for run in runs]),
        np.concatenate([run.ends for run in runs]),
        np.concatenate([run.full for run in runs]),
    )
