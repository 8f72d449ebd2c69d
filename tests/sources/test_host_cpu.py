from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from sanso.model.errors import SourceError
from sanso.sources.host_cpu import HostCpu
from tests.sources.rows import folder, values

STAT = """cpu  300 0 30 3000 9 0 3 6 0 0
cpu0 100 1 10 1000 3 0 1 2 7 0
cpu1 200 0 20 2000 6 0 2 4 0 8
intr 12345 1 2 3
ctxt 678
btime 1790000000
processes 99
procs_running 2
procs_blocked 1
softirq 5 1 1 1 1 1
"""
OLD = "cpu  300 0 30 3000\ncpu0 100 1 10 1000 3 0 1 0\nctxt 1\n"
LOAD = "0.50 1.25 2.75 3/400 12345\n"


def test_seconds_by_core_and_mode(tmp_path: Path) -> None:
    found = values(HostCpu(folder(tmp_path, stat=STAT, loadavg=LOAD)).read(5000))
    assert found['node_cpu_seconds_total{cpu="0", mode="user"}'] == 1.0
    assert found['node_cpu_seconds_total{cpu="1", mode="idle"}'] == 20.0
    assert found['node_cpu_seconds_total{cpu="1", mode="iowait"}'] == pytest.approx(0.06)
    assert found['node_cpu_seconds_total{cpu="0", mode="steal"}'] == pytest.approx(0.02)
    assert found['node_cpu_guest_seconds_total{cpu="0", mode="user"}'] == pytest.approx(0.07)
    assert found['node_cpu_guest_seconds_total{cpu="1", mode="nice"}'] == pytest.approx(0.08)
    assert sum(series.startswith("node_cpu_seconds_total") for series in found) == 16
    assert (found["node_load1"], found["node_load5"], found["node_load15"]) == (0.5, 1.25, 2.75)
    assert found["node_context_switches_total"] == 678
    assert found["node_intr_total"] == 12345
    assert found["node_boot_time_seconds"] == 1790000000
    assert (found["node_procs_running"], found["node_procs_blocked"], found["node_forks_total"]) == (2, 1, 99)
    assert found["node_time_seconds"] == 5.0


def test_columns_are_named_once_while_cores_stay(tmp_path: Path) -> None:
    source = HostCpu(folder(tmp_path, stat=STAT, loadavg=LOAD))
    first, second = source.read(0), source.read(1000)
    assert first is not None
    assert second is not None
    assert first.columns is second.columns
    (tmp_path / "stat").write_text(STAT.replace("cpu1", "cpu2"))
    third = source.read(2000)
    assert third is not None
    assert third.columns is not first.columns
    assert 'node_cpu_seconds_total{cpu="2", mode="user"}' in values(third)


def test_64_cores(tmp_path: Path) -> None:
    stat = "cpu 1 1 1 1 1 1 1 1 1 1\n" + "".join(f"cpu{i} {i} 0 0 0 0 0 0 0 0 0\n" for i in range(64))
    found = values(HostCpu(folder(tmp_path, stat=stat, loadavg=LOAD)).read(0))
    assert found['node_cpu_seconds_total{cpu="63", mode="user"}'] == pytest.approx(0.63)


def test_a_kernel_without_guest_time_gives_none(tmp_path: Path) -> None:
    found = values(HostCpu(folder(tmp_path, stat=OLD, loadavg=LOAD)).read(0))
    assert found['node_cpu_seconds_total{cpu="0", mode="idle"}'] == 10.0
    assert not [series for series in found if "guest" in series]


def test_a_file_that_breaks_is_a_source_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = HostCpu(folder(tmp_path, stat=STAT, loadavg=LOAD))

    def broken(descriptor: int, size: int, offset: int) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "pread", broken)
    with pytest.raises(SourceError, match="stat: Input/output error"):
        source.read(0)


def test_a_file_longer_than_one_read_is_read_whole(tmp_path: Path) -> None:
    stat = STAT + "".join(f"softirq {i}\n" for i in range(20_000)) + "processes 7\n"
    found = HostCpu(folder(tmp_path, stat=stat.replace("processes 99\n", ""), loadavg=LOAD)).read(0)
    assert values(found)["node_forks_total"] == 7


def test_files_are_closed_with_their_source(tmp_path: Path) -> None:
    folder(tmp_path, stat=STAT, loadavg=LOAD)
    HostCpu(tmp_path).read(0)
    assert not [file for file in psutil.Process().open_files() if file.path.startswith(str(tmp_path))]
