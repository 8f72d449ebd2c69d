"""Prometheus's remote write: POST /api/v1/write, versions 1.0 and 2.0.

Requests are taken by one thread, all that wait at once, in one transaction: so a crowd of senders costs few commits,
and none of them keeps the event loop from answering.
"""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sanso.model.errors import DecodeError
from sanso.web.bodies import MOST_BYTES
from sanso.web.services import ReceiveRemoteWrite, Services, WriteResult

MOST_WAITING_BYTES = 64 << 20
"""Of bodies that are being received or wait for their turn; who sends more is asked to come again."""
_MOST_AT_ONCE = 64
_V1, _V2 = "prometheus.WriteRequest", "io.prometheus.write.v2.Request"
_AGAIN = {"Retry-After": "1"}
_LATER = {"Retry-After": "5"}


def routes(services: Services) -> list[Route]:
    """The route."""
    return [Route("/api/v1/write", WriteDoor(services.receive_remote_write), methods=["POST"])]


class _Waiting(NamedTuple):
    body: bytes
    message: str
    answer: asyncio.Future[WriteResult | DecodeError]


class WriteDoor:
    """Takes write requests of one event loop.

    Args:
        receive_all: Takes several, in a thread of its own.
        most_bytes: How much may wait.
    """

    def __init__(self, receive_all: ReceiveRemoteWrite, most_bytes: int = MOST_WAITING_BYTES) -> None:
        self._receive_all = receive_all
        self._most_bytes = most_bytes
        self._bytes = 0
        self._waiting: deque[_Waiting] = deque()
        self._executor: ThreadPoolExecutor | None = None
        self._turns: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI has it."""
        response = await self._answered(Headers(scope=scope), receive)
        await response(scope, receive, send)

    async def _answered(self, headers: Headers, receive: Receive) -> Response:
        message = _message(headers.get("content-type") or "application/x-protobuf")
        encoding = (headers.get("content-encoding") or "snappy").strip().lower()
        if not message:
            return _said("send application/x-protobuf (remote write 1.0 or 2.0)", 415)
        if encoding != "snappy":
            return _said(f"content encoding {encoding!r} is not known: send snappy", 415)
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
            return _response(await self._taken(b"".join(parts), message), message)
        finally:
            self._bytes -= held

    async def _taken(self, body: bytes, message: str) -> WriteResult | DecodeError:
        loop = asyncio.get_running_loop()
        waiting = _Waiting(body, message, loop.create_future())
        self._waiting.append(waiting)
        if self._turns is None or self._turns.done():
            self._turns = loop.create_task(self._take_turns(loop))
        return await waiting.answer

    async def _take_turns(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hand over what waits, until nothing does."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, "sanso-write")
        while self._waiting:
            turn = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MOST_AT_ONCE))]
            working = loop.run_in_executor(self._executor, self._receive_all, [(one.body, one.message) for one in turn])
            await asyncio.wait([working])
            error = working.exception()
            for place, one in enumerate(turn):
                if one.answer.done():  # whoever waited was cancelled
                    continue
                if error is not None:
                    one.answer.set_exception(error)
                else:
                    one.answer.set_result(working.result()[place])


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
