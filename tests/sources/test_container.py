from __future__ import annotations

from pathlib import Path

from sanso.sources.container import Container
from tests.sources.rows import folder, values


def version_2(root: Path, path: str, group: str, **limits: str) -> Container:
    proc = folder(root / "proc", self__cgroup=f"0::{path}\n")
    base = root / "sys/fs/cgroup" / group
    base.mkdir(parents=True)
    files = {
        "cpu.stat": "usage_usec 2500000\nuser_usec 1\nnr_periods 100\nnr_throttled 7\nthrottled_usec 1500000\n",
        "cpu.max": "50000 100000\n",
        "memory.current": "1000000\n",
        "memory.max": "2000000\n",
        "memory.stat": "anon 600000\nfile 1\ninactive_file 300000\n",
        "memory.events": "low 0\noom 2\noom_kill 1\n",
        **limits,
    }
    for name, text in files.items():
        (base / name).write_text(text)
    return Container(proc, root / "sys")


EXPECTED = {
    "container_cpu_usage_seconds_total": 2.5,
    "container_cpu_cfs_periods_total": 100,
    "container_cpu_cfs_throttled_periods_total": 7,
    "container_cpu_cfs_throttled_seconds_total": 1.5,
    "container_spec_cpu_quota": 50000,
    "container_spec_cpu_period": 100000,
    "container_memory_usage_bytes": 1_000_000,
    "container_memory_working_set_bytes": 700_000,
    "container_memory_rss": 600_000,
    "container_spec_memory_limit_bytes": 2_000_000,
    "container_oom_events_total": 1,
}


def test_version_2_in_a_namespace_of_its_own(tmp_path: Path) -> None:
    assert values(version_2(tmp_path, "/", "").read(0)) == EXPECTED


def test_version_2_under_the_host_s_tree(tmp_path: Path) -> None:
    assert values(version_2(tmp_path, "/kube/pod-1", "kube/pod-1").read(0)) == EXPECTED


def test_no_limit_is_absent_not_a_number(tmp_path: Path) -> None:
    limits = {"cpu.max": "max 100000\n", "memory.max": "max\n"}
    found = values(version_2(tmp_path, "/", "", **limits).read(0))
    assert "container_spec_cpu_quota" not in found
    assert "container_spec_memory_limit_bytes" not in found
    assert found["container_spec_cpu_period"] == 100000


def test_version_1(tmp_path: Path) -> None:
    proc = folder(tmp_path / "proc", self__cgroup="4:memory:/docker/x\n3:cpu,cpuacct:/docker/x\n")
    base = tmp_path / "sys/fs/cgroup"
    for name, text in {
        "memory/docker/x/memory.usage_in_bytes": "1000000\n",
        "memory/docker/x/memory.limit_in_bytes": "9223372036854771712\n",
        "memory/docker/x/memory.stat": "total_rss 600000\ntotal_inactive_file 300000\n",
        "cpu/docker/x/cpu.stat": "nr_periods 100\nnr_throttled 7\nthrottled_time 1500000000\n",
        "cpu/docker/x/cpu.cfs_quota_us": "-1\n",
        "cpu/docker/x/cpu.cfs_period_us": "100000\n",
        "cpuacct/docker/x/cpuacct.usage": "2500000000\n",
    }.items():
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_text(text)
    gone = {"container_spec_cpu_quota", "container_spec_memory_limit_bytes", "container_oom_events_total"}
    expected = {name: value for name, value in EXPECTED.items() if name not in gone}
    assert values(Container(proc, tmp_path / "sys").read(0)) == expected


def test_a_machine_that_is_no_container_gives_nothing(tmp_path: Path) -> None:
    proc = folder(tmp_path / "proc", self__cgroup="0::/\n")
    assert Container(proc, tmp_path / "sys").read(0) is None
    assert Container(tmp_path / "none", tmp_path / "sys").read(0) is None
