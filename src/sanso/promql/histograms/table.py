"""Many native histograms as a few arrays: one row a bucket, one column a histogram.

A vector or a range points into a table by number, so that selecting, filtering and matching move numbers only, and a
sample that is seen at many steps is held once.

A bucket is named by its key: 0 is the zero bucket, `index + MIDDLE` a positive bucket, `-(index + MIDDLE)` a negative
one. So rising keys are rising values, whatever the schema; a key means the bucket of that index in the histogram's own
schema (or, with custom bounds, in its own layout).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import Floats, Mask
from sanso.model.native_histogram import CUSTOM_SCHEMA, Hint, NativeHistogram

Ints: TypeAlias = NDArray[np.int64]
Layout: TypeAlias = tuple[float, ...]

MIDDLE = 1 << 20
"""More than the index of any bucket of the finest schema."""


@dataclass(frozen=True)
class Table:
    """C histograms with B buckets between them.

    Attributes:
        keys: Of the buckets, rising; 0 is always among them. Shape [B].
        buckets: Observations in each, not cumulated, 0 where a histogram has no such bucket: [B, C].
        count: Observations: [C].
        sum: Of the observations: [C].
        threshold: The zero bucket's half width: [C].
        schema: Exponential, or CUSTOM_SCHEMA: [C].
        layout: Which of `layouts` a custom schema has: [C]; 0 otherwise.
        hint: A `Hint`: [C].
        layouts: Upper bounds of custom schemas, the first empty; no two alike.
    """

    keys: Ints
    buckets: Floats
    count: Floats
    sum: Floats
    threshold: Floats
    schema: Ints
    layout: Ints
    hint: Ints
    layouts: tuple[Layout, ...] = ((),)

    def __len__(self) -> int:
        return len(self.count)

    @property
    def zero(self) -> int:
        """The row of the zero bucket."""
        return int(np.searchsorted(self.keys, 0))

    @property
    def custom(self) -> Mask:
        """Which have custom bounds: [C]."""
        return np.asarray(self.schema == CUSTOM_SCHEMA)

    def take(self, cells: Ints) -> Table:
        """Some of the histograms, in the order asked for."""
        return Table(
            self.keys, self.buckets.take(cells, axis=1), self.count[cells], self.sum[cells], self.threshold[cells],
            self.schema[cells], self.layout[cells], self.hint[cells], self.layouts,
        )  # fmt: skip

    def scaled(self, factors: Floats | float) -> Table:
        """Every count and sum times a factor, a number or one a histogram [C]; an empty bucket stays empty."""
        with np.errstate(all="ignore"):
            buckets = self.buckets * factors
            if not np.isfinite(factors).all():
                buckets = np.where(self.buckets == 0, 0.0, buckets)  # not NaN: most are in other histograms only
            return replace(self, buckets=buckets, count=self.count * factors, sum=self.sum * factors)

    def divided(self, by: Floats) -> Table:
        """Every count and sum divided by a number each [C]; division by zero leaves no bucket but the zero bucket."""
        with np.errstate(all="ignore"):
            buckets = self.buckets / by
            nothing = by == 0
            if nothing.any():
                zero = buckets[self.zero].copy()
                buckets[:, nothing] = 0.0
                buckets[self.zero] = np.where(self.custom & nothing, 0.0, zero)
            return replace(self, buckets=buckets, count=self.count / by, sum=self.sum / by)

    def hinted(self, hint: Hint | Ints) -> Table:
        """With another hint, for all or one each."""
        return replace(self, hint=np.broadcast_to(np.asarray(hint, dtype=np.int64), self.hint.shape))

    def without_resets(self) -> Table:
        """With hints of gauges only."""
        return self.hinted(np.where(self.hint == Hint.GAUGE, Hint.GAUGE, Hint.UNKNOWN))

    def widened(self, keys: Ints) -> Table:
        """With more buckets; `keys` hold the table's own."""
        if len(keys) == len(self.keys):
            return self
        buckets = np.zeros((len(keys), len(self)))
        buckets[np.searchsorted(keys, self.keys)] = self.buckets
        return replace(self, keys=keys, buckets=buckets)

    def histogram(self, cell: int) -> NativeHistogram:
        """One as a plain value."""
        held = np.flatnonzero(self.buckets[:, cell] != 0)
        found = list(zip(self.keys[held].tolist(), self.buckets[held, cell].tolist(), strict=True))
        custom = bool(self.schema[cell] == CUSTOM_SCHEMA)
        return NativeHistogram(
            schema=int(self.schema[cell]),
            count=float(self.count[cell]),
            sum=float(self.sum[cell]),
            zero_count=0.0 if custom else float(self.buckets[self.zero, cell]),
            zero_threshold=float(self.threshold[cell]),
            positive=tuple((key - MIDDLE, count) for key, count in found if key > 0),
            negative=tuple((-key - MIDDLE, count) for key, count in reversed(found) if key < 0),
            bounds=self.layouts[int(self.layout[cell])] if custom else (),
            hint=Hint(int(self.hint[cell])),
        )


def empty() -> Table:
    """No histogram."""
    return table_of([])


def table_of(histograms: Sequence[NativeHistogram]) -> Table:
    """Plain values as a table."""
    keys = {0}
    for histogram in histograms:
        keys.update(index + MIDDLE for index, _ in histogram.positive)
        keys.update(-index - MIDDLE for index, _ in histogram.negative)
    rising = np.array(sorted(keys), dtype=np.int64)
    rows = {key: row for row, key in enumerate(rising.tolist())}
    buckets = np.zeros((len(rising), len(histograms)))
    layouts: dict[Layout, int] = {(): 0}
    layout = []
    for cell, histogram in enumerate(histograms):
        buckets[rows[0], cell] = histogram.zero_count
        for index, count in histogram.positive:
            buckets[rows[index + MIDDLE], cell] = count
        for index, count in histogram.negative:
            buckets[rows[-index - MIDDLE], cell] = count
        layout.append(layouts.setdefault(histogram.bounds, len(layouts)))
    return Table(
        rising,
        buckets,
        np.array([h.count for h in histograms], dtype=float),
        np.array([h.sum for h in histograms], dtype=float),
        np.array([h.zero_threshold for h in histograms], dtype=float),
        np.array([h.schema for h in histograms], dtype=np.int64),
        np.array(layout, dtype=np.int64),
        np.array([h.hint for h in histograms], dtype=np.int64),
        tuple(layouts),
    )


def joined(tables: Sequence[Table]) -> Table:
    """The histograms of several tables, in order."""
    if len(tables) == 1:
        return tables[0]
    if not tables:
        return empty()
    keys = tables[0].keys
    if any(not np.array_equal(table.keys, keys) for table in tables[1:]):
        keys = np.unique(np.concatenate([table.keys for table in tables]))
    layouts: dict[Layout, int] = {(): 0}
    renumbered = []
    for table in tables:
        numbers = np.array([layouts.setdefault(bounds, len(layouts)) for bounds in table.layouts], dtype=np.int64)
        renumbered.append(numbers[table.layout])
    return Table(
        keys,
        np.concatenate([table.widened(keys).buckets for table in tables], axis=1),
        np.concatenate([table.count for table in tables]),
        np.concatenate([table.sum for table in tables]),
        np.concatenate([table.threshold for table in tables]),
        np.concatenate([table.schema for table in tables]),
        np.concatenate(renumbered),
        np.concatenate([table.hint for table in tables]),
        tuple(layouts),
    )
