"""The hand-written encoding against OpenTelemetry's protobuf classes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from sanso.sdk.otlp_encoding import Metric, Point, encode_request, varint, zigzag
from sanso.sdk.sketch import Sketch

texts = st.text(max_size=20)
labels = st.dictionaries(texts, texts, max_size=4).map(lambda pairs: tuple(sorted(pairs.items())))
times = st.integers(min_value=0, max_value=2**63)
numbers = st.floats(allow_nan=False)


def decoded(body: bytes) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    request.ParseFromString(body)
    return request


@settings(max_examples=50)
@given(labels, times, numbers, times)
def test_numbers_are_what_protobuf_writes(
    given_labels: tuple[tuple[str, str], ...], start: int, value: float, now: int
) -> None:
    expected = ExportMetricsServiceRequest()
    resource = expected.resource_metrics.add()
    item = resource.resource.attributes.add(key="service.name")
    item.value.string_value = "checkout"
    item = resource.resource.attributes.add(key="process.pid")
    item.value.int_value = 4321
    scoped = resource.scope_metrics.add()
    scoped.scope.name, scoped.scope.version = "sanso.sdk", "1.2"
    counter = scoped.metrics.add(name="orders_total")
    counter.sum.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    counter.sum.is_monotonic = True
    gauge = scoped.metrics.add(name="depth")
    for points in (counter.sum.data_points, gauge.gauge.data_points):
        point = points.add(start_time_unix_nano=start, time_unix_nano=now, as_double=value)
        for key, text in given_labels:
            point.attributes.add(key=key).value.string_value = text
    body = encode_request(
        {"service.name": "checkout", "process.pid": 4321},
        "1.2",
        [
            Metric("orders_total", "counter", [Point(given_labels, start, value)]),
            Metric("depth", "gauge", [Point(given_labels, start, value)]),
        ],
        now,
    )
    assert decoded(body) == expected


@settings(max_examples=50)
@given(st.lists(st.floats(min_value=-1e6, max_value=1e6), max_size=60), labels)
def test_a_sketch_arrives_whole(values: list[float], given_labels: tuple[tuple[str, str], ...]) -> None:
    sketch = Sketch()
    sketch.add(values)
    body = encode_request({}, "1", [Metric("d", "histogram", [Point(given_labels, 5, sketch)])], 9)
    metric = decoded(body).resource_metrics[0].scope_metrics[0].metrics[0]
    histogram = metric.exponential_histogram
    assert histogram.aggregation_temporality == AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    (point,) = histogram.data_points
    assert (point.start_time_unix_nano, point.time_unix_nano, point.scale) == (5, 9, 5)
    assert {item.key: item.value.string_value for item in point.attributes} == dict(given_labels)
    assert (point.count, point.sum, point.zero_count) == (sketch.count, sketch.sum, sketch.zero_count)
    for buckets, counts in ((point.positive, sketch.positive), (point.negative, sketch.negative)):
        arrived = {buckets.offset + place: count for place, count in enumerate(buckets.bucket_counts) if count}
        assert arrived == counts
    assert point.HasField("min") == point.HasField("max") == bool(values)
    if values:
        assert (point.min, point.max) == (sketch.minimum, sketch.maximum)


def test_a_lone_surrogate_is_replaced() -> None:
    body = encode_request({}, "1", [Metric("d", "gauge", [Point((("path", "a\udcff"),), 1, 1.0)])], 2)
    point = decoded(body).resource_metrics[0].scope_metrics[0].metrics[0].gauge.data_points[0]
    assert point.attributes[0].value.string_value == "a?"


@given(st.integers(min_value=0, max_value=2**64 - 1))
def test_varints_count_up_seven_bits_a_byte(number: int) -> None:
    packed = varint(number)
    assert sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(packed)) == number
    assert all(byte & 0x80 for byte in packed[:-1])
    assert not packed[-1] & 0x80


@given(st.integers(min_value=-(2**31), max_value=2**31 - 1))
def test_zigzag_puts_small_numbers_first(number: int) -> None:
    packed = zigzag(number)
    assert (packed >> 1) ^ -(packed & 1) == number
