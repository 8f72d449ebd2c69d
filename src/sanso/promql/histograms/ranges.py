"""Functions of ranges that have histograms in them, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from sanso.model.frame import Floats, Mask, Times, absent, is_absent
from sanso.model.labels import metric_name
from sanso.promql.histograms import notes
from sanso.promql.histograms.merging import FINE
from sanso.promql.histograms.notes import Note
from sanso.promql.histograms.over_time import (
    Track,
    changed,
    counted,
    newest,
    oldest,
    summed,
    track_of,
)
from sanso.promql.histograms.placed import Histograms
from sanso.promql.histograms.rates import Growth, grown, resets_between, stepped
from sanso.promql.histograms.reading import HistogramFrame
from sanso.promql.histograms.table import Ints
from sanso.promql.histograms.windows import Windows, windows_of


class Ranged(NamedTuple):
    """What a function makes of windows.

    Attributes:
        values: Results that are floats, ABSENT elsewhere: [N, S].
        histograms: Results that are histograms; None where none is.
        notes: What was said.
    """

    values: Floats
    histograms: Histograms | None
    notes: list[Note]


_Names: TypeAlias = list[str]
_Function: TypeAlias = Callable[[Windows, _Names], Ranged]


def room(name: str, frame: HistogramFrame, steps: int) -> int:
    """How many cells the frame's histograms take in memory, with those that a function makes of them."""
    made = len(frame.labels) * steps * len(frame.table.keys) if name in _MAKERS else 0
    return frame.table.buckets.size + made


def over_windows(name: str, frame: HistogramFrame, starts: Times, ends: Times) -> Ranged:
    """A function of series that are histograms only; those that know floats only find nothing.

    Args:
        name: The function.
        frame: The series.
        starts: Where windows begin, ms (outside): [S].
        ends: Where they end (inside): [S].
    """
    windows = windows_of(frame, starts, ends)
    function = _FUNCTIONS.get(name)
    if function is None:
        return Ranged(absent(*windows.first.shape), None, [])
    return function(windows, [metric_name(labels) for labels in frame.labels])


def over_both(name: str, frame: HistogramFrame, starts: Times, ends: Times, floats: Floats) -> Ranged:
    """A function of one series that has floats and histograms; `floats` [1, S] is what it makes of the floats alone."""
    windows = windows_of(frame, starts, ends)
    names = [metric_name(labels) for labels in frame.labels]
    track = track_of(frame, windows)
    natives = windows.counts[0]
    both: Mask = (natives > 0) & (natives < track.last - track.first)
    if name not in _FUNCTIONS:
        said = [notes.ignored_in_range(names[0])] if both.any() else []
        return Ranged(floats, None, said)
    alone = _FUNCTIONS[name](windows, names)
    if name in _EVENTS or name in ("count_over_time", "present_over_time"):
        return Ranged(_sums(name, track, windows), None, [])
    if name in _TIMES:
        # An absent cell is a NaN that signals, which fmax does not pass over.
        natives_only, floats_only = is_absent(floats), is_absent(alone.values)
        either = _TIMES[name](alone.values, floats)
        return Ranged(np.where(floats_only, floats, np.where(natives_only, alone.values, either)), None, [])
    if name in ("last_over_time", "first_over_time"):
        native = track.kind_at(track.last - 1 if name == "last_over_time" else track.first)
        return _chosen(native & (natives > 0), floats, alone, [])
    if name in ("irate", "idelta"):
        last, before = track.kind_at(track.last - 1), track.kind_at(track.last - 2)
        known = track.last - track.first >= 2
        mixed, native = known & (last != before), known & last & before
        said = [notes.mixed_samples(names[0])] if mixed.any() else []
        return _chosen(native, np.where(mixed, absent(1), floats), alone, [*alone.notes, *said])
    said = [notes.mixed_samples(names[0])] if both.any() else []
    found = Ranged(floats, alone.histograms, [])
    kept = _chosen(natives > 0, np.where(both, absent(1), floats), found, [*alone.notes, *said])
    return kept._replace(histograms=None if kept.histograms is None else kept.histograms.where(~both))


