"""Configuration: `sanso.toml`, every key optional, unknown keys refused by name."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import platformdirs

from sanso.model.control import QueryLimits
from sanso.model.durations import parse_duration_ms
from sanso.model.errors import ConfigError, QueryError
from sanso.model.expressions import Expression
from sanso.model.labels import Labels, labels_of
from sanso.model.sizes import parse_bytes
from sanso.rules.places import Document, toml_lines
from sanso.runtime.prometheus_config import load_prometheus_config
from sanso.runtime.scrape_tables import read_scrapes
from sanso.runtime.shown_config import shown
from sanso.sources.scrape.settings import ScrapePlan
from sanso.sources.workers import ConfiguredWorker, Organisation


@dataclass(frozen=True)
class Config:
    """What a monitor is told; the defaults need no file.

    Attributes:
        listen: host:port of the HTTP API.
        otlp_listen: host:port of the second OTLP door, where OpenTelemetry SDKs push by default; empty for none.
        data: The data directory.
        retention_ms: How long history is kept.
        retention_bytes: What it may take on disk; the oldest goes first; 0 for no limit.
        late_ms: How much older than its series' newest a sample may be.
        tiers_ms: How long coarse samples stay when the raw ones go, by their resolution, both in ms.
        interval_ms: Between two samples of the host.
        rule_files: Alert files, absolute.
        organisation: The workers there should be.
        collect_host: Whether this machine is watched (`--no-host` makes a pure store).
        query: What a question may take.
        cors_origin: A regular expression of the origins whose pages may ask; empty for none.
        external_labels: What federation and remote read add to series.
        admin: Whether series may be deleted and the store copied over the API (`--admin`).
        scrape: Targets to scrape.
        notices: What the file asks for and this version does not honour, one sentence each.
        text: The file as it may be shown, without secrets.
    """

    listen: str = "127.0.0.1:3333"
    otlp_listen: str = "127.0.0.1:4318"
    data: Path = field(default_factory=lambda: default_data_directory())
    retention_ms: int = 15 * 86_400_000
    retention_bytes: int = 0
    late_ms: int = 3_600_000
    tiers_ms: Mapping[int, int] = field(default_factory=lambda: {10_000: 90 * 86_400_000, 300_000: 730 * 86_400_000})
    interval_ms: int = 1000
    rule_files: tuple[Path, ...] = ()
    organisation: Organisation = field(default_factory=Organisation)
    collect_host: bool = True
    query: QueryLimits = field(default_factory=QueryLimits)
    cors_origin: str = ""
    external_labels: Labels = ()
    admin: bool = False
    scrape: ScrapePlan = field(default_factory=ScrapePlan)
    notices: tuple[str, ...] = ()
    text: str = ""


def default_data_directory() -> Path:
    """Where this platform keeps an application's data."""
    return Path(platformdirs.user_data_dir("sanso", appauthor=False))


def load_config(path: Path | None) -> Config:
    """The configuration of a file, ours or (`.yml`, `.yaml`) Prometheus's; without one, the defaults.

    Raises:
        ConfigError: With file, line where known, field and what was expected.
    """
    if path is None:
        return Config()
    if path.suffix in (".yml", ".yaml"):
        return _as_prometheus(path)
    try:
        text = path.read_text("utf-8")
        tables = tomllib.loads(text)
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"is not TOML: {error}") from error
    return _Reader(path, text).config(tables)


def _as_prometheus(path: Path) -> Config:
    found = load_prometheus_config(path)
    late_ms = Config.late_ms if found.late_ms is None else found.late_ms
    return Config(
        scrape=found.plan,
        external_labels=found.external_labels,
        rule_files=found.rule_files,
        late_ms=late_ms,
        notices=found.notices,
        text=found.text,
    )


