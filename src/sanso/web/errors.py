"""From errors to HTTP statuses, in Prometheus's envelope: the one place."""

from __future__ import annotations

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from sanso.model.errors import DecodeError, QueryError, SansoError, StoreError

_STATUSES = {"bad_data": 400, "execution": 422, "timeout": 503, "canceled": 499}
"""499 is what Prometheus answers to a caller that no longer listens."""


def failure(kind: str, text: str, status: int) -> Response:
    """`{"status": "error", …}`."""
    body = orjson.dumps({"status": "error", "errorType": kind, "error": text.encode(errors="replace").decode()})
    return Response(body, status, media_type="application/json")


def failed(error: SansoError) -> Response:
    """What a question that cannot be answered is answered."""
    if isinstance(error, QueryError):
        return failure(error.kind, str(error), _STATUSES[error.kind])
    if isinstance(error, DecodeError):
        return failure("bad_data", str(error), 400)
    return failure("internal" if isinstance(error, StoreError) else "execution", str(error), 500)


async def sanso_failed(_: Request, error: Exception) -> Response:
    """As `failed`, for Starlette."""
    assert isinstance(error, SansoError)
    return failed(error)


async def http_failed(request: Request, error: Exception) -> Response:
    """No such page, or not with this method."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return failure("not_found", f"{request.url.path} is not here", 404)
    found = failure("bad_data", f"{request.method} {request.url.path}: {error.detail}", error.status_code)
    found.headers.update(error.headers or {})
    return found
