"""Wider zero buckets: what lies near zero counted as zero, so that histograms with different thresholds can meet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sanso.model.frame import Floats, Mask
from sanso.promql.histograms.bounds import edges
from sanso.promql.histograms.table import Ints, Table


def with_threshold(table: Table, threshold: Floats) -> Table:
    """Each with a zero bucket of at least that half width [C], which is not less than its own.

    A threshold inside a populated bucket moves out to the bucket's end, so the result may be wider than asked.
    Custom ones stay as they are.
    """
    wider = (threshold > table.threshold) & ~table.custom
    if not wider.any():
        return table
    cells = np.flatnonzero(wider)
    part = table.take(cells)
    near, far = _distances(part)
    reached = _outside(part, near, far, threshold[cells])
    swallowed = (near < reached) & (np.arange(len(part.keys)) != part.zero)[:, None]
    kept = np.where(swallowed, 0.0, part.buckets)
    kept[part.zero] += np.where(swallowed, part.buckets, 0.0).sum(axis=0)
    buckets, widths = table.buckets.copy(), table.threshold.copy()
    buckets[:, cells], widths[cells] = kept, reached
    return replace(table, buckets=buckets, threshold=widths)


def reconciled(table: Table, starts: Ints, group: Ints) -> Table:
    """All histograms of a group with the same threshold, the least that is inside no populated bucket of any.

    Args:
        table: Histograms in the order of their groups.
        starts: Where each group begins: [G].
        group: Each histogram's group: [C].
    """
    while True:
        widest = np.maximum.reduceat(table.threshold, starts)[group]
        if ((widest == table.threshold) | table.custom).all():
            return table
        table = with_threshold(table, widest)


def _distances(table: Table) -> tuple[Floats, Floats]:
    """How far from zero each bucket begins and ends: [B, C]; the zero bucket itself does not count."""
    found = edges(table)
    lower, upper = found.lower[found.kind].T, found.upper[found.kind].T
    negative: Mask = (table.keys < 0)[:, None]
    return np.where(negative, -upper, lower), np.where(negative, -lower, upper)


def _outside(table: Table, near: Floats, far: Floats, threshold: Floats) -> Floats:
    populated = table.buckets != 0
    populated[table.zero] = False
    while True:
        inside = populated & (near < threshold) & (far > threshold)
        if not inside.any():
            return threshold
        threshold = np.maximum(threshold, np.where(inside, far, 0.0).max(axis=0))
