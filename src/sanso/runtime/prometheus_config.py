"""A Prometheus configuration, taken as it is; what is not honoured yet is named."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sanso.model.labels import Labels, labels_of
from sanso.runtime.scrape_jobs import (
    HISTOGRAM_KEYS,
    JOB_KEYS,
    LIMIT_KEYS,
    QUIET_KEYS,
    Defaults,
    note_shared,
    read_job,
    read_shared,
    read_times,
)
from sanso.runtime.shown_config import shown
from sanso.runtime.table import Table
from sanso.runtime.yaml_document import read_yaml
from sanso.sources.scrape.settings import ScrapeJob, ScrapePlan

_NOT_YET = {
    "alerting": "alerts go to the handlers of an alert file, not to an Alertmanager",
    "remote_write": "samples are not sent on",
    "remote_read": "only what is stored here is read",
    "tracing": "no traces are sent",
    "otlp": "OTLP is taken in Prometheus's own spelling of names",
}
_QUIET = frozenset({"runtime"})
"""About Go's garbage collector."""
_GLOBAL_KEYS = (
    frozenset(
        {
            "scrape_interval", "scrape_timeout", "scrape_protocols", "evaluation_interval", "external_labels",
            "extra_scrape_metrics", "query_log_file", "scrape_failure_log_file", "rule_query_offset",
        }
    )
    | LIMIT_KEYS
    | HISTOGRAM_KEYS
    | QUIET_KEYS
)  # fmt: skip
_KEYS = {"global", "rule_files", "scrape_configs", "scrape_config_files", "storage", *_NOT_YET, *_QUIET}
_TIMES = ("scrape_interval", "scrape_timeout", "evaluation_interval")
_MINUTE_MS = 60_000


@dataclass(frozen=True)
class PrometheusConfig:
    """What a file asks for.

    Attributes:
        plan: Jobs.
        external_labels: By which this server is known outside.
        rule_files: Of alerting rules, absolute, globs resolved.
        late_ms: The out-of-order window; None where the file says nothing.
        notices: What is not honoured yet, one sentence each.
        text: The file as it may be shown: without secrets.
    """

    plan: ScrapePlan
    external_labels: Labels
    rule_files: tuple[Path, ...]
    late_ms: int | None
    notices: tuple[str, ...]
    text: str


def load_prometheus_config(path: Path) -> PrometheusConfig:
    """Read and check a `prometheus.yml`.

    Raises:
        ConfigError: With file, line, field and what was expected.
    """
    table = _root(path)
    table.only(_KEYS)
    notices = [f"{key} is not supported yet: {instead}" for key, instead in _NOT_YET.items() if key in table]
    inner = _without_zeroes(table.table("global") or Table(table.document, "global", {}))
    defaults = Defaults(_global(inner, notices), notices.append)
    jobs = _jobs(table, defaults)
    for other in _matching(table, "scrape_config_files"):
        extra = _root(other)
        extra.only({"scrape_configs"})
        jobs += _jobs(extra, defaults)
    _check_names(table, jobs)
    rules = tuple(_matching(table, "rule_files"))
    if rules and "evaluation_interval" in inner:
        notices.append("global.evaluation_interval is not honoured: rules are judged at every tick")
    return PrometheusConfig(
        plan=ScrapePlan(tuple(jobs)),
        external_labels=_external(inner),
        rule_files=rules,
        late_ms=_late_window(table, notices),
        notices=tuple(notices),
        text=shown(table.document.tree),
    )


def _root(path: Path) -> Table:
    document = read_yaml(path)
    if not isinstance(document.tree, dict | None):
        raise document.error("", "fields like global and scrape_configs are expected")
    return Table(document, "", document.tree or {})


def _without_zeroes(table: Table) -> Table:
    """The table without times of 0, which stand for none given."""
    zeroes = {key for key in _TIMES if key in table and table.duration_ms(key, 0, least=0) == 0}
    return Table(table.document, table.place, {key: each for key, each in table.values.items() if key not in zeroes})


def _global(table: Table, notices: list[str]) -> ScrapeJob:
    table.only(_GLOBAL_KEYS)
    interval, timeout = read_times(table, ScrapeJob("", _MINUTE_MS))
    table.duration_ms("evaluation_interval", _MINUTE_MS)
    notices += [f"global.{key} is not supported yet" for key in ("query_log_file", "rule_query_offset") if key in table]
    note_shared(table, "global.", notices.append)
    return read_shared(table, ScrapeJob("", interval, timeout))


def _jobs(table: Table, defaults: Defaults) -> list[ScrapeJob]:
    jobs = []
    for inner in map(_without_zeroes, table.tables("scrape_configs")):
        inner.only(JOB_KEYS)
        jobs.append(read_job(inner, defaults))
    return jobs


def _check_names(table: Table, jobs: Sequence[ScrapeJob]) -> None:
    names = [job.name for job in jobs]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise table.error(f"scrape_configs.{number}.job_name", f'a second job is called "{name}"')


def _external(table: Table) -> Labels:
    labels = table.strings("external_labels")
    if "" in labels:
        raise table.error("external_labels", "a label without a name")
    return labels_of(labels)


def _matching(table: Table, key: str) -> list[Path]:
    """Files of a list of names and globs; a name without a file is none, as in Prometheus."""
    found: dict[Path, None] = {}
    for name in table.texts(key):
        pattern = str(table.folder / Path(name).expanduser())
        found.update(dict.fromkeys(Path(path) for path in sorted(glob.glob(pattern))))
    return list(found)


def _late_window(table: Table, notices: list[str]) -> int | None:
    storage = table.table("storage")
    if storage is None:
        return None
    storage.only({"tsdb", "exemplars"})
    if "exemplars" in storage:
        notices.append("storage.exemplars is not supported yet: exemplars are not stored")
    inner = storage.table("tsdb")
    if inner is None:
        return None
    inner.only({"out_of_order_time_window", "retention"})
    if "retention" in inner:
        notices.append("storage.tsdb.retention is not honoured: use --retention and --retention-size")
    return inner.duration_ms("out_of_order_time_window", 0, least=0)
