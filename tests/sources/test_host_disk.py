from __future__ import annotations

from pathlib import Path

import pytest

from sanso.sources.host_disk import HostDisk
from tests.sources.rows import folder, values

NEW = """   8       0 sda 100 1 2000 300 50 2 400 600 3 700 800 5 6 7 8 9 10
   8       1 sda1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1
   7       0 loop0 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1
 259       0 nvme0n1 7 0 8 0 0 0 0 0 0 0 0 0 0 0 0 0 0
 259       1 nvme0n1p1 7 0 8 0 0 0 0 0 0 0 0 0 0 0 0 0 0
 253       0 dm-0 1 0 2 0 0 0 0 0 0 0 0 0 0 0 0 0 0
"""
OLD = "   8       0 sda 100 1 2000 300 50 2 400 600 3 700 800\n"


def test_sectors_are_bytes_and_milliseconds_seconds(tmp_path: Path) -> None:
    found = values(HostDisk(folder(tmp_path, diskstats=NEW)).read(0))
    sda = {name.removesuffix('{device="sda"}'): value for name, value in found.items() if '"sda"' in name}
    assert sda["node_disk_reads_completed_total"] == 100
    assert sda["node_disk_read_bytes_total"] == 2000 * 512
    assert sda["node_disk_written_bytes_total"] == 400 * 512
    assert sda["node_disk_write_time_seconds_total"] == pytest.approx(0.6)
    assert sda["node_disk_io_now"] == 3
    assert sda["node_disk_io_time_seconds_total"] == pytest.approx(0.7)
    assert sda["node_disk_flush_requests_time_seconds_total"] == pytest.approx(0.01)
    assert len(sda) == 17


def test_partitions_and_loops_are_not_counted_twice(tmp_path: Path) -> None:
    found = values(HostDisk(folder(tmp_path, diskstats=NEW)).read(0))
    devices = {series.partition('device="')[2].rstrip('"}') for series in found}
    assert devices == {"sda", "nvme0n1", "dm-0"}


def test_an_older_kernel_gives_fewer_fields(tmp_path: Path) -> None:
    found = values(HostDisk(folder(tmp_path, diskstats=OLD)).read(0))
    assert len(found) == 11
    assert 'node_disk_io_time_weighted_seconds_total{device="sda"}' in found


def test_a_machine_without_disks_gives_nothing(tmp_path: Path) -> None:
    assert HostDisk(folder(tmp_path, diskstats="")).read(0) is None
