from __future__ import annotations

import os
from pathlib import Path

import pytest

from sanso.model.errors import SourceError
from sanso.sources.host_filesystem import HostFilesystem
from tests.sources.rows import folder, values


def mounted(root: Path, *lines: str) -> HostFilesystem:
    return HostFilesystem(folder(root, self__mounts="\n".join(lines) + "\n"))


def points(source: HostFilesystem) -> set[str]:
    row = source.read(0)
    return set() if row is None else {dict(labels)["mountpoint"] for labels in row.columns.labels}


def test_sizes_are_statvfs_s(tmp_path: Path) -> None:
    disk = tmp_path / "my disk"
    disk.mkdir()
    escaped = str(disk).replace(" ", r"\040")
    found = values(mounted(tmp_path, f"/dev/sda1 {escaped} ext4 ro,relatime 0 0").read(0))
    about = f'{{device="/dev/sda1", fstype="ext4", mountpoint="{disk}"}}'
    real = os.statvfs(disk)
    assert found[f"node_filesystem_size_bytes{about}"] == real.f_blocks * real.f_frsize
    assert found[f"node_filesystem_files{about}"] == real.f_files
    assert found[f"node_filesystem_readonly{about}"] == 1.0
    assert len(found) == 6


def test_the_kernel_s_own_and_other_containers_layers_are_left_out(tmp_path: Path) -> None:
    source = mounted(
        tmp_path,
        "overlay / overlay rw 0 0",
        "proc /proc proc rw 0 0",
        "tmpfs /dev/shm tmpfs rw 0 0",
        f"overlay {tmp_path} overlay rw 0 0",
        "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0",
    )
    assert points(source) == {"/"}


def test_of_two_mounts_at_one_point_the_upper_is_seen(tmp_path: Path) -> None:
    row = mounted(tmp_path, f"/dev/a {tmp_path} ext4 rw 0 0", f"/dev/b {tmp_path} xfs rw 0 0").read(0)
    assert row is not None
    assert {dict(labels)["device"] for labels in row.columns.labels} == {"/dev/b"}


def test_a_mount_that_is_gone_is_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="gone: No such file"):
        mounted(tmp_path, f"/dev/a {tmp_path}/gone ext4 rw 0 0").read(0)
