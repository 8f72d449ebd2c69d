"""Block devices: bytes, operations, time. /proc/diskstats."""

from __future__ import annotations

import re
from pathlib import Path

from sanso.model.frame import Family, Row
from sanso.model.labels import series_of
from sanso.sources.readings import ProcFile, RowBuilder

_SECTOR = 512
"""Bytes, whatever the device's own sectors are."""
_MILLI = 1e-3
_FIELDS = (
    ("node_disk_reads_completed_total", 1.0),
    ("node_disk_reads_merged_total", 1.0),
    ("node_disk_read_bytes_total", _SECTOR),
    ("node_disk_read_time_seconds_total", _MILLI),
    ("node_disk_writes_completed_total", 1.0),
    ("node_disk_writes_merged_total", 1.0),
    ("node_disk_written_bytes_total", _SECTOR),
    ("node_disk_write_time_seconds_total", _MILLI),
    ("node_disk_io_now", 1.0),
    ("node_disk_io_time_seconds_total", _MILLI),
    ("node_disk_io_time_weighted_seconds_total", _MILLI),
    ("node_disk_discards_completed_total", 1.0),
    ("node_disk_discards_merged_total", 1.0),
    ("node_disk_discarded_sectors_total", 1.0),
    ("node_disk_discard_time_seconds_total", _MILLI),
    ("node_disk_flush_requests_total", 1.0),
    ("node_disk_flush_requests_time_seconds_total", _MILLI),
)
_IGNORED = re.compile(rb"(z?ram|loop|fd|(h|s|v|xv)d[a-z]+|nvme\d+n\d+p|mmcblk\d+p)\d+")
"""Partitions and RAM: their devices count them already, or nothing is read."""


class HostDisk:
    """Whole devices; kernels before 5.5 give fewer fields."""

    name = "host_disk"
    families = tuple(
        Family(
            name, "gauge" if name.endswith("_now") else "counter", name.removeprefix("node_").replace("_", " ") + "."
        )
        for name, _ in _FIELDS
    )

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._file = ProcFile(proc / "diskstats")
        self._builder = RowBuilder()

    def read(self, now_ms: int) -> Row | None:  # noqa: ARG002 - a source's signature
        """Counters as the kernel keeps them, in bytes and seconds."""
        devices: list[tuple[str, int]] = []
        values: list[float] = []
        for line in self._file.read().splitlines():
            parts = line.split()
            if _IGNORED.fullmatch(parts[2]):
                continue
            figures = parts[3 : 3 + len(_FIELDS)]
            devices.append((parts[2].decode(), len(figures)))
            values.extend(int(text) * factor for text, (_, factor) in zip(figures, _FIELDS, strict=False))
        labels = (series_of(name, device=device) for device, count in devices for name, _ in _FIELDS[:count])
        return self._builder.row(tuple(devices), labels, values)
