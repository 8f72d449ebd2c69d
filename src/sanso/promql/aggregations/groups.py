"""Series in groups: which label sets go together, and their rows side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import Floats, Mask, is_whole
from sanso.model.labels import NAME, Labels, LabelSets, derived, without
from sanso.promql.values import Vector, present

Counts: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Grouping:
    """What of a label set names its group: some labels, or all but some and the metric name."""

    names: frozenset[str]
    by: bool

    def __call__(self, series: Labels) -> Labels:
        """The group's labels."""
        if self.by:
            return tuple([pair for pair in series if pair[0] in self.names])
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
        held: Where they have a value, be it a histogram.
        order: Which row of the vector each is.
    """

    labels: list[Labels]
    starts: NDArray[np.intp]
    values: Floats
    held: Mask
    order: NDArray[np.intp]

    @property
    def sizes(self) -> NDArray[np.intp]:
        """How many rows each group has: [G]."""
        return np.diff(np.append(self.starts, len(self.order)))

    def counts(self) -> Counts:
        """How many values each group has at each step: [G, S]."""
        if self.held.all():
            return np.broadcast_to(self.sizes[:, None].astype(np.int64), (len(self.labels), self.values.shape[1]))
        counted: Counts = np.add.reduceat(self.held.astype(np.int64), self.starts, axis=0)
        return counted

    def alike(self) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Groups of one size together: the groups [K], and their rows [K, size]."""
        sizes = self.sizes
        for size in np.unique(sizes).tolist():
            groups = np.flatnonzero(sizes == size)
            yield groups, self.starts[groups][:, None] + np.arange(size)


def grouping(labels: tuple[str, ...], *, by: bool) -> Grouping:
    """What of a label set names its group."""
    return Grouping(frozenset(labels), by)


def grouped(vector: Vector, name_of: Grouping) -> Groups:
    """The groups of a vector that is not empty."""
    members = derived(vector.labels, name_of, lambda labels: _members(labels, name_of))
    values = vector.values if len(members.labels) == 1 else vector.values[members.order]
    return Groups(members.labels, members.starts, values, _held(vector, values, members.order), members.order)


def _members(labels: list[Labels], name_of: Grouping) -> Members:
    numbers: dict[Labels, int] = {}
    member = np.array([numbers.setdefault(name_of(series), len(numbers)) for series in labels], dtype=np.intp)
    order = np.argsort(member, kind="stable")
    return Members(LabelSets(numbers), order, np.searchsorted(member[order], np.arange(len(numbers))))


def _held(vector: Vector, values: Floats, order: NDArray[np.intp]) -> Mask:
    """Where rows in their order have a value of either kind."""
    if vector.histograms is not None:
        return vector.held[order]
    return np.broadcast_to(np.True_, values.shape) if is_whole(values) else present(values)
