"""Histograms of a vector: which one each series has at each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sanso.model.frame import Mask
from sanso.promql.histograms.table import Ints, Table, empty, joined

NONE = -1
"""No histogram at that place."""


@dataclass(frozen=True)
class Histograms:
    """N series × S steps that point into a table.

    Attributes:
        table: The histograms, each once however many steps see it.
        at: The histogram of each series and step, NONE where it has none: [N, S].
    """

    table: Table
    at: Ints

    @property
    def held(self) -> Mask:
        """Where there is one: [N, S]."""
        return np.asarray(self.at >= 0)

    def rows(self, rows: Sequence[int] | Ints) -> Histograms:
        """Of some of the series."""
        return Histograms(self.table, self.at[rows])

    def where(self, mask: Mask) -> Histograms:
        """Only where the mask is set; it broadcasts."""
        return Histograms(self.table, np.where(mask, self.at, NONE))

    def listed(self) -> tuple[Ints, Table]:
        """Flat places that have one, rising, and a table of just these in that order."""
        places = np.flatnonzero(self.at.ravel() >= 0)
        return places, self.table.take(self.at.ravel()[places])


def nowhere(rows: int, steps: int) -> Histograms:
    """No histogram in so many series."""
    return Histograms(empty(), np.full((rows, steps), NONE, dtype=np.int64))


def stacked(parts: Sequence[Histograms]) -> Histograms:
    """The series of several, one below the other."""
    if len({id(part.table) for part in parts}) == 1:
        return Histograms(parts[0].table, np.concatenate([part.at for part in parts]))
    starts = np.cumsum([0, *[len(part.table) for part in parts]])
    moved = [np.where(part.at >= 0, part.at + start, NONE) for part, start in zip(parts, starts.tolist(), strict=False)]
    return Histograms(joined([part.table for part in parts]), np.concatenate(moved))


def scattered(shape: tuple[int, int], places: Ints, table: Table, cells: Ints) -> Histograms:
    """The histograms `cells` of a table at flat places of a grid; a cell NONE leaves its place empty."""
    at = np.full(shape, NONE, dtype=np.int64)
    at.reshape(-1)[places] = cells
    return Histograms(table, at)
