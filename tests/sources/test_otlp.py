from __future__ import annotations

import gzip
import http.server
import json
import math
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import pytest
from google.protobuf.json_format import MessageToJson
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource

import sanso.sources.otlp_resource
from sanso.model.clock import SystemClock
from sanso.model.errors import DecodeError
from sanso.model.frame import is_stale
from sanso.model.labels import metric_name
from sanso.sources.otlp import OtlpReceiver
from tests.sources.otlp_requests import (
    NOW_MS,
    PROTOBUF,
    KeptRows,
    buckets,
    exponential,
    number,
    receiver,
    request,
    set_attributes,
)


def push(otlp: OtlpReceiver, *requests: ExportMetricsServiceRequest) -> int:
    """Pushes in order; how many points the last one lost."""
    return [otlp.receive(r.SerializeToString(), content_type=PROTOBUF).rejected for r in requests][-1]


@pytest.mark.parametrize(
    ("kind", "fill", "options", "expected"),
    [
        ("gauge", number(2.5), {}, {'m{job="s"}': 2.5}),
        ("gauge", number(0.0), {}, {'m{job="s"}': 0.0}),
        ("sum", number(7.0), {}, {'m_total{job="s"}': 7.0}),
        ("sum", number(7.0), {"monotonic": False}, {'m{job="s"}': 7.0}),
        ("gauge", number(1.0), {"attributes": {"a.b": "x", "a_b": "y"}}, {'m{a_b="x;y", job="s"}': 1.0}),
        ("gauge", number(1.0), {"attributes": {"__name__": "z"}}, {'m{job="s", key___name__="z"}': 1.0}),
        ("gauge", number(1.0), {"attributes": {"job": "mine"}}, {'m{job="s"}': 1.0}),
        (
            "histogram",
            buckets([1, 2, 3], [0.5, 1.0], 9.0),
            {"unit": "s"},
            {
                'm_seconds_bucket{job="s", le="0.5"}': 1.0,
                'm_seconds_bucket{job="s", le="1"}': 3.0,
                'm_seconds_bucket{job="s", le="+Inf"}': 6.0,
                'm_seconds_count{job="s"}': 6.0,
                'm_seconds_sum{job="s"}': 9.0,
            },
        ),
        (
            "histogram",
            buckets([4], []),
            {},
            {'m_bucket{job="s", le="+Inf"}': 4.0, 'm_count{job="s"}': 4.0},
        ),
    ],
)
def test_a_point_becomes_these_series(
    kind: str, fill: Callable[[Any], None], options: dict[str, Any], expected: dict[str, float]
) -> None:
    otlp, rows, _ = receiver()
    assert push(otlp, request(kind, fill, **options)) == 0
    assert rows.last() == expected
    assert rows.rows[-1][:2] == ("otlp:s/", NOW_MS)
    assert rows.commits == 1


def test_a_summary_becomes_quantiles() -> None:
    def fill(point: Any) -> None:
        point.count, point.sum = 4, 10.0
        quantile = point.quantile_values.add()
        quantile.quantile, quantile.value = 0.99, 5.0

    otlp, rows, _ = receiver()
    push(otlp, request("summary", fill))
    assert rows.last() == {'m{job="s", quantile="0.99"}': 5.0, 'm_count{job="s"}': 4.0, 'm_sum{job="s"}': 10.0}


def test_a_resource_is_an_instance_with_its_target_info() -> None:
    about = {"service.name": "pay", "service.namespace": "shop", "service.instance.id": "7", "host.name": "h"}
    otlp, rows, _ = receiver()
    push(otlp, request("gauge", number(1.0), resource=about))
    frame, _, row = rows.rows[-1]
    assert frame == "otlp:shop/pay/7"
    identity = (("instance", "7"), ("job", "shop/pay"))
    assert set(row.columns.labels) == {
        (("__name__", "m"), *identity),
        (("__name__", "target_info"), ("host_name", "h"), *identity),
    }


@given(st.lists(st.integers(0, 1_000), min_size=1, max_size=8))
def test_deltas_add_up(growth: list[int]) -> None:
    otlp, rows, _ = receiver()
    for place, grown in enumerate(growth):
        push(otlp, request("sum", number(float(grown)), delta=True, at_ms=NOW_MS + place))
    assert rows.last() == {'m_total{job="s"}': float(sum(growth))}


