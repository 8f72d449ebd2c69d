"""Sanso's own API under /api/sanso/, and the forms that its client reads."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from sanso.model.errors import QueryError
from sanso.model.readings import Overview, VitalReading
from sanso.vitals.catalog import load
from sanso.web.services import Services

_LONGEST_S = 30 * 86_400
_MOST_POINTS = 2000


def routes(services: Services) -> list[Route]:
    """The routes, each over the services."""

    def bound(handler: Callable[[Services, Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            return await handler(services, request)

        return handle

    table = {"vitals": _vitals, "workers": _workers, "overview": _overview, "histories": _histories, "stream": _stream}
    return [Route(f"/api/sanso/{path}", bound(handler)) for path, handler in table.items()]


def overview_json(overview: Overview) -> dict[str, Any]:
    """An overview as JSON holds it: enumerations by value, NaN as null."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [plain(item) for item in value]
        if isinstance(value, float) and not math.isfinite(value):
            return None
        return getattr(value, "value", value)

    found: dict[str, Any] = plain(asdict(overview))
    return found


def vital_json(reading: VitalReading) -> dict[str, Any]:
    """One reading: value, status, unit, layer; a percentile's bounds; its labels where it has some."""
    found: dict[str, Any] = {
        "value": _finite(reading.value),
        "status": reading.status.value,
        "unit": reading.unit,
        "layer": reading.layer,
    }
    if reading.low is not None and reading.high is not None:
        found |= {"low": _finite(reading.low), "high": _finite(reading.high)}
    return {**found, "labels": dict(reading.labels)} if reading.labels else found


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


async def _vitals(services: Services, _: Request) -> Response:
    overview = await run_in_threadpool(services.client.overview)
    by_label = {vital.name for vital in load() if vital.label}
    return JSONResponse(
        {
            name: [vital_json(reading) for reading in readings if reading.labels]
            if name in by_label
            else vital_json(readings[0])
            for name, readings in overview.vitals.items()
        }
    )


async def _workers(services: Services, _: Request) -> Response:
    return JSONResponse(overview_json(await run_in_threadpool(services.client.overview))["workers"])


async def _overview(services: Services, _: Request) -> Response:
    return JSONResponse(overview_json(await run_in_threadpool(services.client.overview)))


async def _histories(services: Services, request: Request) -> Response:
    names = [name for name in request.query_params.get("names", "").split(",") if name]
    try:
        seconds = min(float(request.query_params.get("seconds", "300")), _LONGEST_S)
        points = min(int(request.query_params.get("points", "60")), _MOST_POINTS)
    except ValueError as error:
        raise QueryError("seconds and points are numbers") from error
    if points < 1 or not seconds > 0:
        raise QueryError("seconds and points are more than 0")
    found = await run_in_threadpool(services.client.histories, names, seconds, points)
    return JSONResponse({name: [v if math.isfinite(v) else None for v in values] for name, values in found.items()})


async def _stream(services: Services, request: Request) -> Response:
    """Server-sent events: an overview every `interval` seconds (2)."""
    try:
        interval = max(float(request.query_params.get("interval", "2")), 0.5)
    except ValueError as error:
        raise QueryError("interval is a number of seconds") from error

    async def events() -> AsyncIterator[str]:
        while not await request.is_disconnected():
            overview = await run_in_threadpool(services.client.overview)
            yield f"data: {json.dumps(overview_json(overview), ensure_ascii=False)}\n\n"
            await asyncio.sleep(interval)

    return StreamingResponse(events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})
