"""The sources of this machine: what it has, found once."""

from __future__ import annotations

import sys as system
from pathlib import Path

from sanso.sources.base import Source
from sanso.sources.gpu_nvidia import GpuNvidia


def host_sources(*, proc: Path = Path("/proc"), sys: Path = Path("/sys")) -> list[Source]:
    """Everything that can be read here: /proc on Linux, what psutil gives elsewhere, GPUs where there are any."""
    if not system.platform.startswith("linux"):
        from sanso.sources.host_psutil import HostPsutil

        return [HostPsutil(), GpuNvidia()]
    from sanso.sources.container import Container
    from sanso.sources.host_cpu import HostCpu
    from sanso.sources.host_disk import HostDisk
    from sanso.sources.host_filesystem import HostFilesystem
    from sanso.sources.host_identity import HostIdentity
    from sanso.sources.host_memory import HostMemory
    from sanso.sources.host_network import HostNetwork
    from sanso.sources.host_pressure import HostPressure
    from sanso.sources.host_sockets import HostSockets

    return [
        HostCpu(proc),
        HostMemory(proc),
        HostDisk(proc),
        HostNetwork(proc, sys),
        HostSockets(proc),
        HostPressure(proc),
        HostFilesystem(proc),
        HostIdentity(),
        Container(proc, sys),
        GpuNvidia(),
    ]
