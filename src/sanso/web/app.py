"""The applications: everything on the API's port, and OTLP alone on the second one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import resources
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from sanso.model.errors import SansoError
from sanso.web import prometheus_api, sanso_api
from sanso.web.bodies import MOST_BYTES, read_body
from sanso.web.cross_origin import CrossOrigin, SameSite
from sanso.web.door import Door
from sanso.web.errors import failure, http_failed, sanso_failed
from sanso.web.last_resort import LastResort, left_to_it
from sanso.web.remote_write import PATH, WriteDoor
from sanso.web.server import Application
from sanso.web.services import Services

_FAILURES: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
    SansoError: sanso_failed,
    404: http_failed,
    405: http_failed,
    Exception: left_to_it,
}


def create_app(services: Services) -> Application:
    """The page, Prometheus's API, Sanso's own, OTLP."""
    routes = [
        Route("/", _page),
        Route("/-/healthy", _text("Sanso is Healthy.\n")),
        Route("/-/ready", _text("Sanso is Ready.\n")),
        *_otlp_routes(services),
        *sanso_api.routes(services),
    ]
    rest = Starlette(routes=routes, exception_handlers=_FAILURES)
    door = Door(services, prometheus_api.ENDPOINTS, prometheus_api.LABEL_VALUES, rest)
    writes = WriteDoor(services.receive_remote_write, CrossOrigin(services.hosts, services.cors_origin))
    return Application(LastResort(door), {PATH.encode(): writes})


def create_otlp_app(services: Services) -> Application:
    """OTLP alone, for 127.0.0.1:4318."""
    application = Starlette(routes=_otlp_routes(services), exception_handlers=_FAILURES)
    return Application(LastResort(SameSite(application, CrossOrigin(services.hosts, services.cors_origin))))


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

    return [
        Route("/v1/metrics", metrics, methods=["POST"]),
        Route("/api/v1/otlp/v1/metrics", metrics, methods=["POST"]),  # where Prometheus has it
        Route("/v1/traces", _later("traces"), methods=["POST"]),
    ]


def _text(text: str) -> Callable[[Request], Awaitable[Response]]:
    async def handle(_: Request) -> Response:
        return PlainTextResponse(text)

    return handle


def _later(what: str) -> Callable[[Request], Awaitable[Response]]:
    async def handle(_: Request) -> Response:
        return failure("not_implemented", f"not supported yet: {what}", 501)

    return handle


async def _page(_: Request) -> Response:
    return HTMLResponse(resources.files(__package__).joinpath("page.html").read_text("utf-8"))
