"""The control group this process lives in: its own CPU, throttling and memory limits (cgroup v2, or v1)."""

from __future__ import annotations

import math
from pathlib import Path

from sanso.model.frame import ABSENT, Family, Row
from sanso.sources.readings import RowBuilder, named

_NAMES = (
    "container_cpu_usage_seconds_total",
    "container_cpu_cfs_periods_total",
    "container_cpu_cfs_throttled_periods_total",
    "container_cpu_cfs_throttled_seconds_total",
    "container_spec_cpu_quota",
    "container_spec_cpu_period",
    "container_memory_usage_bytes",
    "container_memory_working_set_bytes",
    "container_memory_rss",
    "container_spec_memory_limit_bytes",
    "container_oom_events_total",
)
_NO_LIMIT = 1 << 60
"""Version 1 writes "no limit" as a number near 2**63."""


class Container:
    """Nothing where the process lives in the root group, or where no controllers are mounted."""

    name = "container"
    families = tuple(
        Family(name, "counter" if name.endswith("_total") else "gauge", name.replace("_", " ") + ".") for name in _NAMES
    )

    def __init__(self, proc: Path = Path("/proc"), sys: Path = Path("/sys")) -> None:
        self._group = sys / "fs/cgroup"
        self._paths = _own_paths(proc)
        self._builder = RowBuilder()

    def read(self, now_ms: int) -> Row | None:  # noqa: ARG002 - a source's signature
        """What the group used and what it may use."""
        figures = self._version_2() or self._version_1()
        if not figures:
            return None
        return self._builder.row(_NAMES, named(_NAMES), [figures.get(name, ABSENT) for name in _NAMES])

    def _version_2(self) -> dict[str, float]:
        path = self._paths.get("", "/")
        folder = self._group / path.lstrip("/")
        # Inside a container's own namespace the path is "/", but the files of a limited group are there.
        if not (folder / "memory.current").exists():
            return {}
        cpu, memory = _pairs(folder / "cpu.stat"), _pairs(folder / "memory.stat")
        quota, _, period = _text(folder / "cpu.max").partition(" ")
        used = _number(_text(folder / "memory.current"))
        return {
            "container_cpu_usage_seconds_total": _over(cpu.get("usage_usec", ABSENT), 1e6),
            "container_cpu_cfs_periods_total": cpu.get("nr_periods", ABSENT),
            "container_cpu_cfs_throttled_periods_total": cpu.get("nr_throttled", ABSENT),
            "container_cpu_cfs_throttled_seconds_total": _over(cpu.get("throttled_usec", ABSENT), 1e6),
            "container_spec_cpu_quota": _number(quota),
            "container_spec_cpu_period": _number(period),
            "container_memory_usage_bytes": used,
            "container_memory_working_set_bytes": _less(used, memory.get("inactive_file", 0.0)),
            "container_memory_rss": memory.get("anon", ABSENT),
            "container_spec_memory_limit_bytes": _number(_text(folder / "memory.max")),
            "container_oom_events_total": _pairs(folder / "memory.events").get("oom_kill", ABSENT),
        }

    def _version_1(self) -> dict[str, float]:
        if self._paths.get("memory", "/") == "/":
            return {}
        memory, cpu = self._folder("memory"), self._folder("cpu")
        used, stat = _number(_text(memory / "memory.usage_in_bytes")), _pairs(memory / "memory.stat")
        throttled = _pairs(cpu / "cpu.stat")
        limit = _number(_text(memory / "memory.limit_in_bytes"))
        return {
            "container_cpu_usage_seconds_total": _over(_number(_text(self._folder("cpuacct") / "cpuacct.usage")), 1e9),
            "container_cpu_cfs_periods_total": throttled.get("nr_periods", ABSENT),
            "container_cpu_cfs_throttled_periods_total": throttled.get("nr_throttled", ABSENT),
            "container_cpu_cfs_throttled_seconds_total": _over(throttled.get("throttled_time", ABSENT), 1e9),
            "container_spec_cpu_quota": _positive(_number(_text(cpu / "cpu.cfs_quota_us"))),
            "container_spec_cpu_period": _number(_text(cpu / "cpu.cfs_period_us")),
            "container_memory_usage_bytes": used,
            "container_memory_working_set_bytes": _less(used, stat.get("total_inactive_file", 0.0)),
            "container_memory_rss": stat.get("total_rss", ABSENT),
            "container_spec_memory_limit_bytes": limit if limit < _NO_LIMIT else ABSENT,
        }

    def _folder(self, controller: str) -> Path:
        return self._group / controller / self._paths.get(controller, "/").lstrip("/")


def _own_paths(proc: Path) -> dict[str, str]:
    """The group's path by controller; version 2's under the empty name."""
    paths: dict[str, str] = {}
    for line in _text(proc / "self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        paths.update(dict.fromkeys(controllers.split(","), path))
    return paths


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _pairs(path: Path) -> dict[str, float]:
    return {name: float(text) for name, text in (line.split() for line in _text(path).splitlines())}


def _number(text: str) -> float:
    """A number; ABSENT for `max` and for nothing."""
    return float(text) if text.lstrip("-").isdigit() else ABSENT


def _over(value: float, divisor: float) -> float:
    """A quotient; what is absent stays so (arithmetic would make it a plain NaN)."""
    return ABSENT if math.isnan(value) else value / divisor


def _less(value: float, part: float) -> float:
    return ABSENT if math.isnan(value) else value - part


def _positive(value: float) -> float:
    return value if value > 0 else ABSENT
