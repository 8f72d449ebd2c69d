"""Native histograms as Prometheus's API writes them."""

from __future__ import annotations

from sanso.model.native_histogram import NativeHistogram
from sanso.promql.histograms.text import Bucket, buckets
from sanso.web.number_text import number

_RULES = {(False, True): 0, (True, False): 1, (False, False): 2, (True, True): 3}
"""Which bounds of a bucket belong to it, lower and upper: Prometheus's numbers."""


def histogram_json(histogram: NativeHistogram) -> bytes:
    """`{"count": …, "sum": …, "buckets": [[bounds, lower, upper, count], …]}`, without empty buckets."""
    inside = ",".join(map(_bucket, buckets(histogram)))
    shown = f',"buckets":[{inside}]' if inside else ""
    return f'{{"count":"{number(histogram.count)}","sum":"{number(histogram.sum)}"{shown}}}'.encode()


def _bucket(bucket: Bucket) -> str:
    rule = _RULES[bucket.with_lower, bucket.with_upper]
    return f'[{rule},"{number(bucket.lower)}","{number(bucket.upper)}","{number(bucket.held)}"]'
