"""Aggregations: series grouped by labels, each group made one (or its best few kept)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sanso.model.errors import QueryError
from sanso.model.frame import Floats, Mask, absent
from sanso.model.labels import NAME, Labels, LabelSets, derived, labels_of, without
from sanso.promql.quantiles import quantile_of_sorted
from sanso.promql.values import Vector, blank, empty, present


@dataclass(frozen=True)
class Grouping:
    """What of a label set names its group: some labels, or all but some and the metric name."""

    names: frozenset[str]
    by: bool

    def __call__(self, series: Labels) -> Labels:
        """The group's labels."""
        if self.by:
            return tuple(pair for pair in series if pair[0] in self.names)
        return without(series, self.names | {NAME})


@dataclass(frozen=True)
class Members:
    """Which series belong together.

    Attributes:
        labels: Of each group, G.
        order: Series in the order of their groups.
        starts: Where each group begins in that order, shape [G].
    """

    labels: LabelSets
    order: NDArray[np.intp]
    starts: NDArray[np.intp]


@dataclass(frozen=True)
class Groups:
    """Series in the order of their groups.

    Attributes:
        labels: Of each group, G.
        starts: Where each group begins among the rows, shape [G].
        values: The rows in that order, [N, S].
        held: Where they have a value.
        order: Which row of the vector each is.
    """

    labels: list[Labels]
    starts: NDArray[np.intp]
    values: Floats
    held: Mask
    order: NDArray[np.intp]

    def counts(self) -> NDArray[np.int64]:
        """How many values each group has at each step: [G, S]."""
        counted: NDArray[np.int64] = np.add.reduceat(self.held.astype(np.int64), self.starts, axis=0)
        return counted

    def totals(self, values: Floats) -> Floats:
        """Sums of values [N, S], 0 where absent: [G, S]."""
        with np.errstate(invalid="ignore", over="ignore"):
            total: Floats = np.add.reduceat(np.where(self.held, values, 0.0), self.starts, axis=0)
        return total

    def spans(self) -> list[slice]:
        """The rows of each group."""
        ends = [*self.starts[1:].tolist(), len(self.order)]
        return [slice(start, end) for start, end in zip(self.starts.tolist(), ends, strict=True)]


def grouping(labels: list[str], *, by: bool) -> Grouping:
    """What of a label set names its group."""
    return Grouping(frozenset(labels), by)


def grouped(vector: Vector, name_of: Grouping) -> Groups:
    """The groups of a vector that is not empty."""
    members = derived(vector.labels, name_of, lambda labels: _members(labels, name_of))
    values = vector.values[members.order]
    return Groups(members.labels, members.starts, values, present(values), members.order)


def _members(labels: list[Labels], name_of: Grouping) -> Members:
    numbers: dict[Labels, int] = {}
    member = np.array([numbers.setdefault(name_of(series), len(numbers)) for series in labels], dtype=np.intp)
    order = np.argsort(member, kind="stable")
    return Members(LabelSets(numbers), order, np.searchsorted(member[order], np.arange(len(numbers))))


def aggregate(name: str, vector: Vector, name_of: Grouping) -> Vector:
    """sum, avg, min, max, count, group, stddev or stdvar."""
    if not vector.labels:
        return empty(vector.values.shape[1])
    groups = grouped(vector, name_of)
    counts = groups.counts()
    return Vector(groups.labels, blank(_SIMPLE[name](groups, counts), counts > 0))


def quantile(vector: Vector, name_of: Grouping, wanted: Floats) -> Vector:
    """A quantile [S] of each group's values."""
    if not vector.labels:
        return empty(vector.values.shape[1])
    groups = grouped(vector, name_of)
    out = absent(len(groups.labels), len(wanted))
    for group, span in enumerate(groups.spans()):
        values, held = groups.values[span], groups.held[span]
        for step in np.flatnonzero(held.any(axis=0)).tolist():
            ordered = np.sort(values[held[:, step], step])
            missing = int(np.isnan(ordered).sum())  # Prometheus sorts NaN first
            out[group, step] = quantile_of_sorted(float(wanted[step]), np.roll(ordered, missing)[None, :])[0]
    return Vector(groups.labels, out)


