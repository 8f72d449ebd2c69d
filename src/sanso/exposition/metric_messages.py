"""The messages of Prometheus's protobuf format, read from the wire.

Source: the field numbers of prometheus/client_model `io/prometheus/client/metrics.proto`. Times of creation are passed
over: nothing here uses them.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

from sanso.exposition.message_classes import BYTES, DOUBLE, SINT32, SINT64, UINT32, UINT64, message_class
from sanso.exposition.series_text import shown, utf8
from sanso.exposition.wire import FIXED64, LENGTH, MOST_FIELDS, VARINT, double, fields, signed
from sanso.model.errors import DecodeError


class MetricType(IntEnum):
    """What a family is; the field of a metric that holds its value depends on it."""

    COUNTER = 0
    GAUGE = 1
    SUMMARY = 2
    UNTYPED = 3
    HISTOGRAM = 4
    GAUGE_HISTOGRAM = 5


VALUE_FIELDS = {
    MetricType.GAUGE: 2,
    MetricType.COUNTER: 3,
    MetricType.SUMMARY: 4,
    MetricType.UNTYPED: 5,
    MetricType.HISTOGRAM: 7,
    MetricType.GAUGE_HISTOGRAM: 7,
}
LABEL_FIELD, TIME_FIELD = 1, 6
_FAMILY = {1: LENGTH, 2: LENGTH, 3: VARINT, 4: LENGTH, 5: LENGTH}
_PAIR = {1: LENGTH, 2: LENGTH}
_VALUE = {1: FIXED64, 2: LENGTH}
_QUANTILE = {1: FIXED64, 2: FIXED64}
_SUMMARY = {1: VARINT, 2: FIXED64, 3: LENGTH}
_EXEMPLAR = {1: LENGTH, 2: FIXED64, 3: LENGTH}
_TIMESTAMP = {1: VARINT, 2: VARINT}
_MOST_HISTOGRAM_BYTES = 1 << 20
_HISTOGRAM: dict[str, list[tuple[str, int, int | str]]] = {
    "Span": [("offset", 1, SINT32), ("length", 2, UINT32)],
    "Bucket": [("count", 1, UINT64), ("upper", 2, DOUBLE), ("exemplar", 3, BYTES), ("count_float", 4, DOUBLE)],
    "Histogram": [
        ("count_int", 1, UINT64), ("sum", 2, DOUBLE), ("buckets", 3, "Bucket*"), ("count_float", 4, DOUBLE),
        ("schema", 5, SINT32), ("zero_threshold", 6, DOUBLE), ("zero_count_int", 7, UINT64),
        ("zero_count_float", 8, DOUBLE), ("negative_spans", 9, "Span*"), ("negative_deltas", 10, f"{SINT64}*"),
        ("negative_counts", 11, f"{DOUBLE}*"), ("positive_spans", 12, "Span*"), ("positive_deltas", 13, f"{SINT64}*"),
        ("positive_counts", 14, f"{DOUBLE}*"), ("exemplars", 16, f"{BYTES}*"),
    ],
}  # fmt: skip
"""Exemplars stay bytes: whether there is one, and what it holds, is seen where it is wanted."""


class Place(NamedTuple):
    """Where a message lies in a body."""

    start: int
    end: int


@dataclass
class FamilyMessage:
    """A metric family.

    Attributes:
        name: Of the metric.
        help: One sentence.
        type: As the message tells it; a counter where it does not.
        unit: Of the metric.
        metrics: Where each lies.
    """

    name: str = ""
    help: str = ""
    type: MetricType = MetricType.COUNTER
    unit: str = ""
    metrics: list[Place] = field(default_factory=list)


class ExemplarMessage(NamedTuple):
    """An exemplar: its labels, value, and time in ms where it has one."""

    labels: list[tuple[str, str]]
    value: float
    time_ms: int | None


class Bucket(NamedTuple):
    """A classic bucket: its bound, the observations up to it, and its exemplar's message, empty for none."""

    upper: float
    cumulated: float
    exemplar: bytes


class Span(NamedTuple):
    """A run of neighbouring native buckets."""

    offset: int
    length: int


@dataclass
class Summary:
    """A summary: observations, their sum, quantiles with their values."""

    count: float = 0.0
    sum: float = 0.0
    quantiles: list[tuple[float, float]] = field(default_factory=list)


@dataclass
class Histogram:
    """A histogram: classic buckets, and native ones under the names that `model.native_messages` reads."""

    count_int: int = 0
    count_float: float = 0.0
    sum: float = 0.0
    schema: int = 0
    zero_threshold: float = 0.0
    zero_count_int: int = 0
    zero_count_float: float = 0.0
    positive_spans: list[Span] = field(default_factory=list)
    positive_deltas: list[int] = field(default_factory=list)
    positive_counts: list[float] = field(default_factory=list)
    negative_spans: list[Span] = field(default_factory=list)
    negative_deltas: list[int] = field(default_factory=list)
    negative_counts: list[float] = field(default_factory=list)
    reset_hint: int = 0
    custom_values: tuple[float, ...] = ()
    buckets: list[Bucket] = field(default_factory=list)
    exemplars: list[bytes] = field(default_factory=list)

    @property
    def count(self) -> float:
        """Observations; of both counts, the float where it is above 0."""
        return self.count_float or float(self.count_int)

    @property
    def is_native(self) -> bool:
        """Whether it is told as a native histogram: one without observations has a span of no buckets to say so."""
        return bool(self.positive_spans or self.negative_spans or self.zero_threshold > 0 or self.zero_count_int)

    @property
    def size(self) -> int:
        """Buckets of all kinds."""
        native = len(self.positive_deltas) + len(self.positive_counts)
        return len(self.buckets) + native + len(self.negative_deltas) + len(self.negative_counts)


