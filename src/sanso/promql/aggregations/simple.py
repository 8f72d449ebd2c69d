"""Groups made one number: sum, avg, min, max, count, group, stddev, stdvar, quantile."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sanso.model.frame import Floats, absent
from sanso.promql.aggregations.groups import Counts, Grouping, Groups, grouped
from sanso.promql.quantiles import quantiles_of
from sanso.promql.sums import run_means, run_sums
from sanso.promql.values import Vector, blank, empty


def aggregate(name: str, vector: Vector, name_of: Grouping) -> Vector:
    """One of `SIMPLE`."""
    if not vector.labels:
        return empty(vector.values.shape[1])
    groups = grouped(vector, name_of)
    counts = groups.counts()
    return Vector(groups.labels, blank(SIMPLE[name](groups, counts), counts > 0))


def quantile(vector: Vector, name_of: Grouping, wanted: Floats) -> Vector:
    """A quantile [S] of each group's values."""
    if not vector.labels:
        return empty(vector.values.shape[1])
    groups = grouped(vector, name_of)
    out = absent(len(groups.labels), len(wanted))
    for places, rows in groups.alike():
        out[places] = quantiles_of(groups.values[rows], groups.held[rows], wanted)
    return Vector(groups.labels, out)


def _zero_where_absent(groups: Groups, values: Floats) -> Floats:
    return values if groups.held.all() else np.where(groups.held, values, 0.0)


def _sum(groups: Groups, _: Counts) -> Floats:
    return run_sums(_zero_where_absent(groups, groups.values), groups.starts, groups.sizes)


def _mean(groups: Groups, counts: Counts) -> Floats:
    return _mean_of(groups, groups.values, counts)


def _mean_of(groups: Groups, values: Floats, counts: Counts) -> Floats:
    return run_means(_zero_where_absent(groups, values), groups.starts, groups.sizes, counts)


def _variance(groups: Groups, counts: Counts) -> Floats:
    # From a value of the group on, so that equal values have no variance at all.
    sizes = groups.sizes
    with np.errstate(invalid="ignore", over="ignore"):
        away = groups.values - np.repeat(_extreme(np.fmin)(groups, counts), sizes, axis=0)
        away -= np.repeat(_mean_of(groups, away, counts), sizes, axis=0)
        return _mean_of(groups, away**2, counts)


def _extreme(reduce: np.ufunc) -> Callable[[Groups, Counts], Floats]:
    def extreme(groups: Groups, _: Counts) -> Floats:
        # An absent cell is a NaN that signals, which fmin and fmax do not pass over.
        values = groups.values if groups.held.all() else np.where(groups.held, groups.values, np.nan)
        with np.errstate(invalid="ignore"):
            found: Floats = reduce.reduceat(values, groups.starts, axis=0)
        return found

    return extreme


SIMPLE: dict[str, Callable[[Groups, Counts], Floats]] = {
    "sum": _sum,
    "avg": _mean,
    "min": _extreme(np.fmin),
    "max": _extreme(np.fmax),
    "count": lambda _, counts: counts.astype(float),
    "group": lambda _, counts: np.ones(counts.shape),
    "stddev": lambda groups, counts: np.sqrt(_variance(groups, counts)),
    "stdvar": _variance,
}
