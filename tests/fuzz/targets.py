"""What is fuzzed. A target takes any bytes; whatever it raises is a fault."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import cramjam
import numpy as np
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1 import metrics_pb2

from sanso.exposition.formats import OPENMETRICS, UTF8_PROTOBUF, UTF8_TEXT
from sanso.exposition.openmetrics import OpenMetricsParser
from sanso.exposition.page import NO_TIME, HistogramWish, Limits, Page, Sample
from sanso.exposition.parse import TextParser
from sanso.exposition.protobuf import ProtobufParser
from sanso.exposition.render_page import render_page
from sanso.exposition.render_protobuf import render_protobuf
from sanso.model.clock import FixedClock, SystemClock
from sanso.model.control import QueryControl
from sanso.model.errors import DecodeError, QueryError, StoreError
from sanso.model.frame import ABSENT, STALE
from sanso.model.labels import Labels
from sanso.model.native_histogram import part_of, plain, whole
from sanso.promql.engine import PromEngine
from sanso.sources.otlp import OtlpReceiver
from sanso.sources.remote_write import V1, V2, RemoteWriteReceiver
from sanso.sources.remote_write_schema import request_class
from sanso.store import blocks
from sanso.store.exemplars import Exemplars
from sanso.store.store import Store
from tests.exposition import metric_families, pages
from tests.exposition import test_protobuf as messages
from tests.exposition.test_openmetrics import KEPT
from tests.fuzz.choices import Choices
from tests.fuzz.questions import question
from tests.promql.script.commands import Load, commands
from tests.promql.script.loading import Loaded

NOW = 1_790_000_000_000
_RENEWED = 200
"""Inputs after which a target with a memory gets a new one: what an input leaves behind is a part of the test."""
_QUESTION_S = 2.0
"""What a question may take: beyond it, it must end by itself."""
_Parser: TypeAlias = TextParser | OpenMetricsParser | ProtobufParser
_LIMITS = Limits(body_bytes=1 << 20, samples=5000)


@dataclass(frozen=True)
class Target:
    """Bytes to begin with, and what takes bytes."""

    seeds: Sequence[bytes]
    take: Callable[[bytes], None]


def text() -> Target:
    """Prometheus's text: read the same whatever was read before, and again when written."""
    real = pages.NODE_EXPORTER.read_bytes().split(b"\n") if pages.NODE_EXPORTER.exists() else []
    seeds = [b"\n".join(real[start : start + 12]) + b"\n" for start in range(0, len(real), 40)]
    seeds += [
        b'a{b="c"} 1\n{"a.b","c d"="x\\n\\"\\\\"} NaN 1700000000000\n# TYPE a counter\n# HELP a b\\nc\n',
        b"a 1\na{} +Inf 5",
    ]
    return Target(seeds, _Pages(TextParser, lambda page: render_page(_samples(page), {}, UTF8_TEXT)).take)


def openmetrics() -> Target:
    """OpenMetrics, likewise."""
    seeds = ["\n".join([*lines, "# EOF\n"]).encode() for lines in KEPT]

    def written(page: Page) -> str:
        return render_page(_samples(page), {family.name: family for family in page.families}, OPENMETRICS)

    return Target(seeds, _Pages(OpenMetricsParser, written).take)


def protobuf() -> Target:
    """Prometheus's protobuf format, likewise; native histograms with their classic buckets."""
    both, exemplar = messages.classic(), messages.simple()[0]
    metric_families.exponential(both.metric[0].histogram)
    exemplar.metric[0].counter.exemplar.label.add(name="trace_id", value="x")
    stamped = metric_families.family("n", metric_families.GAUGE_HISTOGRAM, packed=True)
    metric_families.exponential(metric_families.metric(stamped, a="b").histogram, floats=True)
    stamped.metric[0].timestamp_ms = NOW
    summary = metric_families.family("s", metric_families.SUMMARY)
    metric_families.metric(summary, a="").summary.quantile.add(quantile=0.5, value=1.0)
    whole_page = [*messages.simple(), both, exemplar, stamped, summary]
    seeds = [metric_families.delimited(*whole_page), *(metric_families.delimited(each) for each in whole_page)]

    def make(limits: Limits) -> ProtobufParser:
        return ProtobufParser(limits, HistogramWish(classic=True))

    def written(page: Page) -> bytes:
        floats = len(page.row.values) - page.parts
        parts: dict[Labels, dict[str, float]] = {}
        times: dict[Labels, int | None] = {}
        for labels, value, time in _samples(page)[floats:]:
            parts.setdefault(plain(labels), {})[part_of(labels)] = value
            times[plain(labels)] = time
        histograms = [(labels, whole(found), times[labels]) for labels, found in parts.items()]
        families = {family.name: family for family in page.families}
        return render_protobuf(_samples(page)[:floats], histograms, families, UTF8_PROTOBUF)

    return Target(seeds, _Pages(make, written).take)


