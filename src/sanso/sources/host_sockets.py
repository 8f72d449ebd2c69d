"""TCP and UDP: connections by state, retransmits, errors. /proc/net/{snmp,netstat,sockstat,tcp,tcp6}."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from sanso.model.frame import ABSENT, Family, Row
from sanso.model.labels import Labels, series_of
from sanso.sources.readings import ProcFile, RowBuilder, named

_STATES = {
    b"01": "established", b"02": "syn_sent", b"03": "syn_recv", b"04": "fin_wait1", b"05": "fin_wait2",
    b"06": "time_wait", b"07": "close", b"08": "close_wait", b"09": "last_ack", b"0A": "listen", b"0B": "closing",
}  # fmt: skip
_COUNT_EVERY_MS = 15_000
"""The kernel walks its whole hash table to list sockets: milliseconds each time, however few there are."""


class HostSockets:
    """Protocol counters every tick, and TCP connections by state now and then."""

    name = "host_sockets"
    families = (
        Family("node_netstat_Tcp_CurrEstab", "gauge", "TCP connections established."),
        Family("node_netstat_Tcp_RetransSegs", "counter", "TCP segments sent again."),
        Family("node_netstat_Tcp_OutSegs", "counter", "TCP segments sent."),
        Family("node_netstat_Udp_InErrors", "counter", "UDP datagrams that could not be delivered."),
        Family("node_tcp_connection_states", "gauge", "TCP connections by state."),
        Family("node_sockstat_TCP_inuse", "gauge", "TCP sockets in use."),
    )

    def __init__(self, proc: Path = Path("/proc")) -> None:
        present = [proc / "net" / name for name in ("snmp", "netstat") if (proc / "net" / name).exists()]
        self._counters = [ProcFile(path) for path in present]
        self._sockstat = ProcFile(proc / "net/sockstat")
        self._tables = [ProcFile(proc / "net" / name) for name in ("tcp", "tcp6") if (proc / "net" / name).exists()]
        self._counted_ms = -_COUNT_EVERY_MS
        self._builder = RowBuilder()

    def read(self, now_ms: int) -> Row | None:
        """Counters as the kernel keeps them; the order of fields differs between kernels, so headers are read."""
        names: list[str] = []
        values: list[float] = []
        for file in self._counters:
            lines = file.read().splitlines()
            for header, figures in zip(lines[::2], lines[1::2], strict=False):
                protocol, *fields = header.decode().split()
                prefix = f"node_netstat_{protocol[:-1]}_"
                names.extend(prefix + field for field in fields)
                values.extend(map(float, figures.split()[1:]))
        for line in self._sockstat.read().decode().splitlines():
            protocol, *pairs = line.split()
            names.extend(f"node_sockstat_{protocol[:-1]}_{field}" for field in pairs[::2])
            values.extend(map(float, pairs[1::2]))
        values.extend(self._states(now_ms))
        return self._builder.row(tuple(names), self._labels(names), values)

    def _states(self, now_ms: int) -> list[float]:
        """Connections by state; absent between two counts."""
        if 0 <= now_ms - self._counted_ms < _COUNT_EVERY_MS:
            return [ABSENT] * len(_STATES)
        self._counted_ms = now_ms
        counted = self._count()
        return [float(counted[code]) for code in _STATES]

    def _count(self) -> Counter[bytes]:
        counted: Counter[bytes] = Counter()
        for table in self._tables:
            counted.update(line.split(None, 4)[3] for line in table.read().splitlines()[1:])
        return counted

    @staticmethod
    def _labels(names: list[str]) -> list[Labels]:
        return [*named(names), *(series_of("node_tcp_connection_states", state=state) for state in _STATES.values())]
