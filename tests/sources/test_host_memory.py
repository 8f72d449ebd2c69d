from __future__ import annotations

from pathlib import Path

from sanso.sources.host_memory import HostMemory
from tests.sources.rows import folder, values

MEMINFO = """MemTotal:       16384 kB
MemFree:         1024 kB
MemAvailable:    8192 kB
Active(anon):       4 kB
HugePages_Total:       3
Hugepagesize:    2048 kB
"""
VMSTAT = "nr_free_pages 1\npswpin 5\npswpout 6\npgmajfault 7\noom_kill 1\n"


def test_kilobytes_are_bytes_and_counts_are_counts(tmp_path: Path) -> None:
    assert values(HostMemory(folder(tmp_path, meminfo=MEMINFO, vmstat=VMSTAT)).read(0)) == {
        "node_memory_MemTotal_bytes": 16384 * 1024,
        "node_memory_MemFree_bytes": 1024 * 1024,
        "node_memory_MemAvailable_bytes": 8192 * 1024,
        "node_memory_Active_anon_bytes": 4096,
        "node_memory_HugePages_Total": 3,
        "node_memory_Hugepagesize_bytes": 2048 * 1024,
        "node_vmstat_pswpin": 5,
        "node_vmstat_pswpout": 6,
        "node_vmstat_pgmajfault": 7,
        "node_vmstat_oom_kill": 1,
    }


def test_without_vmstat_there_is_memory_all_the_same(tmp_path: Path) -> None:
    assert len(values(HostMemory(folder(tmp_path, meminfo=MEMINFO)).read(0))) == 6
