"""How the samples of a window lie: deviation, variance, median deviation, quantiles."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sanso.model.frame import Floats
from sanso.promql.functions.registry import Call, range_function
from sanso.promql.quantiles import quantile_of
from sanso.promql.values import Window


@range_function("stddev_over_time")
def stddev_over_time(window: Window, _: Call) -> Floats:
    """Their standard deviation."""
    return _each(window, lambda part, _step: np.sqrt(_variance(part)))


@range_function("stdvar_over_time")
def stdvar_over_time(window: Window, _: Call) -> Floats:
    """Their variance."""
    return _each(window, lambda part, _step: _variance(part))


@range_function("mad_over_time")
def mad_over_time(window: Window, _: Call) -> Floats:
    """The median of their distances from the median."""

    def mad(part: Floats, _step: int) -> Floats:
        return quantile_of(0.5, np.abs(part - quantile_of(0.5, part)[:, None]))

    return _each(window, mad)


@range_function("quantile_over_time")
def quantile_over_time(window: Window, call: Call) -> Floats:
    """A quantile of them."""
    wanted = call.scalar(0)
    for value in dict.fromkeys(wanted[~((wanted >= 0) & (wanted <= 1))].tolist()):
        call.notes.bad_quantile(value, call.place(0))
    return _each(window, lambda part, step: quantile_of(float(wanted[step]), part))


def _variance(part: Floats) -> Floats:
    # From the first one on, so that equal samples have no variance at all.
    away = part - part[:, :1]
    variance: Floats = np.var(away, axis=1)
    return variance


def _each(window: Window, reduce: Callable[[Floats, int], Floats]) -> Floats:
    """A reduction of [N, t] to [N], window by window."""
    out = np.full(window.shape, np.nan)
    with np.errstate(invalid="ignore", over="ignore"):
        for step, (first, last) in enumerate(zip(window.first.tolist(), window.last.tolist(), strict=True)):
            if last > first:
                out[:, step] = reduce(window.values[:, first:last], step)
    return out
