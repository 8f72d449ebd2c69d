"""Where there is no /proc: node_exporter's names from what psutil gives (macOS, Windows)."""

from __future__ import annotations

import psutil

from sanso.model.frame import Family, Row
from sanso.model.labels import Labels, series_of
from sanso.sources.readings import RowBuilder

_MEMORY = {
    "total": "MemTotal", "available": "MemAvailable", "free": "MemFree", "cached": "Cached", "buffers": "Buffers",
}  # fmt: skip
_DISK = {
    "read_count": ("node_disk_reads_completed_total", 1.0),
    "write_count": ("node_disk_writes_completed_total", 1.0),
    "read_bytes": ("node_disk_read_bytes_total", 1.0),
    "write_bytes": ("node_disk_written_bytes_total", 1.0),
    "read_time": ("node_disk_read_time_seconds_total", 1e-3),
    "write_time": ("node_disk_write_time_seconds_total", 1e-3),
}
_NETWORK = {
    "bytes_recv": "receive_bytes", "packets_recv": "receive_packets", "errin": "receive_errs", "dropin": "receive_drop",
    "bytes_sent": "transmit_bytes", "packets_sent": "transmit_packets", "errout": "transmit_errs",
    "dropout": "transmit_drop",
}  # fmt: skip
_MEGABIT = 125_000


class HostPsutil:
    """CPU, memory, swap, disks, file systems and interfaces."""

    name = "host_psutil"
    families = (
        Family("node_cpu_seconds_total", "counter", "Seconds the CPUs spent in each mode.", "seconds"),
        Family("node_memory_MemTotal_bytes", "gauge", "Physical memory.", "bytes"),
        Family("node_memory_MemAvailable_bytes", "gauge", "Memory that programs can still get.", "bytes"),
    )

    def __init__(self) -> None:
        self._builder = RowBuilder()

    def read(self, now_ms: int) -> Row | None:
        """Counters and sizes."""
        samples: dict[Labels, float] = {
            series_of("node_time_seconds"): now_ms / 1000,
            series_of("node_boot_time_seconds"): psutil.boot_time(),
        }
        for core, times in enumerate(psutil.cpu_times(percpu=True)):
            for mode in times._fields:
                if not mode.startswith("guest"):
                    samples[series_of("node_cpu_seconds_total", cpu=str(core), mode=mode)] = getattr(times, mode)
        self._add_memory(samples)
        self._add_disks(samples)
        self._add_network(samples)
        return self._builder.row(tuple(samples), samples, list(samples.values()))

    @staticmethod
    def _add_memory(samples: dict[Labels, float]) -> None:
        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        for field, name in _MEMORY.items():
            if hasattr(memory, field):
                samples[series_of(f"node_memory_{name}_bytes")] = float(getattr(memory, field))
        samples[series_of("node_memory_SwapTotal_bytes")] = float(swap.total)
        samples[series_of("node_memory_SwapFree_bytes")] = float(swap.free)

    @staticmethod
    def _add_disks(samples: dict[Labels, float]) -> None:
        for device, counters in (psutil.disk_io_counters(perdisk=True) or {}).items():
            for field, (name, factor) in _DISK.items():
                samples[series_of(name, device=device)] = getattr(counters, field) * factor
        for part in psutil.disk_partitions():
            try:
                usage = psutil.disk_usage(part.mountpoint)
            except OSError:  # an empty drive
                continue
            labels = {"device": part.device, "mountpoint": part.mountpoint, "fstype": part.fstype}
            samples[series_of("node_filesystem_size_bytes", **labels)] = float(usage.total)
            samples[series_of("node_filesystem_free_bytes", **labels)] = float(usage.total - usage.used)
            samples[series_of("node_filesystem_avail_bytes", **labels)] = float(usage.free)

    @staticmethod
    def _add_network(samples: dict[Labels, float]) -> None:
        about = psutil.net_if_stats()
        for device, counters in psutil.net_io_counters(pernic=True).items():
            for field, name in _NETWORK.items():
                samples[series_of(f"node_network_{name}_total", device=device)] = float(getattr(counters, field))
            if device in about:
                samples[series_of("node_network_up", device=device)] = float(about[device].isup)
                if about[device].speed:
                    speed = float(about[device].speed * _MEGABIT)
                    samples[series_of("node_network_speed_bytes", device=device)] = speed
