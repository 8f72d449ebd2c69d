"""NVIDIA GPUs through NVML, under DCGM's names; nothing at all where there is no driver."""

from __future__ import annotations

import contextlib
import ctypes
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from sanso.model.errors import SourceError
from sanso.model.frame import ABSENT, Family, Row
from sanso.model.labels import Labels, series_of
from sanso.sources.readings import RowBuilder

_LOOK_EVERY_MS = 60_000
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


@dataclass
class _Device:
    """One GPU: its handle, its labels, and the calls that it does not know."""

    handle: Any
    labels: dict[str, str]
    unsupported: set[str] = field(default_factory=set)


class GpuNvidia:
    """Every GPU, once a tick; a figure that a device does not have is asked for once and absent from then on.

    A GPU that is lost is an error of that tick; the others are read on, and once a minute it is looked for anew.
    """

    name = "gpu_nvidia"
    families = tuple(Family(name, kind, text) for name, kind, text in _FIGURES)  # type: ignore[arg-type]

    def __init__(self) -> None:
        self._nvml: Any = None
        self._devices: list[_Device] = []
        self._counted = 0
        self._problem = ""
        self._looked_ms: int | None = None
        self._builder = RowBuilder()

    def read(self, now_ms: int) -> Row | None:
        """One value a figure and GPU; None without a driver or a GPU."""
        if self._looked_ms is None or not 0 <= now_ms - self._looked_ms < _LOOK_EVERY_MS:
            self._looked_ms = now_ms
            self._look()
        if not self._devices:
            if self._problem:
                raise SourceError(self._problem)
            return None
        values: list[float] = []
        for device in list(self._devices):
            values.extend(self._figures(device))
        keys = tuple((device.labels["UUID"], device.labels["gpu"]) for device in self._devices)
        return self._builder.row(keys, self._labels(), values)

    def _look(self) -> None:
        """Find the devices, where that was not done or something has changed: initialising a driver is not cheap."""
        if not _has_library():
            return
        import pynvml

        try:
            if self._nvml is not None:
                if not self._problem and pynvml.nvmlDeviceGetCount() == self._counted:
                    return
                self._close(pynvml)
            self._devices, self._problem = [], ""
            pynvml.nvmlInit()
            self._nvml = pynvml
            self._counted = pynvml.nvmlDeviceGetCount()
        except (pynvml.NVMLError_LibraryNotFound, pynvml.NVMLError_DriverNotLoaded, pynvml.NVMLError_NoPermission):
            return  # nothing to watch
        except pynvml.NVMLError as error:
            self._problem = f"the NVIDIA driver does not answer: {error}"
            return
        for number in range(self._counted):
            try:
                handle = pynvml.nvmlDeviceGetHandleByIndex(number)
                self._devices.append(_Device(handle, self._about(pynvml, number, handle)))
            except pynvml.NVMLError as error:
                self._problem = f"GPU {number}: {error}"

    def _close(self, nvml: Any) -> None:
        """The driver lists its devices anew only when nobody in this process holds it."""
        self._nvml = None
        with contextlib.suppress(nvml.NVMLError):
            nvml.nvmlShutdown()

    @staticmethod
    def _about(nvml: Any, number: int, handle: Any) -> dict[str, str]:
        return {
            "gpu": str(number),
            "UUID": nvml.nvmlDeviceGetUUID(handle),
            "device": f"nvidia{number}",
            "modelName": nvml.nvmlDeviceGetName(handle),
        }

    def _labels(self) -> list[Labels]:
        return [series_of(name, **device.labels) for device in self._devices for name, _, _ in _FIGURES]

    def _figures(self, device: _Device) -> list[float]:
        nvml, handle = self._nvml, device.handle
        usage = self._asked(device, "usage", lambda: nvml.nvmlDeviceGetUtilizationRates(handle))
        figures = [
            ABSENT if usage is None else float(usage.gpu),
            ABSENT if usage is None else float(usage.memory),
            *self._memory(device),
            self._number(device, "temperature", lambda: self._temperature(handle)),
            self._number(device, "power", lambda: nvml.nvmlDeviceGetPowerUsage(handle) / 1e3),
            self._number(device, "limit", lambda: nvml.nvmlDeviceGetEnforcedPowerLimit(handle) / 1e3),
            self._number(device, "energy", lambda: nvml.nvmlDeviceGetTotalEnergyConsumption(handle)),
            self._number(device, "sm", lambda: nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM)),
            self._number(device, "mem", lambda: nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_MEM)),
        ]
        if all(map(math.isnan, figures)):
            self._give_up(device, "answers nothing")
        return figures

    def _memory(self, device: _Device) -> list[float]:
        """Used, free, reserved in MiB; version 1 of the call counts what is reserved as used."""
        nvml, handle = self._nvml, device.handle
        found = self._asked(device, "memory", lambda: nvml.nvmlDeviceGetMemoryInfo(handle, version=nvml.nvmlMemory_v2))
        if found is not None:
            return [found.used / _MEBI, found.free / _MEBI, found.reserved / _MEBI]
        found = self._asked(device, "memory_v1", lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
        return [ABSENT] * 3 if found is None else [found.used / _MEBI, found.free / _MEBI, ABSENT]

    def _temperature(self, handle: Any) -> Any:
        nvml = self._nvml
        try:
            return nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)
        except nvml.NVMLError_FunctionNotFound:  # gone with CUDA 14
            if not hasattr(nvml, "nvmlDeviceGetTemperatureV"):
                raise
            return nvml.nvmlDeviceGetTemperatureV(handle, nvml.NVML_TEMPERATURE_GPU)

    def _number(self, device: _Device, figure: str, ask: Callable[[], Any]) -> float:
        found = self._asked(device, figure, ask)
        return ABSENT if found is None else float(found)

    def _asked(self, device: _Device, figure: str, ask: Callable[[], Any]) -> Any:
        """The answer; None where the device has none, this time or ever."""
        if figure in device.unsupported:
            return None
        nvml = self._nvml
        try:
            return ask()
        except (
            nvml.NVMLError_NotSupported,
            nvml.NVMLError_FunctionNotFound,
            nvml.NVMLError_ArgumentVersionMismatch,
            nvml.NVMLError_NoPermission,
        ):
            device.unsupported.add(figure)
        except (nvml.NVMLError_GpuIsLost, nvml.NVMLError_ResetRequired, nvml.NVMLError_Uninitialized) as error:
            self._give_up(device, str(error))
        except nvml.NVMLError:  # "unknown error" of one sensor is that sensor's
            pass
        return None

    def _give_up(self, device: _Device, why: str) -> NoReturn:
        """Read the others on; the next look is for this one.

        Raises:
            SourceError: Always.
        """
        self._devices.remove(device)
        self._problem = f"GPU {device.labels['gpu']}: {why}"
        raise SourceError(self._problem)


def _has_library() -> bool:
    """Whether the driver's library is here: without it, pynvml's thousand functions need not be loaded.

    Elsewhere than on Linux pynvml knows where it may be.
    """
    if not sys.platform.startswith("linux"):
        return True
    try:
        ctypes.CDLL("libnvidia-ml.so.1")  # as pynvml does
    except OSError:
        return False
    return True
