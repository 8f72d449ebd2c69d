"""The public face, against a receiver."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

import sanso.sdk
from sanso.sdk import Telemetry
from tests.peers import free_port
from tests.sdk.receiver import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as started:
        yield started


@pytest.fixture
def telemetry(receiver: Receiver) -> Iterator[Telemetry]:
    made = Telemetry(service="checkout", endpoint=receiver.url, interval=60)
    yield made
    made.close()


def test_public_names_are_complete_and_sorted() -> None:
    assert sanso.sdk.__all__ == sorted(sanso.sdk.__all__)
    for name in sanso.sdk.__all__:
        assert getattr(sanso.sdk, name).__doc__


def test_every_instrument_arrives(telemetry: Telemetry, receiver: Receiver) -> None:
    record = telemetry.histogram("http_server_request_duration_seconds", http_route="/pay").record
    record(0.012)
    telemetry.counter("orders_total", kind="card").add(1)
    telemetry.gauge("queue_depth").set(3)
    telemetry.gauge("untouched")
    telemetry.evaluation("m", score=0.93)
    with telemetry.task("summarise"):
        pass
    worker = telemetry.worker("ANALYST", role="analysis", icon="📋", reports_to="COORDINATOR")
    with worker.task("read the report"):
        worker.progress()
    with telemetry.inference(model="m", provider="local", context_window=100) as call:
        call.tokens(input=12, output=8)
    assert telemetry.flush()
    duration = receiver.one("http_server_request_duration_seconds", http_route="/pay")
    assert (duration.kind, duration.point.sum, duration.point.count) == ("exponential_histogram", 0.012, 1)
    orders = receiver.one("orders_total", kind="card")
    assert (orders.kind, orders.value) == ("sum", 1)
    assert receiver.value("queue_depth") == 3
    assert receiver.latest("untouched") == []
    assert receiver.one("sanso_evaluation_score", evaluation="score").point.sum == 0.93
    assert receiver.value("sanso_tasks_total", outcome="completed", task="summarise") == 1
    assert receiver.value("sanso_worker_claimed_state", worker="ANALYST", state="active") == 1
    assert receiver.value("gen_ai_client_inference_usage_output_tokens_total", gen_ai_request_model="m") == 8
    assert receiver.one("sanso_inference_context_usage_ratio").point.sum == 0.2
    assert receiver.value("sanso_sdk_overflow_total") == 0
    assert receiver.total("sanso_sdk_dropped_total") == 0


def test_totals_are_cumulative_and_times_rise(telemetry: Telemetry, receiver: Receiver) -> None:
    for _ in range(5):
        telemetry.counter("orders_total").add(2)
        assert telemetry.flush()
    assert receiver.value("orders_total") == 10
    metrics = [request.resource_metrics[0].scope_metrics[0].metrics[0] for request in receiver.requests]
    times = [metric.sum.data_points[0].time_unix_nano // 1_000_000 for metric in metrics]
    assert sorted(set(times)) == times


def test_it_pushes_by_itself(receiver: Receiver) -> None:
    telemetry = Telemetry(service="checkout", endpoint=receiver.url, interval=0.05, labels={"zone": "b"})
    telemetry.worker("A")
    telemetry.counter("orders_total").add(1)
    try:
        assert receiver.wait_for(lambda: len(receiver.requests) >= 3)
        assert receiver.value("orders_total", zone="b") == 1
        assert receiver.value("sanso_worker_info", zone="b") == 1
    finally:
        telemetry.close()
    arrived = len(receiver.requests)
    time.sleep(0.2)
    assert len(receiver.requests) == arrived


def test_close_says_goodbye_for_the_workers(receiver: Receiver) -> None:
    telemetry = Telemetry(service="checkout", endpoint=receiver.url, interval=60)
    telemetry.worker("A").progress()
    names = {thread.name for thread in threading.enumerate()}
    assert "sanso-sdk" in names
    assert telemetry.close()
    assert receiver.value("sanso_worker_claimed_state", state="closed") == 1
    assert receiver.value("sanso_worker_claimed_state", state="active") == 0


def test_what_is_made_too_often_is_limited_and_counted(receiver: Receiver) -> None:
    telemetry = Telemetry(service="checkout", endpoint=receiver.url, interval=60, max_series=40)
    for number in range(50):
        telemetry.counter("orders_total", user=number).add(1)
        with telemetry.task(f"t{number}"):
            pass
        with telemetry.inference(model=f"m{number}", provider="p"):
            pass
        telemetry.worker(f"W{number}")
    assert telemetry.close()
    assert receiver.value("orders_total", otel_metric_overflow="true") == 46
    assert receiver.total("orders_total") == 50
    assert receiver.value("sanso_sdk_overflow_total") > 46
    assert len(receiver.latest("sanso_worker_info")) == 2


def test_a_server_that_comes_back_hears_everything() -> None:
    port = free_port()
    telemetry = Telemetry(service="checkout", endpoint=f"http://127.0.0.1:{port}", interval=60)
    telemetry.counter("orders_total").add(1)
    assert not telemetry.flush(0.5)
    telemetry.counter("orders_total").add(1)
    with receiving(port=port) as receiver:
        assert telemetry.close()
        assert receiver.value("orders_total") == 2


@pytest.mark.parametrize("interval", [0, -1, float("nan")])
def test_an_interval_must_be_positive(interval: float) -> None:
    with pytest.raises(ValueError, match="give the seconds between two pushes"):
        Telemetry(service="x", interval=interval)


def test_a_measured_application(telemetry: Telemetry, receiver: Receiver) -> None:
    app = telemetry.wsgi(lambda environ, start: [b"x"] if start("200 OK", []) is None else [], lambda environ: "/x")
    body = app({"REQUEST_METHOD": "GET"}, lambda *rest: None)
    body.close()  # type: ignore[attr-defined]
    assert telemetry.asgi(lambda scope, receive, send: receive()).app is not None  # type: ignore[arg-type,return-value]
    assert telemetry.flush()
    assert receiver.value("http_server_request_duration_seconds", http_route="/x") == 1
