"""Frames: series that share their timestamps, and the three NaN that a cell may hold."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sanso.model.labels import Labels

Floats: TypeAlias = NDArray[np.float64]
Times: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

STALE_BITS = 0x7FF0000000000002
"""Prometheus's stale marker: the series ended here."""
ABSENT_BITS = 0x7FF00000000000A5
"""No sample in this cell: the frame has a row here, this series has nothing."""


def _float(bits: int) -> float:
    value: float = struct.unpack("<d", struct.pack("<Q", bits))[0]
    return value


STALE = _float(STALE_BITS)
ABSENT = _float(ABSENT_BITS)


def is_absent(values: Floats) -> Mask:
    """Cells without a sample; values must be float64."""
    return np.asarray(values.view(np.uint64) == ABSENT_BITS)


def is_stale(values: Floats) -> Mask:
    """Cells with a stale marker."""
    return np.asarray(values.view(np.uint64) == STALE_BITS)


def is_whole(values: Floats) -> bool:
    """Whether every cell is a number: none is absent, stale or a real NaN, which a minimum hands on. Made for speed."""
    with np.errstate(invalid="ignore"):
        return not values.size or not np.isnan(values.min())


def absent(*shape: int) -> Floats:
    """A new array without samples."""
    made = np.empty(shape, dtype=np.uint64)
    made.fill(ABSENT_BITS)
    return made.view(np.float64)


@dataclass(frozen=True)
class Frame:
    """Series that share a timeline, as a reader gets them.

    Attributes:
        labels: One label set a series, length N.
        timeline: Milliseconds since 1970 UTC, strictly rising, shape [T].
        values: One row a series, shape [N, T], C-contiguous; ABSENT, STALE and NaN are distinct.
        coarse_ms: The resolution of its coarsest samples where the raw ones are gone; 0 where all are raw.
    """

    labels: list[Labels]
    timeline: Times
    values: Floats
    coarse_ms: int = 0


Part: TypeAlias = Literal["last", "min", "max", "sum", "count"]
"""What of a span of raw samples a coarse sample stands for; of a raw sample, itself (its `count` is 1)."""


@dataclass(frozen=True, eq=False)
class Columns:
    """The series of a row, named once: compared by identity, so that a writer pays nothing a tick.

    Attributes:
        labels: One label set a column, no two alike.
    """

    labels: tuple[Labels, ...]


@dataclass(frozen=True, eq=False)
class Row:
    """What a source read at one time: `values[i]` belongs to `columns.labels[i]`; ABSENT where there is none."""

    columns: Columns
    values: Floats


FamilyType: TypeAlias = Literal["counter", "gauge", "histogram", "summary", "info", "stateset", "unknown"]


@dataclass(frozen=True)
class Family:
    """What is known of all series of one metric name.

    Attributes:
        name: The metric name as series carry it (a histogram's without `_bucket`).
        type: The Prometheus type.
        help: One sentence.
        unit: The base unit (seconds, bytes, ratio …), empty where there is none.
    """

    name: str
    type: FamilyType
    help: str
    unit: str = ""
