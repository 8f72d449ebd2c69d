"""Prometheus's remote-read messages: requests read, answers written.

Source: the field numbers of prometheus/prompb `remote.proto` and `types.proto`.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sanso.exposition.wire import field, varint, zigzag
from sanso.model.errors import DecodeError
from sanso.model.exponential import spans_of
from sanso.model.frame import Floats, Times
from sanso.model.labels import Labels
from sanso.model.matchers import Matcher, MatchOp
from sanso.model.native_histogram import Buckets, NativeHistogram

SAMPLES, STREAMED_CHUNKS = 0, 1
_OPERATORS: tuple[MatchOp, ...] = ("=", "!=", "=~", "!~")
_INT64, _STRING, _ENUM_AS_INT, _MESSAGE = 3, 9, 5, 11
_REPEATED, _OPTIONAL = 3, 1
_REQUEST: dict[str, list[tuple[str, int, int, str]]] = {
    "Matcher": [("type", 1, _ENUM_AS_INT, ""), ("name", 2, _STRING, ""), ("value", 3, _STRING, "")],
    "Query": [("start", 1, _INT64, ""), ("end", 2, _INT64, ""), ("matchers", 3, _MESSAGE, "Matcher")],
    "Request": [("queries", 1, _MESSAGE, "Query"), ("accepted", 2, _ENUM_AS_INT, "*")],
}


@dataclass(frozen=True)
class ReadQuery:
    """One selection: matchers, and the first and last time (ms)."""

    matchers: tuple[Matcher, ...]
    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class ReadRequest:
    """What is asked, and the forms of answer that the asker takes, the best first."""

    queries: list[ReadQuery]
    accepted: list[int]


def read_request(body: bytes) -> ReadRequest:
    """A request, unpacked.

    Raises:
        DecodeError: It is none.
        QueryError: A regular expression is wrong.
    """
    from google.protobuf.message import DecodeError as ProtobufError  # only where somebody reads so

    message = _request_class()()
    try:
        message.ParseFromString(body)
    except ProtobufError as error:
        raise DecodeError(f"not a remote-read request: {error}") from error
    return ReadRequest([_query(query) for query in message.queries], list(message.accepted))


def _query(query: Any) -> ReadQuery:
    matchers = []
    for matcher in query.matchers:
        if not 0 <= matcher.type < len(_OPERATORS):
            raise DecodeError(f"invalid matcher type {matcher.type}")
        matchers.append(Matcher(matcher.name, _OPERATORS[matcher.type], matcher.value))
    return ReadQuery(tuple(matchers), query.start, query.end)


def response(results: Iterable[Iterable[bytes]]) -> bytes:
    """A ReadResponse of series, one list a query."""
    return b"".join(field(1, b"".join(field(1, series) for series in result)) for result in results)


def series(labels: Labels, times: Times, values: Floats, histograms: Iterable[tuple[int, NativeHistogram]]) -> bytes:
    """A TimeSeries."""
    held = b"".join(field(4, _histogram(time, histogram)) for time, histogram in histograms)
    return b"".join([_labels(labels), *_samples(times, values), held])


def chunked_series(labels: Labels, chunks: Iterable[tuple[int, int, bytes]], query: int) -> bytes:
    """A ChunkedReadResponse of one series."""
    kind = b"\x18\x01"  # XOR
    written = (
        field(2, b"\x08" + varint(first) + b"\x10" + varint(last) + kind + field(4, chunk))
        for first, last, chunk in chunks
    )
    found = field(1, _labels(labels) + b"".join(written))
    return found + (b"\x10" + varint(query) if query else b"")


def _samples(times: Times, values: Floats) -> Iterator[bytes]:
    if len(times) and int(times[0]) >= 1 << 35 and int(times[-1]) < 1 << 42:  # 1971 to 2109: times of six bytes
        rows = np.empty((len(times), 18), dtype=np.uint8)
        rows[:, :3] = (0x12, 16, 0x09)
        rows[:, 3:11] = values.astype("<f8").view(np.uint8).reshape(-1, 8)
        rows[:, 11] = 0x10
        rows[:, 12:] = (times[:, None] >> np.arange(0, 42, 7)) & 127
        rows[:, 12:17] |= 128
        yield rows.tobytes()
        return
    for time, value in zip(times.tolist(), values.view(np.uint64).tolist(), strict=True):
        yield field(2, b"\x09" + struct.pack("<Q", value) + b"\x10" + varint(time))


def _labels(labels: Labels) -> bytes:
    return b"".join(field(1, _text(1, name) + _text(2, value)) for name, value in labels)


def _text(number: int, text: str) -> bytes:
    return field(number, text.encode(errors="replace"))


def _histogram(time_ms: int, histogram: NativeHistogram) -> bytes:
    """A Histogram of floats."""
    parts = [b"\x11", struct.pack("<d", histogram.count), b"\x19", struct.pack("<d", histogram.sum)]
    parts += [b"\x20", varint(zigzag(histogram.schema)), b"\x29", struct.pack("<d", histogram.zero_threshold)]
    parts += [b"\x39", struct.pack("<d", histogram.zero_count)]
    parts += [*_spans(8, 10, histogram.negative), *_spans(11, 13, histogram.positive)]
    parts += [b"\x70", varint(int(histogram.hint)), b"\x78", varint(time_ms)]
    if histogram.bounds:
        parts.append(field(16, struct.pack(f"<{len(histogram.bounds)}d", *histogram.bounds)))
    return b"".join(parts)


def _spans(spans: int, counts: int, buckets: Buckets) -> Iterator[bytes]:
    """Runs of neighbouring buckets, and the observations of each bucket."""
    for gap, length in spans_of(buckets):
        yield field(spans, b"\x08" + varint(zigzag(gap)) + b"\x10" + varint(length))
    if buckets:
        yield field(counts, struct.pack(f"<{len(buckets)}d", *(count for _, count in buckets)))


@functools.cache
def _request_class() -> Any:
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    package = "sanso.remote_read"
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for name, fields in _REQUEST.items():
        message = file.message_type.add(name=name)
        for field_name, number, kind, more in fields:
            label = descriptor_pb2.FieldDescriptorProto.Label.ValueType(_REPEATED if more else _OPTIONAL)
            named = f".{package}.{more}" if kind == _MESSAGE else None
            value_type = descriptor_pb2.FieldDescriptorProto.Type.ValueType(kind)
            message.field.add(name=field_name, number=number, type=value_type, label=label, type_name=named)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.Request"))
