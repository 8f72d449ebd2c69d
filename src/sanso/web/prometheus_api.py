"""Prometheus's HTTP API under /api/v1/."""

from __future__ import annotations

import platform
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sanso.model.errors import QueryError
from sanso.model.labels import NAME, Labels
from sanso.model.matchers import Matcher
from sanso.model.readings import AlertReading
from sanso.web.answers import answered, number, success
from sanso.web.errors import failure
from sanso.web.parameters import Parameters
from sanso.web.selectors import matchers_of
from sanso.web.services import Services

_Handler = Callable[[Services, Request, Parameters], Awaitable[Response]]
_LATER = {"read": "remote read", "query_exemplars": "exemplars"}


def routes(services: Services) -> list[Route]:
    """The routes, each over the services."""
    table: dict[str, _Handler] = {
        "query": _query,
        "query_range": _query_range,
        "series": _series,
        "labels": _labels,
        "label/{name}/values": _label_values,
        "metadata": _metadata,
        "rules": _rules,
        "alerts": _alerts,
        "targets": _targets,
        "status/buildinfo": _build_info,
        "status/runtimeinfo": _runtime_info,
        "status/tsdb": _store_info,
        "status/flags": _nothing_set,
        "status/config": _no_config,
    }
    made = [
        Route(f"/api/v1/{path}", _bound(services, handler), methods=["GET", "POST"]) for path, handler in table.items()
    ]
    return [*made, *(Route(f"/api/v1/{path}", _later(what), methods=["GET", "POST"]) for path, what in _LATER.items())]


def _bound(services: Services, handler: _Handler) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        return await handler(services, request, await Parameters.of(request))

    return handle


def _later(what: str) -> Callable[[Request], Awaitable[Response]]:
    async def handle(_: Request) -> Response:
        return failure("not_implemented", f"not supported yet: {what}", 501)

    return handle


async def _query(services: Services, _: Request, given: Parameters) -> Response:
    at = given.time_ms("time", services.clock.now_ms())
    return answered(await run_in_threadpool(services.engine.instant, _expr(given), at))


async def _query_range(services: Services, _: Request, given: Parameters) -> Response:
    start, end, step = given.time_ms("start"), given.time_ms("end"), given.duration_ms("step")
    return answered(await run_in_threadpool(services.engine.range, _expr(given), start, end, step))


async def _series(services: Services, _: Request, given: Parameters) -> Response:
    if not given.every("match[]"):
        raise QueryError("no match[] parameter provided")
    found = await run_in_threadpool(_found, services, given)
    return success(_limited([dict(labels) for labels in found], given))


async def _labels(services: Services, _: Request, given: Parameters) -> Response:
    found = await run_in_threadpool(_found, services, given)
    return success(_limited(sorted({key for labels in found for key, _ in labels}), given))


async def _label_values(services: Services, request: Request, given: Parameters) -> Response:
    name = request.path_params["name"]
    found = await run_in_threadpool(_found, services, given)
    return success(_limited(sorted({value for labels in found for key, value in labels if key == name}), given))


async def _metadata(services: Services, _: Request, given: Parameters) -> Response:
    wanted = given.text("metric")
    families = [f for f in services.reader.families().values() if not wanted or f.name == wanted]
    limited = families[: given.limit()] if given.limit() else families
    return success({f.name: [{"type": f.type, "help": f.help, "unit": f.unit}] for f in limited})


async def _rules(services: Services, _request: Request, _given: Parameters) -> Response:
    rules = services.rules()
    groups = [{"name": "sanso", "file": "", "interval": 1, "rules": rules}] if rules else []
    return success({"groups": groups})


async def _alerts(services: Services, _request: Request, _given: Parameters) -> Response:
    return success({"alerts": [_alert(reading) for reading in services.alerts()]})


async def _targets(_services: Services, _request: Request, _given: Parameters) -> Response:
    return success({"activeTargets": [], "droppedTargets": [], "droppedTargetCounts": {}})


async def _build_info(services: Services, _request: Request, _given: Parameters) -> Response:
    about = {"version": services.version, "application": "sanso", "goVersion": f"python{platform.python_version()}"}
    return success({"revision": "", "branch": "", "buildUser": "", "buildDate": "", **about})


async def _runtime_info(services: Services, _request: Request, _given: Parameters) -> Response:
    stats = services.stats()
    return success({"startTime": _moment(services.started_ms), "timeSeriesCount": stats["series"]})


async def _store_info(services: Services, _request: Request, _given: Parameters) -> Response:
    stats = services.stats()
    return success({"headStats": {"numSeries": stats["series"]}, "sanso": dict(stats)})


async def _nothing_set(_services: Services, _request: Request, _given: Parameters) -> Response:
    return success({})


async def _no_config(_services: Services, _request: Request, _given: Parameters) -> Response:
    return success({"yaml": ""})


def _expr(given: Parameters) -> str:
    text = given.text("query")
    if not text:
        raise QueryError('invalid parameter "query": unknown position: parse error: no expression found in input')
    return text


def _found(services: Services, given: Parameters) -> list[Labels]:
    start = given.time_ms("start", 0)
    end = given.time_ms("end", services.clock.now_ms())
    sets: list[tuple[Matcher, ...]] = [matchers_of(text) for text in given.every("match[]")]
    found: dict[Labels, None] = {}
    for matchers in sets or [(Matcher(NAME, "!=", ""),)]:
        found.update(dict.fromkeys(services.reader.series(matchers, start, end)))
    return sorted(found)


def _limited(items: Sequence[Any], given: Parameters) -> Sequence[Any]:
    return items[: given.limit()] if given.limit() else items


def _alert(reading: AlertReading) -> dict[str, Any]:
    labels = {"alertname": reading.name, "severity": reading.level.value, **dict(reading.labels)}
    return {
        "labels": labels,
        "annotations": {"summary": reading.message},
        "state": reading.state,
        "activeAt": _moment(reading.since_ms),
        "value": number(reading.value),
    }


def _moment(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat().replace("+00:00", "Z")
