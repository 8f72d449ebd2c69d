from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from sanso.model.clock import FixedClock
from sanso.model.frame import ABSENT, Columns, Row
from sanso.model.labels import series_of
from sanso.model.performance import PerformanceMetrics
from sanso.model.status import AlertLevel, Status
from sanso.notify.base import Notification
from sanso.notify.callable import CallableNotifier
from sanso.notify.dispatcher import Dispatcher
from sanso.rules.rule import AlertRule
from sanso.runtime.config import Config
from sanso.runtime.monitor import Alerting, Monitor
from sanso.runtime.snapshot import performance_of, snapshot_exposition, snapshot_json
from sanso.sources.base import Source
from sanso.store.store import Store
from sanso.vitals.catalog import load
from tests.runtime.fakes import FakeSource, row

START = 1_790_000_000_000
MEMORY = Columns((series_of("node_memory_MemTotal_bytes"), series_of("node_memory_MemAvailable_bytes")))


def monitor(
    clock: FixedClock, *sources: Source, folder: Path | None = None, alerting: Alerting | None = None
) -> Monitor:
    retention = 10**9
    store = Store.open(folder, retention_ms=retention) if folder else Store.in_memory(retention_ms=retention)
    config = replace(Config(), interval_ms=1000)
    return Monitor(config, store, clock, sources=sources, alerting=alerting)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


def run(watching: Monitor, clock: FixedClock, ticks: int) -> None:
    for _ in range(ticks):
        watching.tick(clock.now_ms())
        clock.advance(1)


def test_vitals_are_judged_and_absent_ones_stay_absent(clock: FixedClock) -> None:
    memory = FakeSource("memory", lambda now: Row(MEMORY, np.array([100.0, 25.0])))
    with monitor(clock, memory) as watching:
        run(watching, clock, 3)
        overview = watching.overview(clock.now_ms())
    assert set(overview.vitals) == {vital.name for vital in load()}
    percent = overview.vitals["memory_percent"][0]
    assert (percent.value, percent.status) == (75.0, Status.WARNING)
    assert overview.vitals["gpu_usage"][0].value is None
    assert [source.name for source in overview.sources] == ["memory", "workers", "sanso"]


def test_the_monitor_tells_of_itself(clock: FixedClock) -> None:
    with monitor(clock, FakeSource("x", lambda now: row("x", 1.0, 2.0))) as watching:
        run(watching, clock, 40)
        figures = {
            name: watching.engine.instant(name, clock.now_ms()).first() or 0.0
            for name in ("sanso_store_series", "sanso_store_samples", "sanso_ticks_missed_total", "sanso_store_bytes")
        }
    assert figures["sanso_store_series"] >= 2
    assert figures["sanso_store_samples"] >= 40
    assert figures["sanso_ticks_missed_total"] == 0
    assert figures["sanso_store_bytes"] == 0  # in memory


def test_an_absent_cell_is_no_value(clock: FixedClock) -> None:
    memory = FakeSource("memory", lambda now: Row(MEMORY, np.array([100.0, ABSENT])))
    with monitor(clock, memory) as watching:
        run(watching, clock, 2)
        assert watching.overview(clock.now_ms()).vitals["memory_percent"][0].value is None


def test_history_is_there_after_a_restart(clock: FixedClock, tmp_path: Path) -> None:
    source = FakeSource("x", lambda now: row("x", (now - START) / 1000))
    with monitor(clock, source, folder=tmp_path) as watching:
        run(watching, clock, 5)
    with monitor(clock, source, folder=tmp_path) as watching:
        run(watching, clock, 2)
        answer = watching.engine.instant("count_over_time(x[1m])", clock.now_ms())
        assert answer.first() == 7.0


class Alarm:
    """A rule on x, and everything that was said about it."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def alerting(self, rules: Sequence[AlertRule] = ()) -> Alerting:
        rule = AlertRule("High", "x > 5", 2000, AlertLevel.WARNING, "x is high", "x", ">", 5.0)
        return Alerting([*rules, rule], Dispatcher([CallableNotifier(self._hear)]))

    def _hear(self, notification: Notification) -> None:
        self.heard.append(notification.state)


def test_an_alert_fires_once_survives_a_restart_and_is_resolved_once(clock: FixedClock, tmp_path: Path) -> None:
    level = 1.0
    source = FakeSource("x", lambda now: row("x", level))
    first, second = Alarm(), Alarm()
    with monitor(clock, source, folder=tmp_path, alerting=first.alerting()) as watching:
        run(watching, clock, 2)
        level = 9.0
        run(watching, clock, 2)
        assert [alert.state for alert in watching.rules.readings()] == ["pending"]
        run(watching, clock, 4)
        assert watching.overview(clock.now_ms()).alerts[0].state == "firing"
        told = watching.engine.instant('ALERTS{alertname="High"}', clock.now_ms()).samples()
        assert [(dict(labels)["alertstate"], value) for labels, value in told] == [("firing", 1.0)]
    assert first.heard == ["firing"]
    with monitor(clock, source, folder=tmp_path, alerting=second.alerting()) as watching:
        run(watching, clock, 3)
        assert [alert.state for alert in watching.rules.readings()] == ["firing"]
        level = 1.0
        run(watching, clock, 3)
        assert watching.rules.readings() == []
        assert watching.engine.instant("ALERTS", clock.now_ms()).samples() == []
    assert second.heard == ["resolved"]


def test_a_snapshot_has_every_name_and_null_for_what_is_absent(clock: FixedClock) -> None:
    memory = FakeSource("memory", lambda now: Row(MEMORY, np.array([100.0, 25.0])))
    with monitor(clock, memory) as watching:
        run(watching, clock, 2)
        overview = watching.overview(clock.now_ms())
    found = json.loads(snapshot_json(overview))
    assert {field.name for field in fields(PerformanceMetrics)} <= set(found)
    assert found["gpu_usage"] is None
    assert found["memory_percent"] == 75.0
    for vital in load():
        assert vital.name in found["layers"][vital.layer]
    assert "sanso_vital_memory_percent 75" in snapshot_exposition(overview)
    assert "gpu_usage " not in snapshot_exposition(overview)
    metrics = performance_of(overview)
    assert metrics.gpu_usage != metrics.gpu_usage
    assert (metrics.memory_percent, metrics.active_workers, metrics.error_rate) == (75.0, 0, 0.0)
