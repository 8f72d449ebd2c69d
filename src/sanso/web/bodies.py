"""Bodies of requests, bounded."""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import Receive

MOST_BYTES = 64 << 20


async def read_body(request: Request) -> bytes | None:
    """The body; None where it is too large."""
    return await received(request.receive)


async def received(receive: Receive) -> bytes | None:
    """The body of a request that nobody has read from; None where it is too large or the caller has gone."""
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > MOST_BYTES:
            return None
        parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts)
