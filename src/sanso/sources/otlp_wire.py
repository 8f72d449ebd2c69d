"""OTLP metric messages as the receiver reads them: attributes, resources and exemplars stay undecoded bytes.

A series pushes the same attribute bytes every time, so they serve as its key, and decoding them a second time would be
most of the work. On the wire a `bytes` field and a message field are the same, so a private copy of OpenTelemetry's own
descriptors with those fields declared `bytes` reads every OTLP request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

DELTA = 1
"""`AggregationTemporality`: 0 unspecified, 1 delta, 2 cumulative."""
NO_RECORDED_VALUE = 1
"""The flag of a point that says: this series ended."""

_UNDECODED = ("common.v1.KeyValue", "common.v1.InstrumentationScope", "resource.v1.Resource", "metrics.v1.Exemplar")


class Point(Protocol):
    """What every kind of point has."""

    attributes: Sequence[bytes]
    time_unix_nano: int
    flags: int


class NumberPoint(Point, Protocol):
    """A point of a gauge or sum; the number that is not set reads 0."""

    as_double: float
    as_int: int

    def WhichOneof(self, group: str) -> str | None:  # noqa: N802 - protobuf's name
        """`as_double`, `as_int` or None where the point has no value."""
        ...


class DistributionPoint(Point, Protocol):
    """What the points of histograms and summaries share."""

    count: int
    sum: float

    def HasField(self, name: str) -> bool:  # noqa: N802 - protobuf's name
        """Whether an optional field is there."""
        ...


class HistogramPoint(DistributionPoint, Protocol):
    """A point of a histogram: one count a bucket, one more than bounds."""

    bucket_counts: Sequence[int]
    explicit_bounds: Sequence[float]


class ExponentialBuckets(Protocol):
    """Neighbouring buckets from `offset` on: index i holds (base^i, base^(i+1)]."""

    offset: int
    bucket_counts: Sequence[int]


class ExponentialPoint(DistributionPoint, Protocol):
    """A point of an exponential histogram; base is 2^(2^-scale)."""

    scale: int
    zero_count: int
    positive: ExponentialBuckets
    negative: ExponentialBuckets


class Quantile(Protocol):
    """One quantile of a summary."""

    quantile: float
    value: float


class SummaryPoint(DistributionPoint, Protocol):
    """A point of a summary."""

    quantile_values: Sequence[Quantile]


class Instrument(Protocol):
    """The body of a metric of any kind; sums have `is_monotonic`, sums and histograms the temporality."""

    data_points: Sequence[Point]
    aggregation_temporality: int
    is_monotonic: bool


class Metric(Protocol):
    """A metric's name and points."""

    name: str
    description: str
    unit: str

    def WhichOneof(self, group: str) -> str | None:  # noqa: N802 - protobuf's name
        """gauge, sum, histogram, exponential_histogram, summary or None."""
        ...


class ScopeMetrics(Protocol):
    """The metrics of one library."""

    metrics: Sequence[Metric]


class ResourceMetrics(Protocol):
    """The metrics of one resource; `resource` is a serialised `Resource`."""

    resource: bytes
    scope_metrics: Sequence[ScopeMetrics]


class MetricsRequest(Protocol):
    """An `ExportMetricsServiceRequest`."""

    resource_metrics: Sequence[ResourceMetrics]


class MetricsRequestType(Protocol):
    """The class of `MetricsRequest`."""

    def FromString(self, body: bytes) -> MetricsRequest:  # noqa: N802 - protobuf's name
        """Raises protobuf's `DecodeError`."""
        ...


def metrics_request_type() -> MetricsRequestType:
    """The message class, in a descriptor pool of its own (milliseconds: make it once and keep it)."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    from opentelemetry.proto.metrics.v1 import metrics_pb2

    file = descriptor_pb2.FileDescriptorProto()
    metrics_pb2.DESCRIPTOR.CopyToProto(file)
    for message in file.message_type:
        for field in message.field:
            if field.type_name.endswith(_UNDECODED):
                field.type = descriptor_pb2.FieldDescriptorProto.TYPE_BYTES
                field.ClearField("type_name")
    del file.dependency[:]
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    # MetricsData and ExportMetricsServiceRequest have the same single field.
    found = message_factory.GetMessageClass(pool.FindMessageTypeByName("opentelemetry.proto.metrics.v1.MetricsData"))
    return cast("MetricsRequestType", found)
