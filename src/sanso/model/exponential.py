"""Exponential histograms made coarser and added up: no observation is lost."""

from __future__ import annotations

import math

from sanso.model.native_histogram import Buckets, NativeHistogram


def coarser(buckets: Buckets, by: int) -> Buckets:
    """The buckets of a schema as those of one coarser by `by`; indices are Prometheus's (upper bound base ** index)."""
    if not by:
        return buckets
    merged: dict[int, float] = {}
    for index, count in buckets:
        place = -((-index) >> by)
        merged[place] = merged.get(place, 0.0) + count
    return tuple(sorted(merged.items()))


def added(one: NativeHistogram, other: NativeHistogram) -> NativeHistogram:
    """The observations of both, at the coarser schema and the wider zero bucket of the two."""
    schema = min(one.schema, other.schema)
    sides = [[coarser(side, each.schema - schema) for side in (each.positive, each.negative)] for each in (one, other)]
    threshold = max(one.zero_threshold, other.zero_threshold)
    inside = one.zero_count + other.zero_count
    merged = []
    for side in (0, 1):
        held, swallowed = _outside(_together(sides[0][side], sides[1][side]), threshold, schema)
        merged.append(held)
        inside += swallowed
    return NativeHistogram(
        schema=schema,
        count=one.count + other.count,
        sum=one.sum + other.sum,
        zero_count=inside,
        zero_threshold=threshold,
        positive=merged[0],
        negative=merged[1],
    )


def _together(one: Buckets, other: Buckets) -> Buckets:
    merged = dict(one)
    for index, count in other:
        merged[index] = merged.get(index, 0.0) + count
    return tuple(sorted(merged.items()))


def _outside(buckets: Buckets, threshold: float, schema: int) -> tuple[Buckets, float]:
    """The buckets beyond the zero bucket, and what lies in those within it."""
    if not threshold:
        return buckets, 0.0
    last = math.floor(math.log2(threshold) * 2.0**schema)  # the highest index whose upper bound is within it
    return tuple(pair for pair in buckets if pair[0] > last), sum(count for index, count in buckets if index <= last)


def spans_of(buckets: Buckets) -> list[tuple[int, int]]:
    """Runs of neighbouring buckets: the gap to the run before (of the first, its index), and how many there are."""
    runs: list[tuple[int, int]] = []
    following = 0
    for index, _ in buckets:
        if runs and index == following:
            runs[-1] = runs[-1][0], runs[-1][1] + 1
        else:
            runs.append((index - following, 1))
        following = index + 1
    return runs
