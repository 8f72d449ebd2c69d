"""The newest sample of each series: what federation tells."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from sanso.exposition.page import HistogramSample, Sample
from sanso.model.frame import Frame, is_absent, is_stale
from sanso.model.labels import NAME, Labels, metric_name
from sanso.model.native_histogram import NativeHistogram, part_of, plain, whole


class Newest:
    """Gathers the newest samples of frames; the parts of a histogram may lie in several."""

    def __init__(self) -> None:
        self._samples: dict[Labels, Sample] = {}
        self._parts: dict[Labels, dict[str, tuple[float, int]]] = {}

    def take(self, frame: Frame) -> None:
        """Each series' last sample, unless the series has ended."""
        held = ~is_absent(frame.values)
        last = held.shape[1] - 1 - np.argmax(held[:, ::-1], axis=1)
        values = np.take_along_axis(frame.values, last[:, None], axis=1)[:, 0]
        usable = held.any(axis=1) & ~is_stale(np.ascontiguousarray(values))
        times = frame.timeline[last]
        for row in np.flatnonzero(usable).tolist():
            labels, value, time = frame.labels[row], float(values[row]), int(times[row])
            if part := part_of(labels):
                self._parts.setdefault(plain(labels), {})[part] = value, time
            elif metric_name(labels):
                self._samples[labels] = labels, value, time

    def samples(self) -> Iterator[Sample]:
        """Plain ones, by name."""
        for labels in sorted(self._samples, key=lambda labels: (metric_name(labels), labels)):
            yield self._samples[labels]

    def histograms(self) -> Iterator[HistogramSample]:
        """Native histograms, by name: those parts that are of the newest time at which there is one."""
        for labels in sorted(self._parts, key=lambda labels: (metric_name(labels), labels)):
            found = self._parts[labels]
            if "schema" in found and metric_name(labels):
                time = found["schema"][1]
                yield labels, whole({part: value for part, (value, at) in found.items() if at == time}), time


def classic_series(labels: Labels, histogram: NativeHistogram, time_ms: int | None) -> Iterator[Sample]:
    """The series of a classic histogram, from a native one of custom bounds."""
    name, total = metric_name(labels), 0.0
    held = dict(histogram.positive)
    for index, upper in enumerate((*histogram.bounds, math.inf)):
        total += held.get(index, 0.0)
        bound = "+Inf" if math.isinf(upper) else repr(upper).removesuffix(".0")
        yield _with(labels, f"{name}_bucket", ("le", bound)), total, time_ms
    for part, value in (("sum", histogram.sum), ("count", histogram.count)):
        yield _with(labels, f"{name}_{part}"), value, time_ms


def _with(labels: Labels, name: str, *more: tuple[str, str]) -> Labels:
    """The labels under another name; an empty one, which says that there must be none, stays."""
    return tuple(sorted([pair for pair in labels if pair[0] != NAME] + [(NAME, name), *more]))