class _Pages:
    """A parser that goes on, beside fresh ones."""

    def __init__(self, make: Callable[[Limits], _Parser], written: Callable[[Page], str | bytes]) -> None:
        self._make, self._written = make, written
        self._kept = make(_LIMITS)

    def take(self, data: bytes) -> None:
        fresh, kept = _outcome(self._make(_LIMITS), data), _outcome(self._kept, data)
        if isinstance(fresh, str) or isinstance(kept, str):
            assert fresh == kept
            return
        assert pages.told(fresh) == pages.told(kept)
        again = self._written(fresh)
        read = self._make(Limits()).parse(again if isinstance(again, bytes) else again.encode())
        assert pages.told(read) == pages.told(fresh)


def _outcome(parser: _Parser, data: bytes) -> Page | str:
    try:
        return parser.parse(data)
    except DecodeError as error:
        return str(error)


def _samples(page: Page) -> list[Sample]:
    times = [None] * len(page.row.values) if page.times is None else page.times.tolist()
    cells = zip(page.row.columns.labels, page.row.values.tolist(), times, strict=True)
    return [(labels, value, None if time == NO_TIME else time) for labels, value, time in cells]


def remote_write() -> Target:
    """Remote write: the first byte says which message, and whether the rest is packed already."""
    plain = [(0, _first_version()), (0, _usual_request()), (1, _second_version())]
    seeds = [bytes([version]) + body for version, body in plain]
    seeds += [bytes([version | 2]) + bytes(cramjam.snappy.compress_raw(body)) for version, body in plain]
    made: list[RemoteWriteReceiver] = []
    taken = 0

    def take(data: bytes) -> None:
        nonlocal taken
        if taken % _RENEWED == 0:
            store = Store.in_memory(retention_ms=10**10)
            made[:] = [RemoteWriteReceiver(store, Exemplars(), FixedClock(NOW), 10**10, lambda: True)]
        taken += 1
        head, body = data[:1] or b"\0", data[1:]
        packed = body if head[0] & 2 else bytes(cramjam.snappy.compress_raw(body))
        with suppress(DecodeError):
            made[0].receive(packed, message=V2 if head[0] & 1 else V1)

    return Target(seeds, take)


def _first_version() -> bytes:
    request = request_class("v1")()
    for number in range(3):
        series = request.timeseries.add()
        for name, value in (("__name__", "a"), ("job", "b"), ("n", str(number))):
            series.labels.add(name=name, value=value)
        series.samples.add(value=number, timestamp=NOW)
    series.samples.add(value=7, timestamp=NOW + 1)
    series.exemplars.add(value=1, timestamp=NOW).labels.add(name="trace_id", value="x")
    _histogram(series.histograms.add(timestamp=NOW))
    request.metadata.add(type=1, name="a", help="h", unit="u")
    body: bytes = request.SerializeToString()
    return body


def _usual_request() -> bytes:
    """One sample a series and nothing else."""
    request = request_class("v1")()
    for number in range(6):
        series = request.timeseries.add()
        for name, value in (("__name__", "a"), ("job", "b"), ("n", str(number))):
            series.labels.add(name=name, value=value)
        series.samples.add(value=number % 3, timestamp=NOW)
    body: bytes = request.SerializeToString()
    return body


def _second_version() -> bytes:
    request = request_class("v2")()
    request.symbols.extend(["", "__name__", "a", "job", "b", "help"])
    series = request.timeseries.add()
    series.labels.extend([1, 2, 3, 4])
    series.samples.add(value=1, timestamp=NOW)
    series.exemplars.add(value=1, timestamp=NOW).labels.extend([3, 4])
    series.metadata.type, series.metadata.help = 1, 5
    _histogram(series.histograms.add(timestamp=NOW))
    body: bytes = request.SerializeToString()
    return body


def _histogram(message: Any) -> None:
    message.count_int, message.sum, message.schema, message.zero_count_int, message.zero_threshold = 5, 3.0, 3, 1, 0.1
    message.positive_spans.add(offset=-2, length=2)
    message.positive_deltas.extend([1, 1])
    message.negative_spans.add(offset=1, length=1)
    message.negative_deltas.append(1)


