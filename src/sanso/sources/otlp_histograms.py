"""Histograms of OpenTelemetry as Prometheus's classic buckets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

FINEST_SCALE = 3
"""Buckets a factor of 2^(1/8) apart: 27 a decade."""
MOST_BOUNDS = 400
"""More are not kept: the grid is made coarser."""
_COARSEST_SCALE = -10
"""One bucket up to 1, one above: coarser scales tell floats apart no worse."""
_LOWEST, _HIGHEST = -1074, 1024
"""Exponents between which floats lie; 2^1024 is infinite."""


@dataclass
class Grid:
    """The bounds that all series of one exponential histogram share, so that `sum by (le)` adds like to like.

    Attributes:
        scale: Bounds are 2^(k / 2^scale).
        low: The lowest k so far.
        high: The highest k so far; below `low` where there is none yet.
    """

    scale: int = FINEST_SCALE
    low: int = 0
    high: int = -1
    _texts: tuple[tuple[int, int, int], list[str]] | None = None

    def cover(self, scale: int, low: int, high: int) -> None:
        """Make room for upper bounds `low` to `high` of a scale; grids of lower scales are subsets of finer ones."""
        if scale < self.scale:
            self._coarsen(self.scale - scale)
        shift = scale - self.scale
        low, high = _up(low, shift) - 1, _up(high, shift)  # one bound below: the lowest bucket has an edge of its own
        self.low, self.high = (low, high) if self.high < self.low else (min(self.low, low), max(self.high, high))
        while self.high - self.low >= MOST_BOUNDS:
            self._coarsen(1)

    def bounds(self) -> list[float]:
        """The finite upper bounds, rising."""
        finite = min(self.high, math.ceil(_HIGHEST * 2.0**self.scale) - 1)
        return [2.0 ** (k / 2.0**self.scale) for k in range(self.low, finite + 1)]

    def texts(self) -> list[str]:
        """The bounds as they stand in `le`, spelt once for as long as they stay."""
        now = (self.scale, self.low, self.high)
        if self._texts is None or self._texts[0] != now:
            self._texts = now, [bound_text(bound) for bound in self.bounds()]
        return self._texts[1]

    def _coarsen(self, shift: int) -> None:
        self.scale -= shift
        if self.high >= self.low:
            self.low, self.high = _up(self.low, shift), _up(self.high, shift)


@dataclass
class Sketch:
    """One exponential histogram's counts by upper bound k at a scale; `floor` is what lies at or below zero."""

    scale: int
    counts: dict[int, int] = field(default_factory=dict)
    floor: int = 0

    def cumulative(self, grid: Grid) -> list[float]:
        """The counts at or below each of the grid's bounds (and one more where the highest is infinite)."""
        shift = self.scale - grid.scale
        bins = np.zeros(max(grid.high - grid.low + 1, 0))
        for k, count in self.counts.items():
            bins[_up(k, shift) - grid.low] += count
        cumulated: list[float] = (np.cumsum(bins) + self.floor).tolist()
        return cumulated

    def add(self, other: Sketch) -> None:
        """Merge a delta in, at the coarser scale of the two."""
        scale = min(self.scale, other.scale)
        merged: dict[int, int] = {}
        for sketch in (self, other):
            for k, count in sketch.counts.items():
                place = _up(k, sketch.scale - scale)
                merged[place] = merged.get(place, 0) + count
        self.scale, self.counts, self.floor = scale, merged, self.floor + other.floor


def sketch_of(scale: int, offset: int, counts: Sequence[int], floor: int) -> Sketch:
    """A data point's positive buckets: bucket i covers (2^(i / 2^scale), 2^((i+1) / 2^scale)].

    Buckets where no float can be (scale and offset are anything a client sends) count at the nearest that has floats.
    """
    shift = max(scale - FINEST_SCALE, 0)
    sketch = Sketch(max(scale - shift, _COARSEST_SCALE), floor=floor)
    lowest, highest = (math.ceil(exponent * 2.0**sketch.scale) for exponent in (_LOWEST, _HIGHEST))
    for place, count in enumerate(counts):
        if count:
            k = min(max(_up(offset + place + 1, shift), lowest), highest)
            sketch.counts[k] = sketch.counts.get(k, 0) + count
    return sketch


def bound_text(bound: float) -> str:
    """A bound as Prometheus's OTLP receiver writes it into `le`."""
    if math.isinf(bound):
        return "+Inf"
    return np.format_float_positional(bound, trim="-")


def _up(k: int, shift: int) -> int:
    """The upper bound k of a scale as one of a scale coarser by `shift`: rounded up."""
    return -((-k) >> shift) if shift > 0 else k
