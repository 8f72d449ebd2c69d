"""A server of the tests' own that decodes what the sdk pushes with OpenTelemetry's protobuf classes."""

from __future__ import annotations

import gzip
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest


@dataclass(frozen=True)
class Series:
    """One point as it arrived."""

    name: str
    kind: str
    labels: dict[str, str]
    resource: dict[str, Any]
    value: float
    point: Any


class Receiver:
    """Keeps every request; `latest` is the state that a server would hold: the last point of every series."""

    def __init__(self) -> None:
        self.requests: list[ExportMetricsServiceRequest] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.status = 200
        self.url = ""
        self._arrived = threading.Condition()

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        if headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        request = ExportMetricsServiceRequest()
        request.ParseFromString(body)
        with self._arrived:
            self.paths.append(path)
            self.headers.append(headers)
            self.requests.append(request)
            self._arrived.notify_all()

    def wait_for(self, condition: Callable[[], bool], timeout: float = 5.0) -> bool:
        """Until the condition holds, looked at whenever something arrives."""
        deadline = time.monotonic() + timeout
        with self._arrived:
            while not condition():
                if not self._arrived.wait(max(deadline - time.monotonic(), 0)):
                    return condition()
            return True

    def latest(self, name: str = "", **labels: str) -> list[Series]:
        """The last point of each series of that name and these labels."""
        state: dict[Any, Series] = {}
        for request in list(self.requests):
            for series in points(request):
                if (not name or series.name == name) and labels.items() <= series.labels.items():
                    instance = series.resource["service.instance.id"]
                    state[series.name, instance, tuple(sorted(series.labels.items()))] = series
        return list(state.values())

    def one(self, name: str, **labels: str) -> Series:
        found = self.latest(name, **labels)
        assert len(found) == 1, found
        return found[0]

    def value(self, name: str, **labels: str) -> float:
        return self.one(name, **labels).value

    def total(self, name: str, **labels: str) -> float:
        return sum(series.value for series in self.latest(name, **labels))


def points(request: ExportMetricsServiceRequest) -> Iterator[Series]:
    """Every point of a request; a histogram's value is its count."""
    for resource in request.resource_metrics:
        about = {
            item.key: getattr(item.value, str(item.value.WhichOneof("value"))) for item in resource.resource.attributes
        }
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                kind = str(metric.WhichOneof("data"))
                for point in getattr(metric, kind).data_points:
                    labels = {item.key: item.value.string_value for item in point.attributes}
                    value = float(point.count) if kind == "exponential_histogram" else point.as_double
                    yield Series(metric.name, kind, labels, about, value, point)


@contextmanager
def receiving(answer_after: float = 0.0, port: int = 0) -> Iterator[Receiver]:
    """A receiver on 127.0.0.1, on a free port where none is given."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:  # killed while it pushed
                self.close_connection = True
                return
            if answer_after:
                time.sleep(answer_after)
            if receiver.status == 200:
                receiver.take(self.path, dict(self.headers), body)
            self.send_response(receiver.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *args: Any) -> None:
            """A killed process resets its connection; anything else is a mistake in this file."""
            if not isinstance(sys.exception(), ConnectionError):
                super().handle_error(*args)

    server = Server(("127.0.0.1", port), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
