"""Prometheus's remote write: POST /api/v1/write, versions 1.0 and 2.0."""

from __future__ import annotations

from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from sanso.model.errors import DecodeError
from sanso.web.bodies import MOST_BYTES
from sanso.web.services import ReceiveRemoteWrite, WriteResult
from sanso.web.write_turns import WriteTurns

PATH = "/api/v1/write"
MOST_WAITING_BYTES = 64 << 20
"""Of bodies that are being received or wait for their turn; who sends more is asked to come again."""
_V1, _V2 = "prometheus.WriteRequest", "io.prometheus.write.v2.Request"
_AGAIN = {"Retry-After": "1"}
_LATER = {"Retry-After": "5"}


class WriteDoor:
    """Takes write requests: an ASGI application.

    Args:
        receive_all: Takes several, in a thread of its own.
        most_bytes: How much may wait.
    """

    def __init__(self, receive_all: ReceiveRemoteWrite, most_bytes: int = MOST_WAITING_BYTES) -> None:
        self._turns = WriteTurns(receive_all)
        self._most_bytes = most_bytes
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        response = await self._answered(scope, receive)
        await response(scope, receive, send)

    async def _answered(self, scope: Scope, receive: Receive) -> Response:
        if scope["method"] != "POST":
            return _said("POST a remote-write request", 405, {"Allow": "POST"})
        message, problem = _negotiated(dict(scope["headers"]))
        if problem:
            return _said(problem, 415)
        held = 0
        try:
            parts = []
            while True:
                event = await receive()
                if event["type"] != "http.request":
                    return _said("the sender has gone", 400)
                part = event.get("body", b"")
                held += len(part)
                self._bytes += len(part)
                if held > MOST_BYTES:
                    return _said(f"the body is larger than {MOST_BYTES >> 20} MiB: send fewer samples a request", 413)
                if self._bytes > self._most_bytes:
                    return _said("too much is waiting to be written: try again", 429, _AGAIN)
                parts.append(part)
                if not event.get("more_body"):
                    break
            return _response(await self._turns.submit(b"".join(parts), message), message)
        finally:
            self._bytes -= held


def _negotiated(headers: dict[bytes, bytes]) -> tuple[str, str]:
    """The message that the headers name, and what is wrong with them; without headers, version 1.0 in snappy."""
    message = _message(headers.get(b"content-type", b"").decode("latin-1") or "application/x-protobuf")
    encoding = headers.get(b"content-encoding", b"").decode("latin-1").strip().lower() or "snappy"
    if not message:
        return "", "send application/x-protobuf (remote write 1.0 or 2.0)"
    if encoding != "snappy":
        return "", f"content encoding {encoding!r} is not known: send snappy"
    return message, ""


def _response(found: WriteResult | DecodeError, message: str) -> Response:
    if isinstance(found, DecodeError):
        return _said(str(found), 400, _counts(0, 0, 0) if message == _V2 else None)
    headers = _counts(found.samples, found.histograms, found.exemplars)
    if not found.durable:
        return _said("history cannot be written at the moment: try again", 503, {**headers, **_LATER})
    if found.problem:
        return _said(found.problem, 400, headers)
    return Response(status_code=204, headers=headers)


def _counts(samples: int, histograms: int, exemplars: int) -> dict[str, str]:
    return {
        "X-Prometheus-Remote-Write-Samples-Written": str(samples),
        "X-Prometheus-Remote-Write-Histograms-Written": str(histograms),
        "X-Prometheus-Remote-Write-Exemplars-Written": str(exemplars),
    }


def _message(content_type: str) -> str:
    """The message that a content type names; empty where it is none of ours."""
    kind, *parameters = (part.strip() for part in content_type.split(";"))
    if kind.lower() != "application/x-protobuf":
        return ""
    named = [value.strip('"') for key, _, value in (part.partition("=") for part in parameters) if key == "proto"]
    message = named[0] if named else _V1
    return message if message in (_V1, _V2) else ""


def _said(text: str, status: int, headers: dict[str, str] | None = None) -> Response:
    return PlainTextResponse(text + "\n", status, headers)
