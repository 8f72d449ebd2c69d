"""Prometheus's protobuf format: delimited MetricFamily messages, the format that has native histograms.

A target repeats its page, so what is dear is done once: a family is known by what stands around its metrics on the
page before, labels by their bytes, and a summary or a histogram whose bytes are those of the page before is not read
again.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sanso.exposition.layout import columns_of
from sanso.exposition.metric_messages import LABEL_FIELD, TIME_FIELD, VALUE_FIELDS, MetricType, Place, read_family
from sanso.exposition.metric_series import Metric, MetricTexts
from sanso.exposition.metric_values import Told, Whole, read_number, read_whole
from sanso.exposition.page import NO_TIME, Exemplar, HistogramWish, Limits, Page
from sanso.exposition.wire import LENGTH, VARINT, double, fields, read_varint, signed, varint
from sanso.exposition.wire import field as wire_field
from sanso.model.errors import DecodeError
from sanso.model.frame import Columns, Family, FamilyType, Row
from sanso.model.labels import Labels

_TYPES: dict[MetricType, FamilyType] = {
    MetricType.COUNTER: "counter",
    MetricType.GAUGE: "gauge",
    MetricType.SUMMARY: "summary",
    MetricType.UNTYPED: "unknown",
    MetricType.HISTOGRAM: "histogram",
    MetricType.GAUGE_HISTOGRAM: "histogram",
}
_NUMBERS = frozenset({MetricType.COUNTER, MetricType.GAUGE, MetricType.UNTYPED})
_LABEL_TAG, _VALUE_TAG, _TIME_TAG, _CREATED_TAG = 0x0A, 0x09, 0x30, 0x1A
_METRIC_TAG = b"\x22"
_MOST_LEFT_BEHIND = 100
"""What is remembered beyond twice of what a page has."""


@dataclass(slots=True)
class _Shape:
    """A family as it stood on the page before, around its metrics.

    Attributes:
        header: Its bytes before the first metric; None where metrics are scattered.
        trailer: Those after the last one.
        family: What they say.
        reader: Reads its metrics.
    """

    header: bytes | None
    trailer: bytes
    family: Family
    reader: _FamilyReader


@dataclass
class _Gathered:
    """What the page has shown so far."""

    shapes: list[_Shape] = field(default_factory=list)
    families: dict[str, Family] = field(default_factory=dict)
    labels: list[Labels] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    parts: list[Labels] = field(default_factory=list)
    part_values: list[float] = field(default_factory=list)
    part_times: list[int] = field(default_factory=list)
    histograms: set[Labels] = field(default_factory=set)
    exemplars: list[Exemplar] = field(default_factory=list)
    emptied: dict[Labels, frozenset[str]] = field(default_factory=dict)
    twice: int = 0

    def take(self, told: Told, time_ms: int, emptied: frozenset[str]) -> None:
        """What a metric told."""
        self.labels += told.labels
        self.values += told.values
        self.times += [time_ms] * len(told.labels)
        self.exemplars += told.exemplars
        if emptied:
            self.emptied.update(dict.fromkeys(told.labels, emptied))
        if told.histogram is None:
            return
        if emptied:
            self.emptied[told.histogram] = emptied
        if told.histogram in self.histograms:
            self.twice += 1
            return
        self.histograms.add(told.histogram)
        self.parts += told.parts
        self.part_values += told.part_values
        self.part_times += [time_ms] * len(told.parts)

    def check(self, limits: Limits) -> None:
        """Raise a DecodeError where there is too much."""
        samples = len(self.labels) + len(self.histograms) + self.twice
        if samples > limits.samples or len(self.parts) > limits.samples:
            raise DecodeError(f"{samples} samples or their buckets are more than the limit of {limits.samples}")


class ProtobufParser:
    """Reads the pages of one target; remembers the last page, nothing else.

    Args:
        limits: What is accepted.
        wish: What is wanted of histograms.
        texts: Makes the series, where parsers share that.
    """

    def __init__(
        self, limits: Limits | None = None, wish: HistogramWish | None = None, texts: MetricTexts | None = None
    ) -> None:
        self._limits = limits or Limits()
        self._wish = wish or HistogramWish()
        self._texts = texts or MetricTexts(self._limits, most=0)
        self._shapes: list[_Shape] = []
        self._readers: dict[tuple[str, MetricType], _FamilyReader] = {}
        self._families: tuple[Family, ...] = ()
        self._labels: list[Labels] = []
        self._columns = Columns(())
        self._take: NDArray[np.intp] | None = None

    def parse(self, body: bytes) -> Page:
        """One page.

        Of a series that stands in the page twice the first counts.

        Raises:
            DecodeError: Names the metric; nothing of the page is taken.
        """
        if len(body) > self._limits.body_bytes:
            raise DecodeError(f"the page has {len(body)} bytes, more than the limit of {self._limits.body_bytes}")
        found = _Gathered()
        try:
            self._read(body, found)
        except (IndexError, struct.error) as error:
            raise DecodeError("the page is cut off, or no protobuf") from error
        self._shapes = found.shapes
        if len(self._readers) > 2 * len(found.shapes) + _MOST_LEFT_BEHIND:
            self._readers = {}  # families that come and go must not be remembered for ever
        families = tuple(found.families.values())
        if families != self._families:
            self._families = families
        labels = found.labels + found.parts
        if labels != self._labels:
            self._labels = labels
            self._columns, self._take = columns_of(labels, self._columns, last_wins=False)
        values, take = np.array(found.values + found.part_values, np.float64), self._take
        times = np.array(found.times + found.part_times, np.int64)
        timed = bool((times != NO_TIME).any())
        return Page(
            Row(self._columns, values if take is None else values[take]),
            self._families,
            (times if take is None else times[take]) if timed else None,
            tuple(found.exemplars),
            len(labels) - len(self._columns.labels) + found.twice,
            len(found.histograms),
            len(found.parts),
            emptied=found.emptied,
        )

    def _read(self, body: bytes, found: _Gathered) -> None:
        place, most = 0, self._limits.samples
        while place < len(body):
            length, start = read_varint(body, place)
            place = start + length
            if place > len(body):
                raise DecodeError("the page is cut off")
            most -= 1
            if most < 0:
                raise DecodeError(f"more metric families than {self._limits.samples} samples, the limit, can need")
            shape, metrics = self._family(body, start, place, len(found.shapes))
            if shape is None:
                continue
            found.shapes.append(shape)
            found.families.setdefault(shape.family.name, shape.family)
            try:
                shape.reader.read(body, metrics, found)
                found.check(self._limits)
            except DecodeError as error:
                raise DecodeError(f"metric {shape.family.name[:200]}: {error}") from error

    def _family(self, body: bytes, start: int, end: int, number: int) -> tuple[_Shape | None, list[Place]]:
        """A family and where its metrics lie; None for one without any."""
        if number < len(self._shapes):
            shape = self._shapes[number]
            if shape.header is not None and body.startswith(shape.header, start):
                metrics = _metrics(body, start + len(shape.header), end - len(shape.trailer), self._limits.samples)
                if metrics and body[end - len(shape.trailer) : end] == shape.trailer:
                    return shape, metrics
        family = read_family(body, Place(start, end), self._limits.samples)
        if not family.metrics:
            return None, []
        if not family.name:
            raise DecodeError("a metric family without a name")
        key = family.name, family.type  # the same bytes mean something else under another type
        reader = self._readers.get(key)
        if reader is None:
            metric = functools.partial(self._texts.metric, family.name)
            reader = self._readers[key] = _FamilyReader(family.type, metric, self._limits, self._wish)
        told = Family(family.name, _TYPES[family.type], family.help, family.unit)
        header, trailer = _around(body, Place(start, end), family.metrics)
        return _Shape(header, trailer, told, reader), family.metrics


def _around(body: bytes, place: Place, metrics: list[Place]) -> tuple[bytes | None, bytes]:
    """What a family has before and after its metrics; None where they are scattered."""
    first, last = metrics[0], metrics[-1]
    begin = first.start - len(varint(first.end - first.start)) - len(_METRIC_TAG)
    if begin < place.start or _metrics(body, begin, last.end, len(metrics)) != metrics:
        return None, b""
    return body[place.start : begin], body[last.end : place.end]


def _metrics(body: bytes, place: int, end: int, most: int) -> list[Place] | None:
    """Where metrics lie that follow each other; None where there is something else, or too many."""
    found: list[Place] = []
    while place < end:
        if body[place] != _METRIC_TAG[0] or len(found) > most:
            return None
        length, start = read_varint(body, place + 1)
        place = start + length
        found.append(Place(start, place))
    return found if place == end else None


class _FamilyReader:
    """Reads the metrics of one family, from one page to the next.

    Args:
        kind: Of the family.
        metric: Gives a metric by the bytes of its labels.
        limits: What is accepted.
        wish: What is wanted of histograms.
    """

    def __init__(
        self, kind: MetricType, metric: Callable[[bytes], Metric], limits: Limits, wish: HistogramWish
    ) -> None:
        self._kind = kind
        self._metric = metric
        self._limits = limits
        self._wish = wish
        self._numbers: dict[bytes, Metric] = {}
        self._wholes: dict[bytes, Whole] = {}
        self._field = VALUE_FIELDS[kind]
        self._tag = self._field << 3 | LENGTH
        self._fields = {LABEL_FIELD: LENGTH, TIME_FIELD: VARINT, self._field: LENGTH}

    def read(self, body: bytes, metrics: Sequence[Place], found: _Gathered) -> None:
        """All metrics of a page."""
        read = self._read_number if self._kind in _NUMBERS else self._read_whole
        for place in metrics:
            read(body, place, found)
        if len(self._numbers) + len(self._wholes) > 2 * len(metrics) + _MOST_LEFT_BEHIND:
            self._numbers, self._wholes = {}, {}  # series that come and go must not be remembered for ever

    def _read_number(self, body: bytes, place: Place, found: _Gathered) -> None:
        """A counter, a gauge or what has no type."""
        start, end = place
        begin = _labels_end(body, start, end, self._limits.labels)
        key = body[start:begin]
        metric = self._numbers.get(key)
        if metric is not None and metric.number is not None:
            plain = self._plain_number(body, begin, end)
            if plain is not None:
                found.labels.append(metric.number)
                found.values.append(plain[0])
                found.times.append(plain[1])
                if metric.emptied:
                    found.emptied[metric.number] = metric.emptied
                return
        key, message, time_ms = self._payload(body, place, begin)
        metric = self._numbers.get(key) or self._metric(key)
        self._numbers[metric.key] = metric
        found.take(read_number(metric, self._kind, message), time_ms, metric.emptied)

    def _read_whole(self, body: bytes, place: Place, found: _Gathered) -> None:
        """A summary or a histogram."""
        key, message, time_ms = self._payload(body, place, _labels_end(body, *place, self._limits.labels))
        whole = self._wholes.get(key)
        if whole is None or whole.message != message:
            metric = whole.metric if whole is not None else self._metric(key)
            whole = read_whole(whole, metric, self._kind, message, self._wish)
        self._wholes[whole.metric.key] = whole
        found.take(whole.told, time_ms, whole.metric.emptied)
        found.check(self._limits)

    def _plain_number(self, body: bytes, place: int, end: int) -> tuple[float, int] | None:
        """Value and time where there is just that, or a time of creation; None for a closer look."""
        if end - place < 11 or body[place] != self._tag or body[place + 2] != _VALUE_TAG:
            return None
        inside, after = body[place + 1], place + 11
        value = double(body, place + 3)
        if inside == 9 and after == end:
            return value, NO_TIME
        if inside == 9 and body[after] == _TIME_TAG:
            time_ms, stop = read_varint(body, after + 1)
            return (value, signed(time_ms) or NO_TIME) if stop == end else None
        created = inside < 128 and place + 2 + inside == end and end - after > 2 and body[after] == _CREATED_TAG
        return (value, NO_TIME) if created and after + 2 + body[after + 1] == end else None

    def _payload(self, body: bytes, place: Place, begin: int) -> tuple[bytes, bytes, int]:
        """The bytes of the labels, wherever they stand, those of the value, and the time."""
        key, message, time_ms = body[place.start : begin], b"", 0
        for number, _, value, end in fields(body, begin, place.end, self._fields):
            if number == LABEL_FIELD:
                key += wire_field(LABEL_FIELD, body[value:end])
            elif number == TIME_FIELD:
                time_ms = value
            else:
                message = body[value:end]
        return key, message, signed(time_ms) or NO_TIME


def _labels_end(body: bytes, place: int, end: int, most: int) -> int:
    """Where the labels that a metric begins with end."""
    while place < end and body[place] == _LABEL_TAG:
        length = body[place + 1]
        if length < 128:
            place += 2 + length
        else:
            length, place = read_varint(body, place + 1)
            place += length
        most -= 1
        if most < 0:
            raise DecodeError("more labels than the limit")
    if place > end:
        raise DecodeError("a label is cut off")
    return place