@given(st.lists(st.lists(st.integers(0, 50), min_size=3, max_size=3), min_size=1, max_size=5))
def test_histogram_deltas_add_up(growth: list[list[int]]) -> None:
    otlp, rows, _ = receiver()
    for place, counts in enumerate(growth):
        push(otlp, request("histogram", buckets(counts, [1.0, 2.0], 1.0), delta=True, at_ms=NOW_MS + place))
    first, second, third = (sum(column) for column in zip(*growth, strict=True))
    assert rows.last() == {
        'm_bucket{job="s", le="1"}': first,
        'm_bucket{job="s", le="2"}': first + second,
        'm_bucket{job="s", le="+Inf"}': first + second + third,
        'm_count{job="s"}': first + second + third,
        'm_sum{job="s"}': len(growth),
    }


def test_a_delta_sent_again_is_not_added_again() -> None:
    otlp, rows, _ = receiver()
    again = request("sum", number(5.0), delta=True)
    assert push(otlp, again, again) == 1
    assert push(otlp, request("sum", number(2.0), delta=True, at_ms=NOW_MS + 1)) == 0
    assert rows.last() == {'m_total{job="s"}': 7.0}


def test_an_ended_series_is_marked_stale_in_all_its_parts() -> None:
    def end(point: Any) -> None:
        point.flags = 1

    otlp, rows, _ = receiver()
    push(otlp, request("histogram", buckets([1, 1], [1.0], 2.0)), request("histogram", end, at_ms=NOW_MS + 1))
    row = rows.rows[-1][2]
    ended = [
        metric_name(labels) for labels, stale in zip(row.columns.labels, is_stale(row.values), strict=True) if stale
    ]
    assert sorted(ended) == ["m_bucket", "m_bucket", "m_count", "m_sum"]


@pytest.mark.parametrize(
    ("kind", "fill"),
    [
        ("gauge", lambda point: None),
        ("histogram", buckets([1, 2, 3], [1.0])),
        ("histogram", buckets([1, 2, 3], [2.0, 1.0])),
        ("histogram", buckets([1, 2], [math.nan])),
        ("exponential_histogram", exponential(3, 0, [1] * 20_001)),
    ],
)
def test_what_makes_no_sense_is_rejected_and_not_stored(kind: str, fill: Callable[[Any], None]) -> None:
    otlp, rows, _ = receiver()
    assert push(otlp, request(kind, fill)) == 1
    assert rows.rows == []


def test_a_time_far_ahead_does_not_shut_the_frame() -> None:
    otlp, rows, _ = receiver()
    assert push(otlp, request("gauge", number(1.0), at_ms=NOW_MS + 10**9)) == 1
    assert push(otlp, request("gauge", number(2.0))) == 0
    assert rows.last() == {'m{job="s"}': 2.0}


def test_a_point_without_a_time_is_of_now() -> None:
    otlp, rows, _ = receiver()
    push(otlp, request("gauge", number(1.0), at_ms=0))
    assert rows.rows[-1][1] == NOW_MS


def test_the_same_series_again_need_no_new_columns() -> None:
    otlp, rows, _ = receiver()
    for place in range(3):
        push(otlp, request("histogram", buckets([1, place], [1.0], 1.0), at_ms=NOW_MS + place))
    first, second, third = (row.columns for _, _, row in rows.rows)
    assert first is second is third


def test_times_in_one_request_are_rows_in_order() -> None:
    made = request("gauge", number(2.0), at_ms=NOW_MS + 5)
    made.MergeFrom(request("gauge", number(1.0)))
    made.resource_metrics[0].scope_metrics.extend(made.resource_metrics[1].scope_metrics)
    del made.resource_metrics[1]
    otlp, rows, _ = receiver()
    push(otlp, made)
    assert [(time, row.values[0]) for _, time, row in rows.rows] == [(NOW_MS, 1.0), (NOW_MS + 5, 2.0)]


def test_beyond_the_limit_new_series_are_rejected_and_known_ones_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sanso.sources.otlp_resource, "MOST_SERIES", 4)
    otlp, rows, clock = receiver()
    known = buckets([1, 2], [1.0], 3.0)
    assert push(otlp, request("histogram", known)) == 0
    assert push(otlp, request("gauge", number(1.0), name="other")) == 1
    assert push(otlp, request("histogram", known, at_ms=NOW_MS + 1)) == 0
    result = otlp.receive(request("gauge", number(1.0), name="other").SerializeToString(), content_type=PROTOBUF)
    partial = ExportMetricsServiceResponse.FromString(result.response_body).partial_success
    assert (partial.rejected_data_points, partial.error_message) == (1, result.message)
    clock.advance(3_700)
    assert push(otlp, request("gauge", number(1.0), name="other", at_ms=clock.at_ms)) == 0
    assert rows.last() == {'other{job="s"}': 1.0}


