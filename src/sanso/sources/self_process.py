"""What Sanso itself costs: CPU, memory, threads of this process."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from sanso.model.frame import Family, Row
from sanso.sources.readings import RowBuilder, named

_FAMILIES = (
    Family("sanso_process_cpu_seconds_total", "counter", "CPU time of Sanso.", "seconds"),
    Family("sanso_process_resident_memory_bytes", "gauge", "Memory of Sanso.", "bytes"),
    Family("sanso_process_threads", "gauge", "Threads of Sanso."),
)
_USER, _SYSTEM, _THREADS, _PAGES = 11, 12, 17, 21
"""Where /proc/self/stat has them, counted behind the command's name."""


class SelfProcess:
    """This process."""

    name = "sanso_process"
    families = _FAMILIES

    def __init__(self) -> None:
        self._figures = _of_proc() if sys.platform.startswith("linux") else _of_psutil()
        self._builder = RowBuilder()

    def read(self, now_ms: int) -> Row | None:  # noqa: ARG002 - a source's signature
        """CPU seconds, bytes, threads."""
        names = tuple(family.name for family in _FAMILIES)
        return self._builder.row(names, named(names), self._figures())


def _of_proc() -> Callable[[], list[float]]:
    ticks, page, stat = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE"), Path("/proc/self/stat")

    def figures() -> list[float]:
        found = stat.read_bytes().rpartition(b")")[2].split()
        cpu = (int(found[_USER]) + int(found[_SYSTEM])) / ticks
        return [cpu, float(int(found[_PAGES]) * page), float(found[_THREADS])]

    return figures


def _of_psutil() -> Callable[[], list[float]]:
    import psutil  # megabytes that Linux can do without

    process = psutil.Process()

    def figures() -> list[float]:
        with process.oneshot():
            times, memory = process.cpu_times(), process.memory_info()
            return [times.user + times.system, float(memory.rss), float(process.num_threads())]

    return figures
