"""Memory and paging: /proc/meminfo and /proc/vmstat."""

from __future__ import annotations

from pathlib import Path

from sanso.model.frame import Family, Row
from sanso.sources.readings import ProcFile, RowBuilder, named

_PAGING = {
    b"oom_kill", b"pgfault", b"pgmajfault", b"pgpgin", b"pgpgout", b"pswpin", b"pswpout",
}  # fmt: skip


class HostMemory:
    """Every figure of meminfo in bytes, and what paging did."""

    name = "host_memory"
    families = (
        Family("node_memory_MemTotal_bytes", "gauge", "Physical memory.", "bytes"),
        Family("node_memory_MemAvailable_bytes", "gauge", "Memory that programs can still get.", "bytes"),
        Family("node_memory_MemFree_bytes", "gauge", "Memory used for nothing.", "bytes"),
        Family("node_memory_Cached_bytes", "gauge", "File contents held in memory.", "bytes"),
        Family("node_memory_Buffers_bytes", "gauge", "Block device buffers.", "bytes"),
        Family("node_memory_SwapTotal_bytes", "gauge", "Swap space.", "bytes"),
        Family("node_memory_SwapFree_bytes", "gauge", "Swap space that is free.", "bytes"),
        Family("node_vmstat_pswpin", "counter", "Pages swapped in."),
        Family("node_vmstat_pswpout", "counter", "Pages swapped out."),
        Family("node_vmstat_pgmajfault", "counter", "Page faults that read from disk."),
        Family("node_vmstat_oom_kill", "counter", "Processes killed for want of memory."),
    )

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._meminfo = ProcFile(proc / "meminfo")
        self._vmstat = ProcFile(proc / "vmstat") if (proc / "vmstat").exists() else None
        self._builder = RowBuilder()

    def read(self, now_ms: int) -> Row | None:  # noqa: ARG002 - a source's signature
        """Bytes, and pages."""
        names: list[bytes] = []
        values: list[float] = []
        for line in self._meminfo.read().splitlines():
            name, _, rest = line.partition(b":")
            parts = rest.split()
            kilo = len(parts) > 1
            names.append(b"node_memory_" + name.replace(b"(", b"_").replace(b")", b"") + (b"_bytes" if kilo else b""))
            values.append(float(parts[0]) * (1024 if kilo else 1))
        if self._vmstat is not None:
            for line in self._vmstat.read().splitlines():
                name, _, text = line.partition(b" ")
                if name in _PAGING:
                    names.append(b"node_vmstat_" + name)
                    values.append(float(text))
        return self._builder.row(tuple(names), named([name.decode() for name in names]), values)
