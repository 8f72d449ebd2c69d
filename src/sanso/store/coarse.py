"""Coarse samples: of each series and bucket of time the last, lowest, highest, their sum and their number.

A coarse row stands at the time of the last raw row of its bucket. So a bucket that lies in two blocks becomes two rows,
each of what its block has, and sums, counts and extremes over a range are right all the same.

In a coarse block a column is a series' part: its number is eight times the series' plus the part's. A part that equals
`last` throughout is left out. A stale marker is kept where nothing follows it in its bucket: as the bucket's cell where
there was no sample, else in the row after.

The parts of a native histogram (`model.native_histogram`) are kept as they were in the last row of the bucket that had
the histogram, all of one row: mixed ones would be a histogram that never was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import ABSENT, STALE, Floats, Mask, Part, Times, is_absent, is_stale
from sanso.store.blocks import Block, sealed
from sanso.store.columns import BlockColumns, Index
from sanso.store.pace import Pace
from sanso.store.places import Numbers
from sanso.store.tombstones import Tombstones

PARTS: tuple[Part, ...] = ("last", "min", "max", "sum", "count")
CODES = 8
"""Column numbers that each series has."""


_Number = TypeVar("_Number", int, Numbers)


def code_of(number: _Number, part: Part) -> _Number:
    """The column number of a series' part."""
    return number * CODES + PARTS.index(part)


def series_of(code: int) -> int:
    """The series of a column of a coarse block."""
    return code // CODES


def parts_in(index: Index, codes: Numbers) -> NDArray[np.intp]:
    """Where these columns are in a coarse block: a part that is left out is where the series' `last` is."""
    places = index.places.of(codes)
    return np.where(places >= 0, places, index.places.of(codes - codes % CODES))


@dataclass(frozen=True)
class _Buckets:
    """Rows of a block by time: the first row of each bucket, and the time of its last."""

    starts: NDArray[np.intp]
    times: Times

    @classmethod
    def of(cls, times: Times, resolution_ms: int) -> _Buckets:
        keys = times // resolution_ms
        starts = np.flatnonzero(np.append([True], keys[1:] != keys[:-1]))
        return cls(starts, times[np.append(starts[1:], len(times)) - 1])


@dataclass(frozen=True)
class _Column:
    """A raw column by bucket: how many samples, the rows of the last sample and of the last stale marker (-1: none)."""

    values: Floats
    sample: Mask
    count: Floats
    last_at: NDArray[np.intp]
    stale_at: NDArray[np.intp]

    @classmethod
    def of(cls, values: Floats, buckets: _Buckets) -> _Column:
        stale = is_stale(values)
        sample = ~(is_absent(values) | stale)
        rows = np.arange(len(values))
        last_at = np.maximum.reduceat(np.where(sample, rows, -1), buckets.starts)
        stale_at = np.maximum.reduceat(np.where(stale, rows, -1), buckets.starts)
        return cls(values, sample, np.add.reduceat(sample, buckets.starts, dtype=np.float64), last_at, stale_at)

    @property
    def carried(self) -> Mask:
        """Buckets with samples after which the series ended: the marker stands in the row after."""
        return np.asarray((self.last_at >= 0) & (self.stale_at > self.last_at))

    @property
    def marked(self) -> Mask:
        """Buckets without a sample in which the series has ended."""
        before = np.append([False], self.carried[:-1])
        return np.asarray((self.last_at < 0) & ((self.stale_at >= 0) | before))


