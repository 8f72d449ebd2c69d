"""Pressure and scheduling: PSI, scheduler wait, softnet, file handles. /proc."""

from __future__ import annotations

from pathlib import Path

from sanso.model.frame import Family, Row
from sanso.model.labels import Labels, series_of
from sanso.sources.readings import ProcFile, RowBuilder, named

_PRESSURE = (
    ("cpu", b"some", "node_pressure_cpu_waiting_seconds_total"),
    ("memory", b"some", "node_pressure_memory_waiting_seconds_total"),
    ("memory", b"full", "node_pressure_memory_stalled_seconds_total"),
    ("io", b"some", "node_pressure_io_waiting_seconds_total"),
    ("io", b"full", "node_pressure_io_stalled_seconds_total"),
    ("irq", b"full", "node_pressure_irq_stalled_seconds_total"),
)
_SCHEDULER = (
    "node_schedstat_running_seconds_total",
    "node_schedstat_waiting_seconds_total",
    "node_schedstat_timeslices_total",
)
_SOFTNET = ("node_softnet_processed_total", "node_softnet_dropped_total", "node_softnet_times_squeezed_total")


class HostPressure:
    """How long work waited for the machine; what the kernel does not keep is absent."""

    name = "host_pressure"
    families = (
        *(
            Family(name, "counter", f"Seconds in which tasks waited for {what}.", "seconds")
            for what, _, name in _PRESSURE
        ),
        *(Family(name, "counter", name.removeprefix("node_").replace("_", " ") + ".") for name in _SCHEDULER),
        *(Family(name, "counter", name.removeprefix("node_").replace("_", " ") + ".") for name in _SOFTNET),
        Family("node_filefd_allocated", "gauge", "File handles in use."),
        Family("node_filefd_maximum", "gauge", "File handles that may be in use."),
    )

    def __init__(self, proc: Path = Path("/proc")) -> None:
        folder = proc / "pressure"
        found = {what: ProcFile(folder / what) for what, _, _ in _PRESSURE if _readable(folder / what)}
        self._pressure = found
        self._schedstat = ProcFile(proc / "schedstat") if _readable(proc / "schedstat") else None
        self._softnet = ProcFile(proc / "net/softnet_stat") if _readable(proc / "net/softnet_stat") else None
        self._handles = ProcFile(proc / "sys/fs/file-nr") if _readable(proc / "sys/fs/file-nr") else None
        self._builder = RowBuilder()

    def read(self, now_ms: int) -> Row | None:  # noqa: ARG002 - a source's signature
        """Seconds, counters, handles."""
        labels: list[Labels] = []
        values: list[float] = []
        texts = {what: file.read() for what, file in self._pressure.items()}
        for what, kind, name in _PRESSURE:
            for line in texts.get(what, b"").splitlines():
                if line.startswith(kind):
                    labels.append(series_of(name))
                    values.append(int(line.rpartition(b"=")[2]) / 1e6)
        self._add_scheduler(labels, values)
        self._add_softnet(labels, values)
        if self._handles is not None:
            allocated, _, maximum = self._handles.read().split()
            labels.extend(named(["node_filefd_allocated", "node_filefd_maximum"]))
            values.extend([float(allocated), float(maximum)])
        return self._builder.row(tuple(labels), labels, values)

    def _add_scheduler(self, labels: list[Labels], values: list[float]) -> None:
        if self._schedstat is None:
            return
        for line in self._schedstat.read().splitlines():
            if line.startswith(b"cpu"):
                parts = line.split()
                labels.extend(named(_SCHEDULER, cpu=parts[0][3:].decode()))
                values.extend([int(parts[7]) / 1e9, int(parts[8]) / 1e9, float(parts[9])])

    def _add_softnet(self, labels: list[Labels], values: list[float]) -> None:
        if self._softnet is None:
            return
        for cpu, line in enumerate(self._softnet.read().splitlines()):
            labels.extend(named(_SOFTNET, cpu=str(cpu)))
            values.extend(float(int(part, 16)) for part in line.split()[:3])


def _readable(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError:  # PSI may be compiled in and switched off: EOPNOTSUPP
        return False
    return True