def test_series_silent_for_an_hour_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sanso.sources.otlp_resource, "MOST_SERIES", 2)
    otlp, rows, clock = receiver()
    for place in range(5):
        attributes = {"user": str(place)}
        at_ms = clock.at_ms
        assert push(otlp, request("sum", number(1.0), delta=True, attributes=attributes, at_ms=at_ms)) == 0
        assert rows.last() == {f'm_total{{job="s", user="{place}"}}': 1.0}
        clock.advance(1_900)
        push(otlp, request("gauge", number(1.0), name="alive", at_ms=clock.at_ms))
        clock.advance(1_900)


def test_types_are_described() -> None:
    otlp, rows, _ = receiver()
    push(otlp, request("sum", number(1.0)), request("gauge", number(1.0), name="g"))
    push(otlp, request("exponential_histogram", exponential(3, 0, [1]), name="h"))
    types = {name: family.type for name, family in rows.families.items()}
    assert types.items() >= {"m_total": "counter", "g": "gauge", "h": "histogram"}.items()


def test_json_says_the_same_as_protobuf() -> None:
    for made in (
        request("sum", number(3.0), attributes={"k": "v"}),
        request("histogram", buckets([1, 2], [1.0], 3.0)),
        request("exponential_histogram", exponential(3, -2, [1, 2, 3], 4)),
    ):
        binary, text = receiver(), receiver()
        push(binary[0], made)
        result = text[0].receive(MessageToJson(made).encode(), content_type="application/json; charset=utf-8")
        assert json.loads(result.response_body) == {}
        assert text[1].last() == pytest.approx(binary[1].last(), rel=0, nan_ok=True)  # a sum that is not told is NaN