def split_address(address: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:3333` or `[::1]:3333`.

    Raises:
        ValueError: It is not host:port.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65_535:
        raise ValueError(f'"{address}" is not host:port')
    return host.strip("[]") or "0.0.0.0", int(port)


class _Reader:
    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.lines = text.splitlines()

    def config(self, tables: Mapping[str, Any]) -> Config:
        readers: dict[str, Callable[[Config, Any], Config]] = {
            "listen": lambda c, v: replace(c, listen=self._address("listen", v)),
            "otlp_listen": lambda c, v: replace(c, otlp_listen=self._address("otlp_listen", v) if v else ""),
            "data": lambda c, v: replace(c, data=self._beside(self._typed("data", v, str))),
            "retention": lambda c, v: replace(c, retention_ms=self._duration("retention", v)),
            "retention_size": lambda c, v: replace(c, retention_bytes=self._bytes("retention_size", v)),
            "late_window": lambda c, v: replace(c, late_ms=self._duration("late_window", v)),
            "tiers": self._tiers,
            "sample": self._sample,
            "rules": self._rules,
            "organisation": self._organisation,
            "query": self._query,
            "cors_origin": lambda c, v: replace(c, cors_origin=self._pattern("cors_origin", v)),
            "scrape": self._scrape,
            "external_labels": lambda c, v: replace(c, external_labels=self._labels("external_labels", v)),
        }
        config = Config(text=shown(dict(tables)))
        for key, value in tables.items():
            if key not in readers:
                raise self._error(key, f"unknown key; known are {', '.join(sorted(readers))}")
            config = readers[key](config, value)
        return config

    def _sample(self, config: Config, table: Any) -> Config:
        self._only("sample", table, {"interval", "host"})
        interval = self._duration("sample.interval", table.get("interval", "1s"))
        if interval < 100:
            raise self._error("sample.interval", "at least 100ms is expected")
        host = self._typed("sample.host", table.get("host", True), bool)
        return replace(config, interval_ms=interval, collect_host=host)

    def _tiers(self, config: Config, table: Any) -> Config:
        if not isinstance(table, dict):
            raise self._error("tiers", "a table is expected: [tiers]")
        tiers = {}
        for name, kept in table.items():
            resolution = self._duration(f"tiers.{name}", name)
            if resolution < 1000:
                raise self._error(f"tiers.{name}", "a resolution of at least 1s is expected")
            tiers[resolution] = self._duration(f"tiers.{name}", kept)
        return replace(config, tiers_ms=tiers)

    def _rules(self, config: Config, tables: Any) -> Config:
        files = []
        for table in self._tables("rules", tables):
            self._only("rules", table, {"file"})
            files.append(self._beside(self._typed("rules.file", table.get("file"), str)))
        return replace(config, rule_files=tuple(files))

    def _scrape(self, config: Config, tables: Any) -> Config:
        notices: list[str] = []
        document = Document(str(self.path), tables, toml_lines("\n".join(self.lines)))
        jobs = read_scrapes(document, self._tables("scrape", tables), notices.append)
        return replace(config, scrape=ScrapePlan(jobs), notices=(*config.notices, *notices))

    def _organisation(self, config: Config, table: Any) -> Config:
        self._only("organisation", table, {"expected", "workers"})
        workers = []
        for worker in self._tables("organisation.workers", table.get("workers", [])):
            self._only("organisation.workers", worker, {"name", "icon", "role", "reports_to"})
            if not worker.get("name"):
                raise self._error("organisation.workers.name", "a name is expected")
            workers.append(
                ConfiguredWorker(**{k: self._typed(f"organisation.workers.{k}", v, str) for k, v in worker.items()})
            )
        expected = self._typed("organisation.expected", table.get("expected", len(workers)), int)
        return replace(config, organisation=Organisation(expected=expected, workers=tuple(workers)))

    def _query(self, config: Config, table: Any) -> Config:
        self._only("query", table, {"timeout", "max_samples", "max_concurrency", "lookback_delta"})
        given, limits = {f"query.{key}": value for key, value in table.items()}, config.query
        if "query.timeout" in given:
            limits = replace(limits, timeout_s=self._duration("query.timeout", given["query.timeout"]) / 1000)
        if "query.lookback_delta" in given:
            lookback = self._duration("query.lookback_delta", given["query.lookback_delta"])
            limits = replace(limits, lookback_ms=lookback)
        for key, name in (("query.max_samples", "most_samples"), ("query.max_concurrency", "threads")):
            if key in given:
                limits = replace(limits, **{name: self._positive(key, given[key])})
        if min(limits.timeout_s, limits.lookback_ms) <= 0:
            raise self._error("query", "timeout and lookback_delta are more than 0")
        return replace(config, query=limits)

    def _pattern(self, field_name: str, value: Any) -> str:
        pattern: str = self._typed(field_name, value, str)
        try:
            Expression(pattern)
        except QueryError as error:
            raise self._error(field_name, f"a regular expression is expected: {error}") from error
        return pattern

    def _labels(self, field_name: str, table: Any) -> Labels:
        if not isinstance(table, dict):
            raise self._error(field_name, f"a table is expected: [{field_name}]")
        return labels_of({key: self._typed(f"{field_name}.{key}", value, str) for key, value in table.items()})

    def _positive(self, field_name: str, value: Any) -> int:
        number: int = self._typed(field_name, value, int)
        if number < 1:
            raise self._error(field_name, "at least 1 is expected")
        return number

    def _beside(self, name: str) -> Path:
        """A path in the file is meant from where the file lies."""
        return (self.path.parent / Path(name).expanduser()).absolute()

    def _address(self, field_name: str, value: Any) -> str:
        address: str = self._typed(field_name, value, str)
        try:
            split_address(address)
        except ValueError as error:
            raise self._error(field_name, f"{error}; write it like 127.0.0.1:3333") from error
        return address

    def _duration(self, field_name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self._error(field_name, "a duration like 1s or 15d is expected")
        try:
            return parse_duration_ms(value)
        except ValueError as error:
            raise self._error(field_name, str(error)) from error

    def _bytes(self, field_name: str, value: Any) -> int:
        try:
            return parse_bytes(self._typed(field_name, value, str))
        except ValueError as error:
            raise self._error(field_name, str(error)) from error

    def _typed(self, field_name: str, value: Any, kind: type) -> Any:
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self._error(field_name, f"{_KINDS[kind]} is expected, not {value!r}")
        return value

    def _tables(self, field_name: str, value: Any) -> list[dict[str, Any]]:
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self._error(field_name, f"a list of tables is expected: [[{field_name}]]")
        return value

    def _only(self, field_name: str, table: Any, known: set[str]) -> None:
        if not isinstance(table, dict):
            raise self._error(field_name, f"a table is expected: [{field_name}]")
        for key in table:
            if key not in known:
                raise self._error(f"{field_name}.{key}", f"unknown key; known are {', '.join(sorted(known))}")

    def _error(self, field_name: str, expected: str) -> ConfigError:
        return ConfigError(str(self.path), expected, self._line(field_name), field_name)

    def _line(self, field_name: str) -> int:
        """Where the last part of a dotted name first stands at the start of a line; 0 where it does not."""
        last = field_name.rpartition(".")[2]
        for number, line in enumerate(self.lines, 1):
            if line.strip().lstrip("[").startswith(last):
                return number
        return 0


_KINDS = {str: "a text", int: "a whole number", bool: "true or false"}