def _chosen(native: Mask, floats: Floats, alone: Ranged, said: list[Note]) -> Ranged:
    """Histograms where `native` [S] says so, floats elsewhere."""
    histograms = None if alone.histograms is None else alone.histograms.where(native)
    return Ranged(np.where(native, absent(1), floats), histograms, said)


def _sums(name: str, track: Track, windows: Windows) -> Floats:
    """Functions that count samples, whatever these are."""
    number = track.last - track.first
    some = number > 0
    if name in _EVENTS:
        found = track.events(track.resets if name == "resets" else track.changes)
    else:
        found = number.astype(float) if name == "count_over_time" else np.ones(windows.first.shape[1])
    return np.where(some, found, absent(1))[None, :]


def _filled(windows: Windows, values: Floats) -> Ranged:
    return Ranged(np.where(windows.counts > 0, values, absent(1)), None, [])


def _grown(found: Growth, names: _Names, misfit: Callable[[str], Note]) -> Ranged:
    said = [misfit(names[row]) for row in np.flatnonzero(found.misfit.any(axis=1)).tolist()]
    return Ranged(absent(*found.outcome.shape), found.histograms, [*said, *_incompatible(found.outcome, names)])


def _incompatible(outcome: Ints, names: _Names) -> list[Note]:
    rows, steps = np.nonzero(outcome != FINE)
    pairs = sorted(set(zip(rows.tolist(), outcome[rows, steps].tolist(), strict=True)))
    return [notes.incompatible(what, names[row]) for row, what in pairs]


def _rate(windows: Windows, names: _Names) -> Ranged:
    seconds = (windows.ends - windows.starts) / 1000
    return _grown(grown(windows, counter=True, seconds=seconds), names, notes.not_a_counter)


def _summed(*, mean: bool) -> _Function:
    def function(windows: Windows, names: _Names) -> Ranged:
        found = summed(windows, mean=mean)
        return Ranged(absent(*found.outcome.shape), found.histograms, _incompatible(found.outcome, names))

    return function


def _time_of(windows: Windows, samples: Ints) -> Ranged:
    """The times of samples, in seconds."""
    if not len(windows.times):
        return Ranged(absent(*windows.first.shape), None, [])
    return _filled(windows, windows.times[np.clip(samples, 0, len(windows.times) - 1)] / 1000)


def _picked(pick: Callable[[Windows], Histograms]) -> _Function:
    return lambda windows, _: Ranged(absent(*windows.first.shape), pick(windows), [])


_MAKERS = frozenset({"rate", "increase", "delta", "irate", "idelta", "sum_over_time", "avg_over_time"})
"""Functions whose results are new histograms."""
_EVENTS = {"resets": resets_between, "changes": changed}
_TIMES = {"ts_of_last_over_time": np.maximum, "ts_of_first_over_time": np.minimum}
_FUNCTIONS: dict[str, _Function] = {
    "rate": _rate,
    "increase": lambda w, names: _grown(grown(w, counter=True), names, notes.not_a_counter),
    "delta": lambda w, names: _grown(grown(w, counter=False), names, notes.not_a_gauge),
    "irate": lambda w, names: _grown(stepped(w, counter=True), names, notes.not_a_counter),
    "idelta": lambda w, names: _grown(stepped(w, counter=False), names, notes.not_a_gauge),
    "sum_over_time": _summed(mean=False),
    "avg_over_time": _summed(mean=True),
    "count_over_time": lambda w, _: _filled(w, w.counts.astype(float)),
    "present_over_time": lambda w, _: _filled(w, np.ones(w.first.shape)),
    "last_over_time": _picked(newest),
    "first_over_time": _picked(oldest),
    "ts_of_last_over_time": lambda w, _: _time_of(w, w.last - 1),
    "ts_of_first_over_time": lambda w, _: _time_of(w, w.first),
    "resets": lambda w, _: _filled(w, counted(w, resets_between(w))),
    "changes": lambda w, _: _filled(w, counted(w, changed(w))),
}
