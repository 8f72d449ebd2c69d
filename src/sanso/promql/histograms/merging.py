"""Several histograms made one: the sum, with signs, of each group."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sanso.model.frame import Floats
from sanso.model.native_histogram import CUSTOM_SCHEMA, Hint
from sanso.promql.histograms.resolution import reduced
from sanso.promql.histograms.table import Ints, Table, empty, joined
from sanso.promql.histograms.zero import reconciled

FINE, MIXED, CLASHING = 0, 1, 2
"""What became of a group: it has a sum; it mixes exponential and custom schemas; its custom bounds differ."""
_SMALL = 64
_MOST_CELLS = 8_000_000
"""More bucket cells than this are not gathered at once."""


@dataclass(frozen=True)
class Merged:
    """The sums of groups.

    Attributes:
        table: One histogram a group that is FINE.
        at: Which one is a group's, -1 where it has none: [G].
        outcome: FINE, MIXED or CLASHING: [G].
    """

    table: Table
    at: Ints
    outcome: Ints


def merged(
    table: Table, cells: Ints, group: Ints, groups: int, *, weights: Floats | None = None, coarsest: Ints | None = None
) -> Merged:
    """Sum the histograms of each group: schemas as coarse as the coarsest, zero buckets as wide as the widest.

    Args:
        table: Where the histograms are.
        cells: Which ones take part, in the order of their groups: [E].
        group: The group of each, rising from 0 without gaps: [E].
        groups: How many groups there are, G.
        weights: What each is multiplied by: [E]; nothing where None.
        coarsest: A schema that a group must not exceed: [G].
    """
    if not groups:
        return Merged(empty(), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    starts = np.searchsorted(group, np.arange(groups))
    schema, outcome = _judged(table, cells, starts)
    if outcome.any():
        fine = outcome == FINE
        numbers = np.cumsum(fine) - 1
        kept = fine[group]
        inner = merged(
            table, cells[kept], numbers[group[kept]], int(fine.sum()),
            weights=None if weights is None else weights[kept], coarsest=None if coarsest is None else coarsest[fine],
        )  # fmt: skip
        return Merged(inner.table, np.where(fine, numbers, -1), outcome)
    if coarsest is not None:
        schema = np.minimum(schema, coarsest)
    return Merged(_summed(table, cells, group, starts, weights, schema), np.arange(groups), outcome)


def added_hints(hints: Ints, starts: Ints) -> Ints:
    """The hint of each group's sum: its own where all agree, GAUGE where any is one, else UNKNOWN."""
    least, most = np.minimum.reduceat(hints, starts), np.maximum.reduceat(hints, starts)
    return np.where(least == most, least, np.where(most == Hint.GAUGE, Hint.GAUGE, Hint.UNKNOWN))


def _judged(table: Table, cells: Ints, starts: Ints) -> tuple[Ints, Ints]:
    """The coarsest schema of each group, and whether it can be summed."""
    schemas, layouts = table.schema[cells], table.layout[cells]
    least, most = np.minimum.reduceat(schemas, starts), np.maximum.reduceat(schemas, starts)
    mixed = (least == CUSTOM_SCHEMA) & (most != CUSTOM_SCHEMA)
    clashing = np.minimum.reduceat(layouts, starts) != np.maximum.reduceat(layouts, starts)
    return least, np.where(mixed, MIXED, np.where(clashing, CLASHING, FINE))


def _summed(table: Table, cells: Ints, group: Ints, starts: Ints, weights: Floats | None, schema: Ints) -> Table:
    if len(cells) * len(table.keys) > _MOST_CELLS and len(starts) > 1:
        half = len(starts) // 2
        edge = int(starts[half])
        first = _summed(table, cells[:edge], group[:edge], starts[:half], _part(weights, 0, edge), schema[:half])
        rest = _part(weights, edge, len(cells))
        second = _summed(table, cells[edge:], group[edge:] - half, starts[half:] - edge, rest, schema[half:])
        return joined([first, second])
    part = reduced(reconciled(table.take(cells), starts, group), schema[group])
    hint = added_hints(part.hint, starts)
    with np.errstate(invalid="ignore", over="ignore"):
        if weights is not None:
            np.multiply(part.buckets, weights, out=part.buckets)  # `take` has made them our own
            part = replace(part, count=part.count * weights, sum=part.sum * weights)
        return replace(
            part,
            buckets=_totals(part.buckets, starts),
            count=_totals(part.count, starts),
            sum=_totals(part.sum, starts),
            threshold=part.threshold[starts],
            schema=part.schema[starts],
            layout=part.layout[starts],
            hint=hint,
        )


def _totals(values: Floats, starts: Ints) -> Floats:
    """Sums of the groups along the last axis; those of a small group are added one after the other, as in Prometheus.

    Which way a group goes is its own matter: a range must not round otherwise than its instants.
    """
    sizes = np.diff(np.append(starts, values.shape[-1]))
    small = sizes <= _SMALL
    total: Floats = np.empty((*values.shape[:-1], len(starts)))
    if small.any():
        total[..., small] = _in_turn(values, starts[small], sizes[small])
    if not small.all():
        total[..., ~small] = np.add.reduceat(values, starts, axis=-1)[..., ~small]
    return total


def _in_turn(values: Floats, starts: Ints, sizes: Ints) -> Floats:
    size = int(sizes.max())
    if (sizes == size).all() and (starts == starts[0] + np.arange(len(starts)) * size).all():
        values = values[..., starts[0] : starts[-1] + size]
        total: Floats = values[..., ::size].copy()
        for member in range(1, size):
            total += values[..., member::size]
        return total
    total = values[..., starts]
    for member in range(1, size):
        there = sizes > member
        total[..., there] += values[..., starts[there] + member]
    return total


def _part(weights: Floats | None, start: int, end: int) -> Floats | None:
    return None if weights is None else weights[start:end]
