"""What Sanso itself costs: CPU, memory, threads, open files of this process."""

from __future__ import annotations

import psutil

from sanso.model.frame import Family, Row
from sanso.sources.readings import RowBuilder, named

_FAMILIES = (
    Family("sanso_process_cpu_seconds_total", "counter", "CPU time of Sanso.", "seconds"),
    Family("sanso_process_resident_memory_bytes", "gauge", "Memory of Sanso.", "bytes"),
    Family("sanso_process_threads", "gauge", "Threads of Sanso."),
)


class SelfProcess:
    """This process."""

    name = "sanso_process"
    families = _FAMILIES

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._builder = RowBuilder()

    def read(self, now_ms: int) -> Row | None:  # noqa: ARG002 - a source's signature
        """CPU seconds, bytes, threads."""
        with self._process.oneshot():
            times, memory = self._process.cpu_times(), self._process.memory_info()
            values = [times.user + times.system, float(memory.rss), float(self._process.num_threads())]
        names = tuple(family.name for family in _FAMILIES)
        return self._builder.row(names, named(names), values)
