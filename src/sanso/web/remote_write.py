"""Prometheus's remote write: POST /api/v1/write, versions 1.0 and 2.0."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sanso.model.errors import DecodeError
from sanso.web.bodies import read_body
from sanso.web.services import Services

_MOST_WAITING = 32
"""Requests at once; who sends more is asked to come again."""
_DEFAULT = "prometheus.WriteRequest"
_V2 = "io.prometheus.write.v2.Request"
_AGAIN = {"Retry-After": "1"}


def routes(services: Services) -> list[Route]:
    """The route."""
    waiting: set[object] = set()

    async def write(request: Request) -> Response:
        message = _message(request.headers.get("content-type", "application/x-protobuf"))
        encoding = request.headers.get("content-encoding", "snappy").strip().lower()
        if message not in (_DEFAULT, _V2):
            return _said("send application/x-protobuf with snappy (remote write 1.0 or 2.0)", 415)
        if encoding != "snappy":
            return _said(f"content encoding {encoding!r}: send snappy", 415)
        if len(waiting) >= _MOST_WAITING:
            return _said("too many writes at once: try again", 429, _AGAIN)
        token = object()
        waiting.add(token)
        try:
            body = await read_body(request)
            if body is None:
                return _said("the body is too large: send fewer samples a request", 413)
            return await run_in_threadpool(_written, services, body, message)
        finally:
            waiting.discard(token)

    return [Route("/api/v1/write", write, methods=["POST"])]


def _written(services: Services, body: bytes, message: str) -> Response:
    try:
        found = services.receive_remote_write(body, message=message)
    except DecodeError as error:
        return _said(str(error), 400)
    headers = {}
    if message == _V2:
        headers = {
            "X-Prometheus-Remote-Write-Samples-Written": str(found.samples),
            "X-Prometheus-Remote-Write-Histograms-Written": "0",
            "X-Prometheus-Remote-Write-Exemplars-Written": "0",
        }
    if not found.durable:
        return _said("history cannot be written at the moment: try again", 503, {**headers, **_AGAIN})
    if found.problem:
        return _said(found.problem, 400, headers)
    return Response(status_code=204, headers=headers)


def _message(content_type: str) -> str:
    """The message that a content type names; empty where it is none of ours."""
    kind, *parameters = (part.strip() for part in content_type.split(";"))
    if kind.lower() != "application/x-protobuf":
        return ""
    named = [value.strip('"') for key, _, value in (part.partition("=") for part in parameters) if key == "proto"]
    return named[0] if named else _DEFAULT


def _said(text: str, status: int, headers: dict[str, str] | None = None) -> Response:
    return PlainTextResponse(text + "\n", status, headers)
