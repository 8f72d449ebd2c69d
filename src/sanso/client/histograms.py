"""Native histograms out of Prometheus's JSON, which names bounds of buckets instead of schema and index."""

from __future__ import annotations

import math
import sys
from typing import Any, NamedTuple

from sanso.model.native_histogram import (
    COARSEST_SCHEMA,
    CUSTOM_SCHEMA,
    FINEST_SCHEMA,
    Buckets,
    NativeHistogram,
)

_CLOSED = 3
_LARGEST = sys.float_info.max
_TOLERANCE = 1e-6
"""How far a bound may lie from its place in a schema, in parts of a bucket's width."""


class _Bucket(NamedTuple):
    rule: int
    lower: float
    upper: float
    held: float


def histogram_of(found: dict[str, Any]) -> NativeHistogram:
    """The histogram: exponential where all its bounds are of one schema, else with the bounds that it names.

    What JSON does not carry is lost: empty custom buckets, the hint, the width of a zero bucket that is empty.
    """
    count, total = float(found["count"]), float(found["sum"])
    buckets = [_Bucket(rule, float(low), float(up), float(held)) for rule, low, up, held in found.get("buckets", ())]
    zero = next((bucket for bucket in buckets if bucket.rule == _CLOSED and bucket.lower == -bucket.upper), None)
    width = zero.upper if zero is not None else 0.0
    rest = [bucket for bucket in buckets if bucket is not zero]
    schema = None if any(bucket.rule == _CLOSED for bucket in rest) else _schema(rest, width)
    if schema is None:
        return _custom(count, total, buckets)
    held = zero.held if zero is not None else 0.0
    positive = tuple((_index(bucket.upper, schema), bucket.held) for bucket in rest if bucket.upper > 0)
    negative = tuple((_index(-bucket.lower, schema), bucket.held) for bucket in reversed(rest) if bucket.upper <= 0)
    return NativeHistogram(schema, count, total, held, width, positive, negative)


def _schema(buckets: list[_Bucket], width: float) -> int | None:
    """The finest schema that all buckets are of; one that the zero bucket cuts may reach less far down."""
    distances = [tuple(sorted((abs(bucket.lower), abs(bucket.upper)))) for bucket in buckets]
    if any(near == 0 or (math.isinf(far) and near != _LARGEST) for near, far in distances):
        return None
    if any((bucket.lower < 0) != (bucket.upper < 0) for bucket in buckets):
        return None
    finite = [(near, far) for near, far in distances if math.isfinite(far)]
    for cut in (False, True):
        for schema in range(FINEST_SCHEMA, COARSEST_SCHEMA - 1, -1) if finite else (0,):
            if all(_fits(near, far, schema, cut=cut and near == width) for near, far in finite):
                return schema
    return None


def _fits(near: float, far: float, schema: int, *, cut: bool) -> bool:
    begin, end = math.log2(near) * 2.0**schema, math.log2(far) * 2.0**schema
    if abs(end - round(end)) > _TOLERANCE:
        return False
    return begin > round(end) - 1 - _TOLERANCE if cut else abs(begin - (round(end) - 1)) < _TOLERANCE


def _index(far: float, schema: int) -> int:
    if math.isinf(far):
        return round(1024 * 2.0**schema) + 1
    return math.ceil(math.log2(far) * 2.0**schema - _TOLERANCE)


def _custom(count: float, total: float, buckets: list[_Bucket]) -> NativeHistogram:
    edges = {edge for bucket in buckets for edge in (bucket.lower, bucket.upper) if math.isfinite(edge)}
    bounds = tuple(sorted(edges))
    places = {bound: index for index, bound in enumerate(bounds)}
    held: Buckets = tuple((places.get(bucket.upper, len(bounds)), bucket.held) for bucket in buckets)
    return NativeHistogram(CUSTOM_SCHEMA, count, total, positive=held, bounds=bounds)
