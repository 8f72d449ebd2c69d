"""`LivePerformanceDashboard` of the original specification: rich tables, live every two seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from rich.console import Console
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from sanso.model.performance import PerformanceMetrics
from sanso.model.readings import WorkerReading
from sanso.tui.texts import say
from sanso.tui.workers_tree import branches, worker_line

_REFRESH_S = 2.0


class Collector(Protocol):
    """Where the figures come from."""

    def collect_system_metrics(self) -> PerformanceMetrics:
        """The nine figures now."""
        ...

    def workers(self) -> Sequence[WorkerReading]:
        """Every worker that is known."""
        ...


class LivePerformanceDashboard:
    """Draws a collector's figures.

    Args:
        collector_factory: Makes the collector.

    Attributes:
        console: Where it draws.
        collector: Where the figures come from.
    """

    def __init__(self, collector_factory: Callable[[], Collector]) -> None:
        self.console = Console()
        self.collector = collector_factory()

    def create_metrics_table(self, metrics: PerformanceMetrics) -> Table:
        """The table of the specification; GPU rows where there is a GPU."""
        table = Table(title="📊 Performance Metrics")
        table.add_column("Metric", style="cyan")
        table.add_column("Value", style="green")
        table.add_column("Status", style="yellow")
        table.add_row("CPU Usage", f"{metrics.cpu_percent:.1f}%", _status(metrics.cpu_percent, 70, 90))
        table.add_row("Memory Usage", f"{metrics.memory_percent:.1f}%", _status(metrics.memory_percent, 70, 90))
        if metrics.gpu_usage == metrics.gpu_usage:  # NaN: no GPU
            status = _status(metrics.gpu_usage, 80, 95)
            table.add_row("GPU Usage", f"{metrics.gpu_usage:.1f}%", status)
            table.add_row("GPU Memory", f"{metrics.gpu_memory:.1f}%", status)
        expected = len(self.collector.workers())
        if expected:
            share = metrics.active_workers / expected
            words = "🟢 Active" if share >= 0.75 else "🟡 Degraded" if share >= 0.5 else "🔴 Critical"
            table.add_row("Active Workers", f"{metrics.active_workers}/{expected}", words)
        table.add_row("Error Rate", f"{metrics.error_rate:.1f}%", _status(metrics.error_rate, 5, 15))
        return table

    def create_worker_status_panel(self) -> Panel:
        """The organisation as a tree, from what workers reported."""
        workers = self.collector.workers()
        lines = [f"{branch}{worker_line(worker, 'en')}" for branch, worker in branches(workers)]
        body = "\n".join(["🤖 AI Workers Status:", *lines]) if lines else say("no_workers", "en")
        return Panel(Text(body), title="AI Organization Status")

    def run_live_dashboard(self) -> None:
        """Draw until Ctrl-C."""
        with Live(self._layout(), console=self.console, auto_refresh=False) as live:
            try:
                while True:
                    live.update(self._layout(), refresh=True)
                    time.sleep(_REFRESH_S)
            except KeyboardInterrupt:
                pass

    def _layout(self) -> Layout:
        layout = Layout()
        layout.split_column(Layout(name="metrics", size=12), Layout(name="workers"))
        layout["metrics"].update(self.create_metrics_table(self.collector.collect_system_metrics()))
        layout["workers"].update(self.create_worker_status_panel())
        return layout


def _status(value: float, warning: float, critical: float) -> str:
    return "🟢 Normal" if value < warning else "🟡 Warning" if value < critical else "🔴 Critical"
