"""Samples and native histograms in Prometheus's protobuf format."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping
from itertools import pairwise

from sanso.exposition.classic_names import classic_samples, with_classic_names
from sanso.exposition.formats import PageFormat
from sanso.exposition.metric_messages import TIME_FIELD, VALUE_FIELDS, MetricType
from sanso.exposition.page import HistogramSample, Sample
from sanso.exposition.wire import double_field, field, varint, varint_field, zigzag
from sanso.model.exponential import spans_of
from sanso.model.frame import Family
from sanso.model.labels import NAME, Labels, metric_name
from sanso.model.native_histogram import CUSTOM_SCHEMA, Buckets, Hint, NativeHistogram

_TYPES = {
    "counter": MetricType.COUNTER,
    "gauge": MetricType.GAUGE,
    "info": MetricType.GAUGE,
    "stateset": MetricType.GAUGE,
}
_LARGEST_WHOLE = 2.0**53


def render_protobuf(
    series: Iterable[Sample],
    histograms: Iterable[HistogramSample],
    families: Mapping[str, Family],
    wanted: PageFormat,
) -> bytes:
    """The page: families by name, as Prometheus federates them.

    Series of classic histograms and summaries are told one by one and untyped, so that a part of them can be told too;
    native histograms of custom bounds become classic ones.

    Args:
        series: Labels, value, and time in ms (None: no time); an empty label value is told as such.
        histograms: Likewise native ones.
        families: Types and help texts by metric name, as series carry it.
        wanted: The format, by `negotiate`.
    """
    if not wanted.quoted_names:
        series, families = with_classic_names(series, families)
        histograms = classic_samples(histograms)
    told: dict[tuple[str, MetricType], list[bytes]] = {}
    for labels, value, time_ms in series:
        name = metric_name(labels)
        kind = _TYPES.get(families[name].type, MetricType.UNTYPED) if name in families else MetricType.UNTYPED
        message = field(VALUE_FIELDS[kind], double_field(1, value))
        told.setdefault((name, kind), []).append(_metric(labels, message, time_ms))
    for labels, histogram, time_ms in histograms:
        kind = MetricType.GAUGE_HISTOGRAM if histogram.hint is Hint.GAUGE else MetricType.HISTOGRAM
        message = field(VALUE_FIELDS[kind], _histogram(histogram))
        told.setdefault((metric_name(labels), kind), []).append(_metric(labels, message, time_ms))
    return b"".join(
        _delimited(_family(name, kind, metrics, families.get(name))) for (name, kind), metrics in sorted(told.items())
    )


def _delimited(message: bytes) -> bytes:
    return varint(len(message)) + message


def _family(name: str, kind: MetricType, metrics: list[bytes], family: Family | None) -> bytes:
    parts = [field(1, _text(name))]
    if family is not None and family.help:
        parts.append(field(2, _text(family.help)))
    parts += [varint_field(3, kind), *(field(4, metric) for metric in metrics)]
    if family is not None and family.unit:
        parts.append(field(5, _text(family.unit)))
    return b"".join(parts)


def _metric(labels: Labels, message: bytes, time_ms: int | None) -> bytes:
    pairs = b"".join(field(1, field(1, _text(name)) + field(2, _text(value))) for name, value in labels if name != NAME)
    return pairs + message + (b"" if time_ms is None else varint_field(TIME_FIELD, time_ms))


def _text(text: str) -> bytes:
    return text.encode(errors="replace")


def _histogram(histogram: NativeHistogram) -> bytes:
    if histogram.schema == CUSTOM_SCHEMA:
        return _classic(histogram)
    whole = _is_whole(histogram)
    parts = [varint_field(1, int(histogram.count)) if whole else double_field(4, histogram.count)]
    parts += [double_field(2, histogram.sum), varint_field(5, zigzag(histogram.schema))]
    parts.append(double_field(6, histogram.zero_threshold))
    parts.append(varint_field(7, int(histogram.zero_count)) if whole else double_field(8, histogram.zero_count))
    parts += [_spans(9, histogram.negative), _counts(histogram.negative, 10 if whole else 11, whole=whole)]
    parts += [_spans(12, histogram.positive), _counts(histogram.positive, 13 if whole else 14, whole=whole)]
    if not histogram.positive and not histogram.negative:
        parts.append(field(12, varint_field(1, 0) + varint_field(2, 0)))  # else it would be taken for a classic one
    return b"".join(parts)


def _is_whole(histogram: NativeHistogram) -> bool:
    """Whether it can be told in whole numbers, which readers add up to see that they are right."""
    counts = [histogram.zero_count, *(count for side in (histogram.positive, histogram.negative) for _, count in side)]
    if not all(count.is_integer() and 0 <= count < _LARGEST_WHOLE for count in (histogram.count, *counts)):
        return False
    inside = sum(counts)
    return inside == histogram.count or (inside < histogram.count and math.isnan(histogram.sum))


def _spans(number: int, buckets: Buckets) -> bytes:
    return b"".join(
        field(number, varint_field(1, zigzag(gap)) + varint_field(2, length)) for gap, length in spans_of(buckets)
    )


def _counts(buckets: Buckets, number: int, *, whole: bool) -> bytes:
    """The observations of each bucket: floats, or whole numbers as what each has more than the one before."""
    if not buckets:
        return b""
    counts = [count for _, count in buckets]
    if not whole:
        return field(number, struct.pack(f"<{len(counts)}d", *counts))
    steps = (after - before for before, after in pairwise([0, *map(int, counts)]))
    return field(number, b"".join(varint(zigzag(step)) for step in steps))


def _classic(histogram: NativeHistogram) -> bytes:
    """Custom bounds as classic buckets; the last one is what `count` says."""
    held, total = dict(histogram.positive), 0.0
    parts = [double_field(4, histogram.count), double_field(2, histogram.sum)]
    for index, upper in enumerate(histogram.bounds):
        total += held.get(index, 0.0)
        parts.append(field(3, double_field(4, total) + double_field(2, upper)))
    return b"".join(parts)
