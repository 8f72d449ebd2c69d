"""What an application measured in Prometheus's protobuf format: sketches are native histograms there, without loss.

Source: the field numbers of prometheus/client_model `io/prometheus/client/metrics.proto`.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator, Mapping

from sanso.sdk.buckets import Buckets, cumulative
from sanso.sdk.instruments import Kind, Labels
from sanso.sdk.otlp_encoding import Metric, Point, field, varint, zigzag
from sanso.sdk.page import by_name
from sanso.sdk.sketch import SCALE, Sketch

_VARINT = 0
_TYPES: dict[Kind, int] = {"counter": 0, "gauge": 1, "histogram": 4}
_VALUES: dict[Kind, int] = {"counter": 3, "gauge": 2, "histogram": 7}
_CREATED: dict[Kind, int] = {"counter": 3, "histogram": 15}
_DOUBLE = struct.Struct("<Bd")


def render_messages(metrics: Iterable[Metric], buckets: Buckets) -> bytes:
    """The page; counters end in `_total`, histograms have their classic buckets beside the native ones."""
    return b"".join(_delimited(_family(name, kind, points, buckets)) for name, kind, points in by_name(metrics))


def _delimited(message: bytes) -> bytes:
    return varint(len(message)) + message


def _family(name: str, kind: Kind, points: Iterable[Point], buckets: Buckets) -> bytes:
    told = b"".join(field(4, _metric(name, kind, point, buckets)) for point in points)
    return field(1, name.encode()) + _number(3, _TYPES[kind]) + told


def _metric(name: str, kind: Kind, point: Point, buckets: Buckets) -> bytes:
    sketch, labels = point.value, point.labels
    if isinstance(sketch, Sketch):
        labels = tuple(("exported_le" if key == "le" else key, value) for key, value in labels)
        value = _histogram(sketch, buckets.of(name))
    else:
        value = _double(1, float(sketch))
    if kind in _CREATED:
        seconds, nanoseconds = divmod(point.start_ns, 10**9)
        value += field(_CREATED[kind], _number(1, seconds) + _number(2, nanoseconds))
    return b"".join(_labels(labels)) + field(_VALUES[kind], value)


def _labels(labels: Labels) -> Iterator[bytes]:
    for key, value in labels:
        yield field(1, field(1, key.encode(errors="replace")) + field(2, value.encode(errors="replace")))


def _histogram(sketch: Sketch, bounds: tuple[float, ...]) -> bytes:
    parts = [_number(1, sketch.count), _double(2, sketch.sum)]
    for bound, count in zip((*bounds, math.inf), (*cumulative(sketch, bounds), sketch.count), strict=True):
        parts.append(field(3, _number(1, count) + _double(2, bound)))
    parts += [_number(5, zigzag(SCALE)), _number(7, sketch.zero_count)]
    parts += [*_native(9, sketch.negative), *_native(12, sketch.positive)]
    if not sketch.positive and not sketch.negative:
        parts.append(field(12, b""))  # a span of no buckets: else it would be taken for a classic one
    return b"".join(parts)


def _native(spans: int, counts: Mapping[int, int]) -> Iterator[bytes]:
    """Runs of neighbouring buckets, and what each bucket has more than the one before; the deltas' field is the next.

    An index is one higher than OTLP's: there a bucket is called by its lower bound.
    """
    runs: list[list[int]] = []
    deltas, before, following = bytearray(), 0, 0
    for index in sorted(counts):
        if runs and index + 1 == following:
            runs[-1][1] += 1
        else:
            runs.append([index + 1 - following, 1])
        following = index + 2
        deltas += varint(zigzag(counts[index] - before))
        before = counts[index]
    for gap, length in runs:
        yield field(spans, _number(1, zigzag(gap)) + _number(2, length))
    if deltas:
        yield field(spans + 1, bytes(deltas))


def _number(number: int, value: int) -> bytes:
    return bytes((number << 3 | _VARINT,)) + varint(value)


def _double(number: int, value: float) -> bytes:
    return _DOUBLE.pack(number << 3 | 1, value)
