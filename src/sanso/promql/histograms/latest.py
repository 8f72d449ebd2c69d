"""The newest sample of series with histograms at each step."""

from __future__ import annotations

import numpy as np

from sanso.model.frame import Floats, Times, absent, is_absent
from sanso.promql.histograms.placed import NONE, Histograms
from sanso.promql.histograms.reading import HistogramFrame


def latest(frame: HistogramFrame, times: Times, lookback_ms: int) -> tuple[Floats, Histograms, Floats]:
    """The newest sample of each series in (time - lookback, time]; nothing where the series has ended.

    Returns:
        Floats [N, S], histograms, and the samples' own times in seconds [N, S].
    """
    held = frame.at != NONE
    if frame.values is not None:
        held |= ~is_absent(frame.values)
    place = np.searchsorted(frame.timeline, times, "right") - 1
    if held.all():
        places = np.broadcast_to(place, (len(held), len(times)))
    else:
        newest = np.maximum.accumulate(np.where(held, np.arange(held.shape[1]), -1), axis=1)
        places = np.where(place >= 0, newest[:, np.maximum(place, 0)], -1)
    reached = np.maximum(places, 0)
    own = frame.timeline[reached]
    known = (places >= 0) & (own > times - lookback_ms)
    at = np.take_along_axis(frame.at, reached, axis=1)
    histograms = Histograms(frame.table, np.where(known & (at >= 0), at, NONE))
    floats = absent(*places.shape)
    if frame.values is not None:
        np.copyto(floats, np.take_along_axis(frame.values, reached, axis=1), where=known)
    return floats, histograms, own / 1000
