from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource

from sanso.model.clock import FixedClock, SystemClock
from sanso.model.frame import is_stale
from sanso.model.labels import metric_name
from sanso.model.native_histogram import Hint, part_of
from sanso.sdk.otlp_encoding import Metric, Point, encode_request
from sanso.sdk.sketch import Sketch
from sanso.sources.otlp import OtlpReceiver
from tests.sources.otlp_requests import NOW_MS, PROTOBUF, KeptRows, exponential, request

LATENCIES = st.lists(st.floats(1e-7, 1e5), min_size=1, max_size=200)


def native() -> tuple[OtlpReceiver, KeptRows]:
    rows = KeptRows()
    return OtlpReceiver(rows, FixedClock(NOW_MS)), rows


def push(otlp: OtlpReceiver, made: object) -> int:
    return otlp.receive(made.SerializeToString(), content_type=PROTOBUF).rejected  # type: ignore[attr-defined]


def held(rows: KeptRows, place: int = -1, name: str = "m") -> dict[str, float]:
    """The parts of one histogram in a row."""
    row = rows.rows[place][2]
    return {
        part_of(labels): value
        for labels, value in zip(row.columns.labels, row.values.tolist(), strict=True)
        if metric_name(labels) == name
    }


def bucket_counts(parts: dict[str, float], schema: int) -> dict[int, float]:
    """Positive buckets by index."""
    mark = f"s{schema}:"
    return {int(part[len(mark) :]): value for part, value in parts.items() if part.startswith(mark) and part[-1] != "n"}


@settings(deadline=None)
@given(LATENCIES, st.lists(st.floats(-1e5, -1e-7), max_size=20), st.integers(0, 5))
def test_the_sdk_s_sketch_arrives_without_loss_and_tells_quantiles_within_its_error(
    latencies: list[float], negatives: list[float], zeros: int
) -> None:
    sketch = Sketch()
    sketch.add([*latencies, *negatives, *[0.0] * zeros])
    point = Point((("route", "/"),), (NOW_MS - 5000) * 1_000_000, sketch)
    body = encode_request({"service.name": "s"}, "0", [Metric("m", "histogram", [point])], NOW_MS * 1_000_000)
    otlp, rows = native()
    assert otlp.receive(body, content_type=PROTOBUF).rejected == 0
    found = held(rows)
    assert (found["schema"], found["count"], found["sum"]) == (5, sketch.count, sketch.sum)
    assert found.get("zero", 0) == zeros
    assert bucket_counts(found, 5) == {index + 1: count for index, count in sketch.positive.items()}
    assert sum(value for part, value in found.items() if part[-1] == "n") == len(negatives)
    seen = 0.0
    ordered = sorted(latencies)
    for index, count in sorted(bucket_counts(found, 5).items()):
        middle = 2.0 ** ((index - 0.5) / 32)
        for value in ordered[int(seen) : int(seen + count)]:
            assert abs(middle / value - 1) <= 0.011
        seen += count
    assert seen == len(latencies)


def test_a_series_begins_with_an_empty_histogram_and_has_count_and_sum_beside() -> None:
    otlp, rows = native()
    made = request("exponential_histogram", exponential(3, 7, [5], zeros=2))
    point = made.resource_metrics[0].scope_metrics[0].metrics[0].exponential_histogram.data_points[0]
    point.start_time_unix_nano, point.sum, point.zero_threshold = (NOW_MS - 1000) * 1_000_000, 9.0, 0.25
    assert push(otlp, made) == 0
    assert rows.rows[0][1] == NOW_MS - 1000
    assert held(rows, 0) == {"schema": 3, "count": 0, "sum": 0}
    assert held(rows) == {"schema": 3, "count": 7, "sum": 9, "zero": 2, "zero_threshold": 0.25, "s3:8": 5}
    assert held(rows, name="m_count") == {"": 7}
    assert held(rows, name="m_sum") == {"": 9}
    assert rows.families["m"].type == "histogram"


@pytest.mark.parametrize("scale", [-5, -10])
def test_scales_coarser_than_any_schema_are_refused(scale: int) -> None:
    otlp, rows = native()
    assert push(otlp, request("exponential_histogram", exponential(scale, 0, [1]))) == 1
    assert rows.rows == []


def test_more_in_buckets_than_counted_is_refused() -> None:
    otlp, rows = native()
    made = request("exponential_histogram", exponential(3, 0, [1, 2]))
    made.resource_metrics[0].scope_metrics[0].metrics[0].exponential_histogram.data_points[0].count = 2
    assert push(otlp, made) == 1
    assert rows.rows == []


@given(
    st.integers(-4, 20) | st.just(2**31 - 1),
    st.integers(-(2**31), 2**31 - 1),
    st.lists(st.integers(0, 9), min_size=1, max_size=40),
)
def test_no_observation_is_lost_wherever_its_bucket(scale: int, offset: int, counts: list[int]) -> None:
    otlp, rows = native()
    assert push(otlp, request("exponential_histogram", exponential(scale, offset, counts))) == 0
    found = held(rows)
    schema = min(scale, 8)
    assert found["schema"] == schema
    assert sum(bucket_counts(found, schema).values()) == sum(counts)
    for index in bucket_counts(found, schema):
        assert -1074 <= index / 2.0**schema <= 1024