def best(vector: Vector, name_of: Grouping, amount: Floats, *, largest: bool) -> Vector:
    """Topk and bottomk: at each step the `amount` [S] best series of each group keep their values.

    Raises:
        QueryError: The amount is not a number.
    """
    if np.isnan(amount).any():
        raise QueryError("Parameter value is NaN", "execution")
    if not vector.labels:
        return vector
    groups = grouped(vector, name_of)
    kept = np.zeros_like(groups.held)
    for span in groups.spans():
        values, held = groups.values[span], groups.held[span]
        keys = np.where(np.isnan(values), np.inf, -values if largest else values)
        order = np.lexsort((keys, ~held), axis=0)
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, np.arange(len(order))[:, None], axis=0)
        kept[span] = held & (rank < amount)
    rows = np.flatnonzero(kept.any(axis=1))
    if vector.values.shape[1] == 1:
        rows = _by_rank(groups, rows, largest=largest)
    labels = [vector.labels[groups.order[row]] for row in rows.tolist()]
    return Vector(labels, blank(groups.values[rows], kept[rows]))


def count_values(vector: Vector, name_of: Grouping, label: str) -> Vector:
    """How often each value occurs: one series a value, named by `label`."""
    steps = vector.values.shape[1]
    counted: dict[Labels, NDArray[np.float64]] = {}
    for labels, values in zip(vector.labels, vector.values, strict=True):
        group = name_of(labels)
        for step in np.flatnonzero(present(values)).tolist():
            name = labels_of({**dict(group), label: go_float(float(values[step]))})
            counted.setdefault(name, np.zeros(steps))[step] += 1
    if not counted:
        return empty(steps)
    totals = np.array(list(counted.values()))
    return Vector(list(counted), blank(totals, totals > 0))


def limitk(vector: Vector, name_of: Grouping, amount: Floats) -> Vector:
    """At each step any `amount` [S] series of each group."""
    if not vector.labels:
        return vector
    groups = grouped(vector, name_of)
    kept = np.zeros_like(groups.held)
    for span in groups.spans():
        held = groups.held[span]
        kept[span] = held & (np.cumsum(held, axis=0) <= amount)
    return Vector([vector.labels[row] for row in groups.order.tolist()], blank(groups.values, kept))


def go_float(value: float) -> str:
    """A number as Go prints it: the shortest that reads back, without an exponent."""
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return np.format_float_positional(value, trim="-")


def _by_rank(groups: Groups, rows: NDArray[np.intp], *, largest: bool) -> NDArray[np.intp]:
    """Rows of a single step, group by group, best first."""
    values = groups.values[rows, 0]
    member = np.searchsorted(groups.starts, rows, "right")
    keys = np.where(np.isnan(values), np.inf, -values if largest else values)
    return rows[np.lexsort((keys, member))]


def _mean(groups: Groups, counts: NDArray[np.int64]) -> Floats:
    with np.errstate(invalid="ignore", over="ignore"):
        return groups.totals(groups.values) / np.maximum(counts, 1)


def _variance(groups: Groups, counts: NDArray[np.int64]) -> Floats:
    sizes = np.diff(np.append(groups.starts, len(groups.order)))
    means = np.repeat(_mean(groups, counts), sizes, axis=0)
    with np.errstate(invalid="ignore"):
        return groups.totals((groups.values - means) ** 2) / np.maximum(counts, 1)


def _extreme(reduce: np.ufunc) -> Callable[[Groups, NDArray[np.int64]], Floats]:
    def extreme(groups: Groups, _: NDArray[np.int64]) -> Floats:
        with np.errstate(invalid="ignore"):
            found: Floats = reduce.reduceat(np.where(groups.held, groups.values, np.nan), groups.starts, axis=0)
        return found

    return extreme


_SIMPLE: dict[str, Callable[[Groups, NDArray[np.int64]], Floats]] = {
    "sum": lambda groups, _: groups.totals(groups.values),
    "avg": _mean,
    "min": _extreme(np.fmin),
    "max": _extreme(np.fmax),
    "count": lambda _, counts: counts.astype(float),
    "group": lambda _, counts: np.ones(counts.shape),
    "stddev": lambda groups, counts: np.sqrt(_variance(groups, counts)),
    "stdvar": _variance,
}