def otlp() -> Target:
    """OTLP: the first byte says which encoding."""
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "a"
    scope = resource.scope_metrics.add()
    gauge = scope.metrics.add(name="a", unit="By").gauge.data_points.add(as_double=1.5, time_unix_nano=NOW * 10**6)
    gauge.attributes.add(key="b").value.string_value = "c"
    total = scope.metrics.add(name="t").sum
    total.is_monotonic = True
    total.aggregation_temporality = metrics_pb2.AGGREGATION_TEMPORALITY_DELTA
    total.data_points.add(as_int=3, time_unix_nano=NOW * 10**6)
    classic = scope.metrics.add(name="h", unit="s").histogram
    classic.aggregation_temporality = metrics_pb2.AGGREGATION_TEMPORALITY_CUMULATIVE
    classic.data_points.add(count=3, sum=2, bucket_counts=[1, 2], explicit_bounds=[1], time_unix_nano=NOW * 10**6)
    native = scope.metrics.add(name="e").exponential_histogram
    native.aggregation_temporality = metrics_pb2.AGGREGATION_TEMPORALITY_CUMULATIVE
    point = native.data_points.add(count=3, sum=2, scale=5, zero_count=1, time_unix_nano=NOW * 10**6)
    point.positive.offset, point.positive.bucket_counts[:] = -3, [1, 1]
    scope.metrics.add(name="s").summary.data_points.add(count=1, sum=2).quantile_values.add(quantile=0.5, value=1)
    body = request.SerializeToString()
    json = (
        b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"a","gauge":{"dataPoints":[{"asDouble":1.5}]}}]}]}]}'
    )
    seeds = [b"\0" + body, b"\1" + json, b"\2" + bytes(cramjam.gzip.compress(body))]
    made: list[OtlpReceiver] = []
    taken = 0

    def take(data: bytes) -> None:
        nonlocal taken
        if taken % _RENEWED == 0:
            store = Store.in_memory(retention_ms=10**10)
            made[:] = [OtlpReceiver(store, FixedClock(NOW))]
        taken += 1
        head = (data[:1] or b"\0")[0]
        kind = "application/json" if head & 1 else "application/x-protobuf"
        with suppress(DecodeError):
            made[0].receive(data[1:], content_type=kind, content_encoding="gzip" if head & 2 else "")

    return Target(seeds, take)


def promql() -> Target:
    """Questions made from bytes."""
    makers = random.Random(1)
    questions = Questions()

    def take(data: bytes) -> None:
        choices = Choices(data)
        at = choices.of((100_000, 0, 400_000, 10**12))
        questions.ask(question(choices), at)

    return Target([makers.randbytes(60) for _ in range(200)], take)


class Questions:
    """An engine over the series of frames.test."""

    def __init__(self) -> None:
        loaded = Loaded()
        for command in commands(Path(__file__).with_name("frames.test")):
            assert isinstance(command, Load)
            loaded.add(command)
        self._engine = PromEngine(loaded.reader())
        self._clock = SystemClock()

    def ask(self, text: str, at_ms: int) -> None:
        """At once and over a range: an answer or a QueryError."""
        for start_ms in (at_ms, at_ms - 60_000):
            control = QueryControl(self._clock, timeout_s=_QUESTION_S, most_samples=1_000_000)
            with suppress(QueryError):
                if start_ms == at_ms:
                    self._engine.instant(text, at_ms, control)
                else:
                    self._engine.range(text, start_ms, at_ms, 7_000, control)


def block() -> Target:
    """Sealed blocks, damaged: the first byte says which part, the second how many rows are expected."""
    makers = np.random.default_rng(1)
    rows = 60
    times = np.cumsum(makers.integers(900, 1100, rows))
    values = np.array(
        [
            np.full(rows, 3.0),
            np.full(rows, 1e300),
            np.cumsum(makers.integers(0, 9, rows)).astype(float),
            np.round(makers.random(rows), 3),
            makers.random(rows),
            np.where(makers.random(rows) < 0.5, ABSENT, STALE),
        ]
    )
    sealed = blocks.encode(times, list(range(len(values))), values)
    _, ends, begins = blocks.decode_index(sealed.index)
    joined = b"".join(sealed.pieces)
    stored = [joined[start:end] for start, end in pairwise(ends)]
    chunks = [blocks.whole_chunk(chunk, begins) for chunk in stored]
    seeds = [b"\0\0" + sealed.timeline, b"\1\0" + sealed.index, *(bytes([2, rows]) + chunk for chunk in chunks)]

    def take(data: bytes) -> None:
        part, count = (data[:1] or b"\0")[0] % 3, (data[1:2] or b"\0")[0]
        with suppress(StoreError):
            if part == 0:
                blocks.decode_times(data[2:])
            elif part == 1:
                series, found, _ = blocks.decode_index(data[2:])
                assert len(found) == len(series) + 1
                blocks.piece_starts(found)
            else:
                if blocks.other_of(data[2:]) is not None:
                    blocks.decode_with(data[2:], chunks[2], count)
                blocks.decode_many([*stored[:3], data[2:]], begins, count, slice(None))
                assert len(blocks.decode_chunk(data[2:], count)) == count

    return Target(seeds, take)


TARGETS: dict[str, Callable[[], Target]] = {
    "text": text,
    "openmetrics": openmetrics,
    "protobuf": protobuf,
    "remote-write": remote_write,
    "otlp": otlp,
    "promql": promql,
    "blocks": block,
}
