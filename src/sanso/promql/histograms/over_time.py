"""What a window of histograms amounts to: sum, mean, newest, how often it changed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sanso.model.frame import Floats, Mask, is_absent
from sanso.promql.histograms.comparing import equal
from sanso.promql.histograms.merging import FINE, merged
from sanso.promql.histograms.placed import NONE, Histograms, scattered
from sanso.promql.histograms.rates import resets_between
from sanso.promql.histograms.reading import HistogramFrame
from sanso.promql.histograms.table import Ints
from sanso.promql.histograms.windows import Windows, spread


@dataclass(frozen=True)
class Summed:
    """Sums or means of windows; `outcome` [N, S] says of `merging` why one has none."""

    histograms: Histograms
    outcome: Ints


def summed(windows: Windows, *, mean: bool = False) -> Summed:
    """The sum, or the mean, of each window's histograms."""
    counts = windows.counts.ravel()
    places = np.flatnonzero(counts)
    samples, group = spread(windows.first.ravel()[places], windows.last.ravel()[places])
    found = merged(windows.table, windows.cells[samples], group, len(places))
    table = found.table
    if mean:
        table = table.divided(counts[places][found.outcome == FINE].astype(float))
    outcome = np.full(len(counts), FINE, dtype=np.int64)
    outcome[places] = found.outcome
    shape = (windows.counts.shape[0], windows.counts.shape[1])
    return Summed(scattered(shape, places, table, found.at), outcome.reshape(shape))


def newest(windows: Windows) -> Histograms:
    """The last of each window."""
    return _picked(windows, windows.last - 1)


def oldest(windows: Windows) -> Histograms:
    """The first of each window."""
    return _picked(windows, windows.first)


def _picked(windows: Windows, samples: Ints) -> Histograms:
    some = windows.counts > 0
    cells = np.append(windows.cells, NONE)  # a window without samples may lie behind the last one
    return Histograms(windows.table, np.where(some, cells[np.clip(samples, 0, len(windows.cells))], NONE))


def changed(windows: Windows) -> Mask:
    """Whether each sample differs from the one before of its series: [K]."""
    found = np.zeros(len(windows.cells), dtype=bool)
    later = np.flatnonzero(~windows.begins)
    table = windows.table
    found[later] = ~equal(table.take(windows.cells[later - 1]), table.take(windows.cells[later]))
    return found


def counted(windows: Windows, events: Mask) -> Floats:
    """How many events lie between the samples of each window: [N, S]."""
    return _between(windows.first, windows.last, events)


def _between(first: Ints, last: Ints, events: Mask) -> Floats:
    """How many events are after the first sample of each window, and not after its last."""
    total = np.append([0], np.cumsum(events))
    inside = total[last] - total[np.minimum(first + 1, len(events))]
    return np.where(last - first > 1, inside, 0).astype(float)


@dataclass(frozen=True)
class Track:
    """One series with floats and histograms, in the order of time.

    Attributes:
        native: Which samples are histograms: [K].
        resets: Whether each shows a reset since the one before; a change of kind is one: [K].
        changes: Likewise, whether it differs at all.
        first: The first sample of each window: [S].
        last: One past its last: [S].
    """

    native: Mask
    resets: Mask
    changes: Mask
    first: Ints
    last: Ints

    def kind_at(self, samples: Ints) -> Mask:
        """Whether samples are histograms; anything for numbers that are none."""
        return self.native[np.clip(samples, 0, len(self.native) - 1)]

    def events(self, events: Mask) -> Floats:
        """How many events lie between the samples of each window: [S]."""
        return _between(self.first, self.last, events)


def track_of(frame: HistogramFrame, windows: Windows) -> Track:
    """The only series of a frame that has both kinds, its histograms' windows being known."""
    assert frame.values is not None
    native = frame.at[0] >= 0
    held = native | ~is_absent(frame.values[0])
    native, values = native[held], frame.values[0][held]
    times = frame.timeline[held]
    first = np.searchsorted(times, windows.starts, "right")
    last = np.maximum(np.searchsorted(times, windows.ends, "right"), first)
    fell, moved = np.zeros(len(native), dtype=bool), np.zeros(len(native), dtype=bool)
    fell[native], moved[native] = resets_between(windows), changed(windows)
    same = np.append([False], native[1:] == native[:-1])
    floats = ~native & same
    before = np.append([np.nan], values[:-1])
    fell[floats] = values[floats] < before[floats]
    moved[floats] = (values != before)[floats] & ~(np.isnan(values) & np.isnan(before))[floats]
    fell[~same], moved[~same] = True, True
    return Track(native, fell, moved, first, last)
