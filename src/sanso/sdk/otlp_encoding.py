"""OTLP metrics as protobuf bytes, written by hand so that an application needs no protobuf."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sanso.sdk.instruments import Kind, Labels
from sanso.sdk.sketch import SCALE, Sketch

_CUMULATIVE = 2
_LENGTH, _FIXED64, _VARINT = 2, 1, 0
_DATA_FIELD: dict[Kind, int] = {"gauge": 5, "counter": 7, "histogram": 10}
_TIMES = struct.Struct("<BQBQ")
_DOUBLE = struct.Struct("<Bd")
_COUNT = struct.Struct("<BQ")


@dataclass(frozen=True, slots=True)
class Point:
    """One series' value now; cumulative since `start_ns`."""

    labels: Labels
    start_ns: int
    value: float | Sketch


@dataclass(frozen=True, slots=True)
class Metric:
    """One name's points; a histogram's values are sketches, the others' numbers."""

    name: str
    kind: Kind
    points: Sequence[Point]


def encode_request(resource: Mapping[str, str | int], version: str, metrics: Iterable[Metric], time_ns: int) -> bytes:
    """An ExportMetricsServiceRequest of one resource and one scope.

    Args:
        resource: The resource attributes.
        version: Of this sdk.
        metrics: One a name.
        time_ns: Of every point, nanoseconds since 1970.
    """
    scope = field(1, b"sanso.sdk") + field(2, version.encode())
    scoped = field(1, scope) + b"".join(field(2, _metric(metric, time_ns)) for metric in metrics)
    described = field(1, b"".join(field(1, _attribute(key, value)) for key, value in resource.items()))
    return field(1, described + field(2, scoped))


def _metric(metric: Metric, time_ns: int) -> bytes:
    if metric.kind == "histogram":
        points = b"".join(field(1, _sketch_point(point, time_ns)) for point in metric.points)
    else:
        points = b"".join(field(1, _number_point(point, time_ns)) for point in metric.points)
    if metric.kind != "gauge":
        points += bytes((2 << 3 | _VARINT, _CUMULATIVE))
    if metric.kind == "counter":
        points += bytes((3 << 3 | _VARINT, 1))
    return field(1, metric.name.encode()) + field(_DATA_FIELD[metric.kind], points)


def _number_point(point: Point, time_ns: int) -> bytes:
    value = point.value
    assert not isinstance(value, Sketch)
    times = _TIMES.pack(2 << 3 | _FIXED64, point.start_ns, 3 << 3 | _FIXED64, time_ns)
    return times + _double(4, value) + _attributes(7, point.labels)


def _sketch_point(point: Point, time_ns: int) -> bytes:
    sketch = point.value
    assert isinstance(sketch, Sketch)
    parts = [
        _attributes(1, point.labels),
        _TIMES.pack(2 << 3 | _FIXED64, point.start_ns, 3 << 3 | _FIXED64, time_ns),
        _COUNT.pack(4 << 3 | _FIXED64, sketch.count),
        _double(5, sketch.sum),
        bytes((6 << 3 | _VARINT,)) + varint(zigzag(SCALE)),
        _COUNT.pack(7 << 3 | _FIXED64, sketch.zero_count),
        field(8, _buckets(sketch.positive)),
        field(9, _buckets(sketch.negative)),
    ]
    if sketch.count:
        parts += [_double(12, sketch.minimum), _double(13, sketch.maximum)]
    return b"".join(parts)


def _buckets(counts: Mapping[int, int]) -> bytes:
    """Dense from the lowest to the highest filled bucket, as OTLP has it; the work is that of the filled ones."""
    if not counts:
        return b""
    filled = sorted(counts)
    packed = bytearray()
    following = filled[0]
    for index in filled:
        packed += bytes(index - following)
        packed += varint(counts[index])
        following = index + 1
    return bytes((1 << 3 | _VARINT,)) + varint(zigzag(filled[0])) + field(2, bytes(packed))


@lru_cache(maxsize=4096)
def _attributes(number: int, labels: Labels) -> bytes:
    return b"".join(field(number, _attribute(key, value)) for key, value in labels)


def _attribute(key: str, value: str | int) -> bytes:
    if isinstance(value, int):
        return field(1, key.encode()) + field(2, bytes((3 << 3 | _VARINT,)) + varint(value))
    # A lone surrogate cannot be sent; the rest of the text can.
    return field(1, key.encode()) + field(2, field(1, value.encode(errors="replace")))


def _double(number: int, value: float) -> bytes:
    return _DOUBLE.pack(number << 3 | _FIXED64, value)


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field; numbers up to 15, which OTLP does not exceed here."""
    return bytes((number << 3 | _LENGTH,)) + varint(len(content)) + content


def zigzag(number: int) -> int:
    """A signed number as protobuf's sint32 packs it."""
    return number << 1 if number >= 0 else (-number << 1) - 1


def varint(number: int) -> bytes:
    """A number that is not negative, seven bits a byte, lowest first."""
    if number < 0x80:
        return bytes((number,))
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
