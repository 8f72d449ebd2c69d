"""How the samples of a window lie: deviation, variance, median deviation, quantiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import Floats
from sanso.promql.functions.registry import Call, range_function
from sanso.promql.quantiles import quantile_of
from sanso.promql.values import Window

Steps: TypeAlias = NDArray[np.intp]

_PIECE = 1 << 20
"""So many samples are reduced at once: windows overlap, and all of them side by side may be far more than there are."""


@range_function("stddev_over_time")
def stddev_over_time(window: Window, call: Call) -> Floats:
    """Their standard deviation."""
    return _each(window, call, lambda part, _steps: np.sqrt(_variance(part)))


@range_function("stdvar_over_time")
def stdvar_over_time(window: Window, call: Call) -> Floats:
    """Their variance."""
    return _each(window, call, lambda part, _steps: _variance(part))


@range_function("mad_over_time")
def mad_over_time(window: Window, call: Call) -> Floats:
    """The median of their distances from the median."""

    def mad(part: Floats, steps: Steps) -> Floats:
        half = np.full(len(steps), 0.5)
        return quantile_of(half, np.abs(part - quantile_of(half, part)[:, None]))

    return _each(window, call, mad)


@range_function("quantile_over_time")
def quantile_over_time(window: Window, call: Call) -> Floats:
    """A quantile of them."""
    wanted = call.scalar(0)
    for value in dict.fromkeys(wanted[~((wanted >= 0) & (wanted <= 1))].tolist()):
        call.notes.bad_quantile(value, call.place(0))
    return _each(window, call, lambda part, steps: quantile_of(wanted[steps], part))


def _variance(part: Floats) -> Floats:
    # From the first one on, so that equal samples have no variance at all.
    away = part - part[:, :1]
    variance: Floats = np.var(away, axis=1)
    return variance


def _each(window: Window, call: Call, reduce: Callable[[Floats, Steps], Floats]) -> Floats:
    """A reduction of windows, those of one length together.

    Args:
        window: N series, S windows.
        call: Asked between the pieces whether there is time.
        reduce: From windows [M, t] and the step of each, [M], to [M].

    Returns:
        Shape [N, S].
    """
    out = np.full(window.shape, np.nan)
    lengths = window.last - window.first
    series = len(window.values)
    with np.errstate(invalid="ignore", over="ignore"):
        for length in np.unique(lengths[lengths > 0]).tolist() if series else ():
            steps = np.flatnonzero(lengths == length)
            at_once = max(_PIECE // (length * series), 1)
            for begin in range(0, len(steps), at_once):
                call.check()
                some = steps[begin : begin + at_once]
                cells = window.first[some][:, None] + np.arange(length)
                parts = window.values[:, cells].reshape(-1, length)
                out[:, some] = reduce(parts, np.tile(some, series)).reshape(series, -1)
    return out
