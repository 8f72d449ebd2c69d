from __future__ import annotations

import io
import math
from collections.abc import Sequence

import pytest
from rich.console import Console

from sanso import LivePerformanceDashboard as Exported
from sanso.model.performance import PerformanceMetrics
from sanso.model.readings import WorkerReading
from sanso.tui.live import LivePerformanceDashboard
from tests.tui.fakes import workers


class FixedCollector:
    def __init__(self, metrics: PerformanceMetrics, members: Sequence[WorkerReading]) -> None:
        self._metrics = metrics
        self._members = members

    def collect_system_metrics(self) -> PerformanceMetrics:
        return self._metrics

    def workers(self) -> Sequence[WorkerReading]:
        return self._members


def drawn(gpu: float, active: int, members: Sequence[WorkerReading]) -> str:
    metrics = PerformanceMetrics(0.0, 46.2, 72.4, 61.0, gpu, gpu, active, 76, 16.0)
    dashboard = LivePerformanceDashboard(lambda: FixedCollector(metrics, members))
    dashboard.console = Console(file=io.StringIO(), width=100, height=40)
    dashboard.console.print(dashboard.create_metrics_table(dashboard.collector.collect_system_metrics()))
    dashboard.console.print(dashboard.create_worker_status_panel())
    text = dashboard.console.file
    assert isinstance(text, io.StringIO)
    return text.getvalue()


def test_the_table_and_the_panel_of_the_specification() -> None:
    text = drawn(96.4, 5, workers())
    for row in ("CPU Usage", "46.2%", "🟢 Normal", "🟡 Warning", "GPU Usage", "🔴 Critical", "5/8", "🟡 Degraded"):
        assert row in text
    assert "👑 PRESIDENT: ACTIVE (CPU: 45%, Tasks: 12)" in text


def test_no_gpu_no_row_and_no_worker_no_share() -> None:
    text = drawn(math.nan, 0, [])
    assert "GPU" not in text
    assert "Active Workers" not in text
    assert "No worker has reported yet" in text


@pytest.mark.parametrize(
    ("active", "word"), [(8, "Active"), (6, "Active"), (5, "Degraded"), (4, "Degraded"), (3, "Critical")]
)
def test_status_words_of_eight_workers(active: int, word: str) -> None:
    line = next(line for line in drawn(math.nan, active, workers()).splitlines() if "Active Workers" in line)
    assert f"{active}/8" in line
    assert line.rstrip(" │").endswith(word)


def test_it_is_what_sanso_exports() -> None:
    assert issubclass(Exported, LivePerformanceDashboard)
