"""The ASGI applications: everything on the API's port, and OTLP alone on the second one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import resources
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sanso.exposition.render import CONTENT_TYPE, render_text
from sanso.model.errors import DecodeError, QueryError
from sanso.model.labels import metric_name
from sanso.web import prometheus_api, remote_write, sanso_api
from sanso.web.bodies import MOST_BYTES, read_body
from sanso.web.errors import decode_failed, failure, not_found, query_failed
from sanso.web.services import Services

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_OWN = '{__name__=~"sanso_(source|process)_.+"}'
_HOST = '{__name__=~"(node|container|DCGM)_.+"}'


def create_app(services: Services) -> ASGIApp:
    """The page, Prometheus's API, Sanso's own, OTLP."""
    routes = [
        Route("/", _page),
        Route("/-/healthy", _text("Sanso is Healthy.\n")),
        Route("/-/ready", _text("Sanso is Ready.\n")),
        Route("/metrics", _metrics(services)),
        Route("/federate", _later("federation")),
        *_otlp_routes(services),
        *remote_write.routes(services),
        *prometheus_api.routes(services),
        *sanso_api.routes(services),
    ]
    return _application(routes, services.hosts)


def create_otlp_app(services: Services) -> ASGIApp:
    """OTLP alone, for 127.0.0.1:4318."""
    return _application(_otlp_routes(services), services.hosts)


class SameSite:
    """Refuses what a foreign page would make a browser do: a Host that is not ours, a write from another origin."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = _LOOPBACK | hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        if scope["type"] == "http":
            request = Request(scope)
            server = (scope.get("server") or ("",))[0]
            host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
            if server in _LOOPBACK and host and host not in self._hosts:
                await failure("forbidden", f"host {host} is not served here", 403)(scope, receive, send)
                return
            origin = request.headers.get("origin")
            if request.method == "POST" and origin and urlsplit(origin).netloc != request.headers.get("host"):
                await failure("forbidden", f"writes from {origin} are refused", 403)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _application(routes: list[Route], hosts: frozenset[str]) -> ASGIApp:
    return Starlette(
        routes=routes,
        middleware=[Middleware(SameSite, hosts=hosts), Middleware(GZipMiddleware, minimum_size=2000, compresslevel=4)],
        exception_handlers={QueryError: query_failed, DecodeError: decode_failed, 404: not_found},
    )


def _otlp_routes(services: Services) -> list[Route]:
    async def metrics(request: Request) -> Response:
        body = await read_body(request)
        if body is None:
            return failure("bad_data", f"the body is larger than {MOST_BYTES >> 20} MiB", 413)
        kind = request.headers.get("content-type", "")
        if kind.partition(";")[0].strip() not in ("application/x-protobuf", "application/json"):
            return failure("bad_data", f"content type {kind!r}: send application/x-protobuf or application/json", 415)
        encoding = request.headers.get("content-encoding", "")

        def receive() -> Response:
            result = services.receive_otlp(body, content_type=kind, content_encoding=encoding)
            return Response(result.response_body, media_type=result.content_type)

        return await run_in_threadpool(receive)

    return [Route("/v1/metrics", metrics, methods=["POST"]), Route("/v1/traces", _later("traces"), methods=["POST"])]


def _text(text: str) -> Callable[[Request], Awaitable[Response]]:
    async def handle(_: Request) -> Response:
        return PlainTextResponse(text)

    return handle


def _later(what: str) -> Callable[[Request], Awaitable[Response]]:
    async def handle(_: Request) -> Response:
        return failure("not_implemented", f"not supported yet: {what}", 501)

    return handle


def _metrics(services: Services) -> Callable[[Request], Awaitable[Response]]:
    """What Sanso says of itself; with `?source=NAME` what it collects (`host`, or a metric name's beginning)."""

    async def handle(request: Request) -> Response:
        source = request.query_params.get("source", "")
        expr = {"": _OWN, "host": _HOST}.get(source, f'{{__name__=~"{source}.*"}}' if source.isidentifier() else _OWN)

        def rendered() -> str:
            samples = services.engine.instant(expr, services.clock.now_ms()).samples()
            families = services.reader.families()
            ordered = sorted(samples, key=lambda sample: (metric_name(sample[0]), sample[0]))
            return render_text(((labels, value, None) for labels, value in ordered), families)

        return Response(await run_in_threadpool(rendered), media_type=CONTENT_TYPE)

    return handle


async def _page(_: Request) -> Response:
    return HTMLResponse(resources.files(__package__).joinpath("page.html").read_text("utf-8"))
