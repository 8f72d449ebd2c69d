"""Operators between two values, number by number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import Floats, Mask
from sanso.promql.histograms.combining import Side, combined
from sanso.promql.histograms.notes import Note
from sanso.promql.histograms.placed import Histograms, nowhere
from sanso.promql.values import Scalar, Vector, blank, drop_name, present

Say: TypeAlias = Callable[[Note], None]
"""Hears what an operator has to say beside its result."""

ARITHMETIC: dict[str, Callable[[Any, Any], Floats]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.true_divide, "%": np.fmod, "^": np.power,
    "atan2": np.arctan2,
}  # fmt: skip
COMPARISON: dict[str, Callable[[Any, Any], NDArray[np.bool_]]] = {
    "==": np.equal, "!=": np.not_equal, ">": np.greater, "<": np.less, ">=": np.greater_equal, "<=": np.less_equal,
}  # fmt: skip


def computed(op: str, left: Floats, right: Floats) -> Floats:
    """Arithmetic, without numpy's warnings."""
    with np.errstate(all="ignore"):
        return ARITHMETIC[op](left, right)


def compared(op: str, left: Floats, right: Floats) -> Mask:
    """Comparison; NaN is not equal to anything."""
    with np.errstate(invalid="ignore"):
        return COMPARISON[op](left, right)


def between_scalars(op: str, left: Scalar, right: Scalar) -> Scalar:
    """Two scalars; a comparison is 0 or 1."""
    if op in COMPARISON:
        return Scalar(compared(op, left.values, right.values).astype(float))
    return Scalar(computed(op, left.values, right.values))


def silent(_: Note) -> None:
    """Nobody hears."""


def with_scalar(op: str, vector: Vector, scalar: Floats, *, swapped: bool, as_bool: bool, say: Say = silent) -> Vector:
    """A vector and a scalar [S]; `swapped` where the scalar stands on the left. A comparison filters the vector.

    `say` hears of histograms that cannot be combined with a number.
    """
    found = _floats_with_scalar(op, vector.floats(), scalar, swapped=swapped, as_bool=as_bool)
    if vector.histograms is None:
        return found if op in COMPARISON and not as_bool else drop_name(found)
    values = np.broadcast_to(scalar, vector.values.shape)
    one = Side(vector.values, present(vector.values), vector.histograms)
    other = Side(values, np.ones(values.shape, dtype=bool), nowhere(*values.shape))
    found = with_histograms(op, found, *((other, one) if swapped else (one, other)), as_bool=as_bool, say=say)
    return found if op in COMPARISON and not as_bool else drop_name(found)


def with_histograms(op: str, found: Vector, left: Side, right: Side, *, as_bool: bool, say: Say) -> Vector:
    """What an operator found of pairs of floats, and what it makes of those with histograms."""
    natives = combined(op, left, right)
    for note in natives.notes:
        say(note)
    if op not in COMPARISON:
        return Vector(found.labels, found.values, natives.histograms)
    if as_bool:
        return Vector(found.labels, np.where(natives.compared, natives.truths.astype(float), found.values))
    return Vector(found.labels, found.values, left.histograms.where(natives.truths))


def negated(vector: Vector) -> Vector:
    """Every value times -1, histograms too."""
    values = blank(-vector.values, present(vector.values))
    if vector.histograms is None:
        return drop_name(Vector(vector.labels, values))
    table = vector.histograms.table.scaled(-1.0)
    return drop_name(Vector(vector.labels, values, Histograms(table, vector.histograms.at)))


def _floats_with_scalar(op: str, vector: Vector, scalar: Floats, *, swapped: bool, as_bool: bool) -> Vector:
    held = present(vector.values)
    left, right = (scalar, vector.values) if swapped else (vector.values, scalar)
    if op not in COMPARISON:
        return Vector(vector.labels, blank(computed(op, left, right), held))
    kept = compared(op, left, right)
    if as_bool:
        return Vector(vector.labels, blank(kept.astype(float), held))
    return Vector(vector.labels, blank(vector.values, held & kept))
