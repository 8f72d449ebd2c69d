"""WSGI applications."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import WSGIWarning, validator

import pytest

from sanso.sdk.http_requests import RequestSeries
from sanso.sdk.registry import Registry
from sanso.sdk.sketch import Sketch
from sanso.sdk.wsgi import Environ, StartResponse, WsgiMiddleware


class Site:
    def __init__(self, app: Any, **options: Any) -> None:
        self.registry = Registry(lambda: 1)
        series = RequestSeries(self.registry, lambda: self.registry.epoch)
        self.app = WsgiMiddleware(app, series, **options)

    def get(self, method: str = "GET", **environ: Any) -> bytes:
        """Ask as a server does: wsgiref's validator checks that the middleware keeps to the protocol."""
        environ = {"QUERY_STRING": "", "SCRIPT_NAME": "", "PATH_INFO": "/", **environ}
        setup_testing_defaults(environ)
        environ["REQUEST_METHOD"] = method

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            return lambda data: None

        body: Any = validator(self.app)(environ, start)
        try:
            return b"".join(body)
        finally:
            body.close()

    def counts(self) -> dict[tuple[str, ...], int]:
        self.registry.fold()
        return {
            tuple(value for _, value in point.labels): point.value.count
            for metric in self.registry.metrics()
            for point in metric.points
            if isinstance(point.value, Sketch)
        }

    def value(self, name: str) -> float | Sketch:
        self.registry.fold()
        (point,) = [p for metric in self.registry.metrics() for p in metric.points if metric.name == name]
        return point.value


def answering(status: str = "200 OK", **left: Any) -> Any:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        environ.update(left)
        start_response(status, [("Content-Type", "text/plain")])
        return [b"x", b"y"]

    return app


class Rule:
    rule = "/users/<id>"
    pattern = "/people/{id}"
    url_rule: Any = None


class Asked:
    url_rule = Rule()


@pytest.mark.parametrize(
    ("left", "route"),
    [
        ({}, "unmatched"),
        ({"sanso.route": "/pay"}, "/pay"),
        ({"werkzeug.request": Asked()}, "/users/<id>"),
        ({"bfg.routes.route": Rule()}, "/people/{id}"),
    ],
)
def test_a_request_is_recorded_by_route(left: dict[str, Any], route: str) -> None:
    site = Site(answering(**left))
    assert site.get() == b"xy"
    assert site.counts() == {("GET", "200", route): 1}
    assert site.value("http_server_active_requests") == 0
    assert site.value("http_server_timeouts_total") == 0


def test_time_outs_and_unknown_methods_are_counted() -> None:
    site = Site(answering("504 Gateway Timeout"))
    with pytest.warns(WSGIWarning, match="Unknown REQUEST_METHOD"):
        site.get("BREW")
    assert site.counts() == {("_OTHER", "504", "unmatched"): 1}
    assert site.value("http_server_timeouts_total") == 1


@pytest.mark.parametrize("error", [ValueError, TimeoutError])
def test_an_exception_is_500_and_raised_again(error: type[Exception]) -> None:
    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        raise error

    site = Site(app)
    with pytest.raises(error):
        site.app({"REQUEST_METHOD": "GET"}, lambda *rest: None)
    assert site.counts() == {("GET", "500", "unmatched"): 1}
    assert site.value("http_server_timeouts_total") == int(error is TimeoutError)


def test_an_exception_in_the_body_is_500_once() -> None:
    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"x"
        raise ValueError

    site = Site(app)
    body: Any = site.app({"REQUEST_METHOD": "GET"}, lambda *rest: None)
    assert next(body) == b"x"
    assert site.value("http_server_active_requests") == 1
    with pytest.raises(ValueError):  # noqa: PT011 - the application's own
        next(body)
    body.close()
    assert site.counts() == {("GET", "500", "unmatched"): 1}
    assert site.value("http_server_active_requests") == 0


def test_a_client_that_leaves_ends_the_request() -> None:
    site = Site(answering())
    body: Any = site.app({"REQUEST_METHOD": "GET"}, lambda *rest: None)
    body.close()
    assert site.counts() == {("GET", "200", "unmatched"): 1}


def test_a_naming_function() -> None:
    site = Site(answering(), route=lambda environ: environ["PATH_INFO"].rstrip("0123456789"))
    site.get(PATH_INFO="/users/7")
    assert site.counts() == {("GET", "200", "/users/"): 1}
    failing = Site(answering(), route=lambda environ: environ["no such key"])
    assert failing.get() == b"xy"
    assert failing.counts() == {("GET", "200", "unmatched"): 1}


def test_the_wrapped_application_shows_through() -> None:
    app = answering()
    app.name = "mine"
    assert Site(app).app.name == "mine"
    with pytest.raises(AttributeError):
        _ = WsgiMiddleware.__new__(WsgiMiddleware).anything


def test_a_status_that_is_none_is_500() -> None:
    site = Site(answering())
    site.app = WsgiMiddleware(lambda environ, start: [b""] if start("ok") is None else [], site.app._series)
    body: Any = site.app({"REQUEST_METHOD": "GET"}, lambda *rest: None)
    body.close()
    assert site.counts() == {("GET", "500", "unmatched"): 1}
