"""A scrape job of a configuration: Prometheus's `scrape_configs` and our `[[scrape]]` share their fields."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from sanso.exposition.page import HistogramWish
from sanso.model.labels import Labels, labels_of
from sanso.model.native_histogram import COARSEST_SCHEMA, FINEST_SCHEMA
from sanso.runtime.http_settings import HTTP_KEYS, NOT_YET, read_http
from sanso.runtime.table import Table
from sanso.sources.scrape.relabel import RelabelRule
from sanso.sources.scrape.settings import (
    NATIVE_PROTOCOLS,
    TEXT,
    FileDiscovery,
    HttpDiscovery,
    ScrapeJob,
    ScrapeLimits,
    TargetGroup,
)
from sanso.sources.scrape.target import ADDRESS

LIMIT_KEYS = frozenset(
    {
        "body_size_limit", "sample_limit", "target_limit", "label_limit", "label_name_length_limit",
        "label_value_length_limit", "keep_dropped_targets",
    }
)  # fmt: skip
HISTOGRAM_KEYS = frozenset(
    {
        "scrape_native_histograms", "always_scrape_classic_histograms", "scrape_classic_histograms",
        "convert_classic_histograms_to_nhcb", "native_histogram_bucket_limit", "native_histogram_min_bucket_factor",
    }
)  # fmt: skip
QUIET_KEYS = frozenset({"metric_name_validation_scheme", "metric_name_escaping_scheme"})
"""Fields without an effect here, and without a loss: they are about names, that all pass."""
_OWN_KEYS = frozenset(
    {
        "job_name", "scrape_interval", "scrape_timeout", "scheme", "metrics_path", "params", "honor_labels",
        "honor_timestamps", "track_timestamps_staleness", "extra_scrape_metrics", "enable_compression",
        "scrape_protocols", "fallback_scrape_protocol", "scrape_failure_log_file", "static_configs", "file_sd_configs",
        "http_sd_configs", "relabel_configs", "metric_relabel_configs",
    }
)  # fmt: skip
OTHER_DISCOVERIES = frozenset(
    f"{kind}_sd_configs"
    for kind in (
        "aws", "azure", "consul", "digitalocean", "dns", "docker", "dockerswarm", "ec2", "ecs", "elasticache", "eureka",
        "gce", "hetzner", "ionos", "kubernetes", "kuma", "lightsail", "linode", "marathon", "msk", "nerve", "nomad",
        "openstack", "outscale", "ovhcloud", "puppetdb", "rds", "scaleway", "serverset", "stackit", "triton", "uyuni",
        "vultr",
    )
)  # fmt: skip
JOB_KEYS = _OWN_KEYS | LIMIT_KEYS | HTTP_KEYS | OTHER_DISCOVERIES | HISTOGRAM_KEYS | QUIET_KEYS
_RELABEL_KEYS = {"source_labels", "separator", "regex", "modulus", "target_label", "replacement", "action"}
_FILE_PATTERN = re.compile(r"[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)")


@dataclass(frozen=True)
class Defaults:
    """What a job takes from the global section.

    Attributes:
        job: Interval, timeout, limits, protocols.
        note: Told what is known but not honoured.
    """

    job: ScrapeJob
    note: Callable[[str], None]


def read_job(table: Table, defaults: Defaults) -> ScrapeJob:
    """A job.

    Raises:
        ConfigError: A field is wrong.
    """
    name = table.text("job_name")
    if not name:
        raise table.error("job_name", "a job's name is expected")
    _note_not_yet(table, name, defaults)
    interval, timeout = read_times(table, defaults.job)
    return replace(
        read_shared(table, defaults.job),
        name=name,
        interval_ms=interval,
        timeout_ms=timeout,
        scheme=_scheme(table),
        metrics_path=table.text("metrics_path", "/metrics"),
        params=_params(table),
        honor_labels=table.flag("honor_labels", default=False),
        honor_timestamps=table.flag("honor_timestamps", default=True),
        track_timestamps_staleness=table.flag("track_timestamps_staleness", default=False),
        compression=table.flag("enable_compression", default=True),
        fallback=_protocol(table, "fallback_scrape_protocol", table.text("fallback_scrape_protocol", TEXT)),
        http=read_http(table),
        static=_static(table),
        files=tuple(_files(inner) for inner in table.tables("file_sd_configs")),
        urls=tuple(_url(inner, name, defaults) for inner in table.tables("http_sd_configs")),
        relabel=_rules(table, "relabel_configs"),
        metric_relabel=_rules(table, "metric_relabel_configs"),
    )


def read_times(table: Table, defaults: ScrapeJob) -> tuple[int, int]:
    """Interval and timeout; the default timeout is cut to a shorter interval."""
    interval = table.duration_ms("scrape_interval", defaults.interval_ms)
    timeout = table.duration_ms("scrape_timeout", min(defaults.timeout_ms, interval))
    if timeout > interval:
        raise table.error("scrape_timeout", "the scrape timeout is longer than the scrape interval")
    return interval, timeout


def read_shared(table: Table, defaults: ScrapeJob) -> ScrapeJob:
    """The fields that stand in the global section too."""
    limits = defaults.limits
    return replace(
        defaults,
        protocols=_protocols(table, defaults.protocols),
        histograms=_histograms(table, defaults.histograms),
        extra_metrics=table.flag("extra_scrape_metrics", default=defaults.extra_metrics),
        limits=ScrapeLimits(
            body_bytes=table.size_bytes("body_size_limit", limits.body_bytes),
            samples=table.count("sample_limit", limits.samples),
            labels=table.count("label_limit", limits.labels),
            label_name_length=table.count("label_name_length_limit", limits.label_name_length),
            label_value_length=table.count("label_value_length_limit", limits.label_value_length),
            targets=table.count("target_limit", limits.targets),
            dropped_kept=table.count("keep_dropped_targets", limits.dropped_kept),
        ),
    )


def note_shared(table: Table, where: str, note: Callable[[str], None]) -> None:
    """Name what a global section or a job asks for and does not get."""
    if "scrape_failure_log_file" in table:
        note(f"{where}scrape_failure_log_file is not supported yet: /api/v1/targets says what fails")


def simple_groups(table: Table) -> tuple[TargetGroup, ...]:
    """`targets` and `labels` of a table as groups."""
    labels = labels_of(table.strings("labels"))
    targets: list[Labels] = []
    for address in table.texts("targets"):
        if not address or "/" in address:
            raise table.error("targets", f"host:port is expected, not {address!r}")
        targets.append(((ADDRESS, address),))
    return (TargetGroup(table.place, tuple(targets), labels),) if targets else ()


def url_fields(table: Table, job: ScrapeJob) -> ScrapeJob:
    """A job whose only address is written as a `url`."""
    parts = urlsplit(table.text("url"))
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.username:
        raise table.error("url", "an address like http://127.0.0.1:8000/metrics is expected; user names: basic_auth")
    group = TargetGroup(table.place, (((ADDRESS, parts.netloc),),), labels_of(table.strings("labels")))
    params = tuple((key, tuple(values)) for key, values in parse_qs(parts.query, keep_blank_values=True).items())
    path = parts.path or "/metrics"
    return replace(job, scheme=parts.scheme, metrics_path=path, params=(*job.params, *params), static=(group,))


def _scheme(table: Table) -> str:
    scheme = table.text("scheme", "http")
    if scheme not in ("http", "https"):
        raise table.error("scheme", f"http or https is expected, not {scheme!r}")
    return scheme


def _protocols(table: Table, default: tuple[str, ...]) -> tuple[str, ...]:
    if "scrape_protocols" not in table:
        return default
    names = tuple(_protocol(table, "scrape_protocols", text) for text in table.texts("scrape_protocols"))
    if not names or len(set(names)) < len(names):
        raise table.error("scrape_protocols", "at least one format is expected, and each once")
    return names


def _protocol(table: Table, key: str, text: str) -> str:
    if text not in NATIVE_PROTOCOLS:
        raise table.error(key, f"one of {', '.join(NATIVE_PROTOCOLS)} is expected, not {text!r}")
    return text


def _histograms(table: Table, defaults: HistogramWish) -> HistogramWish:
    older = table.flag("scrape_classic_histograms", default=defaults.classic)
    factor = table.raw("native_histogram_min_bucket_factor")
    return HistogramWish(
        native=table.flag("scrape_native_histograms", default=defaults.native),
        classic=table.flag("always_scrape_classic_histograms", default=older),
        custom=table.flag("convert_classic_histograms_to_nhcb", default=defaults.custom),
        most_buckets=table.count("native_histogram_bucket_limit", defaults.most_buckets),
        finest_schema=(
            defaults.finest_schema
            if factor is None
            else table.made("native_histogram_min_bucket_factor", _finest_schema, str(factor))
        ),
    )


def _finest_schema(factor: str) -> int:
    """The finest schema whose buckets grow at least by the factor."""
    growth = float(factor)
    if not math.isfinite(growth):
        raise ValueError(f"a number is expected, not {factor!r}")
    schema = math.floor(-math.log2(math.log2(growth))) if growth > 1 else FINEST_SCHEMA
    return min(max(schema, COARSEST_SCHEMA), FINEST_SCHEMA)


def _params(table: Table) -> tuple[tuple[str, tuple[str, ...]], ...]:
    inner = table.table("params")
    if inner is None:
        return ()
    return tuple(
        (name, inner.texts(name) if isinstance(inner.raw(name), list) else (inner.text(name),)) for name in inner.values
    )


def _static(table: Table) -> tuple[TargetGroup, ...]:
    found: list[TargetGroup] = []
    for inner in table.tables("static_configs"):
        inner.only({"targets", "labels"})
        found += simple_groups(inner)
    return tuple(found)


def _files(table: Table) -> FileDiscovery:
    table.only({"files", "refresh_interval"})
    names = table.texts("files")
    if not names:
        raise table.error("files", "at least one file is expected")
    for name in names:
        if not _FILE_PATTERN.fullmatch(name):
            raise table.error("files", f"a .json, .yml or .yaml file, or a glob in its last part, not {name!r}")
    patterns = tuple(str(table.folder / Path(name).expanduser()) for name in names)
    return FileDiscovery(patterns, table.duration_ms("refresh_interval", 300_000))


def _url(table: Table, job: str, defaults: Defaults) -> HttpDiscovery:
    table.only(HTTP_KEYS | {"url", "refresh_interval"})
    parts = urlsplit(table.text("url"))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise table.error("url", "an http or https address is expected")
    _note_http(table, f'job "{job}": http_sd_configs: ', defaults.note)
    return HttpDiscovery(table.text("url"), table.duration_ms("refresh_interval", 60_000), read_http(table))


def _rules(table: Table, key: str) -> tuple[RelabelRule, ...]:
    return tuple(_rule(inner) for inner in table.tables(key))


def _rule(table: Table) -> RelabelRule:
    table.only(_RELABEL_KEYS)
    plain = RelabelRule  # a field's default is the class's attribute
    try:
        return RelabelRule(
            action=table.text("action", plain.action).lower(),
            source_labels=table.texts("source_labels"),
            separator=table.text("separator", plain.separator),
            regex=table.text("regex", plain.regex),
            target_label=table.text("target_label"),
            replacement=table.text("replacement", plain.replacement),
            modulus=table.count("modulus", 0),
        )
    except ValueError as error:
        raise table.error("", str(error)) from error


def _note_not_yet(table: Table, name: str, defaults: Defaults) -> None:
    where = f'job "{name}": '
    for key in sorted(OTHER_DISCOVERIES & table.values.keys()):
        defaults.note(f"{where}{key} is not supported yet: it finds no targets")
    note_shared(table, where, defaults.note)
    _note_http(table, where, defaults.note)


def _note_http(table: Table, where: str, note: Callable[[str], None]) -> None:
    for key, instead in NOT_YET.items():
        if key in table:
            note(f"{where}{key} is not supported yet: {instead}")
