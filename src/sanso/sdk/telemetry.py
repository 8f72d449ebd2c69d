"""`Telemetry`: one object an application makes once, and measures itself with."""

from __future__ import annotations

import atexit
import os
import socket
import time
import uuid
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from sanso.sdk import otlp_encoding as otlp
from sanso.sdk.inference import Inference
from sanso.sdk.instruments import Attributes, Counter, Gauge, Histogram
from sanso.sdk.push import Pusher
from sanso.sdk.registry import Registry
from sanso.sdk.tasks import Task
from sanso.sdk.worker import Worker

_DEFAULT_ENDPOINT = "http://127.0.0.1:4318"
_DRAW_UP_S = 1.0


class Telemetry:
    """Counters, gauges, histograms, tasks, workers and inferences of one process, pushed as OTLP once an interval.

    Never blocks, never raises into the application, survives forks (a child starts from nothing, under an instance id of
    its own), and sends the last values when the process ends.

    Args:
        service: The application's name: the label `job`.
        endpoint: Where to push; by default `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT` (whole) or
            `OTEL_EXPORTER_OTLP_ENDPOINT` (base), else the Sanso on this machine.
        interval: Seconds between two pushes.
        most_series: Label sets of one metric; more become one series with `otel_metric_overflow="true"`.
        resource: Further resource attributes.
    """

    def __init__(
        self,
        service: str,
        endpoint: str | None = None,
        *,
        interval: float = 1.0,
        most_series: int = 1000,
        resource: dict[str, str] | None = None,
    ) -> None:
        self._service = service
        self._url = _metrics_url(endpoint)
        self._interval = interval
        self._most_series = most_series
        self._more = resource or {}
        self._closed = False
        self._begin()
        _register(self)

    def counter(self, name: str, **labels: object) -> Counter:
        """A counter; keep it and call `add`."""
        return self._registry.get(Counter, name, labels)

    def gauge(self, name: str, **labels: object) -> Gauge:
        """A gauge; keep it and call `set`."""
        return self._registry.get(Gauge, name, labels)

    def histogram(self, name: str, **labels: object) -> Histogram:
        """A histogram; keep its `record`, which is one C call."""
        return self._registry.get(Histogram, name, labels)

    def task(self, name: str) -> Task:
        """A task as context manager or decorator, for functions and coroutines."""
        return Task(self, name)

    def worker(self, name: str, *, role: str = "", icon: str = "", reports_to: str = "") -> Worker:
        """A worker of an AI organisation, alive from now on."""
        worker = Worker(self, name, role=role, icon=icon, reports_to=reports_to)
        self._workers.append(worker)
        return worker

    def inference(
        self,
        model: str,
        provider: str = "local",
        *,
        operation: str = "chat",
        context_window: int | None = None,
        batch_limit: int | None = None,
    ) -> Inference:
        """One call of a model, as context manager."""
        return Inference(
            self, model, provider, operation=operation, context_window=context_window, batch_limit=batch_limit
        )

    def evaluation(self, model: str, score: float, evaluation: str = "score") -> None:
        """One judgement of a model's answer; higher is better."""
        self.histogram("sanso_evaluation_score", gen_ai_request_model=model, evaluation=evaluation).record(score)

    def instruments(self) -> Iterator[tuple[str, Attributes, Any]]:
        """Every instrument with its name and labels."""
        return self._registry.items()

    def discard(self, name: str, labels: dict[str, str]) -> None:
        """Push a series no more."""
        self._registry.drop(name, labels)

    def asgi(self, app: Any, route: Callable[[Any], str] | None = None) -> Any:
        """An ASGI application that measures its requests."""
        from sanso.sdk.asgi import AsgiMiddleware

        return AsgiMiddleware(app, self, route)

    def wsgi(self, app: Any, route: Callable[[Any], str] | None = None) -> Any:
        """A WSGI application that measures its requests."""
        from sanso.sdk.wsgi import WsgiMiddleware

        return WsgiMiddleware(app, self, route)

    def flush(self, timeout: float = 2.0) -> bool:
        """Push now; whether a server took it."""
        return self._pusher.flush(timeout)

    def close(self) -> None:
        """Say goodbye for the workers, push the last values, stop."""
        if self._closed:
            return
        self._closed = True
        for worker in self._workers:
            worker.close()
        self._pusher.stop()
        self._pusher.flush(_DRAW_UP_S)

    def _begin(self) -> None:
        """From nothing: at the start, and in a forked child."""
        self._registry = Registry(self._most_series)
        self._workers: list[Worker] = []
        self._started_ns = time.time_ns()
        self._resource = self._resource_attributes()
        self._pusher = Pusher(self._url, self._collect, self._interval)
        self._pusher.start()

    def _after_fork(self) -> None:
        if self._closed:
            return
        parent = self._registry
        workers = self._workers
        self._begin()
        self._adopt(parent)
        for worker in workers:  # they live in the parent; the child may make its own
            worker.forget()

    def _adopt(self, parent: Registry) -> None:
        """Instruments that the application keeps stay connected, emptied of what the parent measured."""
        for name, attributes, instrument in parent.items():
            instrument.reset()
            self._registry.put(name, attributes, instrument)

    def _resource_attributes(self) -> Attributes:
        found = {
            "service.name": self._service,
            "service.instance.id": f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}",
            "process.pid": str(os.getpid()),
            "host.name": socket.gethostname(),
            "telemetry.sdk.name": "sanso",
            "telemetry.sdk.language": "python",
            **self._more,
        }
        return tuple(found.items())

    def _collect(self) -> bytes:
        for worker in self._workers:
            worker.beat(alone=len(self._workers) == 1)
        now, started = time.time_ns(), self._started_ns
        points: dict[tuple[str, str], list[bytes]] = {}
        dropped = 0
        for name, attributes, instrument in self._registry.items():
            if isinstance(instrument, Histogram):
                instrument.fold()
                dropped += instrument.dropped + instrument.sketch.strays
                point = otlp.histogram_point(attributes, started, now, instrument.sketch)
                points.setdefault(("histogram", name), []).append(point)
            elif instrument.value is not None:
                kind = "counter" if isinstance(instrument, Counter) else "gauge"
                point = otlp.number_point(attributes, started, now, float(instrument.value))
                points.setdefault((kind, name), []).append(point)
        own = {
            "sanso_sdk_dropped_total": dropped,
            "sanso_sdk_overflow_total": self._registry.overflowed,
            "sanso_sdk_push_failures_total": self._pusher.failures,
        }
        for name, value in own.items():
            points["counter", name] = [otlp.number_point((), started, now, float(value))]
        encoders = {"histogram": otlp.histogram, "counter": otlp.counter, "gauge": otlp.gauge}
        return otlp.request(self._resource, (encoders[kind](name, group) for (kind, name), group in points.items()))


def _metrics_url(endpoint: str | None) -> str:
    if endpoint is None:
        whole = os.environ.get("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")
        if whole:
            return whole
        endpoint = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or _DEFAULT_ENDPOINT
    base = endpoint.rstrip("/")
    return base if base.endswith("/v1/metrics") else f"{base}/v1/metrics"


def _register(telemetry: Telemetry) -> None:
    """Close at exit and begin anew after a fork, for as long as the telemetry lives."""
    reference = weakref.ref(telemetry)

    def close() -> None:
        found = reference()
        if found is not None:
            found.close()

    def after_fork() -> None:
        found = reference()
        if found is not None:
            found._after_fork()  # noqa: SLF001 - its own
            _close_with_multiprocessing(close)

    atexit.register(close)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=after_fork)


def _close_with_multiprocessing(close: Callable[[], None]) -> None:
    """A multiprocessing child ends without atexit, but runs its own finalizers."""
    import sys

    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.Finalize(None, close, exitpriority=10)
