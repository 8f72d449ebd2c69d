"""How fast histograms grow: rate, increase, delta and their instant kin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sanso.model.frame import Floats, Mask
from sanso.model.native_histogram import CUSTOM_SCHEMA, Hint
from sanso.promql.histograms.comparing import resets
from sanso.promql.histograms.merging import FINE, MIXED, Merged, merged
from sanso.promql.histograms.placed import NONE, Histograms, scattered
from sanso.promql.histograms.table import Ints
from sanso.promql.histograms.windows import Windows, extrapolation, spread


@dataclass(frozen=True)
class Growth:
    """How much histograms grew in each window.

    Attributes:
        histograms: NONE where a window has fewer than two or what cannot be added.
        outcome: Of `merging`, FINE where a window has fewer than two: [N, S].
        misfit: A counter was asked for and there are gauges, or the other way round: [N, S].
    """

    histograms: Histograms
    outcome: Ints
    misfit: Mask


def resets_between(windows: Windows) -> Mask:
    """Whether each sample shows a reset since the one before of its series: [K]."""
    found = np.zeros(len(windows.cells), dtype=bool)
    later = np.flatnonzero(~windows.begins)
    found[later] = resets(windows.table, windows.cells[later - 1], windows.cells[later])
    return found


def grown(windows: Windows, *, counter: bool, seconds: Floats | None = None) -> Growth:
    """Growth over each window, extrapolated to its edges; a second where `seconds` [S] says how many it has."""
    places = np.flatnonzero((windows.counts >= 2).ravel())
    steps = places % windows.first.shape[1]
    first, last = windows.first.ravel()[places], windows.last.ravel()[places] - 1
    reset = resets_between(windows) if counter else _never(windows)
    begun = first + reset[np.minimum(first + 1, len(reset) - 1)] if len(first) else first
    coarsest = _coarsest(windows, begun, last) if counter else None
    found = _differences(windows, first, last, reset, coarsest=coarsest)
    outcome, misfit = found.outcome, _misfits(windows, first, last, counter=counter)
    if counter:
        outcome = np.where(_mixes(windows, begun, last), MIXED, outcome)
    factor = extrapolation(windows, first, last, steps)
    if seconds is not None:
        factor = factor / seconds[steps]
    table = found.table.scaled(factor[found.outcome == FINE]).hinted(Hint.GAUGE)
    return _placed(windows, places, Merged(table, np.where(outcome == FINE, found.at, NONE), outcome), misfit)


def stepped(windows: Windows, *, counter: bool) -> Growth:
    """Growth between the last two samples of each window; a second where it is a counter."""
    places = np.flatnonzero((windows.counts >= 2).ravel())
    last = windows.last.ravel()[places] - 1
    before = last - 1
    reset = _never(windows)
    if counter:
        reset[last] = resets(windows.table, windows.cells[before], windows.cells[last])
    found = _differences(windows, before, last, reset)
    table = found.table
    if counter:
        seconds = (windows.times[last] - windows.times[before]) / 1000
        table = table.divided(seconds[found.outcome == FINE])
    misfit = _misfits(windows, before, last, counter=counter)
    return _placed(windows, places, Merged(table.hinted(Hint.GAUGE), found.at, found.outcome), misfit)


def _never(windows: Windows) -> Mask:
    return np.zeros(len(windows.cells), dtype=bool)


def _placed(windows: Windows, places: Ints, found: Merged, misfit: Mask) -> Growth:
    rows, steps = windows.first.shape
    outcome = np.full(rows * steps, FINE, dtype=np.int64)
    outcome[places] = found.outcome
    unfit = np.zeros(rows * steps, dtype=bool)
    unfit[places] = misfit
    shape = (rows, steps)
    return Growth(scattered(shape, places, found.table, found.at), outcome.reshape(shape), unfit.reshape(shape))


def _differences(windows: Windows, first: Ints, last: Ints, reset: Mask, *, coarsest: Ints | None = None) -> Merged:
    """The last of each window without the first, and with what was counted before each reset in between.

    After a reset at the second sample nothing of the first remains, so its buckets need not fit those of the others.
    """
    pairs = len(first)
    numbers = np.arange(pairs)
    fresh = reset[np.minimum(first + 1, len(reset) - 1)] & (first < last) if pairs else np.empty(0, dtype=bool)
    samples, group, weights = [last, first[~fresh]], [numbers, numbers[~fresh]], [1.0, -1.0]
    spots = np.flatnonzero(reset)
    begin = np.searchsorted(spots, first + fresh, "right")
    end = np.searchsorted(spots, last, "right")
    if (end > begin).any():
        which, of = spread(begin, end)
        samples.append(spots[which] - 1)
        group.append(of)
        weights.append(1.0)
    groups = np.concatenate(group)
    order = np.argsort(groups, kind="stable")
    factors = np.repeat(weights, [len(part) for part in group])
    return merged(
        windows.table, windows.cells[np.concatenate(samples)[order]], groups[order], pairs, weights=factors[order],
        coarsest=coarsest,
    )  # fmt: skip


def _coarsest(windows: Windows, first: Ints, last: Ints) -> Ints | None:
    """The coarsest schema in each window; None where all samples have the same."""
    schema = windows.table.schema[windows.cells]
    if not len(schema) or (schema == schema[0]).all():
        return None
    padded = np.append(schema, schema[-1])
    return np.minimum.reduceat(padded, np.stack([first, last + 1], axis=1).ravel())[::2]


def _mixes(windows: Windows, first: Ints, last: Ints) -> Mask:
    """Whether a window has exponential and custom schemas."""
    custom = windows.table.schema[windows.cells] == CUSTOM_SCHEMA
    counted = np.append([0], np.cumsum(custom))
    many = counted[last + 1] - counted[first]
    return np.asarray((many > 0) & (many < last + 1 - first))


def _misfits(windows: Windows, first: Ints, last: Ints, *, counter: bool) -> Mask:
    """A gauge anywhere where counters are asked for; no gauge at one end where gauges are."""
    gauge = windows.table.hint[windows.cells] == Hint.GAUGE
    if not counter:
        return np.asarray(~(gauge[first] & gauge[last]))
    counted = np.append([0], np.cumsum(gauge))
    return np.asarray(counted[last + 1] > counted[first])
