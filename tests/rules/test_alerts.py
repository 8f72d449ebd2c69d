from __future__ import annotations

import math

import pytest

from sanso import Alert, AlertLevel, AlertManager, PerformanceMetrics


def metrics(cpu: float = 10.0, memory: float = 10.0, gpu: float = math.nan, errors: float = 0.0) -> PerformanceMetrics:
    return PerformanceMetrics(1.0, cpu, memory, 50.0, gpu, gpu, 8, 100, errors)


@pytest.fixture
def heard() -> list[Alert]:
    return []


@pytest.fixture
def manager(heard: list[Alert]) -> AlertManager:
    alert_manager = AlertManager(now=lambda: 42.0)
    alert_manager.add_rule("cpu_percent", 80.0, AlertLevel.WARNING, "CPU使用率が高くなっています")
    alert_manager.add_rule("cpu_percent", 95.0, AlertLevel.CRITICAL, "CPU使用率が危険レベルです")
    alert_manager.add_rule("memory_percent", 85.0, AlertLevel.WARNING, "メモリ使用率が高くなっています")
    alert_manager.add_rule("error_rate", 10.0, AlertLevel.CRITICAL, "エラー率が許容範囲を超えています")
    alert_manager.add_handler(heard.append)
    return alert_manager


def test_the_specification_s_rules(manager: AlertManager, heard: list[Alert]) -> None:
    manager.check_alerts(metrics(cpu=97.0, errors=12.0))
    assert [(alert.level, alert.metric_name, alert.current_value, alert.threshold) for alert in heard] == [
        (AlertLevel.WARNING, "cpu_percent", 97.0, 80.0),
        (AlertLevel.CRITICAL, "cpu_percent", 97.0, 95.0),
        (AlertLevel.CRITICAL, "error_rate", 12.0, 10.0),
    ]
    assert {alert.timestamp for alert in heard} == {42.0}
    assert heard[0].message == "CPU使用率が高くなっています"


def test_a_threshold_is_broken_only_above_it(manager: AlertManager, heard: list[Alert]) -> None:
    manager.check_alerts(metrics(cpu=80.0, memory=85.0))
    assert heard == []


def test_what_is_absent_breaks_nothing(heard: list[Alert]) -> None:
    manager = AlertManager()
    manager.add_rule("gpu_usage", -1.0, AlertLevel.INFO, "gpu")
    manager.add_handler(heard.append)
    manager.check_alerts(metrics())
    assert heard == []
    manager.check_alerts(metrics(gpu=0.0))
    assert [alert.current_value for alert in heard] == [0.0]


def test_every_figure_can_be_a_rule_and_nothing_else(heard: list[Alert]) -> None:
    manager = AlertManager()
    manager.add_rule("active_workers", 5, AlertLevel.INFO, "many")
    manager.add_rule("disk_usage", 20, AlertLevel.INFO, "disk")
    manager.add_handler(heard.append)
    manager.check_alerts(metrics())
    assert [alert.metric_name for alert in heard] == ["active_workers", "disk_usage"]
    with pytest.raises(ValueError, match="'cpu' is not a figure of PerformanceMetrics"):
        manager.add_rule("cpu", 1.0, AlertLevel.INFO, "")


def test_a_handler_that_fails_silences_no_other(
    manager: AlertManager, heard: list[Alert], caplog: pytest.LogCaptureFixture
) -> None:
    def failing(alert: Alert) -> None:
        raise RuntimeError(alert.message)

    manager.alert_handlers.insert(0, failing)
    manager.check_alerts(metrics(memory=99.0))
    assert len(heard) == 1
    assert "an alert handler failed" in caplog.text


def test_rules_are_the_dictionaries_of_the_specification(manager: AlertManager) -> None:
    assert manager.alert_rules[0] == {
        "metric_name": "cpu_percent",
        "threshold": 80.0,
        "level": AlertLevel.WARNING,
        "message": "CPU使用率が高くなっています",
    }
