"""Middleware of WSGI applications."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from sanso.sdk.http_requests import UNMATCHED, RequestRecorder

if TYPE_CHECKING:
    from sanso.sdk.telemetry import Telemetry


class WsgiMiddleware:
    """Measures requests until the server has taken the whole answer."""

    def __init__(self, app: Any, telemetry: Telemetry, route: Callable[[Any], str] | None) -> None:
        self._app = app
        self._recorder = RequestRecorder(telemetry)
        self._route = route or route_of

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        method = environ.get("REQUEST_METHOD", "")
        started = self._recorder.start(method)
        status = 500

        def noting(line: str, *rest: Any) -> Any:
            nonlocal status
            status = int(line.split(" ", 1)[0])
            return start_response(line, *rest)

        try:
            body = self._app(environ, noting)
        except BaseException as error:
            timed_out = isinstance(error, TimeoutError)
            self._recorder.end(started, method, self._route(environ), 500, timed_out=timed_out)
            raise
        return _Body(body, lambda: self._recorder.end(started, method, self._route(environ), status))


class _Body:
    """An answer's body that says when it was closed, once."""

    def __init__(self, body: Iterable[bytes], ended: Callable[[], None]) -> None:
        self._body = body
        self._ended: Callable[[], None] | None = ended

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            if self._ended is not None:
                ended, self._ended = self._ended, None
                ended()


def route_of(environ: dict[str, Any]) -> str:
    """The matched route's pattern where the framework leaves it; one value for all others."""
    request = environ.get("werkzeug.request")
    rule = getattr(request, "url_rule", None)
    if rule is not None:
        return str(rule.rule)
    return str(environ.get("sanso.route", UNMATCHED))
