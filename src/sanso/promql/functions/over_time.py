"""What a window of samples amounts to: sums, means, extremes, the newest and the oldest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import Floats
from sanso.promql.extremes import window_extremes
from sanso.promql.functions.pieces import pieces
from sanso.promql.functions.registry import Call, range_function
from sanso.promql.sums import window_means, window_sums
from sanso.promql.values import Window


@range_function("count_over_time", coarse="count")
def count_over_time(window: Window, _: Call) -> Floats:
    """How many samples; coarse ones are counts already."""
    if window.coarse_ms:
        return window_sums(window.values, window.first, window.last)
    return np.broadcast_to((window.last - window.first).astype(float), window.shape)


@range_function("sum_over_time", coarse="sum")
def sum_over_time(window: Window, _: Call) -> Floats:
    """Their sum."""
    return window_sums(window.values, window.first, window.last)


@range_function("avg_over_time", coarse="sum", weighted=True)
def avg_over_time(window: Window, _: Call) -> Floats:
    """Their mean; coarse ones are sums of so many as their weights say."""
    if window.weights is None:
        return window_means(window.values, window.first, window.last, window.last - window.first)
    counts = window_sums(window.weights, window.first, window.last)
    return window_means(window.values, window.first, window.last, counts.astype(np.int64))


@range_function("min_over_time", coarse="min")
def min_over_time(window: Window, _: Call) -> Floats:
    """The least; NaN only where all are."""
    return reduced(np.fmin, window)


@range_function("max_over_time", coarse="max")
def max_over_time(window: Window, _: Call) -> Floats:
    """The greatest; NaN only where all are."""
    return reduced(np.fmax, window)


@range_function("last_over_time", keeps_name=True, coarse="last")
def last_over_time(window: Window, _: Call) -> Floats:
    """The newest."""
    return window.values[:, np.maximum(window.last - 1, 0)]


@range_function("first_over_time", keeps_name=True)
def first_over_time(window: Window, _: Call) -> Floats:
    """The oldest."""
    return window.values[:, np.minimum(window.first, len(window.times) - 1)]


@range_function("present_over_time", coarse="last")
def present_over_time(window: Window, _: Call) -> Floats:
    """1 where there is any."""
    return np.ones(window.shape)


@range_function("ts_of_last_over_time", coarse="last")
def ts_of_last_over_time(window: Window, _: Call) -> Floats:
    """When the newest was, in seconds."""
    return np.broadcast_to(window.times[np.maximum(window.last - 1, 0)] / 1000, window.shape)


@range_function("ts_of_first_over_time")
def ts_of_first_over_time(window: Window, _: Call) -> Floats:
    """When the oldest was, in seconds."""
    return np.broadcast_to(window.times[np.minimum(window.first, len(window.times) - 1)] / 1000, window.shape)


@range_function("ts_of_min_over_time")
def ts_of_min_over_time(window: Window, call: Call) -> Floats:
    """When the least was last seen, in seconds."""
    return _seen(np.fmin, window, call)


@range_function("ts_of_max_over_time")
def ts_of_max_over_time(window: Window, call: Call) -> Floats:
    """When the greatest was last seen, in seconds."""
    return _seen(np.fmax, window, call)


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


def _seen(reduce: np.ufunc, window: Window, call: Call) -> Floats:
    wanted = reduced(reduce, window)
    out = np.zeros(window.shape)
    for steps, cells in pieces(window, call):
        part = window.values[:, cells]
        # Where all are NaN, Prometheus takes the newest.
        like = (part == wanted[:, steps, None]) | np.isnan(wanted[:, steps, None])
        newest = np.argmax(like[:, :, ::-1], axis=2)
        out[:, steps] = window.times[window.last[steps] - 1 - newest] / 1000
    return out


def reduced(reduce: np.ufunc, window: Window) -> Floats:
    """`fmin` or `fmax` of every window at once; windows without samples give anything."""
    return window_extremes(reduce, window.values, window.first, window.last)
