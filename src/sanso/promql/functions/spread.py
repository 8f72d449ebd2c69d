"""How the samples of a window lie: deviation, variance, median deviation, quantiles."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sanso.model.frame import Floats
from sanso.promql.functions.pieces import Places, pieces
from sanso.promql.functions.registry import Call, range_function
from sanso.promql.quantiles import quantile_of
from sanso.promql.values import Window


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
    """The median of their distances from the median; NaN where one of them is."""

    def mad(part: Floats, steps: Places) -> Floats:
        half = np.full(len(steps), 0.5)
        found = quantile_of(half, np.abs(part - quantile_of(half, part)[:, None]))
        return np.where(np.isnan(part).any(axis=1), np.nan, found)

    return _each(window, call, mad)


@range_function("quantile_over_time")
def quantile_over_time(window: Window, call: Call) -> Floats:
    """A quantile of them."""
    wanted = call.scalar(0)
    asked = window.last > window.first
    for value in dict.fromkeys(wanted[asked & ~((wanted >= 0) & (wanted <= 1))].tolist()):
        call.notes.bad_quantile(value, call.place(0))
    return _each(window, call, lambda part, steps: quantile_of(wanted[steps], part))


def _variance(part: Floats) -> Floats:
    # From the first one on, so that equal samples have no variance at all.
    away = part - part[:, :1]
    variance: Floats = np.var(away, axis=1)
    return variance


def _each(window: Window, call: Call, reduce: Callable[[Floats, Places], Floats]) -> Floats:
    """A reduction, [N, S], by a function from windows [M, t] and the step of each, [M], to [M]."""
    out = np.full(window.shape, np.nan)
    series = len(window.values)
    with np.errstate(invalid="ignore", over="ignore"):
        for steps, cells in pieces(window, call):
            parts = window.values[:, cells].reshape(-1, cells.shape[1])
            out[:, steps] = reduce(parts, np.tile(steps, series)).reshape(series, -1)
    return out
