"""CPU time by core and mode, load, context switches, processes, boot time: /proc/stat and /proc/loadavg."""

from __future__ import annotations

import os
from pathlib import Path

from sanso.model.frame import ABSENT, Family, Row
from sanso.model.labels import Labels, series_of
from sanso.sources.readings import ProcFile, RowBuilder, named

_MODES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
_TOTALS = {
    b"ctxt": "node_context_switches_total",
    b"btime": "node_boot_time_seconds",
    b"processes": "node_forks_total",
    b"procs_running": "node_procs_running",
    b"procs_blocked": "node_procs_blocked",
    b"intr": "node_intr_total",
}


class HostCpu:
    """node_exporter's `cpu`, `stat` and `loadavg`; guest time is already inside user time and stands apart."""

    name = "host_cpu"
    families = (
        Family("node_cpu_seconds_total", "counter", "Seconds the CPUs spent in each mode.", "seconds"),
        Family("node_cpu_guest_seconds_total", "counter", "Seconds the CPUs spent in guests for each mode.", "seconds"),
        Family("node_context_switches_total", "counter", "Context switches."),
        Family("node_boot_time_seconds", "gauge", "When the system was started, unix time.", "seconds"),
        Family("node_forks_total", "counter", "Forks."),
        Family("node_intr_total", "counter", "Interrupts serviced."),
        Family("node_procs_running", "gauge", "Processes in runnable state."),
        Family("node_procs_blocked", "gauge", "Processes blocked waiting for I/O."),
        Family("node_load1", "gauge", "1m load average."),
        Family("node_load5", "gauge", "5m load average."),
        Family("node_load15", "gauge", "15m load average."),
        Family("node_time_seconds", "gauge", "System time, unix seconds.", "seconds"),
    )

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._stat = ProcFile(proc / "stat")
        self._load = ProcFile(proc / "loadavg")
        self._tick = 1 / os.sysconf("SC_CLK_TCK")
        self._builder = RowBuilder()

    def read(self, now_ms: int) -> Row | None:
        """Counters as the kernel keeps them, in seconds."""
        values: list[float] = []
        cores: list[str] = []
        totals: list[str] = []
        ends: list[float] = []
        for line in self._stat.read().splitlines():
            parts = line.split(None, 11)
            if line.startswith(b"cpu") and line[3:4] != b" ":
                cores.append(parts[0][3:].decode())
                values.extend(int(part) * self._tick for part in parts[1:11])
                values.extend([ABSENT] * (11 - len(parts)))
            elif parts and parts[0] in _TOTALS:
                totals.append(_TOTALS[parts[0]])
                ends.append(float(parts[1]))
        load = [float(part) for part in self._load.read().split()[:3]]
        values += [*ends, *load, now_ms / 1000]
        return self._builder.row((*cores, *totals), self._labels(cores, totals), values)

    @staticmethod
    def _labels(cores: list[str], totals: list[str]) -> list[Labels]:
        labels: list[Labels] = []
        for core in cores:
            labels.extend(series_of("node_cpu_seconds_total", cpu=core, mode=mode) for mode in _MODES)
            labels.extend(series_of("node_cpu_guest_seconds_total", cpu=core, mode=mode) for mode in ("user", "nice"))
        return [*labels, *named([*totals, "node_load1", "node_load5", "node_load15", "node_time_seconds"])]
