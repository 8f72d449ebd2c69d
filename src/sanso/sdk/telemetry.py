"""What an application measures itself with."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from types import TracebackType

from sanso.exposition.formats import OPENMETRICS, TEXT, negotiate
from sanso.sdk.asgi import AsgiApp, AsgiMiddleware
from sanso.sdk.asgi import RouteOf as AsgiRouteOf
from sanso.sdk.buckets import Buckets
from sanso.sdk.http_requests import RequestSeries
from sanso.sdk.inference import Inference, ModelSeries
from sanso.sdk.instruments import Counter, Gauge, Histogram
from sanso.sdk.organisation import Organisation
from sanso.sdk.page import render
from sanso.sdk.pump import TIMEOUT_S, Pump
from sanso.sdk.push import Pusher, destination
from sanso.sdk.registry import Registry
from sanso.sdk.scraped import MetricsAsgi, MetricsWsgi
from sanso.sdk.tasks import Task, TaskSeries
from sanso.sdk.worker import Worker
from sanso.sdk.wsgi import RouteOf as WsgiRouteOf
from sanso.sdk.wsgi import WsgiApp, WsgiMiddleware

_SERIES_A_WORKER = 20


class Telemetry:
    """Measures a process and pushes once an interval, over OTLP/HTTP, to the Sanso of this machine, or is scraped.

    Recording never waits, never raises and never prints; a server that is away costs only what it did not hear, and
    what cannot be kept is counted in `sanso_sdk_dropped_total` and `sanso_sdk_overflow_total`. Make one a process,
    before or after it forks: every child counts for itself, under a name of its own.

    Args:
        service: The name under which it is seen (`job`).
        endpoint: Where to push; None for `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT`, `OTEL_EXPORTER_OTLP_ENDPOINT`, or
            `http://127.0.0.1:4318`.
        interval: Seconds between pushes.
        instance: The name of this process (`instance`); None for its number and a random part.
        max_series: How many series there may be; one name may have a tenth of them. More go together into one series
            with the label `otel_metric_overflow="true"`.
        labels: Labels that every series carries.
        push: False for an application that is scraped only: nothing is sent, `exposition` tells what there is.
        bounds: Bucket bounds by histogram name, for the page that is scraped; None to choose them by the name's ending.

    Raises:
        ValueError: The endpoint is no http address, the interval not positive, or bounds do not rise.
    """

    def __init__(  # noqa: PLR0913 - settings, by keyword, each with its default
        self,
        service: str,
        endpoint: str | None = None,
        *,
        interval: float = 1.0,
        instance: str | None = None,
        max_series: int = 2000,
        labels: Mapping[str, str] | None = None,
        push: bool = True,
        bounds: Mapping[str, Sequence[float]] | None = None,
    ) -> None:
        if not interval > 0:
            raise ValueError(f"interval {interval!r} is not positive: give the seconds between two pushes")
        pusher = Pusher(destination(endpoint, os.environ)) if push else None
        self._buckets = Buckets(bounds)
        self._registry = Registry(time.time_ns, labels, max_series)
        most_workers = max(1, max_series // _SERIES_A_WORKER)
        self._organisation = Organisation(time.time, labels, most_workers, self._registry.refuse)
        self._requests = RequestSeries(self._registry, self._epoch)
        self._tasks: dict[str, TaskSeries] = {}
        self._models: dict[tuple[str, str, str], ModelSeries] = {}
        self._pump = Pump(service, instance, [self._registry, self._organisation], pusher, interval)

    def counter(self, name: str, /, **labels: object) -> Counter:
        """The counter of that name and labels: `.add(n)`; made once, and the same one ever after.

        Raises:
            ValueError: A name that Prometheus would not take, or one that is in use for another kind.
        """
        return self._registry.counter(name, labels)

    def gauge(self, name: str, /, **labels: object) -> Gauge:
        """The gauge of that name and labels: `.set(value)`, `.add(amount)`. Raises as `counter`."""
        return self._registry.gauge(name, labels)

    def histogram(self, name: str, /, **labels: object) -> Histogram:
        """The histogram of that name and labels: keep its `.record`, one C call a value. Raises as `counter`."""
        return self._registry.histogram(name, labels)

    def task(self, name: str) -> Task:
        """Measures a block or, as a decorator, every call of a function, sync or async."""
        series = self._tasks.get(name)
        if series is None:
            series = TaskSeries(self._registry, name)
            if len(self._tasks) < self._registry.limit_a_name:
                self._tasks[name] = series
        return Task(series, self._epoch)

    def worker(self, name: str, *, role: str = "", icon: str = "", reports_to: str = "") -> Worker:
        """The worker of that name; from now on its heartbeat is told with every push."""
        return self._organisation.worker(name, {"role": role, "icon": icon, "reports_to": reports_to})

    def inference(
        self,
        *,
        model: str,
        provider: str,
        context_window: int | None = None,
        batch_limit: int | None = None,
        operation: str = "chat",
    ) -> Inference:
        """Measures one call of a model, as `with` or `async with`.

        Args:
            model: As it is asked for.
            provider: Who serves it ("openai", "vllm", "local").
            context_window: Tokens that fit; context use is known only with it.
            batch_limit: Calls that are computed together at most; batch fill is known only with it.
            operation: OpenTelemetry's `gen_ai.operation.name`.
        """
        key = (model, provider, operation)
        series = self._models.get(key)
        if series is None:
            series = ModelSeries(self._registry, *key)
            if len(self._models) < self._registry.limit_a_name:
                self._models[key] = series
        return Inference(series, context_window, batch_limit, self._epoch)

    def evaluation(self, model: str, *, score: float, evaluation: str = "score") -> None:
        """Record how good an answer of a model was."""
        labels = {"gen_ai_request_model": model, "evaluation": evaluation}
        self._registry.histogram("sanso_evaluation_score", labels).record(score)

    def asgi(self, app: AsgiApp, route: AsgiRouteOf | None = None) -> AsgiMiddleware:
        """The ASGI application, measured; `route(scope)` names routes where the framework is not Starlette."""
        return AsgiMiddleware(app, self._requests, route)

    def wsgi(self, app: WsgiApp, route: WsgiRouteOf | None = None) -> WsgiMiddleware:
        """The WSGI application, measured; `route(environ)` names routes where the application does not."""
        return WsgiMiddleware(app, self._requests, route)

    def exposition(self, accept: str = "") -> tuple[str, bytes]:
        """Everything recorded so far as a page for scrapers.

        Histograms have classic buckets whose counts are right to 1.1 % of each bound; in protobuf they are native
        histograms too, without loss.

        Args:
            accept: The Accept header: OpenMetrics 1.0 or Prometheus's protobuf where one is liked best, else
                Prometheus's text 0.0.4.

        Returns:
            The content type and the page.
        """
        wanted = negotiate(accept, protobuf=True)
        if wanted.protobuf:
            from sanso.sdk.page_protobuf import render_messages  # most applications are asked for text

            return wanted.content_type, self._pump.told(lambda told: render_messages(told, self._buckets))
        wanted = OPENMETRICS if wanted.openmetrics else TEXT
        text = self._pump.told(lambda told: render(told, self._buckets, openmetrics=wanted.openmetrics))
        return wanted.content_type, text.encode(errors="replace")

    def metrics_asgi(self) -> MetricsAsgi:
        """An ASGI application that answers scrapers, to be mounted at `/metrics`."""
        return MetricsAsgi(self.exposition)

    def metrics_wsgi(self) -> MetricsWsgi:
        """A WSGI application that answers scrapers, to be mounted at `/metrics`."""
        return MetricsWsgi(self.exposition)

    def flush(self, timeout: float = TIMEOUT_S) -> bool:
        """Push what was recorded so far (if it pushes); whether the server has it. Waits at most `timeout` seconds."""
        return self._pump.flush(timeout)

    def close(self, timeout: float = TIMEOUT_S) -> bool:
        """Say goodbye for all workers, push a last time and end; nothing should be recorded after it."""
        self._organisation.close()
        return self._pump.stop(timeout)

    def __enter__(self) -> Telemetry:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _epoch(self) -> int:
        return self._registry.epoch
