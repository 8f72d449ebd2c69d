"""File systems: size, free and available bytes, inodes. statvfs over /proc/mounts."""

from __future__ import annotations

import os
import re
from pathlib import Path

from sanso.model.errors import SourceError
from sanso.model.frame import Family, Row
from sanso.model.labels import Labels
from sanso.sources.readings import ProcFile, RowBuilder, named

_NAMES = (
    "node_filesystem_size_bytes",
    "node_filesystem_free_bytes",
    "node_filesystem_avail_bytes",
    "node_filesystem_files",
    "node_filesystem_files_free",
    "node_filesystem_readonly",
)
_KERNELS_OWN = re.compile(
    r"autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|proc|procfs"
    r"|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tracefs|ramfs"
)

_NOT_FOR_FILES = re.compile(
    r"/(dev|proc|sys|run/credentials/.+|var/lib/(docker|containers/storage|kubelet/pods)/.+)($|/.*)"
)
"""Mount points that node_exporter leaves out by default, and a cluster's pods."""


class HostFilesystem:
    """Mounted file systems but for the kernel's own; an overlay only where it is the root (in a container).

    A dead network mount hangs the calling thread, and with it this source only.
    """

    name = "host_filesystem"
    families = tuple(Family(name, "gauge", name.removeprefix("node_").replace("_", " ") + ".") for name in _NAMES)

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._mounts = ProcFile(proc / "self/mounts")
        self._builder = RowBuilder()

    def read(self, now_ms: int) -> Row | None:  # noqa: ARG002 - a source's signature
        """Bytes and inodes of each mount point; of several mounts at one point the last is what programs see."""
        mounts: dict[str, tuple[str, str, str, bool]] = {}
        for line in self._mounts.read().decode(errors="replace").splitlines():
            device, point, kind, options, *_ = line.split()
            if _KERNELS_OWN.fullmatch(kind) or (kind == "overlay" and point != "/"):
                continue
            point = _unescaped(point)
            if _NOT_FOR_FILES.fullmatch(point):
                continue
            mounts[point] = (device, point, kind, "ro" in options.split(","))
        labels: list[Labels] = []
        values: list[float] = []
        seen = []
        for device, point, kind, readonly in mounts.values():
            try:
                found = os.statvfs(point)
            except PermissionError:  # another user's mount
                continue
            except OSError as error:
                raise SourceError(f"{point}: {error.strerror}") from error
            if not found.f_blocks:
                continue
            seen.append((device, point, kind))
            size = found.f_frsize
            space = [found.f_blocks * size, found.f_bfree * size, found.f_bavail * size, found.f_files, found.f_ffree]
            values.extend([*map(float, space), float(readonly)])
        for device, point, kind in seen:
            labels.extend(named(_NAMES, device=device, mountpoint=point, fstype=kind))
        return self._builder.row(tuple(seen), labels, values)


def _unescaped(text: str) -> str:
    r"""A mount point as it is: /proc/mounts writes a space as \040."""
    return re.sub(r"\\(\d{3})", lambda match: chr(int(match[1], 8)), text)
