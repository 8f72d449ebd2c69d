"""Exponential buckets made coarser without loss: two (or 2^n) neighbours become one."""

from __future__ import annotations

from sanso.model.native_histogram import Buckets


def coarser(buckets: Buckets, by: int) -> Buckets:
    """The buckets of a schema as those of one coarser by `by`; indices are Prometheus's (upper bound base ** index)."""
    if not by:
        return buckets
    merged: dict[int, float] = {}
    for index, count in buckets:
        place = -((-index) >> by)
        merged[place] = merged.get(place, 0.0) + count
    return tuple(sorted(merged.items()))
