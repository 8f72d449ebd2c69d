"""From errors to HTTP statuses, in Prometheus's envelope: the one place."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sanso.model.errors import DecodeError, QueryError

_STATUSES = {"bad_data": 400, "execution": 422, "timeout": 503, "canceled": 503}


def failure(kind: str, text: str, status: int) -> Response:
    """`{"status": "error", …}`."""
    return JSONResponse({"status": "error", "errorType": kind, "error": text}, status)


async def query_failed(_: Request, error: Exception) -> Response:
    """A question that cannot be answered."""
    assert isinstance(error, QueryError)
    return failure(error.kind, str(error), _STATUSES[error.kind])


async def decode_failed(_: Request, error: Exception) -> Response:
    """Input that cannot be read."""
    assert isinstance(error, DecodeError)
    return failure("bad_data", str(error), 400)


async def not_found(request: Request, _: Exception) -> Response:
    """No such page."""
    return failure("not_found", f"{request.url.path} is not here", 404)
