"""The nine figures of the original specification, as one row a caller can hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class PerformanceMetrics:
    """This machine, its application and its AI organisation at one time.

    Attributes:
        timestamp: Seconds since 1970 UTC.
        cpu_percent: Of all cores, 0 to 100.
        memory_percent: Of physical memory, 0 to 100.
        disk_usage: Of the root file system, 0 to 100.
        gpu_usage: Busiest GPU, 0 to 100; NaN where there is no GPU.
        gpu_memory: Fullest GPU, 0 to 100; NaN where there is no GPU.
        active_workers: Workers that are alive and at work.
        completed_tasks: Tasks that ended well.
        error_rate: Failed requests and tasks, 0 to 100.
    """

    timestamp: float
    cpu_percent: float
    memory_percent: float
    disk_usage: float
    gpu_usage: float
    gpu_memory: float
    active_workers: int
    completed_tasks: int
    error_rate: float
