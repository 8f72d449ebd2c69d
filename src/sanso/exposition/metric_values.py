"""What a metric of the protobuf format tells: numbers, summaries, classic and native histograms as series."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from sanso.exposition.custom_buckets import custom_of
from sanso.exposition.metric_messages import (
    Histogram,
    MetricType,
    Place,
    read_histogram,
    read_summary,
    read_value,
)
from sanso.exposition.metric_series import Metric
from sanso.exposition.page import Exemplar, HistogramWish
from sanso.model.errors import DecodeError
from sanso.model.exponential import coarser
from sanso.model.labels import Labels
from sanso.model.native_histogram import (
    COARSEST_SCHEMA,
    Hint,
    NativeHistogram,
    parts,
)
from sanso.model.native_messages import native_of


@dataclass(slots=True)
class Told:
    """What one metric told on a page.

    Attributes:
        labels: Of its plain series.
        values: Theirs.
        histogram: The series that is a native histogram; None where there is none.
        parts: The columns of that.
        part_values: Theirs.
        exemplars: Of any of them.
    """

    labels: list[Labels] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    histogram: Labels | None = None
    parts: list[Labels] = field(default_factory=list)
    part_values: list[float] = field(default_factory=list)
    exemplars: list[Exemplar] = field(default_factory=list)

    def add(self, labels: Labels, value: float) -> None:
        """One plain series more."""
        self.labels.append(labels)
        self.values.append(value)


@dataclass(slots=True)
class Whole:
    """A summary or a histogram, for as long as pages have it: its series, what it was last, and what that told."""

    metric: Metric
    message: bytes
    told: Told


def read_number(metric: Metric, kind: MetricType, message: bytes) -> Told:
    """A counter, a gauge or what has no type."""
    value, place = read_value(message, Place(0, len(message)))
    labels = metric.series()
    told = Told([labels], [value])
    if place is not None and kind is MetricType.COUNTER:
        told.exemplars.append(metric.exemplar(message, place, labels))
    return told


def read_whole(metric: Metric, kind: MetricType, message: bytes, wish: HistogramWish) -> Told:
    """A summary or a histogram."""
    if kind is MetricType.SUMMARY:
        return _summary(metric, message)
    told, histogram = Told(), read_histogram(message, Place(0, len(message)))
    metric.forget_beyond(2 * histogram.size)
    native = wish.native and histogram.is_native
    if native or wish.custom:
        made = _limited(native_of(histogram), wish) if native else _custom(histogram, wish)
        _add_native(told, metric, made, gauge=kind is MetricType.GAUGE_HISTOGRAM)
        _add_native_exemplars(told, metric, histogram, message)
    if (wish.classic and (histogram.buckets or not native)) or (not native and not wish.custom):
        _add_classic(told, metric, histogram, message)
    return told


def _summary(metric: Metric, message: bytes) -> Told:
    summary = read_summary(message, Place(0, len(message)))
    told = Told([metric.series("_count"), metric.series("_sum")], [summary.count, summary.sum])
    for quantile, value in summary.quantiles:
        told.add(metric.series("", "quantile", quantile), value)
    return told


def _add_classic(told: Told, metric: Metric, histogram: Histogram, message: bytes) -> None:
    told.add(metric.series("_count"), histogram.count)
    told.add(metric.series("_sum"), histogram.sum)
    for bucket in histogram.buckets:
        labels = metric.series("_bucket", "le", bucket.upper)
        told.add(labels, bucket.cumulated)
        if bucket.exemplar is not None:
            told.exemplars.append(metric.exemplar(message, bucket.exemplar, labels))
        if bucket.upper == math.inf:
            return
    told.add(metric.series("_bucket", "le", math.inf), histogram.count)


def _add_native(told: Told, metric: Metric, native: NativeHistogram, *, gauge: bool) -> None:
    told.histogram = metric.series()
    for name, value in parts(replace(native, hint=Hint.GAUGE) if gauge else native).items():
        told.parts.append(metric.part(name))
        told.part_values.append(value)


def _custom(histogram: Histogram, wish: HistogramWish) -> NativeHistogram:
    buckets = {bucket.upper: bucket.cumulated for bucket in reversed(histogram.buckets)}
    uppers = sorted(buckets)
    return custom_of(uppers, [buckets[upper] for upper in uppers], histogram.count, histogram.sum, wish)


def _add_native_exemplars(told: Told, metric: Metric, histogram: Histogram, message: bytes) -> None:
    """Those of the histogram, or of its classic buckets; without a time they cannot be told from those before."""
    places = histogram.exemplars or [bucket.exemplar for bucket in histogram.buckets if bucket.exemplar is not None]
    exemplars = [metric.exemplar(message, place, metric.series()) for place in places]
    told.exemplars += [exemplar for exemplar in exemplars if exemplar.time_ms is not None]


def _limited(native: NativeHistogram, wish: HistogramWish) -> NativeHistogram:
    """Made coarser until it has no more buckets than wished, and no finer schema."""
    schema = min(native.schema, wish.finest_schema)
    while True:
        positive, negative = (coarser(side, native.schema - schema) for side in (native.positive, native.negative))
        buckets = len(positive) + len(negative)
        if not wish.most_buckets or buckets <= wish.most_buckets:
            return replace(native, schema=schema, positive=positive, negative=negative)
        if schema <= COARSEST_SCHEMA:
            raise DecodeError(f"histogram bucket limit exceeded: {buckets} buckets, limit {wish.most_buckets}")
        schema -= 1
