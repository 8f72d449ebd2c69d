"""Data points as samples: what one request says of one resource, gathered by time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from sanso.model.exponential import added
from sanso.model.frame import STALE, Family, FamilyType, Row, is_absent
from sanso.model.labels import Labels
from sanso.model.native_histogram import COMPONENT, Hint, parts
from sanso.model.series import RowWriter
from sanso.sources.otlp_native import COARSEST_SCALE, native_of
from sanso.sources.otlp_resource import Attributes, HistogramMemory, ResourceMemory, pairs
from sanso.sources.otlp_spelling import bound_text, metric_name

_DELTA = 1
_NO_VALUE = 1
_MOST_BUCKETS = 20_000
_AHEAD_MS = 600_000
"""How far ahead a point's time may be: one of the year 2554 would shut the frame to all that follow."""
_YOUNG_MS = 3_600_000
"""A counter that began longer ago than this was not born before our eyes: where it stood before is not known."""


class Batch:
    """Collects the samples of a resource's metrics, then writes a row for each time.

    Attributes:
        families: What the metrics said of themselves.
    """

    def __init__(self, memory: ResourceMemory, now_ms: int) -> None:
        self.families: dict[str, Family] = {"target_info": Family("target_info", "gauge", "Target metadata")}
        self._memory = memory
        self._now_ms = now_ms
        self._rejected = 0
        self._attributes: Attributes = ()
        self._rows: dict[int, dict[Labels, float]] = {}
        self._births: dict[Labels, float] = {}
        self._born_ms = 0

    def add(self, metric: Any) -> None:
        """Take a metric's points."""
        kind = metric.WhichOneof("data")
        if kind is None:
            return
        data = getattr(metric, kind)
        monotonic = kind == "sum" and data.is_monotonic
        name = metric_name(metric.name, metric.unit, monotonic=monotonic, gauge=kind == "gauge")
        self.families[name] = Family(name, _type(kind, monotonic=monotonic), metric.description)
        delta = kind not in ("gauge", "summary") and data.aggregation_temporality == _DELTA
        take = {
            "gauge": self._number,
            "sum": self._number,
            "histogram": self._histogram,
            "exponential_histogram": self._exponential,
            "summary": self._summary,
        }[kind]
        for point in data.data_points:
            self._attributes = pairs(point.attributes)
            if not _whole(kind, point) or not self._admit(name, point, delta=delta):
                self._rejected += 1
                continue
            if point.flags & _NO_VALUE:
                for labels in self._memory.of((name, self._attributes)):
                    self._sample(point, labels, STALE)
                continue
            take(name, point, monotonic or kind in ("histogram", "exponential_histogram"), delta)

    def _admit(self, name: str, point: Any, *, delta: bool) -> bool:
        """Whether there is room for the point and its time is believable; a delta sent again is not added again."""
        memory, key = self._memory, (name, self._attributes)
        nanos = point.time_unix_nano
        if memory.full(key) or nanos // 1_000_000 > self._now_ms + _AHEAD_MS:
            return False
        if delta and nanos:
            if nanos <= memory.deltas.get(key, 0):
                return False
            memory.deltas[key] = nanos
        memory.points[key] = memory.seen_s
        return True

    def write(self, writer: RowWriter) -> int:
        """Append the rows, oldest first; how many samples were rejected."""
        memory = self._memory
        for time_ms in sorted(self._rows):
            samples = self._rows[time_ms]
            if self._births:
                self._write_births(writer, time_ms)
            samples[memory.info] = 1.0
            values = np.array(list(samples.values()), dtype=np.float64)
            values[is_absent(values)] = np.nan  # a NaN that means something to us alone
            row = Row(memory.columns(list(samples)), values)
            self._rejected += writer.append(memory.frame, time_ms, row, complete=False)
            memory.last_ms = max(memory.last_ms, time_ms)
        return self._rejected

    def _write_births(self, writer: RowWriter, first_ms: int) -> None:
        """What new counters stood at when the row before was written (zero), so that their first growth is not lost."""
        births, self._births = self._births, {}
        before = self._memory.last_ms or self._born_ms
        if 0 < before < first_ms and first_ms - before < _YOUNG_MS:
            row = Row(self._memory.columns(list(births)), np.array(list(births.values())))
            writer.append(self._memory.frame, before, row, complete=False)

    def _number(self, name: str, point: Any, monotonic: bool, delta: bool) -> None:  # noqa: FBT001 - a table's call
        labels, new = self._labels(name)
        value = float(point.as_int if point.WhichOneof("value") == "as_int" else point.as_double)
        if delta:
            value += self._memory.totals.get(labels, 0.0)
            self._memory.totals[labels] = value
        if new and monotonic:
            self._birth(point, labels, 0.0)
        self._sample(point, labels, value)

    def _histogram(self, name: str, point: Any, _monotonic: bool, delta: bool) -> None:  # noqa: FBT001 - as above
        bounds = [bound_text(bound) for bound in (*point.explicit_bounds, float("inf"))]
        counts = np.cumsum(np.array(point.bucket_counts or [point.count], dtype=np.float64))
        if len(counts) != len(bounds):  # no buckets at all: only the sum and the count are known
            bounds, counts = bounds[-1:], np.array([float(point.count)])
        self._buckets(name, point, bounds, counts.tolist(), delta=delta)
        self._totals(name, point, delta=delta, summed=point.HasField("sum"))

    def _exponential(self, name: str, point: Any, _monotonic: bool, delta: bool) -> None:  # noqa: FBT001 - as above
        histogram = native_of(point)
        base, new = self._labels(name, **{COMPONENT: "schema"})
        memory = self._memory.histograms.setdefault(base, HistogramMemory())
        if delta:
            histogram = memory.total = histogram if memory.total is None else added(memory.total, histogram)
        elif memory.started_ns not in (0, point.start_time_unix_nano):
            histogram = replace(histogram, hint=Hint.RESET)
        memory.started_ns = point.start_time_unix_nano
        if new:
            for part, value in (("schema", histogram.schema), ("count", 0.0), ("sum", 0.0)):
                self._birth(point, self._labels(name, **{COMPONENT: part})[0], value)
        for part, value in parts(histogram).items():
            self._sample(point, self._labels(name, **{COMPONENT: part})[0], value)
        self._totals(name, point, delta=delta, summed=point.HasField("sum"))

    def _buckets(self, name: str, point: Any, bounds: list[str], counts: list[float], *, delta: bool) -> None:
        for text, count in zip(bounds, counts, strict=True):
            labels, new = self._labels(name, "_bucket", le=text)
            value = count
            if delta:
                value = self._memory.totals[labels] = self._memory.totals.get(labels, 0.0) + count
            if new:
                self._birth(point, labels, 0.0)
            self._sample(point, labels, value)

    def _totals(self, name: str, point: Any, *, delta: bool, summed: bool = True) -> None:
        parts = (("_count", float(point.count)), ("_sum", float(point.sum)))
        for part, figure in parts if summed else parts[:1]:
            labels, new = self._labels(name, part)
            value = figure
            if delta:
                value = self._memory.totals[labels] = self._memory.totals.get(labels, 0.0) + figure
            if new:
                self._birth(point, labels, 0.0)
            self._sample(point, labels, value)

    def _summary(self, name: str, point: Any, _monotonic: bool, _delta: bool) -> None:  # noqa: FBT001 - as above
        for quantile in point.quantile_values:
            labels, _ = self._labels(name, quantile=bound_text(quantile.quantile))
            self._sample(point, labels, quantile.value)
        self._totals(name, point, delta=False)

    def _labels(self, name: str, part: str = "", **more: str) -> tuple[Labels, bool]:
        """A series' labels, and whether it is new."""
        attributes = self._attributes
        key = (name, part, attributes, *more.values())
        labels = self._memory.known(key)
        if labels is not None:
            return labels, False
        return self._memory.make(key, name + part, attributes, **more), True

    def _birth(self, point: Any, labels: Labels, value: float) -> None:
        started = point.start_time_unix_nano // 1_000_000
        if started:
            self._births[labels] = value
            self._born_ms = max(self._born_ms, started)

    def _sample(self, point: Any, labels: Labels, value: float) -> None:
        time_ms = point.time_unix_nano // 1_000_000 or self._now_ms
        self._rows.setdefault(time_ms, {})[labels] = value


def _whole(kind: str, point: Any) -> bool:
    """Whether a point says what its kind must say."""
    if point.flags & _NO_VALUE:
        return True
    match kind:
        case "gauge" | "sum":
            return point.WhichOneof("value") is not None
        case "histogram":
            bounds = point.explicit_bounds
            rising = all(low < high for low, high in pairwise((*bounds, float("inf"))))
            return rising and len(point.bucket_counts) == (
                len(bounds) + 1 if bounds else min(len(point.bucket_counts), 1)
            )
        case "exponential_histogram":
            sides = (point.positive.bucket_counts, point.negative.bucket_counts)
            counted = sum(map(sum, sides)) + point.zero_count
            known = point.scale >= COARSEST_SCALE and counted <= point.count
            return known and max(map(len, sides)) <= _MOST_BUCKETS
    return True


def _type(kind: str, *, monotonic: bool) -> FamilyType:
    if kind == "sum":
        return "counter" if monotonic else "gauge"
    return {"gauge": "gauge", "summary": "summary"}.get(kind, "histogram")  # type: ignore[return-value]
