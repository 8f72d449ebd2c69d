"""Aggregations that keep some series of each group: topk, bottomk, limitk, limit_ratio."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from sanso.model.errors import QueryError
from sanso.model.frame import Floats, Mask
from sanso.model.labels import Labels, render
from sanso.promql.aggregations.groups import Grouping, Groups, grouped
from sanso.promql.annotations import go_number
from sanso.promql.values import Vector, blank

_MOST = 2.0**63


def best(vector: Vector, name_of: Grouping, amount: Floats, *, largest: bool) -> Vector:
    """Topk and bottomk: at each step the `amount` [S] best series of each group keep their values.

    Raises:
        QueryError: The amount is not a number, or larger than 64 bits hold.
    """
    whole = _whole(amount)
    if not vector.labels or (whole < 1).all():
        return Vector([], vector.values[:0])
    groups = grouped(vector, name_of)
    kept = np.zeros(groups.held.shape, dtype=np.bool_)
    for _, rows in groups.alike():
        kept[rows] = _best_of(groups.values[rows], groups.held[rows], whole, largest=largest)
    rows = np.flatnonzero(kept.any(axis=1))
    if vector.values.shape[1] == 1:
        rows = _by_rank(groups, rows, largest=largest)
    return Vector([vector.labels[groups.order[row]] for row in rows.tolist()], blank(groups.values[rows], kept[rows]))


def limitk(vector: Vector, name_of: Grouping, amount: Floats) -> Vector:
    """At each step any `amount` [S] series of each group.

    Raises:
        QueryError: As `best`.
    """
    whole = _whole(amount)
    if not vector.labels:
        return vector
    groups = grouped(vector, name_of)
    kept = np.zeros(groups.held.shape, dtype=np.bool_)
    for _, rows in groups.alike():
        held = groups.held[rows]
        kept[rows] = held & (np.cumsum(held, axis=1) <= whole)
    return vector.rows(groups.order.tolist()).where(kept)


def limit_ratio(vector: Vector, ratio: Floats) -> Vector:
    """A share [S] of the series: always the same ones, and below zero the ones that its complement leaves.

    Raises:
        QueryError: The ratio is not a number.
    """
    if np.isnan(ratio).any():
        raise QueryError("Ratio value is NaN", "execution")
    capped = np.clip(ratio, -1.0, 1.0)
    lots = np.array([_lot(labels) for labels in vector.labels]).reshape(-1, 1)
    kept = np.where(capped >= 0, lots < capped, lots >= 1.0 + capped)
    return vector.where(kept)


def _lot(labels: Labels) -> float:
    """Where between 0 and 1 a series' lot falls: spread evenly, the same wherever and whenever it is asked."""
    drawn = hashlib.blake2b(render(labels).encode("utf-8", "surrogatepass"), digest_size=6).digest()
    return int.from_bytes(drawn, "big") / 2**48


def _whole(amount: Floats) -> Floats:
    if np.isnan(amount).any():
        raise QueryError("Parameter value is NaN", "execution")
    most, least = float(amount.max()), float(amount.min())
    if most >= _MOST:
        raise QueryError(f"Scalar value {go_number(most)} overflows int64", "execution")
    if most >= 1 and least <= -_MOST:  # of nothing at every step nothing is asked
        raise QueryError(f"Scalar value {go_number(least)} underflows int64", "execution")
    return np.trunc(amount)


def _best_of(values: Floats, held: Mask, amount: Floats, *, largest: bool) -> Mask:
    """Which of [K, size, S] are among the best of their group; NaN only where there are not enough numbers."""
    keys = -values if largest else values
    order = np.argsort(keys, axis=1, kind="stable")  # NaN, absent cells among them, come last
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(values.shape[1])[None, :, None], axis=1)
    number = ~np.isnan(values)
    kept = number & (rank < amount)
    unknown = held & ~number
    if unknown.any():
        left = amount - number.sum(axis=1, keepdims=True)
        kept |= unknown & (np.cumsum(unknown, axis=1) <= left)
    return kept


def _by_rank(groups: Groups, rows: NDArray[np.intp], *, largest: bool) -> NDArray[np.intp]:
    """Rows of a single step, group by group, best first."""
    values = groups.values[rows, 0]
    member = np.searchsorted(groups.starts, rows, "right")
    return rows[np.lexsort((-values if largest else values, member))]
