"""Operators between two values, number by number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import Floats, Mask
from sanso.promql.values import Scalar, Vector, blank, drop_name, present

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


def with_scalar(op: str, vector: Vector, scalar: Floats, *, swapped: bool, as_bool: bool) -> Vector:
    """A vector and a scalar [S]; `swapped` where the scalar stands on the left. A comparison filters the vector."""
    held = present(vector.values)
    left, right = (scalar, vector.values) if swapped else (vector.values, scalar)
    if op not in COMPARISON:
        return drop_name(Vector(vector.labels, blank(computed(op, left, right), held)))
    kept = compared(op, left, right)
    if as_bool:
        return drop_name(Vector(vector.labels, blank(kept.astype(float), held)))
    return Vector(vector.labels, blank(vector.values, held & kept))
