"""Prometheus's remote-write messages, 1.0 and 2.0, as protobuf classes made from a description.

Source: the field numbers of prometheus/prompb `remote.proto`, `types.proto` and `io/prometheus/write/v2/types.proto`.
Fields that nobody reads here are left out; protobuf skips them. They are proto3's but for their strings, which may be
any bytes: one text that is not UTF-8 (it comes as bytes) must not cost the whole request.
"""

from __future__ import annotations

import functools
from typing import Any

_DOUBLE, _INT64, _UINT64, _STRING, _MESSAGE, _UINT32, _ENUM_AS_INT, _SINT32, _SINT64 = 1, 3, 4, 9, 11, 13, 5, 17, 18
_REPEATED, _OPTIONAL = 3, 1

_HISTOGRAM: list[tuple[str, int, int | str]] = [
    ("count_int", 1, _UINT64), ("count_float", 2, _DOUBLE), ("sum", 3, _DOUBLE), ("schema", 4, _SINT32),
    ("zero_threshold", 5, _DOUBLE), ("zero_count_int", 6, _UINT64), ("zero_count_float", 7, _DOUBLE),
    ("negative_spans", 8, "Span*"), ("negative_deltas", 9, f"{_SINT64}*"), ("negative_counts", 10, f"{_DOUBLE}*"),
    ("positive_spans", 11, "Span*"), ("positive_deltas", 12, f"{_SINT64}*"), ("positive_counts", 13, f"{_DOUBLE}*"),
    ("reset_hint", 14, _ENUM_AS_INT), ("timestamp", 15, _INT64), ("custom_values", 16, f"{_DOUBLE}*"),
]  # fmt: skip
_MESSAGES: dict[str, dict[str, list[tuple[str, int, int | str]]]] = {
    "v1": {
        "Label": [("name", 1, _STRING), ("value", 2, _STRING)],
        "Sample": [("value", 1, _DOUBLE), ("timestamp", 2, _INT64)],
        "Exemplar": [("labels", 1, "Label*"), ("value", 2, _DOUBLE), ("timestamp", 3, _INT64)],
        "Span": [("offset", 1, _SINT32), ("length", 2, _UINT32)],
        "Histogram": _HISTOGRAM,
        "Series": [
            ("labels", 1, "Label*"), ("samples", 2, "Sample*"), ("exemplars", 3, "Exemplar*"),
            ("histograms", 4, "Histogram*"),
        ],
        "Metadata": [("type", 1, _ENUM_AS_INT), ("name", 2, _STRING), ("help", 4, _STRING), ("unit", 5, _STRING)],
        "Request": [("timeseries", 1, "Series*"), ("metadata", 3, "Metadata*")],
    },
    "v2": {
        "Sample": [("value", 1, _DOUBLE), ("timestamp", 2, _INT64)],
        "Exemplar": [("labels", 1, f"{_UINT32}*"), ("value", 2, _DOUBLE), ("timestamp", 3, _INT64)],
        "Span": [("offset", 1, _SINT32), ("length", 2, _UINT32)],
        "Histogram": _HISTOGRAM,
        "Metadata": [("type", 1, _ENUM_AS_INT), ("help", 3, _UINT32), ("unit", 4, _UINT32)],
        "Series": [
            ("labels", 1, f"{_UINT32}*"), ("samples", 2, "Sample*"), ("histograms", 3, "Histogram*"),
            ("exemplars", 4, "Exemplar*"), ("metadata", 5, "Metadata"),
        ],
        "Request": [("symbols", 4, f"{_STRING}*"), ("timeseries", 5, "Series*")],
    },
}  # fmt: skip


@functools.cache
def request_class(version: str) -> Any:
    """The class of a write request: "v1" or "v2"."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # only where somebody writes so

    package = f"sanso.remote_write.{version}"
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="editions")
    file.edition = descriptor_pb2.EDITION_2023
    features = descriptor_pb2.FeatureSet
    file.options.features.field_presence = features.IMPLICIT
    file.options.features.utf8_validation = features.NONE
    for name, fields in _MESSAGES[version].items():
        message = file.message_type.add(name=name)
        for field_name, number, kind in fields:
            _add_field(message, package, field_name, number, str(kind))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.Request"))


def _add_field(message: Any, package: str, name: str, number: int, kind: str) -> None:
    repeated, bare = kind.endswith("*"), kind.removesuffix("*")
    field = message.field.add(name=name, number=number, label=_REPEATED if repeated else _OPTIONAL)
    if bare.isdigit():
        field.type = int(bare)
    else:
        field.type, field.type_name = _MESSAGE, f".{package}.{bare}"
