"""`LivePerformanceDashboard` of the original specification, on the real collector."""

from __future__ import annotations

from sanso.runtime.collector import MetricsCollector
from sanso.tui.live import LivePerformanceDashboard as RichDashboard


class LivePerformanceDashboard(RichDashboard):
    """Rich tables of this machine, live every two seconds."""

    def __init__(self) -> None:
        super().__init__(MetricsCollector)
