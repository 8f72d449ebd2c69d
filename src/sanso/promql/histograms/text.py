"""One histogram for people and other programs: its buckets with their bounds, and a line of text."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sanso.model.native_histogram import CUSTOM_SCHEMA, NativeHistogram
from sanso.promql.annotations import go_number
from sanso.promql.histograms.bounds import exponential_bound


class Bucket(NamedTuple):
    """A bucket that holds something: its bounds, which of them belong to it, and its observations."""

    lower: float
    upper: float
    with_lower: bool
    with_upper: bool
    held: float


def buckets(histogram: NativeHistogram) -> Iterator[Bucket]:
    """The populated buckets, rising; none reaches into the zero bucket."""
    width = histogram.zero_threshold
    if histogram.schema == CUSTOM_SCHEMA:
        edges = (-math.inf, *histogram.bounds, math.inf)
        for index, count in histogram.positive:
            if count:
                yield Bucket(edges[index], edges[index + 1], index == 0, True, count)  # noqa: FBT003 - named above
        return
    for index, count in reversed(histogram.negative):
        near, far = _edges(histogram.schema, index)
        yield Bucket(-far, -width if near < width else -near, True, False, count)  # noqa: FBT003
    if histogram.zero_count > 0:  # of none or of less Prometheus says nothing
        yield Bucket(-width, width, True, True, histogram.zero_count)  # noqa: FBT003
    for index, count in histogram.positive:
        near, far = _edges(histogram.schema, index)
        yield Bucket(max(near, width), far, False, True, count)  # noqa: FBT003


def described(histogram: NativeHistogram) -> str:
    """`{count:4, sum:5, (1,2]:2}`, as Prometheus prints it."""
    parts = [f"count:{go_number(histogram.count)}", f"sum:{go_number(histogram.sum)}"]
    for bucket in buckets(histogram):
        begin, end = "[" if bucket.with_lower else "(", "]" if bucket.with_upper else ")"
        parts.append(f"{begin}{go_number(bucket.lower)},{go_number(bucket.upper)}{end}:{go_number(bucket.held)}")
    return f"{{{', '.join(parts)}}}"


def _edges(schema: int, index: int) -> tuple[float, float]:
    near, far = exponential_bound(np.array([index - 1, index]), schema).tolist()
    return near, far
