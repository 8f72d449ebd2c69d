"""Native histograms as Prometheus's API writes them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from sanso.model.native_histogram import CUSTOM_SCHEMA, NativeHistogram
from sanso.promql.histograms.bounds import exponential_bound
from sanso.web.number_text import number

_LEFT_OPEN, _RIGHT_OPEN, _CLOSED = 0, 1, 3
"""Which bound of a bucket belongs to it."""


def histogram_json(histogram: NativeHistogram) -> bytes:
    """`{"count": …, "sum": …, "buckets": [[bounds, lower, upper, count], …]}`, without empty buckets."""
    buckets = ",".join(
        f'[{bounds},"{number(lower)}","{number(upper)}","{number(count)}"]'
        for bounds, lower, upper, count in _buckets(histogram)
        if count
    )
    shown = f',"buckets":[{buckets}]' if buckets else ""
    return f'{{"count":"{number(histogram.count)}","sum":"{number(histogram.sum)}"{shown}}}'.encode()


def _buckets(histogram: NativeHistogram) -> Iterator[tuple[int, float, float, float]]:
    """Rising: bounds, lower, upper, observations."""
    if histogram.schema == CUSTOM_SCHEMA:
        uppers = (*histogram.bounds, math.inf)
        for index, count in histogram.positive:
            lower = uppers[index - 1] if index else -math.inf
            yield _CLOSED if not index else _LEFT_OPEN, lower, uppers[index], count
        return
    for index, count in reversed(histogram.negative):
        near, far = _edges(histogram.schema, index)
        yield _RIGHT_OPEN, -far, -near, count
    if histogram.zero_count:
        yield _CLOSED, -histogram.zero_threshold, histogram.zero_threshold, histogram.zero_count
    for index, count in histogram.positive:
        near, far = _edges(histogram.schema, index)
        yield _LEFT_OPEN, near, far, count


def _edges(schema: int, index: int) -> tuple[float, float]:
    near, far = exponential_bound(np.array([index - 1, index]), schema).tolist()
    return near, far
