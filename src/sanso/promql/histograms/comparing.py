"""Two histograms beside each other: whether they are equal, and whether a counter was reset between them."""

from __future__ import annotations

import numpy as np

from sanso.model.frame import Floats, Mask
from sanso.model.native_histogram import Hint
from sanso.promql.histograms.resolution import reduced
from sanso.promql.histograms.table import Ints, Table
from sanso.promql.histograms.zero import with_threshold


def equal(left: Table, right: Table) -> Mask:
    """Where two tables of the same buckets, layouts and length have the same histogram, NaN being like itself: [C].

    Two selections of one table are such.
    """
    same = (left.schema == right.schema) & (left.layout == right.layout) & (left.threshold == right.threshold)
    same &= _alike(left.count, right.count) & _alike(left.sum, right.sum)
    alike: Mask = same & _alike(left.buckets, right.buckets).all(axis=0)
    return alike


def resets(table: Table, before: Ints, after: Ints) -> Mask:
    """Whether a counter was reset between two histograms of a table, pair by pair: [P].

    It was where `after` says so, and, unless `after` denies it, where any count fell or the buckets changed in a way
    that a growing counter's do not: finer, with a narrower zero bucket, or with other custom bounds.
    """
    hint = table.hint[after]
    found = (table.count[after] < table.count[before]) | (table.layout[after] != table.layout[before])
    found |= (table.custom[after] != table.custom[before]) | (table.schema[after] > table.schema[before])
    found |= table.threshold[after] < table.threshold[before]
    asked = np.flatnonzero(~found & (hint != Hint.RESET) & (hint != Hint.NO_RESET))
    if len(asked):
        found[asked] = _fell(table, before[asked], after[asked])
    return np.asarray((hint == Hint.RESET) | (found & (hint != Hint.NO_RESET)))


def _fell(table: Table, before: Ints, after: Ints) -> Mask:
    """Whether any bucket holds less than before; `before` is not coarser, nor is its zero bucket wider."""
    widths, schema = table.threshold[after], table.schema[after]
    if (table.threshold[before] == widths).all() and (table.schema[before] == schema).all():
        if (after == before + 1).all() and len(table) <= 2 * len(before):  # neighbours need not be gathered
            fell: Mask = np.asarray((table.buckets[:, 1:] < table.buckets[:, :-1]).any(axis=0))
            return fell[before]
        return np.asarray((table.buckets.take(after, axis=1) < table.buckets.take(before, axis=1)).any(axis=0))
    earlier = with_threshold(table.take(before), widths)
    moved: Mask = earlier.threshold != widths  # a populated bucket that reaches across the new threshold
    earlier = reduced(earlier, schema)
    keys = np.union1d(table.keys, earlier.keys)
    later = table.take(after).widened(keys)
    return np.asarray(moved | (later.buckets < earlier.widened(keys).buckets).any(axis=0))


def _alike(left: Floats, right: Floats) -> Mask:
    return np.asarray((left == right) | (np.isnan(left) & np.isnan(right)))
