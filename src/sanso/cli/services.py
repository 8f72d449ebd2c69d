"""What the web is given of a monitor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from sanso import __version__
from sanso.cli.reloading import Reloader
from sanso.model.clock import Clock
from sanso.model.durations import format_duration_ms
from sanso.model.errors import StoreError
from sanso.model.matchers import Matcher
from sanso.rules.evaluator import RuleEvaluator
from sanso.rules.rule import AlertRule
from sanso.runtime.config import Config
from sanso.runtime.monitor import Monitor
from sanso.store.archive import backup
from sanso.store.store import Store
from sanso.web.pool import QueryPool
from sanso.web.rules_api import alert_json, annotations_of, moment
from sanso.web.services import Services

_SNAPSHOTS = "snapshots"


def services_of(monitor: Monitor, pool: QueryPool, reloader: Reloader | None = None) -> Services:
    """The monitor as the web knows it; without a reloader, one that reads the same configuration again."""
    config = monitor.config
    reloader = reloader or Reloader(monitor, lambda: config)
    without_file = yaml.safe_dump(dict(settings(config)), allow_unicode=True, sort_keys=False)
    return Services(
        engine=monitor.engine,
        reader=monitor.store,
        client=monitor.client,
        receive_otlp=monitor.receiver.receive,
        receive_remote_write=monitor.remote_write.receive_all,
        exemplars=monitor.exemplars,
        clock=monitor.clock,
        version=__version__,
        alerts=monitor.rules.readings,
        rules=lambda: rule_groups(monitor.rules, config.interval_ms),
        stats=lambda: _stats(monitor.store),
        started_ms=monitor.clock.now_ms(),
        engine_for=monitor.engine_for,
        pool=pool,
        limits=config.query,
        cors_origin=config.cors_origin,
        external_labels=config.external_labels,
        admin=StoreAdmin(monitor.store, config.data, monitor.clock) if config.admin else None,
        flags=settings(config),
        config_text=lambda: monitor.config.text or without_file,
        jobs=monitor.scraper.readings,
        reload=reloader.reload,
        loaded=lambda: reloader.loaded,
    )


class StoreAdmin:
    """`Admin` of a store; copies go to `snapshots/` in the data directory."""

    def __init__(self, store: Store, directory: Path, clock: Clock) -> None:
        self._store = store
        self._directory = directory
        self._clock = clock

    def delete(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> int:
        """Hide what these series have in [start, end]; how many series that were."""
        return self._store.delete(matchers, start_ms, end_ms)

    def clean(self) -> None:
        """Give back the bytes of what is deleted."""
        self._store.seal(clean=True)

    def snapshot(self) -> str:
        """Copy the store while it runs; the name of the copy.

        Raises:
            StoreError: It cannot be written.
        """
        moment = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC)
        name = f"{moment:%Y%m%dT%H%M%S}.{moment.microsecond // 1000:03d}Z"
        folder = self._directory / _SNAPSHOTS
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise StoreError(f"{folder} cannot be made: {error.strerror}") from error
        self._store.commit()
        backup(self._directory, folder / name)
        return name


def rule_groups(rules: RuleEvaluator, interval_ms: int) -> list[dict[str, Any]]:
    """The rules as Prometheus's API shows them: they are one group, judged every tick."""
    shown = [_rule(rules, rule) for rule in rules.rules]
    if not shown:
        return []
    group = {"name": "sanso", "file": "", "interval": interval_ms / 1000, "limit": 0, "rules": shown}
    judged = {"evaluationTime": sum(rule["evaluationTime"] for rule in shown)}
    return [{**group, **judged, "lastEvaluation": max(rule["lastEvaluation"] for rule in shown)}]


def _rule(rules: RuleEvaluator, rule: AlertRule) -> dict[str, Any]:
    problem, judged = rules.errors().get(rule.key, ""), rules.judged(rule)
    raised = [alert_json(reading) for reading in rules.readings_of(rule)]
    health = "err" if problem else "ok" if judged.at_ms else "unknown"
    return {
        "state": rules.phase(rule),
        "name": rule.name,
        "query": rule.expr,
        "duration": rule.for_ms / 1000,
        "keepFiringFor": 0,
        "labels": {"severity": rule.level.value, **dict(rule.labels)},
        "annotations": annotations_of(rule.message),
        "alerts": raised,
        "health": health,
        **({"lastError": problem} if problem else {}),
        "evaluationTime": judged.seconds,
        "lastEvaluation": moment(judged.at_ms),
        "type": "alerting",
    }


def settings(config: Config) -> Mapping[str, str]:
    """The configuration as flat texts, without what may be secret."""

    def duration(milliseconds: float) -> str:
        return format_duration_ms(round(milliseconds))

    return {
        "listen": config.listen,
        "otlp_listen": config.otlp_listen,
        "data": str(config.data),
        "retention": duration(config.retention_ms),
        "retention_size": str(config.retention_bytes),
        "late_window": duration(config.late_ms),
        "tiers": ", ".join(f"{duration(each)}={duration(kept)}" for each, kept in config.tiers_ms.items()),
        "sample.interval": duration(config.interval_ms),
        "sample.host": str(config.collect_host).lower(),
        "rules": ", ".join(map(str, config.rule_files)),
        "query.timeout": duration(config.query.timeout_s * 1000),
        "query.max_samples": str(config.query.most_samples),
        "query.max_concurrency": str(config.query.threads),
        "query.lookback_delta": duration(config.query.lookback_ms),
        "cors_origin": config.cors_origin,
        "external_labels": ", ".join(f"{name}={value}" for name, value in config.external_labels),
        "admin": str(config.admin).lower(),
    }


def _stats(store: Store) -> dict[str, int]:
    """The store's figures, and how they are spread where it is on disk."""
    found = asdict(store.stats())
    if store.upkeep is None:
        return found
    spread = store.upkeep.spread()
    return {**found, "blocks": spread.blocks, "first_ms": spread.oldest_ms, "last_ms": spread.newest_ms}