def test_hexadecimal_exemplar_ids_in_json_are_accepted() -> None:
    point = {"asInt": "4", "timeUnixNano": str(NOW_MS * 10**6), "exemplars": [{"traceId": "abc", "spanId": "x1"}]}
    tree = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m", "gauge": {"dataPoints": [point]}}]}]}]}
    otlp, rows, _ = receiver()
    otlp.receive(json.dumps(tree).encode(), content_type="application/json")
    assert rows.last() == {"m": 4.0}


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("", bytes)])
def test_packed_bodies_are_unpacked(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    otlp, rows, _ = receiver()
    body = pack(request("gauge", number(1.0)).SerializeToString())
    otlp.receive(body, content_type=PROTOBUF, content_encoding=encoding)
    assert rows.last() == {'m{job="s"}': 1.0}
    if encoding:
        with pytest.raises(DecodeError, match="cut short"):
            otlp.receive(body[:-3], content_type=PROTOBUF, content_encoding=encoding)


def test_a_bomb_is_refused() -> None:
    bomb = gzip.compress(bytes(65 << 20), compresslevel=1)
    with pytest.raises(DecodeError, match="64 MiB"):
        receiver()[0].receive(bomb, content_type=PROTOBUF, content_encoding="gzip")


@pytest.mark.parametrize("body", [b"null", b"[]", b"3", b'{"resourceMetrics": "x"}', b"[" * 50_000, b'{"a":' * 2_000])
def test_json_that_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(DecodeError):
        receiver()[0].receive(body, content_type="application/json")


@settings(max_examples=150)
@given(st.binary(max_size=200), st.sampled_from([PROTOBUF, "application/json", "text/html"]), st.data())
def test_bytes_are_read_or_refused(noise: bytes, content_type: str, data: st.DataObject) -> None:
    encoding = data.draw(st.sampled_from(["", "gzip", "deflate", "br"]))
    good = request("histogram", buckets([1, 2], [1.0], 3.0), attributes={"k": "v"}).SerializeToString()
    cut = data.draw(st.integers(0, len(good)))
    for body in (noise, good[:cut] + noise + good[cut + len(noise) :]):
        with suppress(DecodeError):
            receiver()[0].receive(body, content_type=content_type, content_encoding=encoding)


@contextmanager
def served(otlp: OtlpReceiver) -> Iterator[str]:
    """An address that takes pushes."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            result = otlp.receive(
                body,
                content_type=self.headers["Content-Type"],
                content_encoding=self.headers.get("Content-Encoding", ""),
            )
            self.send_response(200)
            self.send_header("Content-Type", result.content_type)
            self.send_header("Content-Length", str(len(result.response_body)))
            self.end_headers()
            self.wfile.write(result.response_body)

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/metrics"
        finally:
            server.shutdown()
            thread.join()


def test_the_official_sdk_is_understood() -> None:
    rows = KeptRows()
    view = View(
        instrument_type=Histogram, instrument_name="sketch", aggregation=ExponentialBucketHistogramAggregation()
    )
    with served(OtlpReceiver(rows, SystemClock())) as address:
        reader = PeriodicExportingMetricReader(OTLPMetricExporter(endpoint=address), math.inf)
        resource = Resource({"service.name": "shop", "service.instance.id": "1"})
        provider = MeterProvider([reader], resource=resource, views=[view], shutdown_on_exit=False)
        meter = provider.get_meter("tests")
        meter.create_counter("orders", unit="{order}").add(3, {"kind": "card"})
        meter.create_up_down_counter("open.carts").add(-2)
        meter.create_gauge("load", unit="1").set(0.5)
        meter.create_observable_gauge("heap", [_heap], unit="By")
        meter.create_histogram("wait", unit="s", explicit_bucket_boundaries_advisory=[0.1, 1.0]).record(0.5)
        for value in (0.001, 0.5, 40.0):
            meter.create_histogram("sketch").record(value)
        provider.force_flush()
        provider.shutdown()
    last = {text.replace('instance="1", job="shop"', "*"): value for text, value in rows.last().items()}
    assert (
        last.items()
        >= {
            'orders_total{*, kind="card"}': 3.0,
            "open_carts{*}": -2.0,
            "load_ratio{*}": 0.5,
            "heap_bytes{*}": 42.0,
            'wait_seconds_bucket{*, le="0.1"}': 0.0,
            'wait_seconds_bucket{*, le="1"}': 1.0,
            "wait_seconds_sum{*}": 0.5,
            "sketch_count{*}": 3.0,
            'sketch{__hist__="count", *}': 3.0,
            'sketch{__hist__="sum", *}': 40.501,
        }.items()
    )


def _heap(_: Any) -> list[Any]:
    from opentelemetry.metrics import Observation

    return [Observation(42)]


def test_attributes_of_every_type_read_as_text() -> None:
    made = request("gauge", number(1.0))
    point = made.resource_metrics[0].scope_metrics[0].metrics[0].gauge.data_points[0]
    set_attributes(point.attributes, {"text": "t"})
    values: dict[str, Callable[[Any], None]] = {
        "flag": lambda value: setattr(value, "bool_value", True),
        "whole": lambda value: setattr(value, "int_value", -3),
        "part": lambda value: setattr(value, "double_value", 0.5),
        "raw": lambda value: setattr(value, "bytes_value", b"\x00\xff"),
        "list": lambda value: setattr(value.array_value.values.add(), "string_value", 'a"b'),
    }
    for key, fill in values.items():
        pair = point.attributes.add()
        pair.key = key
        fill(pair.value)
    otlp, rows, _ = receiver()
    push(otlp, made)
    found = dict(next(labels for labels in rows.rows[-1][2].columns.labels if metric_name(labels) == "m"))
    assert found == {
        "__name__": "m", "job": "s", "text": "t", "flag": "true", "whole": "-3", "part": "0.5", "raw": "AP8=",
        "list": '["a\\"b"]',
    }  # fmt: skip


def test_a_new_counter_of_a_known_process_was_zero_before() -> None:
    def fill(point: Any) -> None:
        point.as_double = 4.0
        point.start_time_unix_nano = NOW_MS * 1_000_000

    otlp, rows, _ = receiver()
    push(otlp, request("gauge", number(1.0)), request("sum", fill, name="c", at_ms=NOW_MS + 1_000))
    born = [(time, dict(zip(row.columns.labels, row.values.tolist(), strict=True))) for _, time, row in rows.rows]
    series = (("__name__", "c_total"), ("job", "s"))
    assert [(time, values[series]) for time, values in born if series in values] == [
        (NOW_MS, 0.0),
        (NOW_MS + 1_000, 4.0),
    ]
    assert np.isfinite(rows.rows[-1][2].values).all()
