"""The series of an HTTP server, the same for ASGI and WSGI."""

from __future__ import annotations

import time
from collections.abc import Callable

from sanso.sdk.registry import Registry
from sanso.sdk.tasks import outcome_of

UNMATCHED = "unmatched"
_METHODS = frozenset(("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"))
_TIMEOUT_STATUSES = (408, 504)
_CLIENT_LEFT = 499
_FAILED = 500


class RequestSeries:
    """Makes the series of requests as they come."""

    def __init__(self, registry: Registry, epoch: Callable[[], int]) -> None:
        self._registry = registry
        self.epoch = epoch

    def begin(self, method: str) -> Request:
        """A request has come in."""
        return Request(self, method if method in _METHODS else "_OTHER")

    def active(self, method: str, amount: int) -> None:
        """So many more requests are being answered."""
        self._registry.gauge("http_server_active_requests", {"http_request_method": method}).add(amount)

    def record(self, seconds: float, route: str, method: str, status: int) -> None:
        """A request was answered."""
        labels = {"http_route": route, "http_request_method": method, "http_response_status_code": status}
        self._registry.histogram("http_server_request_duration_seconds", labels).record(seconds)

    def timed_out(self, route: str, count: int) -> None:
        """Count a time-out; with 0 just make the series, so that the first one is seen as a rise."""
        self._registry.counter("http_server_timeouts_total", {"http_route": route}).add(count)


class Request:
    """One request from its arrival to the end of its body; ends once, however often it is told."""

    def __init__(self, series: RequestSeries, method: str) -> None:
        self._series = series
        self._method = method
        self._epoch = series.epoch()
        self._started = time.perf_counter()
        self._ended = False
        self._complete_at: float | None = None
        self.status: int | None = None
        series.active(method, 1)

    def complete(self, route: str) -> None:
        """The whole answer is out. A 500 may stand for an exception that is still to come: it is recorded by `end`."""
        if self.status == _FAILED:
            self._complete_at = self._complete_at or time.perf_counter()
        else:
            self.end(route)

    def end(self, route: str, error: BaseException | None = None) -> None:
        """The application is done with the request, or an exception has ended it."""
        if self._ended or self._epoch != self._series.epoch():
            return
        self._ended = True
        self._series.active(self._method, -1)
        status = self._status(error)
        ended = self._complete_at or time.perf_counter()
        self._series.record(ended - self._started, route, self._method, status)
        late = isinstance(error, TimeoutError) or status in _TIMEOUT_STATUSES
        self._series.timed_out(route, int(late))

    def _status(self, error: BaseException | None) -> int:
        if error is None:
            return self.status or _FAILED
        if outcome_of(type(error)) == "cancelled" or type(error).__name__ == "ClientDisconnect":
            return _CLIENT_LEFT
        return _FAILED