def coarse(
    part: tuple[Index, BlockColumns],
    tombstones: Tombstones,
    leaders: Mapping[int, int],
    resolution_ms: int,
    pace: Pace,
) -> Block:
    """The coarse block of a raw one.

    Args:
        part: The raw block.
        tombstones: What is deleted, and so must not be summed up.
        leaders: Of each column that is part of a native histogram, the column that says where there is one.
        resolution_ms: How long a bucket is.
        pace: How fast.

    Raises:
        StoreError: The block is damaged.
    """
    index, columns = part
    buckets = _Buckets.of(index.times, resolution_ms)
    series = index.places.series
    places = {number: place for place, number in enumerate(series)}

    def raw(number: int) -> _Column:
        return column_of(number, columns.column(places[number]))

    def column_of(number: int, values: Floats) -> _Column:
        if tombstones.of(number):
            values = values.copy()
            tombstones.hide([number], index.times, values[None, :])
        return _Column.of(values, buckets)

    made: list[tuple[int, Floats, bool]] = []  # a hundredth of the raw block, or less
    for number, values in zip(series, pace.over(map(columns.column, range(len(series)))), strict=True):
        column = column_of(number, values)
        if not column.sample.any() and column.stale_at.max() < 0:
            continue
        leader = leaders.get(number, number)
        if leader == number:
            found = _summary(column, buckets.starts, only_last=number in leaders)
        else:
            found = {"last": _follower(column, raw(leader) if leader in places else column)}
        made += [(code_of(number, part), each, bool(column.carried[-1])) for part, each in found.items()]
    ends = any(carried for *_, carried in made)
    held = (np.append(each, STALE if carried else ABSENT) if ends else each for _, each, carried in made)
    return sealed(_row_times(buckets, ends=ends), [code for code, *_ in made], held)


def _row_times(buckets: _Buckets, *, ends: bool) -> Times:
    """Times of the rows; where a series ended in the last bucket, after its samples, a row more is needed for that."""
    if not ends:
        return buckets.times
    times = np.append(buckets.times, buckets.times[-1])
    times[-2] -= 1  # its first sample is older: the bucket has two rows at least
    return times


def _summary(column: _Column, starts: NDArray[np.intp], *, only_last: bool) -> dict[Part, Floats]:
    """The parts of a series; those that equal `last` to the bit are left out."""
    held, marked = column.last_at >= 0, column.marked

    def part(values: Floats) -> Floats:
        return np.where(held, values, np.where(marked, STALE, ABSENT))

    last = part(column.values[column.last_at])
    if only_last:
        return {"last": last}
    values = np.where(column.sample, column.values, np.nan)
    with np.errstate(invalid="ignore", over="ignore"):
        others: dict[Part, Floats] = {
            "min": part(np.fmin.reduceat(values, starts)),
            "max": part(np.fmax.reduceat(values, starts)),
            "sum": part(np.add.reduceat(np.where(column.sample, column.values, 0.0), starts)),
            "count": part(column.count),
        }
    return {"last": last, **{name: each for name, each in others.items() if each.tobytes() != last.tobytes()}}


def _follower(column: _Column, leader: _Column) -> Floats:
    """A histogram's part as it was in the last row of each bucket that had the histogram."""
    own = column.stale_at >= 0
    ended = leader.marked & (own | np.append([False], own[:-1]))
    there = np.where(leader.last_at >= 0, column.values[leader.last_at], np.where(ended, STALE, ABSENT))
    return np.asarray(there, dtype=np.float64)


def tiers_by_use(tiers: Sequence[int], step_ms: int) -> list[int]:
    """Resolutions in the order in which they serve a step: the coarsest that is not longer, then from the finest on."""
    serving = sorted((tier for tier in tiers if tier <= step_ms), reverse=True)
    return [*serving, *sorted(tier for tier in tiers if tier > step_ms)]


@dataclass(frozen=True)
class Chosen:
    """A block, its resolution (0 for raw), and the last time that is wanted of it."""

    block: int
    tier: int
    until_ms: int


def chosen(blocks: Sequence[tuple[int, int, int]], end_ms: int, step_ms: int) -> list[Chosen]:
    """Which blocks answer, oldest first: raw ones, and before the first of them coarse ones.

    Args:
        blocks: Number, resolution and first time of those that have something of the span, by time.
        end_ms: The last time that is asked for.
        step_ms: The step of the question.
    """
    until = end_ms + 1
    found: list[Chosen] = []
    for tier in [0, *tiers_by_use(sorted({tier for _, tier, _ in blocks if tier}), step_ms)]:
        here = [(block, first) for block, each, first in blocks if each == tier and first < until]
        found = [*(Chosen(block, tier, until - 1) for block, _ in here), *found]
        until = min([until, *(first for _, first in here)])
    return found
