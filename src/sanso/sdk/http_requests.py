"""What both middlewares record of a request."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sanso.sdk.telemetry import Telemetry

UNMATCHED = "unmatched"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY"})
_TIMEOUTS = frozenset({408, 504})


class RequestRecorder:
    """Durations by route, method and status, and requests in flight."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def start(self, method: str) -> float:
        """A request came; when."""
        self._telemetry.gauge("http_server_active_requests", http_request_method=known(method)).add(1)
        return time.perf_counter()

    def end(self, started: float, method: str, route: str, status: int, *, timed_out: bool = False) -> None:
        """It was answered, or died."""
        self._telemetry.gauge("http_server_active_requests", http_request_method=known(method)).add(-1)
        self._telemetry.histogram(
            "http_server_request_duration_seconds",
            http_route=route,
            http_request_method=known(method),
            http_response_status_code=status,
        ).record(time.perf_counter() - started)
        if timed_out or status in _TIMEOUTS:
            self._telemetry.counter("http_server_timeouts_total", http_route=route).add(1)


def known(method: str) -> str:
    """A method of the standard; anything else is one value, for a scanner can invent any."""
    return method if method in _METHODS else "_OTHER"
