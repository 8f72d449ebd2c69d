from __future__ import annotations

import json
import math
import time
from pathlib import Path

import pytest

from sanso import Alert, AlertLevel, AlertManager, MetricsCollector, PerformanceMetrics
from sanso.model.errors import ClientError
from sanso.rules.file import load_alert_file
from sanso.runtime.alerting import AlertRunner


@pytest.fixture(autouse=True)
def _nobody_else_watches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("SANSO_URL", raising=False)


def test_the_nine_figures_of_this_machine() -> None:
    with MetricsCollector() as collector:
        metrics = collector.collect_system_metrics()
        assert isinstance(metrics, PerformanceMetrics)
        assert metrics.timestamp == pytest.approx(time.time(), abs=5)
        assert 0 <= metrics.cpu_percent <= 100
        assert 0 < metrics.memory_percent < 100
        assert 0 < metrics.disk_usage <= 100
        assert (metrics.active_workers, metrics.completed_tasks, metrics.error_rate) == (0, 0, 0.0)
        assert collector.count_active_workers() == 0
        assert collector.workers() == []


def test_counts_that_the_caller_keeps_are_added() -> None:
    with MetricsCollector() as collector:
        collector.task_count, collector.error_count = 8, 2
        metrics = collector.collect_system_metrics()
    assert metrics.completed_tasks == 8
    assert metrics.error_rate == 25.0


def test_calls_in_quick_succession_stay_true() -> None:
    with MetricsCollector() as collector:
        for _ in range(3):
            metrics = collector.collect_system_metrics()
            assert 0 <= metrics.cpu_percent <= 100
            assert not math.isnan(metrics.cpu_percent)


def test_a_server_that_was_named_and_is_not_there_is_an_error() -> None:
    with pytest.raises(ClientError, match=r"127\.0\.0\.1:9"):
        MetricsCollector(url="http://127.0.0.1:9")


def test_the_specification_s_alerts_on_real_figures() -> None:
    heard: list[Alert] = []
    alerts = AlertManager()
    alerts.add_rule("memory_percent", 0.0, AlertLevel.CRITICAL, "メモリ")
    alerts.add_rule("memory_percent", 100.0, AlertLevel.CRITICAL, "never")
    alerts.add_handler(heard.append)
    with MetricsCollector() as collector:
        alerts.check_alerts(collector.collect_system_metrics())
    assert [alert.message for alert in heard] == ["メモリ"]
    assert heard[0].level is AlertLevel.CRITICAL


def test_a_runner_judges_this_machine_where_no_server_runs(tmp_path: Path) -> None:
    log, path = tmp_path / "log", tmp_path / "alerts.json"
    rule = {"expr": "node_memory_MemTotal_bytes > 0", "name": "There"}
    path.write_text(json.dumps({"rules": [rule], "handlers": [{"type": "log", "path": str(log)}]}))
    with AlertRunner(load_alert_file(path, {})) as runner:
        assert runner.where == "this machine"
        runner.tick()
        time.sleep(0.02)
        runner.tick()
    assert [json.loads(line)["name"] for line in log.read_text().splitlines()] == ["There"]
