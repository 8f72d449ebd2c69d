"""`MetricsCollector`: the original specification's collector, on the real engine."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from types import TracebackType

from sanso.client.http import HttpClient
from sanso.model.clock import Clock, SystemClock
from sanso.model.errors import ClientError
from sanso.model.performance import PerformanceMetrics
from sanso.model.readings import Overview, WorkerReading
from sanso.runtime.attach import running_server
from sanso.runtime.config import Config
from sanso.runtime.monitor import Monitor
from sanso.runtime.snapshot import performance_of
from sanso.sources.host import host_sources
from sanso.store.store import Store

_GAP_S = 0.5
"""Between the two samples that a rate needs; at 100 clock ticks a second, 50 of them a core."""
_OLD_S = 30.0
"""An older sample is too far away for a rate over a minute: take two new ones."""
_KEEP_MS = 600_000


class MetricsCollector:
    """Collects this machine's, its applications' and its workers' figures.

    Asks the server that watches this machine where there is one (it knows applications and workers); else reads this
    machine itself, into memory only.

    Args:
        url: A server to ask; by default `SANSO_URL`, then whoever holds the data directory.
        clock: What the time is.

    Attributes:
        start_time: When it was made, seconds since 1970.
        task_count: Tasks that the caller counted itself; added to what is measured.
        error_count: Errors among them.
    """

    def __init__(self, url: str = "", clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self.start_time = self._clock.now_ms() / 1000
        self.task_count = 0
        self.error_count = 0
        self._config = Config()
        self._server: HttpClient | None = running_server(self._config, url)
        self._asked = bool(url)
        self._monitor: Monitor | None = None
        self._sampled_ms = 0

    def collect_system_metrics(self) -> PerformanceMetrics:
        """The nine figures now. The first call takes half a second: rates need two samples."""
        return self._with_own_counts(performance_of(self.overview()))

    def count_active_workers(self) -> int:
        """Workers that are alive and at work."""
        return performance_of(self.overview()).active_workers

    def workers(self) -> list[WorkerReading]:
        """Every worker that is known."""
        return self.overview().workers

    def overview(self) -> Overview:
        """Everything that is measured.

        Raises:
            ClientError: The server that was asked for by name does not answer.
        """
        if self._server is not None:
            try:
                return self._server.overview()
            except ClientError:
                if self._asked:
                    raise
                self._server.close()
                self._server = None  # it has gone: read this machine ourselves
        return self._read_here()

    def close(self) -> None:
        """Let go of threads and connections."""
        if self._server is not None:
            self._server.close()
        if self._monitor is not None:
            self._monitor.close()

    def __enter__(self) -> MetricsCollector:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read_here(self) -> Overview:
        if self._monitor is None:
            store = Store.in_memory(retention_ms=_KEEP_MS)
            self._monitor = Monitor(self._config, store, self._clock, sources=host_sources())
        if self._age_s() > _OLD_S:
            self._tick(self._monitor)
        time.sleep(max(_GAP_S - self._age_s(), 0.0))
        self._tick(self._monitor)
        return self._monitor.overview(self._sampled_ms)

    def _age_s(self) -> float:
        return (self._clock.now_ms() - self._sampled_ms) / 1000

    def _tick(self, monitor: Monitor) -> None:
        self._sampled_ms = self._clock.now_ms()
        monitor.tick(self._sampled_ms)

    def _with_own_counts(self, metrics: PerformanceMetrics) -> PerformanceMetrics:
        if not self.task_count:
            return metrics
        own_rate = self.error_count / self.task_count * 100
        rate = own_rate if math.isnan(metrics.error_rate) else max(metrics.error_rate, own_rate)
        return replace(metrics, completed_tasks=metrics.completed_tasks + self.task_count, error_rate=rate)
