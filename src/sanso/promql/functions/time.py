"""Functions of time: time() and the parts of a UTC date."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import Floats
from sanso.promql.functions.mathematics import mapped
from sanso.promql.functions.registry import PLAIN, Call, function
from sanso.promql.values import Scalar, Vector

Seconds = NDArray[np.int64]
_END = 2.0**63
"""Seconds that no calendar has any more: their parts are not numbers."""


@function("time")
def time(call: Call) -> Scalar:
    """The step's time, seconds since 1970."""
    return Scalar(call.steps / 1000)


@function("start")
def start(call: Call) -> Scalar:
    """When the question starts, seconds since 1970."""
    return Scalar(np.full(len(call.steps), call.outer[0] / 1000))


@function("end")
def end(call: Call) -> Scalar:
    """When the question ends, seconds since 1970."""
    return Scalar(np.full(len(call.steps), call.outer[1] / 1000))


@function("range")
def range_(call: Call) -> Scalar:
    """How long the question's range is, in seconds."""
    return Scalar(np.full(len(call.steps), (call.outer[1] - call.outer[0]) / 1000))


@function("step")
def step(call: Call) -> Scalar:
    """The question's step in seconds; 0 where it asks for one time."""
    return Scalar(np.full(len(call.steps), call.outer[2] / 1000))


def _days(seconds: Seconds) -> NDArray[np.datetime64]:
    return seconds.astype("datetime64[s]").astype("datetime64[D]")


def _month(seconds: Seconds) -> NDArray[np.datetime64]:
    return seconds.astype("datetime64[s]").astype("datetime64[M]")


def _between(late: NDArray[np.datetime64], early: NDArray[np.datetime64]) -> NDArray[np.int64]:
    days: NDArray[np.int64] = (late.astype("datetime64[D]") - early.astype("datetime64[D]")).astype(np.int64)
    return days


_PARTS: dict[str, Callable[[Seconds], NDArray[np.int64]]] = {
    "minute": lambda s: s // 60 % 60,
    "hour": lambda s: s // 3600 % 24,
    "day_of_week": lambda s: (s // 86_400 + 4) % 7,
    "day_of_month": lambda s: _between(_days(s), _month(s)) + 1,
    "day_of_year": lambda s: _between(_days(s), s.astype("datetime64[s]").astype("datetime64[Y]")) + 1,
    "days_in_month": lambda s: _between(_month(s) + 1, _month(s)),
    "month": lambda s: _month(s).astype(np.int64) % 12 + 1,
    "year": lambda s: s.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970,
}


def _register(name: str, part: Callable[[Seconds], NDArray[np.int64]]) -> None:
    def change(values: Floats) -> Floats:
        known = np.abs(values) < _END
        seconds = np.where(known, values, 0.0).astype(np.int64)
        return np.where(known, part(seconds).astype(float), np.nan)

    def of(call: Call) -> Vector:
        if not call.args:
            return Vector([()], change(call.steps / 1000)[None, :])
        return mapped(call.vector(0), change)

    PLAIN[name] = of


for _name, _part in _PARTS.items():
    _register(_name, _part)
