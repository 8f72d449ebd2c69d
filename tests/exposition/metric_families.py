"""MetricFamily messages by the protobuf runtime, as client libraries write them: a writer that is not ours."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.internal.encoder import _VarintBytes  # type: ignore[attr-defined]

CONTENT_TYPE = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
COUNTER, GAUGE, SUMMARY, UNTYPED, HISTOGRAM, GAUGE_HISTOGRAM = range(6)
_FIELDS = {
    "LabelPair": "string name 1, string value 2",
    "Timestamp": "int64 seconds 1, int32 nanos 2",
    "Exemplar": "LabelPair* label 1, double value 2, Timestamp timestamp 3",
    "Gauge": "double value 1",
    "Counter": "double value 1, Exemplar exemplar 2, Timestamp created_timestamp 3",
    "Untyped": "double value 1",
    "Quantile": "double quantile 1, double value 2",
    "Summary": "uint64 sample_count 1, double sample_sum 2, Quantile* quantile 3, Timestamp created_timestamp 4",
    "Bucket": "uint64 cumulative_count 1, double upper_bound 2, Exemplar exemplar 3, double cumulative_count_float 4",
    "BucketSpan": "sint32 offset 1, uint32 length 2",
    "Histogram": (
        "uint64 sample_count 1, double sample_sum 2, Bucket* bucket 3, double sample_count_float 4, sint32 schema 5, "
        "double zero_threshold 6, uint64 zero_count 7, double zero_count_float 8, BucketSpan* negative_span 9, "
        "sint64* negative_delta 10, double* negative_count 11, BucketSpan* positive_span 12, "
        "sint64* positive_delta 13, double* positive_count 14, Timestamp created_timestamp 15, Exemplar* exemplars 16"
    ),
    "Metric": (
        "LabelPair* label 1, Gauge gauge 2, Counter counter 3, Summary summary 4, Untyped untyped 5, "
        "int64 timestamp_ms 6, Histogram histogram 7"
    ),
    "MetricFamily": "string name 1, string help 2, int32 type 3, Metric* metric 4, string unit 5",
}
_TYPES = {"double": 1, "int64": 3, "uint64": 4, "int32": 5, "string": 9, "uint32": 13, "sint32": 17, "sint64": 18}


@functools.cache
def family_class(*, packed: bool = False) -> Any:
    """The class of a MetricFamily; `packed`: repeated numbers lie in one field, as some libraries write them."""
    package = f"tests.metric_families.{'packed' if packed else 'plain'}"
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto2")
    for name, description in _FIELDS.items():
        message = file.message_type.add(name=name)
        for one in description.split(", "):
            kind, field_name, number = one.split(" ")
            bare = kind.removesuffix("*")
            field: Any = message.field.add(name=field_name, number=int(number), label=3 if kind.endswith("*") else 1)
            if bare in _TYPES:
                field.type = _TYPES[bare]
                field.options.packed = packed and kind.endswith("*")
            else:
                field.type, field.type_name = 11, f".{package}.{bare}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.MetricFamily"))


def family(name: str, kind: int, *, packed: bool = False, **more: str) -> Any:
    """An empty family."""
    return family_class(packed=packed)(name=name, type=kind, **more)


def metric(of: Any, **labels: str) -> Any:
    """A metric more of a family."""
    added = of.metric.add()
    for name, value in labels.items():
        added.label.add(name=name.replace("__dot__", "."), value=value)
    return added


def delimited(*families: Any) -> bytes:
    """A page."""
    return b"".join(_VarintBytes(len(body)) + body for body in serialized(families))


def serialized(families: Iterable[Any]) -> list[bytes]:
    """The message of each."""
    return [each.SerializeToString() for each in families]


def read_page(body: bytes) -> list[Any]:
    """The families of a page."""
    from google.protobuf.internal.decoder import _DecodeVarint  # type: ignore[attr-defined]

    found, place = [], 0
    while place < len(body):
        length, place = _DecodeVarint(body, place)
        found.append(family_class().FromString(body[place : place + length]))
        place += length
    return found


def exponential(histogram: Any, *, floats: bool = False) -> None:
    """Fill in: schema 3, 1 in the zero bucket, positive buckets -2:1 -1:2 4:3, a negative one 1:1; 8 observations."""
    histogram.sample_sum, histogram.schema, histogram.zero_threshold = 12.5, 3, 0.001
    histogram.positive_span.add(offset=-2, length=2)
    histogram.positive_span.add(offset=4, length=1)
    histogram.negative_span.add(offset=1, length=1)
    if floats:
        histogram.sample_count_float, histogram.zero_count_float = 8.0, 1.0
        histogram.positive_count.extend([1.0, 2.0, 3.0])
        histogram.negative_count.append(1.0)
    else:
        histogram.sample_count, histogram.zero_count = 8, 1
        histogram.positive_delta.extend([1, 1, 1])
        histogram.negative_delta.append(1)
