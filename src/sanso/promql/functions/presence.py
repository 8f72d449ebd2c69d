"""Functions about having a value: absent, scalar, vector, sort, timestamps of nothing."""

from __future__ import annotations

import numpy as np

from sanso.model.frame import ABSENT, Floats
from sanso.promql.functions.registry import Call, function
from sanso.promql.values import Scalar, Vector, present, trimmed


@function("vector")
def vector(call: Call) -> Vector:
    """A scalar as a series without labels."""
    return Vector([()], np.array(call.scalar(0))[None, :])


@function("scalar")
def scalar(call: Call) -> Scalar:
    """The value of the only series; NaN where there is not exactly one."""
    values = call.vector(0).values
    held = present(values)
    alone = held.sum(axis=0) == 1
    picked = np.full(len(call.steps), np.nan)
    if len(values):
        rows = held.argmax(axis=0)
        picked[alone] = values[rows, np.arange(len(call.steps))][alone]
    return Scalar(picked)


@function("sort")
def sort(call: Call) -> Vector:
    """By value at the (only) step; NaN last."""
    return _sorted(call.vector(0), descending=False)


@function("sort_desc")
def sort_desc(call: Call) -> Vector:
    """By value at the (only) step, greatest first; NaN last."""
    return _sorted(call.vector(0), descending=True)


@function("sort_by_label")
def sort_by_label(call: Call) -> Vector:
    """By label values."""
    return _by_label(call, descending=False)


@function("sort_by_label_desc")
def sort_by_label_desc(call: Call) -> Vector:
    """By label values, greatest first."""
    return _by_label(call, descending=True)


def nothing_where(vector: Vector) -> Floats:
    """1 at steps where no series has a value, else ABSENT: shape [1, S]."""
    return np.where(vector.held.any(axis=0), ABSENT, 1.0)[None, :]


def _sorted(given: Vector, *, descending: bool) -> Vector:
    held = trimmed(given.floats())
    if held.values.shape[1] != 1:  # ranges have an order of their own
        return held
    keys = -held.values[:, 0] if descending else held.values[:, 0]
    order = np.argsort(keys, kind="stable").tolist()
    return Vector([held.labels[row] for row in order], held.values[order])


def _by_label(call: Call, *, descending: bool) -> Vector:
    held = trimmed(call.vector(0))
    names = [call.text(place) for place in range(1, len(call.args))]

    def key(row: int) -> tuple[list[list[tuple[int, int, str]]], object]:
        found = dict(held.labels[row])
        return [_natural(found.get(name, "")) for name in names], held.labels[row]

    return held.rows(sorted(range(len(held.labels)), key=key, reverse=descending))


def _natural(text: str) -> list[tuple[int, int, str]]:
    """A text as numbers and letters, so that 2 comes before 10."""
    parts: list[tuple[int, int, str]] = []
    for char in text:
        if char.isdigit() and parts and parts[-1][0] == 0:
            parts[-1] = (0, parts[-1][1] * 10 + int(char), "")
        elif char.isdigit():
            parts.append((0, int(char), ""))
        else:
            parts.append((1, 0, char))
    return parts