@given(st.lists(st.tuples(st.integers(-4, 10), LATENCIES), min_size=1, max_size=4))
@settings(deadline=None)
def test_deltas_add_up_to_the_histogram_of_all(pushed: list[tuple[int, list[float]]]) -> None:
    otlp, rows = native()
    for turn, (scale, values) in enumerate(pushed):
        indices = [math.ceil(math.log2(value) * 2.0**scale) - 1 for value in values]
        counts = [indices.count(index) for index in range(min(indices), max(indices) + 1)]
        if len(counts) > 20_000:
            return
        made = request(
            "exponential_histogram", exponential(scale, min(indices), counts), delta=True, at_ms=NOW_MS + turn
        )
        assert push(otlp, made) == 0
    found = held(rows)
    schema = min(8, *(scale for scale, _ in pushed))
    assert found["schema"] == schema
    assert found["count"] == sum(len(values) for _, values in pushed) == sum(bucket_counts(found, schema).values())


def test_a_wider_zero_bucket_takes_in_what_lies_in_it() -> None:
    otlp, rows = native()
    for turn, threshold in enumerate((0.0, 2.0)):
        made = request("exponential_histogram", exponential(0, -2, [1, 1, 1, 1]), delta=True, at_ms=NOW_MS + turn)
        point = made.resource_metrics[0].scope_metrics[0].metrics[0].exponential_histogram.data_points[0]
        point.zero_threshold = threshold
        assert push(otlp, made) == 0
    found = held(rows)
    assert {part: found[part] for part in ("count", "zero", "zero_threshold", "s0:2")} == {
        "count": 8, "zero": 6, "zero_threshold": 2, "s0:2": 2,
    }  # fmt: skip


def test_another_start_is_a_reset_and_no_value_ends_all_parts() -> None:
    otlp, rows = native()
    for turn, start in enumerate((1, 1, 2)):
        made = request("exponential_histogram", exponential(3, 0, [1]), at_ms=NOW_MS + turn)
        point = made.resource_metrics[0].scope_metrics[0].metrics[0].exponential_histogram.data_points[0]
        point.start_time_unix_nano = start
        push(otlp, made)
        assert held(rows).get("hint", Hint.UNKNOWN) == (Hint.RESET if turn == 2 else Hint.UNKNOWN)
    made = request("exponential_histogram", exponential(3, 0, []), at_ms=NOW_MS + 9)
    made.resource_metrics[0].scope_metrics[0].metrics[0].exponential_histogram.data_points[0].flags = 1
    push(otlp, made)
    row = rows.rows[-1][2]
    ended = {part_of(labels) for labels, value in zip(row.columns.labels, is_stale(row.values), strict=True) if value}
    assert ended == {"schema", "count", "sum", "hint", "s3:1", ""}


@contextmanager
def served(otlp: OtlpReceiver) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            encoding = self.headers.get("content-encoding", "")
            answer = otlp.receive(body, content_type=self.headers["content-type"], content_encoding=encoding)
            self.send_response(200)
            self.send_header("content-type", answer.content_type)
            self.end_headers()
            self.wfile.write(answer.response_body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/metrics"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("temporality", [AggregationTemporality.CUMULATIVE, AggregationTemporality.DELTA])
def test_the_official_sdk_s_exponential_histograms(temporality: AggregationTemporality) -> None:
    rows = KeptRows()
    view = View(instrument_type=Histogram, aggregation=ExponentialBucketHistogramAggregation())
    with served(OtlpReceiver(rows, SystemClock())) as address:
        exporter = OTLPMetricExporter(endpoint=address, preferred_temporality={Histogram: temporality})
        reader = PeriodicExportingMetricReader(exporter, math.inf)
        provider = MeterProvider([reader], resource=Resource({}), views=[view], shutdown_on_exit=False)
        histogram = provider.get_meter("tests").create_histogram("m", unit="s")
        recorded: list[float] = []
        for values in ([0.001], [0.5, 40.0, 0.0], [0.0105, 0.0106, 7.0]):
            for value in values:
                histogram.record(value)
            recorded += values
            provider.force_flush()
            found = held(rows, name="m_seconds")
            schema = int(found["schema"])
            assert found["count"] == len(recorded)
            assert found["sum"] == pytest.approx(sum(recorded), rel=1e-12)
            assert found.get("zero", 0) == recorded.count(0.0)
            expected: dict[int, float] = {}
            for value in filter(None, recorded):
                index = math.ceil(math.log2(value) * 2.0**schema)
                expected[index] = expected.get(index, 0.0) + 1
            assert bucket_counts(found, schema) == expected
        provider.shutdown()
