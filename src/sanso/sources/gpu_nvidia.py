"""NVIDIA GPUs through NVML, under DCGM's names; nothing at all where there is no driver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sanso.model.errors import SourceError
from sanso.model.frame import ABSENT, Family, Row
from sanso.model.labels import Labels, series_of
from sanso.sources.readings import RowBuilder

_RETRY_MS = 60_000
"""A driver may be loaded later; looking for it each second would cost."""
_MEBI = 1 << 20
_FIGURES = (
    ("DCGM_FI_DEV_GPU_UTIL", "gauge", "GPU utilization (in %)."),
    ("DCGM_FI_DEV_MEM_COPY_UTIL", "gauge", "Memory utilization (in %)."),
    ("DCGM_FI_DEV_FB_USED", "gauge", "Framebuffer memory used (in MiB)."),
    ("DCGM_FI_DEV_FB_FREE", "gauge", "Framebuffer memory free (in MiB)."),
    ("DCGM_FI_DEV_FB_RESERVED", "gauge", "Framebuffer memory reserved (in MiB)."),
    ("DCGM_FI_DEV_GPU_TEMP", "gauge", "GPU temperature (in C)."),
    ("DCGM_FI_DEV_POWER_USAGE", "gauge", "Power draw (in W)."),
    ("DCGM_FI_DEV_POWER_MGMT_LIMIT", "gauge", "Power limit in force (in W)."),
    ("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "counter", "Energy since the driver was loaded (in mJ)."),
    ("DCGM_FI_DEV_SM_CLOCK", "gauge", "SM clock (in MHz)."),
    ("DCGM_FI_DEV_MEM_CLOCK", "gauge", "Memory clock (in MHz)."),
)


class GpuNvidia:
    """Every GPU, once a tick; a figure that a device does not have is asked for once and absent from then on."""

    name = "gpu_nvidia"
    families = tuple(Family(name, kind, text) for name, kind, text in _FIGURES)  # type: ignore[arg-type]

    def __init__(self) -> None:
        self._nvml: Any = None
        self._devices: list[tuple[Any, dict[str, str]]] = []
        self._unsupported: set[tuple[str, int]] = set()
        self._tried_ms: int | None = None
        self._builder = RowBuilder()

    def read(self, now_ms: int) -> Row | None:
        """One value a figure and GPU; None without a driver or a GPU."""
        if (self._nvml is None or self._changed(now_ms)) and not self._open(now_ms):
            return None
        values: list[float] = []
        for number, (handle, _) in enumerate(self._devices):
            values.extend(self._figures(number, handle))
        names = tuple(labels["UUID"] for _, labels in self._devices)
        return self._builder.row(names, self._labels(), values)

    def _due(self, now_ms: int) -> bool:
        return self._tried_ms is None or not 0 <= now_ms - self._tried_ms < _RETRY_MS

    def _changed(self, now_ms: int) -> bool:
        """Whether there are more or fewer GPUs than a minute ago."""
        if not self._due(now_ms):
            return False
        self._tried_ms = now_ms
        try:
            changed = bool(self._nvml.nvmlDeviceGetCount() != len(self._devices))
        except self._nvml.NVMLError:
            changed = True
        if changed:
            self._nvml, self._tried_ms = None, None
        return changed

    def _open(self, now_ms: int) -> bool:
        if not self._due(now_ms):
            return False
        self._tried_ms = now_ms
        import pynvml

        try:
            pynvml.nvmlInit()
            handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
            self._devices = [(handle, self._about(pynvml, i, handle)) for i, handle in enumerate(handles)]
        except pynvml.NVMLError:  # no driver, no library, no permission: no GPU to watch
            return False
        self._nvml = pynvml if handles else None
        self._unsupported.clear()
        return bool(handles)

    @staticmethod
    def _about(nvml: Any, number: int, handle: Any) -> dict[str, str]:
        return {
            "gpu": str(number),
            "UUID": nvml.nvmlDeviceGetUUID(handle),
            "device": f"nvidia{number}",
            "modelName": nvml.nvmlDeviceGetName(handle),
        }

    def _labels(self) -> list[Labels]:
        return [series_of(name, **labels) for _, labels in self._devices for name, _, _ in _FIGURES]

    def _figures(self, number: int, handle: Any) -> list[float]:
        nvml = self._nvml
        usage = self._asked(number, "utilisation", lambda: nvml.nvmlDeviceGetUtilizationRates(handle))
        memory = self._asked(number, "memory", lambda: self._memory(handle))
        limit = self._asked(number, "limit", lambda: nvml.nvmlDeviceGetEnforcedPowerLimit(handle) / 1e3)
        return [
            ABSENT if usage is None else float(usage.gpu),
            ABSENT if usage is None else float(usage.memory),
            *([ABSENT] * 3 if memory is None else memory),
            self._number(
                number, "temperature", lambda: nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)
            ),
            self._number(number, "power", lambda: nvml.nvmlDeviceGetPowerUsage(handle) / 1e3),
            ABSENT if limit is None else float(limit),
            self._number(number, "energy", lambda: nvml.nvmlDeviceGetTotalEnergyConsumption(handle)),
            self._number(number, "sm", lambda: nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM)),
            self._number(number, "mem", lambda: nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_MEM)),
        ]

    def _memory(self, handle: Any) -> list[float]:
        """Used, free, reserved in MiB; version 1 of the call counts what is reserved as used."""
        nvml = self._nvml
        try:
            found = nvml.nvmlDeviceGetMemoryInfo(handle, version=nvml.nvmlMemory_v2)
        except (nvml.NVMLError_NotSupported, nvml.NVMLError_FunctionNotFound):
            found = nvml.nvmlDeviceGetMemoryInfo(handle)
            return [found.used / _MEBI, found.free / _MEBI, ABSENT]
        return [found.used / _MEBI, found.free / _MEBI, found.reserved / _MEBI]

    def _number(self, number: int, figure: str, ask: Callable[[], Any]) -> float:
        found = self._asked(number, figure, ask)
        return ABSENT if found is None else float(found)

    def _asked(self, number: int, figure: str, ask: Callable[[], Any]) -> Any:
        if (figure, number) in self._unsupported:
            return None
        nvml = self._nvml
        try:
            return ask()
        except (nvml.NVMLError_NotSupported, nvml.NVMLError_FunctionNotFound):
            self._unsupported.add((figure, number))
        except nvml.NVMLError_NoPermission:
            self._unsupported.add((figure, number))
        except nvml.NVMLError as error:
            self._nvml = None  # lost or reset: find the devices anew
            raise SourceError(f"GPU {number}: {error}") from error
        return None
