"""Operators between samples of either kind: floats and histograms, pair by pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sanso.model.frame import Floats, Mask
from sanso.promql.histograms import notes
from sanso.promql.histograms.comparing import equal
from sanso.promql.histograms.merging import FINE, merged
from sanso.promql.histograms.notes import Note
from sanso.promql.histograms.placed import NONE, Histograms
from sanso.promql.histograms.table import Ints, Table, joined


class Side(NamedTuple):
    """One side of an operator.

    Attributes:
        values: Its floats, or anything where it has none: [P, S].
        floats: Where it has a float.
        histograms: Its histograms.
    """

    values: Floats
    floats: Mask
    histograms: Histograms


@dataclass(frozen=True)
class Found:
    """What an operator makes of pairs with a histogram on one side or both.

    Attributes:
        histograms: The results that are histograms.
        truths: Of a comparison: whether it holds, where `compared`: [P, S].
        compared: Pairs of histograms that were compared: [P, S].
        notes: What cannot be done.
    """

    histograms: Histograms
    truths: Mask
    compared: Mask
    notes: list[Note]


def combined(op: str, left: Side, right: Side) -> Found:
    """An operator over pairs; pairs of two floats are not looked at."""
    both = left.histograms.held & right.histograms.held
    before = left.histograms.held & right.floats
    behind = left.floats & right.histograms.held
    truths, compared = np.zeros(both.shape, dtype=bool), np.zeros(both.shape, dtype=bool)
    said: list[Note] = []
    results: list[tuple[Mask, Table, Ints]] = []
    if both.any():
        if op in ("==", "!="):
            compared = both
            truths[both] = _equal(left.histograms, right.histograms, both) == (op == "==")
        elif op in ("+", "-"):
            results.append((both, *_sum(op, left.histograms, right.histograms, both, said)))
        else:
            said.append(notes.incompatible_types("histogram", op, "histogram"))
    if before.any():
        if op in ("*", "/"):
            table = _taken(left.histograms, before)
            by = right.values[before]
            results.append((before, *_numbered(table.scaled(by) if op == "*" else table.divided(by))))
        else:
            said.append(notes.incompatible_types("histogram", op, "float"))
    if behind.any():
        if op == "*":
            table = _taken(right.histograms, behind).scaled(left.values[behind])
            results.append((behind, *_numbered(table)))
        else:
            said.append(notes.incompatible_types("float", op, "histogram"))
    return Found(_assembled((both.shape[0], both.shape[1]), results), truths, compared, said)


def _taken(histograms: Histograms, where: Mask) -> Table:
    return histograms.table.take(histograms.at[where])


def _numbered(table: Table) -> tuple[Table, Ints]:
    return table, np.arange(len(table))


def _equal(left: Histograms, right: Histograms, where: Mask) -> Mask:
    pair = joined([_taken(left, where), _taken(right, where)])
    half = len(pair) // 2
    return equal(pair.take(np.arange(half)), pair.take(np.arange(half, len(pair))))


def _sum(op: str, left: Histograms, right: Histograms, where: Mask, said: list[Note]) -> tuple[Table, Ints]:
    pair = joined([_taken(left, where), _taken(right, where)])
    half = len(pair) // 2
    cells = np.arange(len(pair)).reshape(2, half).T.ravel()
    weights = None if op == "+" else np.tile([1.0, -1.0], half)
    found = merged(pair, cells, np.arange(len(pair)) // 2, half, weights=weights)
    if (found.outcome != FINE).any():
        said.append(notes.incompatible_layout(op))
    if op == "+":
        return found.table, found.at
    kept: Ints = pair.hint[:half][found.outcome == FINE]
    return found.table.hinted(kept), found.at


def _assembled(shape: tuple[int, int], results: list[tuple[Mask, Table, Ints]]) -> Histograms:
    """Results of disjoint places as one."""
    at, start = np.full(shape, NONE, dtype=np.int64), 0
    for where, table, cells in results:
        at[where] = np.where(cells >= 0, cells + start, NONE)
        start += len(table)
    return Histograms(joined([table for _, table, _ in results]), at)
