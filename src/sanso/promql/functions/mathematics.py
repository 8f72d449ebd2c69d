"""Functions of one value: rounding, logarithms, angles, clamping."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sanso.model.frame import Floats
from sanso.promql.functions.registry import PLAIN, Call, function
from sanso.promql.values import Scalar, Vector, blank, drop_name, empty, present


def mapped(vector: Vector, change: Callable[[Floats], Floats]) -> Vector:
    """Every value changed, names dropped."""
    with np.errstate(all="ignore"):
        return drop_name(Vector(vector.labels, blank(change(vector.values), present(vector.values))))


def _register(name: str, change: Callable[[Floats], Floats]) -> None:
    PLAIN[name] = lambda call: mapped(call.vector(0), change)


for _name, _change in {
    "abs": np.abs, "ceil": np.ceil, "floor": np.floor, "exp": np.exp, "ln": np.log, "log2": np.log2, "log10": np.log10,
    "sqrt": np.sqrt, "sgn": np.sign, "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos,
    "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh,
    "atanh": np.arctanh, "deg": np.degrees, "rad": np.radians,
}.items():  # fmt: skip
    _register(_name, _change)


@function("pi")
def pi(call: Call) -> Scalar:
    """The number."""
    return Scalar(np.full(len(call.steps), np.pi))


@function("max_of")
def max_of(call: Call) -> Scalar:
    """The greater of two numbers."""
    return Scalar(np.maximum(call.scalar(0), call.scalar(1)))


@function("min_of")
def min_of(call: Call) -> Scalar:
    """The lesser of two numbers."""
    return Scalar(np.minimum(call.scalar(0), call.scalar(1)))


@function("round")
def round_(call: Call) -> Vector:
    """To the nearest multiple (of 1 by default); halves go up."""
    nearest = call.scalar(1) if len(call.args) > 1 else np.ones(len(call.steps))
    with np.errstate(divide="ignore"):
        inverse = 1.0 / nearest
    return mapped(call.vector(0), lambda values: np.floor(values * inverse + 0.5) / inverse)


@function("clamp")
def clamp(call: Call) -> Vector:
    """Between two bounds; nothing where they cross."""
    low, high = call.scalar(1), call.scalar(2)
    if (low > high).all():
        return empty(len(call.steps))
    vector = mapped(call.vector(0), lambda values: _keep_nan(values, np.fmax(low, np.fmin(high, values)), low + high))
    return Vector(vector.labels, blank(vector.values, present(vector.values) & ~(low > high)))


@function("clamp_min")
def clamp_min(call: Call) -> Vector:
    """Not below."""
    low = call.scalar(1)
    return mapped(call.vector(0), lambda values: _keep_nan(values, np.fmax(low, values), low))


@function("clamp_max")
def clamp_max(call: Call) -> Vector:
    """Not above."""
    high = call.scalar(1)
    return mapped(call.vector(0), lambda values: _keep_nan(values, np.fmin(high, values), high))


def _keep_nan(values: Floats, clamped: Floats, bounds: Floats) -> Floats:
    return np.where(np.isnan(values) | np.isnan(bounds), np.nan, clamped)
