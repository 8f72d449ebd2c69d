"""Bodies of requests, bounded."""

from __future__ import annotations

from starlette.requests import Request

MOST_BYTES = 64 << 20


async def read_body(request: Request) -> bytes | None:
    """The body; None where it is too large."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)
