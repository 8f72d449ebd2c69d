"""Interfaces: bytes, packets, errors, drops, speed. /proc/net/dev and /sys/class/net."""

from __future__ import annotations

from pathlib import Path

from sanso.model.frame import ABSENT, Family, Row
from sanso.model.labels import series_of
from sanso.sources.readings import ProcFile, RowBuilder

_RECEIVE = ("bytes", "packets", "errs", "drop", "fifo", "frame", "compressed", "multicast")
_TRANSMIT = ("bytes", "packets", "errs", "drop", "fifo", "colls", "carrier", "compressed")
_NAMES = (
    *(f"node_network_receive_{field}_total" for field in _RECEIVE),
    *(f"node_network_transmit_{field}_total" for field in _TRANSMIT),
)
_ABOUT = ("node_network_up", "node_network_mtu_bytes", "node_network_speed_bytes", "node_network_carrier_changes_total")
_MEGABIT = 125_000
_LOOK_EVERY_MS = 10_000
"""Speed and state change seldom, and sysfs is slow."""


class HostNetwork:
    """Interfaces, without the ends of containers' cables."""

    name = "host_network"
    families = (
        *(Family(name, "counter", name.removeprefix("node_").replace("_", " ") + ".") for name in _NAMES),
        Family("node_network_up", "gauge", "Whether the interface is up."),
        Family("node_network_mtu_bytes", "gauge", "Largest packet.", "bytes"),
        Family("node_network_speed_bytes", "gauge", "Link speed a second, where the driver knows it.", "bytes"),
        Family("node_network_carrier_changes_total", "counter", "How often the link went or came."),
    )

    def __init__(self, proc: Path = Path("/proc"), sys: Path = Path("/sys")) -> None:
        self._file = ProcFile(proc / "net/dev")
        self._sys = sys / "class/net"
        self._builder = RowBuilder()
        self._looked_ms = -_LOOK_EVERY_MS
        self._about: dict[str, list[float]] = {}

    def read(self, now_ms: int) -> Row | None:
        """Counters as the kernel keeps them."""
        if now_ms - self._looked_ms >= _LOOK_EVERY_MS or now_ms < self._looked_ms:
            self._looked_ms, self._about = now_ms, {}
        devices: list[str] = []
        values: list[float] = []
        for line in self._file.read().splitlines()[2:]:
            name, _, rest = line.partition(b":")
            device = name.strip().decode()
            if device.startswith("veth"):
                continue
            devices.append(device)
            values.extend(map(float, rest.split()))
            if device not in self._about:
                self._about[device] = self._look(device)
            values.extend(self._about[device])
        labels = (series_of(name, device=device) for device in devices for name in (*_NAMES, *_ABOUT))
        return self._builder.row(tuple(devices), labels, values)

    def _look(self, device: str) -> list[float]:
        state = self._text(device, "operstate")
        speed = self._number(device, "speed")
        return [
            ABSENT if not state else float(state == "up"),
            self._number(device, "mtu"),
            speed * _MEGABIT if speed > 0 else ABSENT,  # virtual links say -1: unknown
            self._number(device, "carrier_changes"),
        ]

    def _number(self, device: str, name: str) -> float:
        text = self._text(device, name)
        return float(text) if text.lstrip("-").isdigit() else ABSENT

    def _text(self, device: str, name: str) -> str:
        try:
            return (self._sys / device / name).read_text().strip()
        except OSError:  # loopback has no speed: EINVAL
            return ""
