"""What a window of samples amounts to: the `*_over_time` family."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import Floats
from sanso.promql.functions.registry import Call, range_function
from sanso.promql.quantiles import quantile_of_sorted
from sanso.promql.values import Window


@range_function("count_over_time")
def count_over_time(window: Window, _: Call) -> Floats:
    """How many samples."""
    return np.broadcast_to((window.last - window.first).astype(float), (len(window.labels), len(window.ends)))


@range_function("sum_over_time")
def sum_over_time(window: Window, _: Call) -> Floats:
    """Their sum."""
    return _reduced(np.add, window)


@range_function("avg_over_time")
def avg_over_time(window: Window, _: Call) -> Floats:
    """Their mean."""
    mean: Floats = _reduced(np.add, window) / np.maximum(window.last - window.first, 1)
    return mean


@range_function("min_over_time")
def min_over_time(window: Window, _: Call) -> Floats:
    """The least; NaN only where all are."""
    return _reduced(np.fmin, window)


@range_function("max_over_time")
def max_over_time(window: Window, _: Call) -> Floats:
    """The greatest; NaN only where all are."""
    return _reduced(np.fmax, window)


@range_function("last_over_time", keeps_name=True)
def last_over_time(window: Window, _: Call) -> Floats:
    """The newest."""
    return window.values[:, np.maximum(window.last - 1, 0)]


@range_function("first_over_time", keeps_name=True)
def first_over_time(window: Window, _: Call) -> Floats:
    """The oldest."""
    return window.values[:, np.minimum(window.first, len(window.times) - 1)]


@range_function("present_over_time")
def present_over_time(window: Window, _: Call) -> Floats:
    """1 where there is any."""
    return np.ones((len(window.labels), len(window.ends)))


@range_function("stddev_over_time")
def stddev_over_time(window: Window, _: Call) -> Floats:
    """Their standard deviation."""
    return _each(window, lambda part, _step: np.std(part, axis=1))


@range_function("stdvar_over_time")
def stdvar_over_time(window: Window, _: Call) -> Floats:
    """Their variance."""
    return _each(window, lambda part, _step: np.var(part, axis=1))


@range_function("mad_over_time")
def mad_over_time(window: Window, _: Call) -> Floats:
    """The median of their distances from the median."""

    def mad(part: Floats, _step: int) -> Floats:
        middle = quantile_of_sorted(0.5, np.sort(part, axis=1))
        return quantile_of_sorted(0.5, np.sort(np.abs(part - middle[:, None]), axis=1))

    return _each(window, mad)


@range_function("quantile_over_time")
def quantile_over_time(window: Window, call: Call) -> Floats:
    """A quantile of them."""
    wanted = call.scalar(0)
    return _each(window, lambda part, step: quantile_of_sorted(float(wanted[step]), np.sort(part, axis=1)))


@range_function("changes")
def changes(window: Window, _: Call) -> Floats:
    """How often the value changed; NaN to NaN is no change."""
    before, after = window.values[:, :-1], window.values[:, 1:]
    return _counted(window, (before != after) & ~(np.isnan(before) & np.isnan(after)))


@range_function("resets")
def resets(window: Window, _: Call) -> Floats:
    """How often a counter fell."""
    return _counted(window, window.values[:, 1:] < window.values[:, :-1])


def _counted(window: Window, events: NDArray[np.bool_]) -> Floats:
    """Events between neighbouring samples, counted inside each window."""
    total = np.zeros(window.values.shape)
    np.cumsum(events, axis=1, out=total[:, 1:])
    last = np.clip(window.last - 1, 0, None)
    counted: Floats = total[:, last] - total[:, np.minimum(window.first, last)]
    return counted


def _reduced(reduce: np.ufunc, window: Window) -> Floats:
    """A ufunc over every window at once; windows without samples give anything."""
    padded = np.concatenate([window.values, window.values[:, -1:]], axis=1)
    edges = np.empty(2 * len(window.first), dtype=np.intp)
    edges[0::2], edges[1::2] = window.first, window.last
    with np.errstate(invalid="ignore", over="ignore"):
        reduced: Floats = reduce.reduceat(padded, edges, axis=1)[:, ::2]
    return reduced


def _each(window: Window, reduce: Callable[[Floats, int], Floats]) -> Floats:
    """A reduction of [N, t] to [N], window by window."""
    out = np.full((len(window.labels), len(window.first)), np.nan)
    with np.errstate(invalid="ignore"):
        for step, (first, last) in enumerate(zip(window.first.tolist(), window.last.tolist(), strict=True)):
            if last > first:
                out[:, step] = reduce(window.values[:, first:last], step)
    return out
