"""How fast counters and gauges move: rate, increase, delta and their instant kin, extrapolated as Prometheus does."""

from __future__ import annotations

import numpy as np

from sanso.model.frame import Floats, Times
from sanso.promql.functions.registry import Call, range_function
from sanso.promql.row_blocks import row_blocks
from sanso.promql.sums import window_sums
from sanso.promql.values import Window


@range_function("rate", least=2, coarse="last", counter=True)
def rate(window: Window, _: Call) -> Floats:
    """A counter's growth a second."""
    return _extrapolated(window, counter=True, seconds=(window.ends - window.starts) / 1000)


@range_function("increase", least=2, coarse="last", counter=True)
def increase(window: Window, _: Call) -> Floats:
    """A counter's growth over the window."""
    return _extrapolated(window, counter=True)


@range_function("delta", least=2, coarse="last")
def delta(window: Window, _: Call) -> Floats:
    """A gauge's change over the window."""
    return _extrapolated(window, counter=False)


@range_function("irate", least=2, coarse="last")
def irate(window: Window, _: Call) -> Floats:
    """A counter's growth a second between the last two samples."""
    last, before, seconds = _last_two(window)
    return np.where(last < before, last, last - before) / seconds


@range_function("idelta", least=2, coarse="last")
def idelta(window: Window, _: Call) -> Floats:
    """A gauge's change between the last two samples."""
    last, before, _seconds = _last_two(window)
    return last - before


def _last_two(window: Window) -> tuple[Floats, Floats, Floats]:
    place = np.clip(window.last - 1, 1, max(len(window.times) - 1, 1))
    if len(window.times) < 2:
        nothing = np.full((len(window.labels), len(window.ends)), np.nan)
        return nothing, nothing, np.ones(len(window.ends))
    seconds = (window.times[place] - window.times[place - 1]) / 1000
    return window.values[:, place], window.values[:, place - 1], seconds


def _extrapolated(window: Window, *, counter: bool, seconds: Floats | float = 1.0) -> Floats:
    """Growth between the first and the last sample, stretched to the window's edges where they are near.

    Args:
        window: The samples.
        counter: Whether they fall only when they are reset.
        seconds: What growth is divided by: one number, or [S].
    """
    enough = window.last - window.first >= 2
    first = np.where(enough, window.first, 0)
    last = np.where(enough, window.last - 1, 0)
    covered = np.where(enough, (window.times[last] - window.times[first]) / 1000, 1.0)
    spacing = covered / np.maximum(last - first, 1)
    before = (window.times[first] - window.starts) / 1000
    after = (window.ends - window.times[last]) / 1000
    before = np.where(before >= spacing * 1.1, spacing / 2, before)
    after = np.where(after >= spacing * 1.1, spacing / 2, after)
    factor = (covered + before + after) / covered / seconds
    grown = np.empty(window.shape)
    firsts, lasts = _picking(first), _picking(last)
    with np.errstate(invalid="ignore", over="ignore"):
        for rows in row_blocks(grown if window.rising else window.values):
            values = window.values[rows]
            begun = np.ascontiguousarray(values[:, firsts])
            gained = values[:, lasts] - begun
            if counter and not window.rising:
                _add_resets(gained, values, first, last)
            np.multiply(gained, factor, out=grown[rows])
            if counter:
                _not_below_zero(grown[rows], (begun, gained), (covered, before, after), seconds)
    return grown


def _picking(places: Times) -> Times | slice:
    """An index for these columns: a slice, which reads faster, where they lie at equal distances."""
    if len(places) < 2:
        return places
    step = int(places[1] - places[0])
    if step < 1 or (np.diff(places) != step).any():
        return places
    return slice(int(places[0]), int(places[-1]) + 1, step)


def _not_below_zero(
    grown: Floats, values: tuple[Floats, Floats], spans: tuple[Floats, Floats, Floats], seconds: Floats | float
) -> None:
    """A counter starts at zero: stretch those that would have been below it at the window's start no further.

    Args:
        grown: Shape [N, S], changed in place.
        values: First samples and growth, [N, S].
        spans: Seconds between the samples, before them and after them, [S].
        seconds: As above.
    """
    begun, gained = values
    covered, before, after = spans
    # Nearly none are, so the exact division is for few; a hair more than the rounding of this one are looked at.
    near = np.flatnonzero(begun < gained * (before / covered * (1 + 2.0**-40)))
    if not len(near):
        return
    rows, steps = np.divmod(near, grown.shape[1])
    rising = (gained[rows, steps] > 0) & (begun[rows, steps] >= 0)
    rows, steps = rows[rising], steps[rising]
    covered, before, after = covered[steps], before[steps], after[steps]
    seconds = np.broadcast_to(seconds, grown.shape[1])[steps]
    to_zero = covered * (begun[rows, steps] / gained[rows, steps])
    reach = np.where(to_zero < before, to_zero, before)
    grown[rows, steps] = gained[rows, steps] * ((covered + reach + after) / covered / seconds)


def _add_resets(gained: Floats, values: Floats, first: Times, last: Times) -> None:
    """Add to growth [N, S] what counters lost to resets between the two samples of each window."""
    dropped = values[:, 1:] < values[:, :-1]
    rows = np.flatnonzero(dropped.any(axis=1))
    if len(rows):
        lost = np.where(dropped[rows], values[rows, :-1], 0.0)
        gained[rows] += window_sums(lost, first, last)
