"""Where buckets begin and end."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from sanso.model.frame import Floats
from sanso.model.native_histogram import CUSTOM_SCHEMA, FINEST_SCHEMA
from sanso.promql.histograms.table import MIDDLE, Ints, Layout, Table

_LARGEST = float(np.finfo(np.float64).max)


@functools.cache
def _fractions() -> Floats:
    """Bounds of the finest schema from 0.5 to 1; every coarser schema's are among them.

    To the last digit they are Prometheus's, which halves the way again and again: its rounding is part of the answers.
    """
    bounds = [0.5]
    for halving in range(1, FINEST_SCHEMA + 1):
        way = math.exp(math.log(2) / (1 << halving))
        bounds = [bound for lower in bounds for bound in (lower, lower * way)]
    return np.array(bounds)


def exponential_bound(index: Ints, schema: int) -> Floats:
    """Upper bounds of exponential buckets; the last before the one for infinities ends at the largest float."""
    if schema <= 0:
        exponent, fraction = (index << -schema) + 1, np.full(index.shape, 0.5)
    else:
        exponent = (index >> schema) + 1
        fraction = _fractions()[(index & ((1 << schema) - 1)) << (FINEST_SCHEMA - schema)]
    with np.errstate(over="ignore", under="ignore"):
        bound: Floats = np.ldexp(fraction, np.clip(exponent, -2000, 2000).astype(np.intc))
    return np.where((exponent == 1025) & (fraction == 0.5), _LARGEST, bound)


def _custom_bound(index: Ints, layout: Layout) -> Floats:
    whole = np.array([-np.inf, *layout, np.inf])
    bound: Floats = whole[np.clip(index + 1, 0, len(layout) + 1)]
    return bound


@dataclass(frozen=True)
class Edges:
    """The bounds of every bucket of a table.

    Attributes:
        kind: Which row of `lower` and `upper` a histogram has: [C].
        lower: Without regard of the zero bucket: [K, B].
        upper: Likewise.
        zero: The row of the zero bucket in the table.
        threshold: Its half width: [C].
    """

    kind: Ints
    lower: Floats
    upper: Floats
    zero: int
    threshold: Floats

    def at(self, rows: Ints) -> tuple[Floats, Floats]:
        """Lower and upper bounds of the buckets in those rows, [C] or [B, C]; none reaches into the zero bucket."""
        lower, upper = self.lower[self.kind, rows], self.upper[self.kind, rows]
        width = self.threshold
        if width.any():
            lower = np.where((lower > 0) & (lower < width), width, lower)
            upper = np.where((upper < 0) & (upper > -width), -width, upper)
        central = rows == self.zero
        custom = np.isneginf(self.lower[self.kind, self.zero])
        return np.where(central & ~custom, -width, lower), np.where(central & ~custom, width, upper)

    def all(self) -> tuple[Floats, Floats]:
        """Of all buckets of all histograms: [B, C]."""
        rows: Ints = np.arange(self.lower.shape[1])[:, None]
        lower, upper = self.at(np.broadcast_to(rows, (len(rows), len(self.kind))))
        return lower, upper


def edges(table: Table) -> Edges:
    """The bounds of a table's buckets."""
    kinds, kind = _kinds(table)
    index = np.abs(table.keys) - MIDDLE
    lower, upper = np.zeros((len(kinds), len(index))), np.zeros((len(kinds), len(index)))
    for row, (schema, layout) in enumerate(kinds):
        if schema == CUSTOM_SCHEMA:
            bounds = table.layouts[layout]
            lower[row], upper[row] = _custom_bound(index - 1, bounds), _custom_bound(index, bounds)
            continue
        near, far = exponential_bound(index - 1, schema), exponential_bound(index, schema)
        lower[row] = np.where(table.keys > 0, near, -far)
        upper[row] = np.where(table.keys > 0, far, -near)
    return Edges(kind, lower, upper, table.zero, table.threshold)


def _kinds(table: Table) -> tuple[list[tuple[int, int]], Ints]:
    """Pairs of schema and layout that occur, and each histogram's."""
    if not len(table):
        return [(0, 0)], np.empty(0, dtype=np.int64)
    codes = table.schema * len(table.layouts) + table.layout
    if (codes == codes[0]).all():
        return [(int(table.schema[0]), int(table.layout[0]))], np.zeros(len(table), dtype=np.int64)
    unique, kind = np.unique(codes, return_inverse=True)
    return [divmod(code, len(table.layouts)) for code in unique.tolist()], kind.astype(np.int64)
