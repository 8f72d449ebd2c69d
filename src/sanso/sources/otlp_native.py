"""Exponential histograms of OpenTelemetry as native ones: scale s is schema s, and a bucket's index one higher."""

from __future__ import annotations

import math
from typing import Any

from sanso.model.exponential import coarser
from sanso.model.native_histogram import COARSEST_SCHEMA, FINEST_SCHEMA, Buckets, NativeHistogram

COARSEST_SCALE = COARSEST_SCHEMA
"""No coarser one can be written; 160 buckets of this one (what an SDK has) hold every float there is."""
_LOWEST, _HIGHEST = -1074, 1024
"""Exponents between which floats lie."""


def native_of(point: Any) -> NativeHistogram:
    """A data point; its scale is at least `COARSEST_SCALE`. A sum that is not told is NaN."""
    by = max(point.scale - FINEST_SCHEMA, 0)
    schema = point.scale - by
    return NativeHistogram(
        schema=schema,
        count=float(point.count),
        sum=float(point.sum) if point.HasField("sum") else math.nan,
        zero_count=float(point.zero_count),
        zero_threshold=max(point.zero_threshold, 0.0),
        positive=_buckets(point.positive, schema, by),
        negative=_buckets(point.negative, schema, by),
    )


def _buckets(given: Any, schema: int, by: int) -> Buckets:
    """Buckets where no float can be (an offset is anything a client sends) count at the nearest that has floats."""
    lowest, highest = (math.ceil(exponent * 2.0**schema) for exponent in (_LOWEST, _HIGHEST))
    held: dict[int, float] = {}
    for index, count in coarser(
        tuple((given.offset + place + 1, float(count)) for place, count in enumerate(given.bucket_counts) if count), by
    ):
        place = min(max(index, lowest), highest)
        held[place] = held.get(place, 0.0) + count
    return tuple(sorted(held.items()))
