"""The messages of Prometheus's protobuf format, read from the wire.

Source: the field numbers of prometheus/client_model `io/prometheus/client/metrics.proto`. Times of creation are passed
over: nothing here uses them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from sanso.exposition.series_text import shown, utf8
from sanso.exposition.wire import (
    ANY,
    FIXED64,
    LENGTH,
    MOST_FIELDS,
    VARINT,
    double,
    doubles,
    fields,
    signed,
    unfolded,
    varints,
)
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
LABEL_FIELD, TIME_FIELD, NATIVE_EXEMPLARS = 1, 6, 16
_FAMILY = {1: LENGTH, 2: LENGTH, 3: VARINT, 4: LENGTH, 5: LENGTH}
_PAIR = {1: LENGTH, 2: LENGTH}
_VALUE = {1: FIXED64, 2: LENGTH}
_QUANTILE = {1: FIXED64, 2: FIXED64}
_SUMMARY = {1: VARINT, 2: FIXED64, 3: LENGTH}
_EXEMPLAR = {1: LENGTH, 2: FIXED64, 3: LENGTH}
_TIMESTAMP = {1: VARINT, 2: VARINT}
_BUCKET = {1: VARINT, 2: FIXED64, 3: LENGTH, 4: FIXED64}
_SPAN = {1: VARINT, 2: VARINT}
_HISTOGRAM = {
    1: VARINT, 2: FIXED64, 3: LENGTH, 4: FIXED64, 5: VARINT, 6: FIXED64, 7: VARINT, 8: FIXED64,
    9: LENGTH, 10: ANY, 11: ANY, 12: LENGTH, 13: ANY, 14: ANY, NATIVE_EXEMPLARS: LENGTH,
}  # fmt: skip


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
    """A classic bucket: its bound, the observations up to it, and where its exemplar lies."""

    upper: float
    cumulated: float
    exemplar: Place | None


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
    exemplars: list[Place] = field(default_factory=list)

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


def read_value(body: bytes, place: Place) -> tuple[float, Place | None]:
    """The value of a counter, gauge or untyped metric, and where the exemplar of a counter lies."""
    found, exemplar = 0.0, None
    for number, _, value, end in fields(body, *place, _VALUE):
        if number == 1:
            found = double(body, value)
        else:
            exemplar = Place(value, end)
    return found, exemplar


def read_exemplar(body: bytes, place: Place, most: int) -> ExemplarMessage:
    """An exemplar."""
    found, time_ms = 0.0, None
    for number, _, value, end in fields(body, *place, _EXEMPLAR):
        if number == 2:
            found = double(body, value)
        elif number == 3:
            time_ms = _milliseconds(body, Place(value, end))
    return ExemplarMessage(read_labels(body, place, most), found, time_ms)


def read_summary(body: bytes, place: Place) -> Summary:
    """A summary."""
    summary = Summary()
    for number, _, value, end in fields(body, *place, _SUMMARY):
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


def read_histogram(body: bytes, place: Place) -> Histogram:
    """A histogram."""
    found = Histogram()
    doubled = {2: "sum", 4: "count_float", 6: "zero_threshold", 8: "zero_count_float"}
    counted = {1: "count_int", 7: "zero_count_int"}
    deltas = {10: found.negative_deltas, 13: found.positive_deltas}
    counts = {11: found.negative_counts, 14: found.positive_counts}
    spans = {9: found.negative_spans, 12: found.positive_spans}
    for number, kind, value, end in fields(body, *place, _HISTOGRAM):
        if number in deltas:
            deltas[number] += map(unfolded, varints(body, kind, value, end))
        elif number in counts:
            counts[number] += doubles(body, kind, value, end)
        elif number == 3:
            found.buckets.append(_bucket(body, Place(value, end)))
        elif number in spans:
            spans[number].append(_span(body, Place(value, end)))
        elif number in doubled:
            setattr(found, doubled[number], double(body, value))
        elif number in counted:
            setattr(found, counted[number], value)
        elif number == 5:
            found.schema = unfolded(value)
        else:
            found.exemplars.append(Place(value, end))
    return found


def _bucket(body: bytes, place: Place) -> Bucket:
    upper = count_float = 0.0
    count, exemplar = 0, None
    for number, _, value, end in fields(body, *place, _BUCKET):
        if number == 1:
            count = value
        elif number == 2:
            upper = double(body, value)
        elif number == 4:
            count_float = double(body, value)
        else:
            exemplar = Place(value, end)
    return Bucket(upper, count_float or float(count), exemplar)


def _span(body: bytes, place: Place) -> Span:
    offset = length = 0
    for number, _, value, _ in fields(body, *place, _SPAN):
        if number == 1:
            offset = unfolded(value)
        else:
            length = value
    return Span(offset, length)


def _milliseconds(body: bytes, place: Place) -> int:
    seconds = nanoseconds = 0
    for number, _, value, _ in fields(body, *place, _TIMESTAMP):
        if number == 1:
            seconds = signed(value)
        else:
            nanoseconds = signed(value)
    return min(max(seconds * 1000 + nanoseconds // 1_000_000, -(1 << 62)), 1 << 62)
