"""The page of an application in protobuf: read by the protobuf runtime, and against what the same sketch is by OTLP."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from sanso.exposition.page import HistogramWish
from sanso.exposition.parse import TextParser
from sanso.exposition.protobuf import ProtobufParser
from sanso.sdk.otlp_encoding import encode_request
from sanso.sdk.page import render
from sanso.sdk.page_protobuf import render_messages
from sanso.sources.otlp_native import native_of
from tests.exposition.metric_families import COUNTER, GAUGE, HISTOGRAM, read_page
from tests.exposition.test_protobuf import histograms, numbers
from tests.sdk.test_page import BUCKETS, METRICS, metric, sketch


def test_types_names_and_times_of_creation() -> None:
    found = {each.name: each for each in read_page(render_messages(METRICS, BUCKETS))}
    assert {name: each.type for name, each in found.items()} == {
        "depth": GAUGE,
        "hits_total": COUNTER,
        "orders_total": COUNTER,
        "wait_seconds": HISTOGRAM,
    }
    first, second = found["orders_total"].metric
    assert ([(pair.name, pair.value) for pair in first.label], first.counter.value) == ([("kind", 'c"a\\r\nd')], 3.0)
    assert second.counter.HasField("created_timestamp")
    assert found["wait_seconds"].metric[0].histogram.created_timestamp.seconds == 0


def test_the_classic_series_are_those_of_the_text() -> None:
    text = TextParser().parse(render(METRICS, BUCKETS, openmetrics=False).encode())
    for wish in (HistogramWish(native=False), HistogramWish(classic=True)):
        page = ProtobufParser(wish=wish).parse(render_messages(METRICS, BUCKETS))
        assert numbers(page) == numbers(text)
    assert list(histograms(page)) == ['wait_seconds{route="/a"}']


def test_a_label_that_buckets_need_gives_way() -> None:
    told = [metric("a", "histogram", ((("le", "x"),), sketch(1.0)))]
    page = ProtobufParser(wish=HistogramWish(native=False)).parse(render_messages(told, BUCKETS))
    assert 'a_bucket{exported_le="x", le="1.0"}' in numbers(page)


values = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from((0.0, 1.0, 2.0, 1e-300, -1.0))


@given(st.lists(values, max_size=30))
def test_a_sketch_is_the_native_histogram_that_it_is_by_otlp(given: list[float]) -> None:
    told = [metric("h", "histogram", ((), sketch(*given)))]
    (found,) = histograms(ProtobufParser().parse(render_messages(told, BUCKETS))).values()
    request = ExportMetricsServiceRequest.FromString(encode_request({}, "1", told, 1))
    (point,) = request.resource_metrics[0].scope_metrics[0].metrics[0].exponential_histogram.data_points
    expected = native_of(point)
    assert math.isclose(found.sum, expected.sum, rel_tol=1e-12) or math.isnan(expected.sum) or found.sum == expected.sum
    assert (found.schema, found.count, found.zero_count) == (expected.schema, expected.count, expected.zero_count)
    assert (found.positive, found.negative) == (expected.positive, expected.negative)
