"""A client that answers from memory: a morning in an organisation of eight, at one fixed second."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sanso.model.errors import ClientError
from sanso.model.labels import labels_of
from sanso.model.readings import AlertReading, Overview, VitalReading, WorkerReading
from sanso.model.series import Answer, Ends
from sanso.model.status import AlertLevel, WorkerState
from sanso.vitals.catalog import load
from sanso.vitals.reading import status_of

AT_MS = 1_790_000_000_000
"""2026-09-21 14:13:20 UTC."""

VALUES: dict[str, float | None] = {
    "latency_p50_seconds": 0.0418,
    "latency_p95_seconds": 0.183,
    "latency_p99_seconds": 0.612,
    "requests_per_second": 128.4,
    "task_completion_percent": 97.3,
    "concurrency": 14.0,
    "error_4xx_percent": 1.2,
    "error_5xx_percent": 0.4,
    "timeout_percent": 0.0,
    "error_rate": 6.1,
    "cpu_percent": 46.2,
    "cpu_idle_percent": 53.8,
    "memory_percent": 72.4,
    "memory_used_bytes": 23.4 * 2**30,
    "swap_used_bytes": 512.0 * 2**20,
    "cache_bytes": 6.1 * 2**30,
    "disk_usage": 61.0,
    "disk_read_bytes_per_second": 1.23 * 2**20,
    "disk_write_bytes_per_second": 1023.0 * 2**20,
    "disk_iops": 812.0,
    "network_bytes_per_second": 12.3 * 2**20,
    "network_bandwidth_percent": 10.3,
    "network_connections": 1287.0,
    "packet_loss_percent": 0.0,
    "gpu_usage": 96.4,
    "gpu_memory": 81.0,
    "gpu_temperature_celsius": 71.0,
    "tokens_per_second": 2412.0,
    "inference_p50_seconds": 0.84,
    "inference_p95_seconds": 2.31,
    "inference_p99_seconds": 4.02,
    "time_to_first_token_p95_seconds": 0.213,
    "batch_efficiency_percent": 64.0,
    "context_usage_percent": 38.5,
    "cache_hit_percent": 71.2,
    "accuracy_drift": -0.012,
    "active_workers": 5.0,
    "waiting_workers": 1.0,
    "error_workers": 2.0,
    "completed_tasks": 76.0,
}
GPU = ("gpu_usage", "gpu_memory", "gpu_temperature_celsius")
BOUNDS = {
    "latency_p50_seconds": (0.0414, 0.0423),  # a native histogram's
    "latency_p95_seconds": (0.1, 0.25),  # classic buckets'
    "latency_p99_seconds": (0.5, 1.0),
    "inference_p95_seconds": (2.0, 5.0),
}
_SHARES = {"active_workers": 62.5}
_CORES = (12.0, 88.0, 47.0, 31.0, 64.0, 22.0, 71.0, 35.0)


def overview(**changes: float | None) -> Overview:
    """A realistic moment; `changes` replace values by vital name."""
    values = {**VALUES, **changes}
    vitals: dict[str, list[VitalReading]] = {}
    for vital in load():
        if vital.label:
            vitals[vital.name] = [
                VitalReading(
                    vital.name, core, status_of(vital, core), vital.unit, vital.layer, labels_of({"cpu": str(i)})
                )
                for i, core in enumerate(_CORES)
            ]
            continue
        value = values[vital.name]
        judged = _SHARES.get(vital.name, value) if vital.judge and value is not None else value
        low, high = BOUNDS.get(vital.name, (None, None)) if value is not None else (None, None)
        status = status_of(vital, judged)
        vitals[vital.name] = [VitalReading(vital.name, value, status, vital.unit, vital.layer, (), low, high)]
    return Overview(AT_MS, "web-1", vitals, workers(), 8, alerts())


def without_gpu() -> Overview:
    """A machine that has none."""
    return overview(**dict.fromkeys(GPU))


def quiet() -> Overview:
    """No worker ever reported, nothing fires."""
    calm = overview(active_workers=None, waiting_workers=None, error_workers=None, completed_tasks=None)
    return replace(calm, workers=[], workers_expected=0, alerts=[])


def workers() -> list[WorkerReading]:
    """The eight of the original specification."""
    return [
        worker("PRESIDENT", "👑", "", WorkerState.ACTIVE, "task plan the day", 45.0, 12.0),
        worker("COORDINATOR", "🔄", "PRESIDENT", WorkerState.PROCESSING, "3 tasks in progress", 38.0, 8.0),
        worker("ANALYST", "📋", "COORDINATOR", WorkerState.ACTIVE, "task read the report", 52.0, 15.0),
        worker("ARCHITECT", "🏗️", "COORDINATOR", WorkerState.WAITING, "no task for 42 s", 12.0, 3.0),
        worker("DATA_ENG", "📊", "COORDINATOR", WorkerState.STALLED, "no progress for 3 min", 78.0, 20.0, failed=2.0),
        worker("SECURITY", "🔒", "PRESIDENT", WorkerState.ACTIVE, "task scan images", 34.0, 6.0),
        worker("PM", "📈", "PRESIDENT", WorkerState.LOST, "no heartbeat for 95 s", None, None),
        worker("DEVOPS", "⚙️", "PRESIDENT", WorkerState.ACTIVE, "task roll out", 41.0, 10.0),
    ]


def worker(
    name: str,
    icon: str,
    boss: str,
    state: WorkerState,
    reason: str,
    cpu: float | None,
    tasks: float | None,
    failed: float = 0.0,
) -> WorkerReading:
    """One worker."""
    return WorkerReading(name, name.lower(), icon, boss, state, reason, 95.0, cpu, tasks, failed, 1.0, 0.4)


def alerts() -> list[AlertReading]:
    """One that fires, one that waits."""
    return [
        AlertReading(
            "GpuHigh",
            AlertLevel.CRITICAL,
            "GPU使用率が危険レベルです",
            "firing",
            "gpu_usage",
            96.4,
            95.0,
            AT_MS - 184_000,
        ),
        AlertReading(
            "MemoryHigh",
            AlertLevel.WARNING,
            "Memory is filling",
            "pending",
            "memory_percent",
            72.4,
            70.0,
            AT_MS - 9_000,
        ),
    ]


def wave(value: float | None, points: int) -> list[float]:
    """A history that ends near a value."""
    if value is None:
        return [math.nan] * points
    return [value * (1 + 0.45 * math.sin(i / 9) * math.cos(i / 31)) for i in range(points)]


class FakeClient:
    """Answers what it is told to.

    Attributes:
        answer: The next overview.
        broken: Why it cannot be asked; empty where it can.
        hanging: Set while calls block; clear it to let them go.
        asked: How many overviews were asked for.
        seeds: The seconds of each question for histories.
    """

    def __init__(self, answer: Overview | None = None, where: str = "this process") -> None:
        self.where = where
        self.answer = answer or overview()
        self.broken = ""
        self.asked = 0
        self.seeds: list[float] = []
        self.free = threading.Event()
        self.free.set()
        self.threads: set[str] = set()

    def overview(self) -> Overview:
        self._call()
        self.asked += 1
        return self.answer

    def histories(self, names: Sequence[str], seconds: float, points: int) -> dict[str, list[float]]:
        self._call()
        self.seeds.append(seconds)
        found = {name: self.answer.vitals[name][0].value for name in names}
        return {name: wave(value, points) for name, value in found.items()}

    def query(self, expr: str, at_ms: int | None = None) -> Answer:
        return self.ends(expr, at_ms or AT_MS).answer

    def ends(self, expr: str, at_ms: int) -> Ends:
        self._call()
        name = next(vital.name for vital in load() if vital.expr == expr and vital.is_percentile)
        low, high = BOUNDS[name]
        times = np.array([at_ms], dtype=np.int64)
        inside, lower, upper = (
            Answer("vector", [()], times, np.array([[value]])) for value in (VALUES[name] or 0.0, low, high)
        )
        return Ends(inside, lower, upper)

    def ends_range(self, expr: str, start_ms: int, end_ms: int, step_ms: int) -> Ends:
        found = self.query_range(expr, start_ms, end_ms, step_ms)
        return Ends(found, found, found)

    def query_range(self, expr: str, start_ms: int, end_ms: int, step_ms: int) -> Answer:
        self._call()
        times = np.arange(start_ms, end_ms + 1, step_ms, dtype=np.int64)
        rows = np.array([wave(core, len(times)) for core in _CORES])
        return Answer("matrix", [labels_of({"cpu": str(i)}) for i in range(len(_CORES))], times, rows)

    def close(self) -> None:
        self.free.set()

    def _call(self) -> None:
        self.threads.add(threading.current_thread().name)
        self.free.wait(20)
        if self.broken:
            raise ClientError(self.broken)
