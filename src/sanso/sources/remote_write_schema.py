"""Prometheus's remote-write messages, 1.0 and 2.0, as protobuf classes made from a description.

Source: the field numbers of prometheus/prompb `remote.proto`, `types.proto` and `io/prometheus/write/v2/types.proto`.
Fields that nobody reads here are left out; protobuf skips them. They are proto3's but for their strings, which may be
any bytes: one text that is not UTF-8 (it comes as bytes) must not cost the whole request.
"""

from __future__ import annotations

import functools
from typing import Any

from sanso.exposition.message_classes import (
    DOUBLE,
    ENUM_AS_INT,
    INT64,
    SINT32,
    SINT64,
    STRING,
    UINT32,
    UINT64,
    message_class,
)

_HISTOGRAM: list[tuple[str, int, int | str]] = [
    ("count_int", 1, UINT64), ("count_float", 2, DOUBLE), ("sum", 3, DOUBLE), ("schema", 4, SINT32),
    ("zero_threshold", 5, DOUBLE), ("zero_count_int", 6, UINT64), ("zero_count_float", 7, DOUBLE),
    ("negative_spans", 8, "Span*"), ("negative_deltas", 9, f"{SINT64}*"), ("negative_counts", 10, f"{DOUBLE}*"),
    ("positive_spans", 11, "Span*"), ("positive_deltas", 12, f"{SINT64}*"), ("positive_counts", 13, f"{DOUBLE}*"),
    ("reset_hint", 14, ENUM_AS_INT), ("timestamp", 15, INT64), ("custom_values", 16, f"{DOUBLE}*"),
]  # fmt: skip
_MESSAGES: dict[str, dict[str, list[tuple[str, int, int | str]]]] = {
    "v1": {
        "Label": [("name", 1, STRING), ("value", 2, STRING)],
        "Sample": [("value", 1, DOUBLE), ("timestamp", 2, INT64)],
        "Exemplar": [("labels", 1, "Label*"), ("value", 2, DOUBLE), ("timestamp", 3, INT64)],
        "Span": [("offset", 1, SINT32), ("length", 2, UINT32)],
        "Histogram": _HISTOGRAM,
        "Series": [
            ("labels", 1, "Label*"), ("samples", 2, "Sample*"), ("exemplars", 3, "Exemplar*"),
            ("histograms", 4, "Histogram*"),
        ],
        "Metadata": [("type", 1, ENUM_AS_INT), ("name", 2, STRING), ("help", 4, STRING), ("unit", 5, STRING)],
        "Request": [("timeseries", 1, "Series*"), ("metadata", 3, "Metadata*")],
    },
    "v2": {
        "Sample": [("value", 1, DOUBLE), ("timestamp", 2, INT64)],
        "Exemplar": [("labels", 1, f"{UINT32}*"), ("value", 2, DOUBLE), ("timestamp", 3, INT64)],
        "Span": [("offset", 1, SINT32), ("length", 2, UINT32)],
        "Histogram": _HISTOGRAM,
        "Metadata": [("type", 1, ENUM_AS_INT), ("help", 3, UINT32), ("unit", 4, UINT32)],
        "Series": [
            ("labels", 1, f"{UINT32}*"), ("samples", 2, "Sample*"), ("histograms", 3, "Histogram*"),
            ("exemplars", 4, "Exemplar*"), ("metadata", 5, "Metadata"),
        ],
        "Request": [("symbols", 4, f"{STRING}*"), ("timeseries", 5, "Series*")],
    },
}  # fmt: skip


@functools.cache
def request_class(version: str) -> Any:
    """The class of a write request: "v1" or "v2"."""
    return message_class(f"sanso.remote_write.{version}", _MESSAGES[version], "Request")
