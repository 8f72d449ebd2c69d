"""Native histograms as messages have them: from spans and counts to `NativeHistogram`, or the reason why not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

from sanso.model.errors import DecodeError
from sanso.model.exponential import coarser
from sanso.model.native_histogram import COARSEST_SCHEMA, CUSTOM_SCHEMA, FINEST_SCHEMA, Buckets, Hint, NativeHistogram

_FINEST_KNOWN = 52
"""Schemas up to this are exponential; those finer than `FINEST_SCHEMA` are made coarser, as the specification says."""
_MOST_BUCKETS = 20_000


def native_of(message: Any) -> NativeHistogram:
    """A histogram message, with the fields that it has in remote write of either version.

    Raises:
        DecodeError: It contradicts itself, or its schema is not known.
    """
    floats = bool(message.count_float or message.zero_count_float or message.positive_counts or message.negative_counts)
    count = message.count_float if floats else message.count_int
    zero = message.zero_count_float if floats else message.zero_count_int
    schema = message.schema
    if schema != CUSTOM_SCHEMA and not COARSEST_SCHEMA <= schema <= _FINEST_KNOWN:
        raise DecodeError(f"schema {schema} is not known")
    custom = schema == CUSTOM_SCHEMA
    sides = [
        _buckets(message.positive_spans, message.positive_counts if floats else accumulate(message.positive_deltas)),
        _buckets(message.negative_spans, message.negative_counts if floats else accumulate(message.negative_deltas)),
    ]
    _check_counts(message, float(count), float(zero), sides, exact=not floats)
    bounds = tuple(message.custom_values)
    _check_bounds(bounds, sides, custom=custom, zero=bool(zero or message.zero_threshold))
    if schema > FINEST_SCHEMA:
        sides = [coarser(side, schema - FINEST_SCHEMA) for side in sides]
        schema = FINEST_SCHEMA
    return NativeHistogram(
        schema=schema,
        count=float(count),
        sum=message.sum,
        zero_count=float(zero),
        zero_threshold=message.zero_threshold,
        positive=sides[0],
        negative=sides[1],
        bounds=bounds,
        hint=Hint(message.reset_hint) if 0 <= message.reset_hint <= max(Hint) else Hint.UNKNOWN,
    )


def _buckets(spans: Sequence[Any], given: Any) -> Buckets:
    counts = list(given)
    if sum(span.length for span in spans) != len(counts):
        raise DecodeError("spans and buckets do not fit together")
    if len(counts) > _MOST_BUCKETS:
        raise DecodeError(f"{len(counts)} buckets, more than {_MOST_BUCKETS}")
    found = []
    index, at = 0, 0
    for place, span in enumerate(spans):
        if place and span.offset < 0:
            raise DecodeError("a span begins before the one before it ends")
        index += span.offset
        for count in counts[at : at + span.length]:
            if count < 0:
                raise DecodeError("a bucket counts less than nothing")
            if count:  # a NaN too
                found.append((index, float(count)))
            index += 1
        at += span.length
    return tuple(found)


def _check_counts(message: Any, count: float, zero: float, sides: Sequence[Buckets], *, exact: bool) -> None:
    if count < 0 or zero < 0:
        raise DecodeError("a count below zero")
    if not message.zero_threshold >= 0:
        raise DecodeError(f"a zero threshold of {message.zero_threshold}")
    if not exact:  # fractions do not add up to the bit
        return
    inside = zero + sum(held for side in sides for _, held in side)
    if inside > count or (inside < count and not math.isnan(message.sum)):
        raise DecodeError(f"{inside:.0f} observations in buckets, but a count of {count:.0f}")


def _check_bounds(bounds: Sequence[float], sides: Sequence[Buckets], *, custom: bool, zero: bool) -> None:
    if not custom:
        if bounds:
            raise DecodeError("custom bounds in an exponential histogram")
        return
    if sides[1] or zero:
        raise DecodeError("a histogram of custom bounds has neither negative buckets nor a zero bucket")
    if len(bounds) > _MOST_BUCKETS or not all(map(math.isfinite, bounds)):
        raise DecodeError(f"custom bounds must be finite, and at most {_MOST_BUCKETS}")
    if any(low >= high for low, high in pairwise(bounds)):
        raise DecodeError("custom bounds do not rise")
    if any(not 0 <= index <= len(bounds) for index, _ in sides[0]):
        raise DecodeError("a bucket beyond the custom bounds")