def read_family(body: bytes, place: Place, most: int) -> FamilyMessage:
    """A family of at most so many metrics, which are not read."""
    family = FamilyMessage()
    for number, _, value, end in fields(body, *place, _FAMILY, most + MOST_FIELDS):
        if number == 4:
            family.metrics.append(Place(value, end))
        elif number == 3:
            if not 0 <= value <= MetricType.GAUGE_HISTOGRAM:
                raise DecodeError(f"{value} is not a metric type")
            family.type = MetricType(value)
        elif number == 1:
            family.name = utf8(body[value:end], "a metric name")
        elif number == 2:
            family.help = utf8(body[value:end], f"the help text of {family.name}")
        else:
            family.unit = utf8(body[value:end], f"the unit of {family.name}")
    return family


def read_labels(body: bytes, place: Place, most: int) -> list[tuple[str, str]]:
    """The labels among the fields of a metric or an exemplar, in both of which they are the first; at most so many."""
    pairs: list[tuple[str, str]] = []
    for _, _, start, end in fields(body, *place, {LABEL_FIELD: LENGTH}):
        if len(pairs) > most:
            break
        name = value = ""
        for number, _, begin, stop in fields(body, start, end, _PAIR):
            if number == 1:
                name = utf8(body[begin:stop], "a label name")
            else:
                value = utf8(body[begin:stop], f"the value of label {shown(name.encode())}")
        pairs.append((name, value))
    return pairs


def read_value(message: bytes) -> tuple[float, bytes]:
    """The value of a counter, gauge or untyped metric, and the exemplar of a counter; empty for none."""
    found, exemplar = 0.0, b""
    for number, _, value, end in fields(message, 0, len(message), _VALUE):
        if number == 1:
            found = double(message, value)
        else:
            exemplar = message[value:end]
    return found, exemplar


def read_exemplar(message: bytes, most: int) -> ExemplarMessage:
    """An exemplar of at most so many labels."""
    found, time_ms, place = 0.0, None, Place(0, len(message))
    for number, _, value, end in fields(message, *place, _EXEMPLAR):
        if number == 2:
            found = double(message, value)
        elif number == 3:
            time_ms = _milliseconds(message, Place(value, end))
    return ExemplarMessage(read_labels(message, place, most), found, time_ms)


def read_summary(body: bytes) -> Summary:
    """A summary, by its message."""
    summary = Summary()
    for number, _, value, end in fields(body, 0, len(body), _SUMMARY):
        if number == 1:
            summary.count = float(value)
        elif number == 2:
            summary.sum = double(body, value)
        else:
            pair = [0.0, 0.0]
            for part, _, at, _ in fields(body, value, end, _QUANTILE):
                pair[part - 1] = double(body, at)
            summary.quantiles.append((pair[0], pair[1]))
    return summary


def read_histogram(message: bytes) -> Histogram:
    """A histogram, by protobuf's runtime: no other message holds as much."""
    from google.protobuf.message import DecodeError as ProtobufError

    if len(message) > _MOST_HISTOGRAM_BYTES:
        raise DecodeError(f"a histogram of {len(message)} bytes, more than {_MOST_HISTOGRAM_BYTES}")
    try:
        found = _histogram_class().FromString(message)
    except ProtobufError as error:
        raise DecodeError(f"no histogram: {error}") from error
    return Histogram(
        found.count_int,
        found.count_float,
        found.sum,
        found.schema,
        found.zero_threshold,
        found.zero_count_int,
        found.zero_count_float,
        [Span(span.offset, span.length) for span in found.positive_spans],
        list(found.positive_deltas),
        list(found.positive_counts),
        [Span(span.offset, span.length) for span in found.negative_spans],
        list(found.negative_deltas),
        list(found.negative_counts),
        buckets=[
            Bucket(bucket.upper, bucket.count_float or float(bucket.count), bucket.exemplar) for bucket in found.buckets
        ],
        exemplars=list(found.exemplars),
    )


@functools.cache
def _histogram_class() -> Any:
    return message_class("sanso.metrics", _HISTOGRAM, "Histogram")


def _milliseconds(body: bytes, place: Place) -> int:
    seconds = nanoseconds = 0
    for number, _, value, _ in fields(body, *place, _TIMESTAMP):
        if number == 1:
            seconds = signed(value)
        else:
            nanoseconds = signed(value)
    return min(max(seconds * 1000 + nanoseconds // 1_000_000, -(1 << 62)), 1 << 62)
