"""Straight lines through windows: deriv and predict_linear."""

from __future__ import annotations

import numpy as np

from sanso.model.frame import Floats, Times
from sanso.promql.functions.registry import Call, range_function
from sanso.promql.values import Window


@range_function("deriv", least=2)
def deriv(window: Window, _: Call) -> Floats:
    """The slope a second of the least-squares line."""
    slope, _intercept = _lines(window, None)
    return slope


@range_function("predict_linear", least=2)
def predict_linear(window: Window, call: Call) -> Floats:
    """Where the least-squares line will be so many seconds after the step."""
    slope, intercept = _lines(window, call.steps)
    return slope * call.scalar(1) + intercept


def _lines(window: Window, origins: Times | None) -> tuple[Floats, Floats]:
    """Slope and intercept, each [N, S]; x is seconds from the origin, by default the window's first sample."""
    shape = (len(window.labels), len(window.first))
    slope, intercept = np.full(shape, np.nan), np.full(shape, np.nan)
    for step, (first, last) in enumerate(zip(window.first.tolist(), window.last.tolist(), strict=True)):
        if last - first < 2:
            continue
        part, times = window.values[:, first:last], window.times[first:last]
        x = (times - (times[0] if origins is None else origins[step])) / 1000
        mean_x = x.mean()
        offset = part[:, :1]
        with np.errstate(invalid="ignore"):
            y = part - offset
            spread = x - mean_x
            slope[:, step] = (y @ spread) / (spread @ spread)
            intercept[:, step] = y.mean(axis=1) - slope[:, step] * mean_x + offset[:, 0]
        flat = (part == offset).all(axis=1)
        known = np.isfinite(offset[:, 0])
        slope[flat, step] = np.where(known[flat], 0.0, np.nan)
        intercept[flat, step] = np.where(known[flat], offset[flat, 0], np.nan)
    return slope, intercept
