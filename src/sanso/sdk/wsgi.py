"""Measures a WSGI application's requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, TypeAlias

from sanso.sdk.http_requests import UNMATCHED, Request, RequestSeries

Environ: TypeAlias = dict[str, Any]
StartResponse: TypeAlias = Callable[..., Any]
WsgiApp: TypeAlias = Callable[[Environ, StartResponse], Iterable[bytes]]
RouteOf: TypeAlias = Callable[[Any], str | None]


class WsgiMiddleware:
    """Wraps an application; a request ends when the server has closed its body.

    The route is `environ["sanso.route"]` where the application sets it, or what Flask and Pyramid leave in the
    environment.

    Args:
        app: The application.
        series: Where requests are recorded.
        route: Names a request's route from its environment, when the answer is complete.
    """

    def __init__(self, app: WsgiApp, series: RequestSeries, route: RouteOf | None = None) -> None:
        self.app = app
        self._series = series
        self._route_of = route

    def __getattr__(self, name: str) -> Any:
        """What the application has besides being called, so that it may stand in its place."""
        if name == "app":
            raise AttributeError(name)
        return getattr(self.app, name)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = self._series.begin(str(environ.get("REQUEST_METHOD", "")))

        def measured_start(status: str, *rest: Any) -> Any:
            code = status[:3]
            request.status = int(code) if code.isdigit() else None
            return start_response(status, *rest)

        try:
            body = self.app(environ, measured_start)
        except BaseException as error:
            request.end(self._route(environ), error)
            raise
        return _Body(body, request, lambda: self._route(environ))

    def _route(self, environ: Environ) -> str:
        if self._route_of is not None:
            # The application's own function: whatever it raises must not become the request's failure.
            with suppress(Exception):
                return self._route_of(environ) or UNMATCHED
            return UNMATCHED
        for key in ("sanso.route", "werkzeug.route"):
            if environ.get(key):
                return str(environ[key])
        rule = getattr(environ.get("werkzeug.request"), "url_rule", None)
        pattern = getattr(environ.get("bfg.routes.route"), "pattern", None)
        return str(getattr(rule, "rule", None) or pattern or UNMATCHED)


class _Body:
    """The body on its way to the server."""

    def __init__(self, body: Iterable[bytes], request: Request, route: Callable[[], str]) -> None:
        self._body = body
        self._chunks: Iterator[bytes] | None = None
        self._request = request
        self._route = route

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            if self._chunks is None:
                self._chunks = iter(self._body)
            return next(self._chunks)
        except StopIteration:
            raise
        except BaseException as error:
            self._request.end(self._route(), error)
            raise

    def close(self) -> None:
        """The server is done with the body, or the client has left."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._request.end(self._route())
