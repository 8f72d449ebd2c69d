"""Native histograms one at a time, bucket by bucket: slow and plain, what the fast ones are held against."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from sanso.model.native_histogram import CUSTOM_SCHEMA, Hint, NativeHistogram

Counts = dict[int, float]


@dataclass
class Plain:
    """A histogram whose buckets are dictionaries."""

    schema: int
    count: float
    sum: float
    zero: float = 0.0
    threshold: float = 0.0
    positive: Counts = field(default_factory=dict)
    negative: Counts = field(default_factory=dict)
    bounds: tuple[float, ...] = ()


def plain(histogram: NativeHistogram) -> Plain:
    return Plain(
        histogram.schema,
        histogram.count,
        histogram.sum,
        histogram.zero_count,
        histogram.zero_threshold,
        dict(histogram.positive),
        dict(histogram.negative),
        histogram.bounds,
    )


def bound(index: int, schema: int) -> float:
    exponent, steps = divmod(index, 2**schema) if schema > 0 else (index * 2**-schema, 0)
    if exponent >= 1024:
        return 1.7976931348623157e308 if (exponent, steps) == (1024, 0) else math.inf
    found = 0.5
    for halving in range(1, schema + 1):
        if steps >> (schema - halving) & 1:
            found *= math.exp(math.log(2) / 2**halving)
    return math.ldexp(found, exponent + 1)


def reduce_counts(counts: Counts, steps: int) -> Counts:
    out: Counts = {}
    for index, count in counts.items():
        place = math.ceil(index / 2**steps)
        out[place] = out.get(place, 0.0) + count
    return out


def reduce(h: Plain, schema: int) -> Plain:
    steps = h.schema - schema
    return replace(
        h, schema=schema, positive=reduce_counts(h.positive, steps), negative=reduce_counts(h.negative, steps)
    )


def widen(h: Plain, threshold: float) -> Plain:
    """With a zero bucket at least so wide."""
    if threshold <= h.threshold:
        return h
    moved = True
    while moved:
        moved = False
        for counts in (h.positive, h.negative):
            for index, count in counts.items():
                if count and bound(index - 1, h.schema) < threshold < bound(index, h.schema):
                    threshold, moved = bound(index, h.schema), True
    zero = h.zero
    left = []
    for counts in (h.positive, h.negative):
        left.append({i: c for i, c in counts.items() if bound(i - 1, h.schema) >= threshold})
        zero += sum(c for i, c in counts.items() if bound(i - 1, h.schema) < threshold)
    return replace(h, zero=zero, threshold=threshold, positive=left[0], negative=left[1])


def add(a: Plain, b: Plain, factor: float = 1.0) -> Plain | None:
    """The sum, None where they cannot be added."""
    if (a.schema == CUSTOM_SCHEMA) != (b.schema == CUSTOM_SCHEMA) or a.bounds != b.bounds:
        return None
    if a.schema != CUSTOM_SCHEMA:
        while a.threshold != b.threshold:
            widest = max(a.threshold, b.threshold)
            a, b = widen(a, widest), widen(b, widest)
        schema = min(a.schema, b.schema)
        a, b = reduce(a, schema), reduce(b, schema)
    return Plain(
        a.schema,
        a.count + factor * b.count,
        a.sum + factor * b.sum,
        a.zero + factor * b.zero,
        a.threshold,
        {i: a.positive.get(i, 0.0) + factor * b.positive.get(i, 0.0) for i in {*a.positive, *b.positive}},
        {i: a.negative.get(i, 0.0) + factor * b.negative.get(i, 0.0) for i in {*a.negative, *b.negative}},
        a.bounds,
    )


def buckets(h: Plain) -> Iterator[tuple[float, float, float]]:
    """Lower bound, upper bound and observations of each populated bucket, rising."""
    if h.schema == CUSTOM_SCHEMA:
        edges = [-math.inf, *h.bounds, math.inf]
        for index in sorted(h.positive):
            if h.positive[index]:
                yield edges[index], edges[index + 1], h.positive[index]
        return
    for index in sorted(h.negative, reverse=True):
        if h.negative[index]:
            upper = -bound(index - 1, h.schema)
            yield -bound(index, h.schema), min(upper, -h.threshold), h.negative[index]
    if h.zero:
        yield -h.threshold, h.threshold, h.zero
    for index in sorted(h.positive):
        if h.positive[index]:
            yield max(bound(index - 1, h.schema), h.threshold), bound(index, h.schema), h.positive[index]


def quantile_bucket(h: Plain, wanted: float) -> tuple[float, float]:
    """The bounds of the bucket that holds the quantile."""
    rank, seen = wanted * h.count, 0.0
    found = (0.0, 0.0)
    for lower, upper, count in buckets(h):
        seen += count
        found = (lower, upper)
        if seen >= rank:
            break
    return found


def reset(before: Plain, after: Plain) -> bool:
    """Whether a counter was reset between them."""
    if (before.schema == CUSTOM_SCHEMA) != (after.schema == CUSTOM_SCHEMA) or before.bounds != after.bounds:
        return True
    if after.count < before.count:
        return True
    if after.schema != CUSTOM_SCHEMA:
        if after.schema > before.schema or after.threshold < before.threshold:
            return True
        before = widen(before, after.threshold)
        if before.threshold != after.threshold or after.zero < before.zero:
            return True
        before = reduce(before, after.schema)
    pairs = ((before.positive, after.positive), (before.negative, after.negative))
    return any(late.get(index, 0.0) < count for early, late in pairs for index, count in early.items())


def histograms(
    *, schemas: tuple[int, ...] = (-1, 0, 1, 3), widths: tuple[float, ...] = (0.0, 0.25, 0.3, 2.0)
) -> st.SearchStrategy[NativeHistogram]:
    """Consistent exponential histograms: the count is that of the buckets, none lies inside the zero bucket."""
    counts = st.dictionaries(st.integers(-9, 9), st.integers(1, 20).map(float), max_size=6)
    return st.builds(
        _consistent, st.sampled_from(schemas), st.sampled_from(widths), st.integers(0, 9).map(float), counts, counts
    )


def _consistent(schema: int, width: float, zero: float, positive: Counts, negative: Counts) -> NativeHistogram:
    kept = [
        tuple(sorted((i, c) for i, c in side.items() if bound(i - 1, schema) >= width)) for side in (positive, negative)
    ]
    count = zero + sum(c for side in kept for _, c in side)
    total = sum(c * bound(i, schema) for i, c in kept[0]) - sum(c * bound(i, schema) for i, c in kept[1])
    return NativeHistogram(schema, count, total, zero, width, kept[0], kept[1])


def customs() -> st.SearchStrategy[NativeHistogram]:
    """Histograms with custom bounds."""
    counts = st.lists(st.integers(0, 20).map(float), min_size=3, max_size=3)
    return st.builds(_custom, st.sampled_from([(0.5, 2.0), (-1.0, 4.0)]), counts)


def _custom(bounds: tuple[float, ...], counts: list[float]) -> NativeHistogram:
    held = tuple((index, count) for index, count in enumerate(counts) if count)
    return NativeHistogram(CUSTOM_SCHEMA, sum(counts), 1.5 * sum(counts), positive=held, bounds=bounds)


def without_hint(histogram: NativeHistogram) -> NativeHistogram:
    return replace(histogram, hint=Hint.UNKNOWN)


def native(h: Plain) -> NativeHistogram:
    """Back again, without empty buckets."""
    sides = [tuple(sorted((i, c) for i, c in side.items() if c)) for side in (h.positive, h.negative)]
    return NativeHistogram(h.schema, h.count, h.sum, h.zero, h.threshold, sides[0], sides[1], h.bounds)
