"""`[[scrape]]` of `sanso.toml`: Prometheus's fields, with short names for what is written most."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sanso.rules.places import Document
from sanso.runtime.scrape_jobs import JOB_KEYS, OTHER_DISCOVERIES, Defaults, read_job, simple_groups, url_fields
from sanso.runtime.table import Table
from sanso.sources.scrape.settings import ScrapeJob

_NAMES = {"job_name": "job", "scrape_interval": "interval", "scrape_timeout": "timeout"}
_INTERVAL_MS = 15_000
_KEYS = (JOB_KEYS - OTHER_DISCOVERIES) | {"url", "targets", "labels"}
_PLACES = ("url", "targets", "static_configs", "file_sd_configs", "http_sd_configs")


def read_scrapes(
    document: Document, tables: Sequence[Mapping[str, Any]], note: Callable[[str], None]
) -> tuple[ScrapeJob, ...]:
    """All jobs of the file.

    Args:
        document: The file.
        tables: Its `[[scrape]]`.
        note: Told what is known but not honoured.

    Raises:
        ConfigError: A field is wrong.
    """
    defaults = Defaults(ScrapeJob("", _INTERVAL_MS), note)
    jobs: dict[str, ScrapeJob] = {}
    for number, values in enumerate(tables):
        table = Table(document, f"scrape.{number}", values, _NAMES)
        table.only(_KEYS)
        job = _job(table, defaults)
        if job.name in jobs:  # one job in several places is well: each is a pool of its own
            job = replace(job, pool=f"{job.name} ({number + 1})")
        jobs[job.key] = job
    return tuple(jobs.values())


def _job(table: Table, defaults: Defaults) -> ScrapeJob:
    job = read_job(table, defaults)
    if not any(key in table for key in _PLACES):
        raise table.error("", f"something to scrape is expected: one of {', '.join(_PLACES)}")
    if "url" not in table:
        return replace(job, static=(*simple_groups(table), *job.static))
    for key in (*_PLACES[1:], "scheme", "metrics_path"):
        if key in table:
            raise table.error(key, f'"url" says it already: without it, "targets" goes with "{key}"')
    return url_fields(table, job)
