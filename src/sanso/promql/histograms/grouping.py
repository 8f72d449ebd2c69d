"""Aggregations of groups with histograms in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sanso.model.frame import Mask
from sanso.promql.histograms.merging import FINE, merged
from sanso.promql.histograms.placed import NONE, Histograms, scattered
from sanso.promql.histograms.table import Ints


@dataclass(frozen=True)
class Grouped:
    """Sums or means of groups.

    Attributes:
        histograms: NONE where a group has none, has floats too, or cannot be added: [G, S].
        mixed: Where a group has floats and histograms: [G, S].
        outcome: Of `merging`, FINE where there is nothing to add: [G, S].
    """

    histograms: Histograms
    mixed: Mask
    outcome: Ints


def grouped(histograms: Histograms, floats: Mask, member: Ints, groups: int, *, mean: bool) -> Grouped:
    """The sum, or the mean, of each group at each step.

    Args:
        histograms: Of N series.
        floats: Where these have a float instead: [N, S].
        member: The group of each: [N].
        groups: How many there are, G.
        mean: Whether it is the mean.
    """
    steps = histograms.at.shape[1]
    native, plain = counted(histograms.held, member, groups), counted(floats, member, groups)
    mixed = (native > 0) & (plain > 0)
    wanted = native > 0
    order = np.argsort(member, kind="stable")
    rows, columns = np.nonzero(histograms.held[order] & wanted[member[order]])
    place = member[order][rows] * steps + columns
    sorting = np.argsort(place, kind="stable")
    place = place[sorting]
    cells = histograms.at[order][rows, columns][sorting]
    places, group = np.unique(place, return_inverse=True)
    found = merged(histograms.table, cells, group.astype(np.int64), len(places))
    table = found.table
    if mean:
        table = table.divided(native.ravel()[places][found.outcome == FINE].astype(float))
    outcome = np.full(groups * steps, FINE, dtype=np.int64)
    outcome[places] = found.outcome
    shape = (groups, steps)
    at = np.where(mixed.ravel()[places], NONE, found.at)
    return Grouped(scattered(shape, places, table, at), mixed, outcome.reshape(shape))


def counted(held: Mask, member: Ints, groups: int) -> Ints:
    """How many of each group are set: [G, S]."""
    found = np.zeros((groups, held.shape[1]), dtype=np.int64)
    np.add.at(found, member, held)
    return found
