"""Where windows of samples are going: deriv, predict_linear, double_exponential_smoothing."""

from __future__ import annotations

import numpy as np

from sanso.model.errors import QueryError
from sanso.model.frame import Floats, Times
from sanso.promql.functions.pieces import pieces
from sanso.promql.functions.registry import Call, range_function
from sanso.promql.values import Window


@range_function("deriv", least=2, coarse="last")
def deriv(window: Window, call: Call) -> Floats:
    """The slope a second of the least-squares line."""
    slope, _intercept = _lines(window, call, None)
    return slope


@range_function("predict_linear", least=2, coarse="last")
def predict_linear(window: Window, call: Call) -> Floats:
    """Where the least-squares line will be so many seconds after the step."""
    slope, intercept = _lines(window, call, call.steps)
    return slope * call.scalar(1) + intercept


@range_function("double_exponential_smoothing", least=2)
def double_exponential_smoothing(window: Window, call: Call) -> Floats:
    """The newest value, smoothed with the ones before and their trend."""
    smoothing, trend = call.scalar(1), call.scalar(2)
    asked = window.last > window.first  # of nothing nothing is asked
    _check_factor("smoothing factor", "sf", smoothing[asked])
    _check_factor("trend factor", "tf", trend[asked])
    newest = len(window.times) - 1

    def sample(place: int) -> Floats:
        """The sample at a place of every window: [N, S]."""
        return window.values[:, np.minimum(window.first + place, newest)]

    before, level = np.zeros(window.shape), sample(0)
    slope = sample(1) - level
    with np.errstate(invalid="ignore", over="ignore"):
        for place in range(1, int((window.last - window.first).max(initial=0))):
            call.check()
            inside = window.first + place < window.last
            if place > 1:
                slope = np.where(inside, trend * (level - before) + (1 - trend) * slope, slope)
            after = smoothing * sample(place) + (1 - smoothing) * (level + slope)
            before, level = np.where(inside, level, before), np.where(inside, after, level)
    return level


def _check_factor(name: str, short: str, factor: Floats) -> None:
    for value in factor[~((factor > 0) & (factor < 1))].tolist():
        raise QueryError(f"invalid {name}. Expected: 0 < {short} < 1, got: {value:f}", "execution")


def _lines(window: Window, call: Call, origins: Times | None) -> tuple[Floats, Floats]:
    """Slope and intercept, each [N, S]; x is seconds from the origin, by default the window's first sample."""
    slope, intercept = np.full(window.shape, np.nan), np.full(window.shape, np.nan)
    with np.errstate(invalid="ignore", over="ignore"):
        for steps, cells in pieces(window, call, least=2):
            part, times = window.values[:, cells], window.times[cells]
            x = (times - (times[:, :1] if origins is None else origins[steps, None])) / 1000
            mean_x = x.mean(axis=1)
            spread = x - mean_x[:, None]
            offset = part[:, :, 0]
            y = part - offset[:, :, None]
            rise = np.einsum("nmt,mt->nm", y, spread) / np.einsum("mt,mt->m", spread, spread)
            level = y.mean(axis=2) - rise * mean_x + offset
            flat, known = (y == 0).all(axis=2), np.isfinite(part).all(axis=2)
            slope[:, steps] = np.where(known, np.where(flat, 0.0, rise), np.nan)
            intercept[:, steps] = np.where(known, np.where(flat, offset, level), np.nan)
    return slope, intercept
