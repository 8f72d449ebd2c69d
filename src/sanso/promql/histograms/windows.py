"""Histogram samples in the windows of a range, and how consecutive ones differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sanso.model.frame import Floats, Mask, Times
from sanso.promql.histograms.reading import HistogramFrame
from sanso.promql.histograms.table import Ints, Table


@dataclass(frozen=True)
class Windows:
    """The samples of N series, series by series, and where each window begins and ends among them.

    Attributes:
        table: The histograms.
        cells: Those of the samples, in the order of series and time: [K].
        times: Of the samples, ms: [K].
        first: The first sample of each series' window at each step: [N, S].
        last: One past the last: [N, S].
        begins: Whether a sample is the first of its series: [K].
        starts: Where windows begin, ms (outside): [S].
        ends: Where they end (inside): [S].
    """

    table: Table
    cells: Ints
    times: Times
    first: Ints
    last: Ints
    begins: Mask
    starts: Times
    ends: Times

    @property
    def counts(self) -> Ints:
        """How many samples each window has: [N, S]."""
        return self.last - self.first


def windows_of(frame: HistogramFrame, starts: Times, ends: Times) -> Windows:
    """The windows (start, end] of a frame's histograms; its floats do not count."""
    held = frame.at >= 0
    row, column = np.nonzero(held)
    counted = np.zeros((held.shape[0], held.shape[1] + 1), dtype=np.int64)
    np.cumsum(held, axis=1, out=counted[:, 1:])
    counted[1:] += np.cumsum(counted[:-1, -1])[:, None]
    first = counted[:, np.searchsorted(frame.timeline, starts, "right")]
    last = counted[:, np.searchsorted(frame.timeline, ends, "right")]
    begins = np.append([True], row[1:] != row[:-1])[: len(row)]
    return Windows(
        frame.table, frame.at[held], frame.timeline[column], first, np.maximum(last, first), begins, starts, ends
    )


def spread(first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """All numbers from first to last (exclusive) of each pair, and which pair each is of."""
    counts = last - first
    group = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(group)) - np.repeat(np.cumsum(counts) - counts, counts)
    return first[group] + within, group


def extrapolation(windows: Windows, first: Ints, last: Ints, steps: Ints) -> Floats:
    """What growth between the two samples is multiplied by to cover the windows: [P] for P windows.

    Args:
        windows: Where the samples are.
        first: The first sample of each window: [P].
        last: The last one, another: [P].
        steps: The step of each window: [P].
    """
    covered = (windows.times[last] - windows.times[first]) / 1000
    spacing = covered / (last - first)
    before = (windows.times[first] - windows.starts[steps]) / 1000
    after = (windows.ends[steps] - windows.times[last]) / 1000
    before = np.where(before >= spacing * 1.1, spacing / 2, before)
    after = np.where(after >= spacing * 1.1, spacing / 2, after)
    factor: Floats = (covered + before + after) / covered
    return factor
