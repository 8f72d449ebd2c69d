"""Putting together what a reader asked for: the sealed part and the head of each frame, one line a series.

What lies in the asked span comes as runs, oldest first: times, and a way to fill in the values. So the answer is made
once, in the size it has, and everything is written straight into its place.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import ABSENT, Floats, Frame, Part, Times, is_absent, is_stale
from sanso.model.labels import Labels, LabelSets
from sanso.store.columns import BlockColumns, Index, asking
from sanso.store.head import View
from sanso.store.places import Numbers


@dataclass(frozen=True)
class Span:
    """The times that are asked for, both inclusive, and what coarse samples are to stand for them."""

    start_ms: int
    end_ms: int
    part: Part = "last"
    step_ms: int = 0


@dataclass(frozen=True)
class Run:
    """Rows of one head or block inside the asked span.

    Attributes:
        times: Shape [T].
        fill: Writes the values of the wanted series into an array [N, T]; every cell of it.
    """

    times: Times
    fill: Callable[[Floats], None]


def head_run(view: View, wanted: Numbers, start_ms: int, end_ms: int) -> Run:
    """The part of a head inside [start, end]."""
    times = view.times
    first, last = (int(at) for at in np.searchsorted(times, [start_ms, end_ms + 1]))

    def fill(out: Floats) -> None:
        places = view.places.of(wanted)
        if len(places) == len(view.series) and (places == np.arange(len(places))).all():
            view.fill(out, slice(None), first)
            return
        held = places >= 0
        if held.all():
            view.fill(out, places, first)
        else:
            out[~held] = ABSENT
            out[held] = view.cells(places[held], first, last)

    return Run(times[first:last].copy(), fill)


def block_run(
    connection: sqlite3.Connection, block: int, index: Index, columns: NDArray[np.intp], span: tuple[int, int]
) -> Run:
    """The part of a block inside a span, of these columns of it (-1 for a series that it has not).

    The connection's transaction must last until the run is filled.
    """
    first, last = (int(at) for at in np.searchsorted(index.times, [span[0], span[1] + 1]))

    def fill(out: Floats) -> None:
        out[columns < 0] = ABSENT
        lines = np.flatnonzero(columns >= 0)
        lines = lines[np.argsort(columns[lines], kind="stable")]  # as they lie: each piece is read once
        read = BlockColumns(asking(connection), block, index)
        at = 0
        for values in read.batches(columns[lines], slice(first, last)):
            out[lines[at : at + len(values)]] = values
            at += len(values)

    return Run(index.times[first:last], fill)


def counted(run: Run) -> Run:
    """The same with a one for each sample: how many raw samples it stands for."""

    def fill(out: Floats) -> None:
        run.fill(out)
        out[~(is_absent(out) | is_stale(out))] = 1.0

    return Run(run.times, fill)


def filled(runs: Sequence[Run], lines: int) -> tuple[Times, Floats]:
    """Times [T] and values [N, T] of all runs."""
    times = np.concatenate([run.times for run in runs])
    values = np.empty((lines, len(times)))
    at = 0
    for run in runs:
        if len(run.times):
            run.fill(values[:, at : at + len(run.times)])
            at += len(run.times)
    return times, values


def framed(labels: LabelSets, times: Times, values: Floats, coarse_ms: int = 0) -> Frame | None:
    """A frame without the series that have no sample in it; None where nothing is left."""
    if not len(times) or not len(labels):
        return None
    held = ~is_absent(values[:, -1].copy())
    missing = np.flatnonzero(~held)
    held[missing] = (~is_absent(values[missing])).any(axis=1)
    if held.all():
        return Frame(labels, times, values, coarse_ms)
    kept = np.flatnonzero(held)
    if not len(kept):
        return None
    some = labels.derived(("held", np.packbits(held).tobytes()), lambda every: LabelSets(every[line] for line in kept))
    return Frame(some, times, values[kept], coarse_ms)


def unified(frames: Sequence[Frame], repeated: frozenset[Labels]) -> list[Frame]:
    """The same, with each series that stands in several frames brought into a frame of its own."""
    if not repeated:
        return list(frames)
    places: dict[Labels, list[tuple[Frame, int]]] = {}
    for frame in frames:
        for line, labels in enumerate(frame.labels):
            if labels in repeated:
                places.setdefault(labels, []).append((frame, line))
    several = {labels: where for labels, where in sorted(places.items()) if len(where) > 1}
    if not several:
        return list(frames)
    single = [part for frame in frames if (part := _without(frame, several)) is not None]
    return single + [_merged(labels, where) for labels, where in several.items()]


def _without(frame: Frame, labels: Iterable[Labels]) -> Frame | None:
    left = set(frame.labels).difference(labels)
    if len(left) == len(frame.labels):
        return frame
    if not left:
        return None
    kept = [line for line, name in enumerate(frame.labels) if name in left]
    return Frame([frame.labels[line] for line in kept], frame.timeline, frame.values[kept], frame.coarse_ms)


def _merged(labels: Labels, where: Sequence[tuple[Frame, int]]) -> Frame:
    """One series' samples from every frame and line that has it; of two at one time the first frame's stands."""
    times, values = [], []
    for frame, line in where:
        row = frame.values[line]
        held = ~is_absent(row)
        times.append(frame.timeline[held])
        values.append(row[held])
    all_times, all_values = np.concatenate(times), np.concatenate(values)
    order = np.argsort(all_times, kind="stable")
    all_times, all_values = all_times[order], all_values[order]
    first = np.append([True], all_times[1:] != all_times[:-1])
    coarse_ms = max(frame.coarse_ms for frame, _ in where)
    return Frame([labels], all_times[first], np.ascontiguousarray(all_values[first][None, :]), coarse_ms)
