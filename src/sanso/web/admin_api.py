"""What only an operator may ask: `admin/tsdb/*`, where the server was started with `--admin`."""

from __future__ import annotations

from starlette.responses import Response

from sanso.model.errors import QueryError
from sanso.web.answers import success
from sanso.web.door import Asked
from sanso.web.errors import failure
from sanso.web.selectors import matchers_of
from sanso.web.services import Services


def delete_series(services: Services, asked: Asked) -> Response:
    """Delete what the selectors name, between two times."""
    if services.admin is None:
        return _disabled()
    texts = asked.given.strict().every("match[]")
    if not texts:
        raise QueryError("no match[] parameter provided")
    start, end = asked.given.time_ms("start", -(1 << 62)), asked.given.time_ms("end", 1 << 62)
    for matchers in [matchers_of(text) for text in texts]:
        services.admin.delete(matchers, start, end)
    return Response(status_code=204)


def clean_tombstones(services: Services, _: Asked) -> Response:
    """Give back the bytes of what is deleted."""
    if services.admin is None:
        return _disabled()
    services.admin.clean()
    return Response(status_code=204)


def snapshot(services: Services, _: Asked) -> Response:
    """Copy the store while it runs."""
    if services.admin is None:
        return _disabled()
    return success({"name": services.admin.snapshot()})


def _disabled() -> Response:
    return failure("unavailable", "admin APIs disabled", 500)
