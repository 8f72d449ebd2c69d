"""Scrape targets in Prometheus's JSON (`targets`, `targets/metadata`, `scrape_pools`), and reloading them."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse, Response

from sanso.model.durations import format_duration_ms
from sanso.model.errors import QueryError
from sanso.sources.scrape.cycle import TargetReading
from sanso.sources.scrape.scraper import JobReading
from sanso.web.answers import success
from sanso.web.door import Asked
from sanso.web.errors import failure
from sanso.web.parameters import Parameters
from sanso.web.selectors import matchers_of
from sanso.web.services import Services

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_NEVER = "0001-01-01T00:00:00Z"


def targets(services: Services, asked: Asked) -> Response:
    """Targets, active and dropped."""
    return success(targets_json(services.jobs(), asked.given.text("state", "any"), asked.given.text("scrapePool")))


def metadata(services: Services, asked: Asked) -> Response:
    """What targets say of their metrics."""
    found = metadata_json(services.jobs(), asked.given)
    return success(found) if found else failure("not_found", "specified metadata not found", 404)


def scrape_pools(services: Services, _: Asked) -> Response:
    """Names of the jobs."""
    return success({"scrapePools": sorted(job.name for job in services.jobs())})


def reload(services: Services, _: Asked) -> Response:
    """Read the configuration again."""
    problem = services.reload()
    return PlainTextResponse(f"failed to reload config: {problem}\n" if problem else "", 500 if problem else 200)


def targets_json(jobs: Sequence[JobReading], state: str, pool: str = "") -> dict[str, Any]:
    """The answer of `targets`.

    Args:
        jobs: How each does.
        state: `active`, `dropped` or `any`.
        pool: Only of this one; empty for all.
    """
    wanted = [job for job in sorted(jobs, key=lambda job: job.name) if not pool or job.name == pool]
    active, dropped = state.lower() in ("active", "any", ""), state.lower() in ("dropped", "any", "")
    name = socket.gethostname()
    return {
        "activeTargets": [_active(job.name, reading, name) for job in wanted for reading in job.active if active],
        "droppedTargets": [
            {"discoveredLabels": dict(labels), "scrapePool": job.name}
            for job in wanted
            for labels in job.dropped
            if dropped
        ],
        "droppedTargetCounts": {job.name: job.dropped_count for job in wanted} if dropped else {},
    }


def metadata_json(jobs: Sequence[JobReading], given: Parameters) -> list[dict[str, Any]]:
    """The answer of `targets/metadata`.

    Raises:
        QueryError: A parameter is wrong.
    """
    selector, metric = given.text("match_target"), given.text("metric")
    try:
        matchers = matchers_of(selector) if selector else ()
    except QueryError as error:
        raise QueryError(f'invalid parameter "match_target": {error}') from error
    found = []
    for reading in (reading for job in jobs for reading in job.active):
        labels = reading.target.labels
        if not all(matcher.accepts(labels) for matcher in matchers):
            continue
        for family in reading.families:
            if metric in ("", family.name):
                said = {"type": family.type, "help": family.help, "unit": family.unit}
                named = {} if metric else {"metric": family.name}
                found.append({"target": dict(labels), **named, **said})
    return found[: given.limit()] if given.limit() else found


def _active(pool: str, reading: TargetReading, name: str) -> dict[str, Any]:
    target = reading.target
    return {
        "discoveredLabels": dict(target.discovered),
        "labels": dict(target.labels),
        "scrapePool": pool,
        "scrapeUrl": target.url,
        "globalUrl": _global_url(target.url, name),
        "lastError": reading.error,
        "lastScrape": _moment(reading.last_scrape_ms),
        "lastScrapeDuration": reading.duration_s,
        "health": reading.health,
        "scrapeInterval": format_duration_ms(target.interval_ms),
        "scrapeTimeout": format_duration_ms(target.timeout_ms),
    }


def _global_url(url: str, name: str) -> str:
    """The address as another machine would ask it."""
    parts = urlsplit(url)
    if parts.hostname not in _LOCAL:
        return url
    port = parts.netloc.rpartition("]")[2].partition(":")[2]
    return parts._replace(netloc=f"{name}:{port}" if port else name).geturl()


def _moment(time_ms: int | None) -> str:
    if time_ms is None:
        return _NEVER
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
