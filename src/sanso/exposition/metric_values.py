"""What a metric of the protobuf format tells: numbers, summaries, classic and native histograms as series."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import accumulate

from sanso.exposition.custom_buckets import custom_of
from sanso.exposition.metric_messages import (
    Histogram,
    MetricType,
    Span,
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


@dataclass(frozen=True, slots=True)
class NativeShape:
    """Which buckets a native histogram of whole numbers has: where they are the same again, only counts are read.

    Attributes:
        schema: As the message has it.
        spans: Of positive and negative buckets, none of which is empty.
        zero: Whether the zero bucket holds anything.
        threshold: Its half width.
        parts: The columns.
        rest: What follows the schema, count, sum, zero bucket and its width: the hint, where there is one.
    """

    schema: int
    spans: tuple[list[Span], list[Span]]
    zero: bool
    threshold: float
    parts: list[Labels]
    rest: list[float]

    @classmethod
    def of(cls, histogram: Histogram, native: NativeHistogram, columns: list[Labels]) -> NativeShape | None:
        """The shape of a histogram; None where it has to be looked at each time."""
        spans = histogram.positive_spans, histogram.negative_spans
        buckets = len(native.positive) + len(native.negative)
        if native.schema != histogram.schema or sum(span.length for side in spans for span in side) != buckets:
            return None
        rest = [float(native.hint)] if native.hint is not Hint.UNKNOWN else []
        return cls(native.schema, spans, bool(native.zero_count), native.zero_threshold, columns, rest)

    def values(self, histogram: Histogram) -> list[float] | None:
        """The values of the columns; None where the histogram is of another shape, or contradicts itself."""
        counted = histogram.positive_counts or histogram.negative_counts or histogram.zero_count_float
        spans = histogram.positive_spans, histogram.negative_spans
        alike = self.schema == histogram.schema and self.threshold == histogram.zero_threshold and self.spans == spans
        zero = histogram.zero_count_int
        if counted or histogram.count_float or not alike or self.zero != bool(zero):
            return None
        sides = histogram.positive_deltas, histogram.negative_deltas
        if any(len(side) != sum(span.length for span in own) for side, own in zip(sides, spans, strict=True)):
            return None
        buckets = [count for side in sides for count in accumulate(side)]
        if (buckets and min(buckets) <= 0) or zero + sum(buckets) != histogram.count_int:
            return None
        zeros = [float(zero)] if zero else []
        width = [self.threshold] if self.threshold else []
        return [self.schema, histogram.count_int, histogram.sum, *zeros, *width, *self.rest, *buckets]


@dataclass(slots=True)
class Whole:
    """A summary or a histogram, for as long as pages have it: its series, what it was last, and what that told."""

    metric: Metric
    message: bytes
    told: Told
    shape: NativeShape | None = None


def read_number(metric: Metric, kind: MetricType, message: bytes) -> Told:
    """A counter, a gauge or what has no type."""
    value, exemplar = read_value(message)
    labels = metric.series()
    told = Told([labels], [value])
    if exemplar and kind is MetricType.COUNTER:
        told.exemplars.append(metric.exemplar(exemplar, labels))
    return told


def read_whole(before: Whole | None, metric: Metric, kind: MetricType, message: bytes, wish: HistogramWish) -> Whole:
    """A summary or a histogram; `before` is what it was on the page before."""
    if kind is MetricType.SUMMARY:
        return Whole(metric, message, _summary(metric, message))
    told, histogram = Told(), read_histogram(message)
    metric.forget_beyond(2 * histogram.size)
    native, shape = wish.native and histogram.is_native, None
    if native or wish.custom:
        shape = before.shape if before is not None and native else None
        values = shape.values(histogram) if shape is not None else None
        if shape is not None and values is not None:
            told.histogram, told.parts, told.part_values = metric.series(), shape.parts, values
        else:
            made = _limited(native_of(histogram), wish) if native else _custom(histogram, wish)
            made = replace(made, hint=Hint.GAUGE) if kind is MetricType.GAUGE_HISTOGRAM else made
            _add_native(told, metric, made)
            shape = NativeShape.of(histogram, made, told.parts) if native else None
        _add_native_exemplars(told, metric, histogram)
    if (wish.classic and (histogram.buckets or not native)) or (not native and not wish.custom):
        _add_classic(told, metric, histogram)
    return Whole(metric, message, told, shape)


def _summary(metric: Metric, message: bytes) -> Told:
    summary = read_summary(message)
    told = Told([metric.series("_count"), metric.series("_sum")], [summary.count, summary.sum])
    for quantile, value in summary.quantiles:
        told.add(metric.series("", "quantile", quantile), value)
    return told


def _add_classic(told: Told, metric: Metric, histogram: Histogram) -> None:
    told.add(metric.series("_count"), histogram.count)
    told.add(metric.series("_sum"), histogram.sum)
    for bucket in histogram.buckets:
        labels = metric.series("_bucket", "le", bucket.upper)
        told.add(labels, bucket.cumulated)
        if bucket.exemplar:
            told.exemplars.append(metric.exemplar(bucket.exemplar, labels))
        if bucket.upper == math.inf:
            return
    told.add(metric.series("_bucket", "le", math.inf), histogram.count)


def _add_native(told: Told, metric: Metric, native: NativeHistogram) -> None:
    told.histogram = metric.series()
    for name, value in parts(native).items():
        told.parts.append(metric.part(name))
        told.part_values.append(value)


def _custom(histogram: Histogram, wish: HistogramWish) -> NativeHistogram:
    buckets = {bucket.upper: bucket.cumulated for bucket in reversed(histogram.buckets)}
    uppers = sorted(buckets)
    return custom_of(uppers, [buckets[upper] for upper in uppers], histogram.count, histogram.sum, wish)


def _add_native_exemplars(told: Told, metric: Metric, histogram: Histogram) -> None:
    """Those of the histogram, or of its classic buckets; without a time they cannot be told from those before."""
    messages = histogram.exemplars or [bucket.exemplar for bucket in histogram.buckets if bucket.exemplar]
    exemplars = [metric.exemplar(message, metric.series()) for message in messages]
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
