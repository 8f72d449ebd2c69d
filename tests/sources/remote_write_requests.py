"""Remote-write requests as senders build them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import cramjam

from sanso.model.labels import Labels
from sanso.model.native_histogram import CUSTOM_SCHEMA, Buckets, NativeHistogram
from sanso.sources.remote_write_schema import request_class


def packed(plain: bytes) -> bytes:
    """In snappy's block format."""
    return bytes(cramjam.snappy.compress_raw(plain))


def request_of(version: str, series: Sequence[tuple[Labels, Sequence[tuple[int, NativeHistogram, bool]]]]) -> bytes:
    """A request of native histograms: labels, then times, histograms, and whether as fractions (float histograms)."""
    request = request_class(version)()
    symbols = {"": 0}
    for labels, histograms in series:
        added = request.timeseries.add()
        for name, text in labels:
            if version == "v1":
                added.labels.add(name=name, value=text)
            else:
                added.labels.extend([symbols.setdefault(name, len(symbols)), symbols.setdefault(text, len(symbols))])
        for time_ms, histogram, floats in histograms:
            fill(added.histograms.add(), time_ms, histogram, floats=floats)
    if version == "v2":
        request.symbols.extend(symbols)
    return bytes(request.SerializeToString())


def fill(message: Any, time_ms: int, histogram: NativeHistogram, *, floats: bool = False) -> None:
    """Write a histogram into a message: spans and deltas, as Prometheus does."""
    message.timestamp, message.sum, message.schema = time_ms, histogram.sum, histogram.schema
    message.zero_threshold, message.reset_hint = histogram.zero_threshold, int(histogram.hint)
    if floats:
        message.count_float, message.zero_count_float = histogram.count, histogram.zero_count
    else:
        message.count_int, message.zero_count_int = int(histogram.count), int(histogram.zero_count)
    if histogram.schema == CUSTOM_SCHEMA:
        message.custom_values.extend(histogram.bounds)
    for side, buckets in (("positive", histogram.positive), ("negative", histogram.negative)):
        _spans(getattr(message, f"{side}_spans"), buckets)
        counts = [count for _, count in buckets]
        if floats:
            getattr(message, f"{side}_counts").extend(counts)
        else:
            deltas = [int(after - before) for before, after in itertools.pairwise([0, *counts])]
            getattr(message, f"{side}_deltas").extend(deltas)


def _spans(spans: Any, buckets: Buckets) -> None:
    following = 0
    for index, _ in buckets:
        if not len(spans) or index != following:
            spans.add(offset=index - following, length=0)
        spans[-1].length += 1
        following = index + 1
