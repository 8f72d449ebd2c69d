from __future__ import annotations

from pathlib import Path

from sanso.sources.host_pressure import HostPressure
from tests.sources.rows import folder, values

PSI = "some avg10=0.00 avg60=0.00 avg300=0.00 total=2500000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=500000\n"


def test_seconds_in_which_tasks_waited(tmp_path: Path) -> None:
    found = values(_source(tmp_path).read(0))
    assert found["node_pressure_cpu_waiting_seconds_total"] == 2.5
    assert found["node_pressure_memory_stalled_seconds_total"] == 0.5
    assert found["node_pressure_io_waiting_seconds_total"] == 2.5
    assert found['node_schedstat_running_seconds_total{cpu="0"}'] == 3.0
    assert found['node_schedstat_waiting_seconds_total{cpu="0"}'] == 1.5
    assert found['node_softnet_processed_total{cpu="0"}'] == 10
    assert (found["node_filefd_allocated"], found["node_filefd_maximum"]) == (1024, 99999)
    assert "node_pressure_irq_stalled_seconds_total" not in found


def _source(root: Path) -> HostPressure:
    folder(root, pressure__cpu=PSI, pressure__memory=PSI, pressure__io=PSI)
    folder(root, schedstat="version 15\ncpu0 0 0 0 0 0 0 3000000000 1500000000 42\ndomain0 1 2\n")
    folder(root, net__softnet_stat="0000000a 00000001 00000002 0\n")
    (root / "sys/fs").mkdir(parents=True)
    (root / "sys/fs/file-nr").write_text("1024\t0\t99999\n")
    return HostPressure(root)


def test_a_kernel_without_any_of_it_gives_nothing(tmp_path: Path) -> None:
    assert HostPressure(tmp_path).read(0) is None
