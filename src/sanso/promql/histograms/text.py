"""One histogram for people and other programs: its buckets with their bounds, and a line of text."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from sanso.model.native_histogram import CUSTOM_SCHEMA, NativeHistogram
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
    if histogram.zero_count:
        yield Bucket(-width, width, True, True, histogram.zero_count)  # noqa: FBT003
    for index, count in histogram.positive:
        near, far = _edges(histogram.schema, index)
        yield Bucket(max(near, width), far, False, True, count)  # noqa: FBT003


def described(histogram: NativeHistogram) -> str:
    """`{count:4, sum:5, (1,2]:2}`, as Prometheus prints it."""
    parts = [f"count:{_short(histogram.count)}", f"sum:{_short(histogram.sum)}"]
    for bucket in buckets(histogram):
        begin, end = "[" if bucket.with_lower else "(", "]" if bucket.with_upper else ")"
        parts.append(f"{begin}{_short(bucket.lower)},{_short(bucket.upper)}{end}:{_short(bucket.held)}")
    return f"{{{', '.join(parts)}}}"


def _edges(schema: int, index: int) -> tuple[float, float]:
    near, far = exponential_bound(np.array([index - 1, index]), schema).tolist()
    return near, far


def _short(value: float) -> str:
    """A number as Go's %g has it: the shortest that reads back, with an exponent from a million on."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == 0:
        return "-0" if math.copysign(1.0, value) < 0 else "0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)  # of a finite number
    power = exponent + len(digits) - 1
    if -4 <= power < 6:
        return format(Decimal(repr(value)).normalize(), "f")
    rest = "".join(map(str, digits[1:]))
    return f"{'-' * sign}{digits[0]}{'.' if rest else ''}{rest}e{'-' if power < 0 else '+'}{abs(power):02d}"
