from __future__ import annotations

from pathlib import Path

from sanso.sources.host_sockets import HostSockets
from tests.sources.rows import folder, values

SNMP = """Tcp: RtoAlgorithm CurrEstab OutSegs RetransSegs
Tcp: 1 7 1000 5
Udp: InDatagrams InErrors
Udp: 40 3
"""
NETSTAT = "TcpExt: SyncookiesSent TCPTimeouts\nTcpExt: 0 2\n"
SOCKSTAT = "sockets: used 100\nTCP: inuse 5 orphan 0 tw 3 alloc 9 mem 2\nUDP: inuse 4 mem 1\n"
TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0CFC 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:0CFC 0100007F:D1E2 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
   2: 0100007F:D1E2 0100007F:0CFC 06 00000000:00000000 00:00000000 00000000     0        0 0 1 0 100 0 0 10 0
"""


def proc(root: Path) -> Path:
    return folder(root, net__snmp=SNMP, net__netstat=NETSTAT, net__sockstat=SOCKSTAT, net__tcp=TCP, net__tcp6=TCP)


def test_counters_and_connections_by_state(tmp_path: Path) -> None:
    found = values(HostSockets(proc(tmp_path)).read(0))
    assert found["node_netstat_Tcp_RetransSegs"] == 5
    assert found["node_netstat_Udp_InErrors"] == 3
    assert found["node_netstat_TcpExt_TCPTimeouts"] == 2
    assert found["node_sockstat_TCP_tw"] == 3
    assert found["node_sockstat_sockets_used"] == 100
    states = {name: value for name, value in found.items() if name.startswith("node_tcp_connection_states")}
    assert len(states) == 11
    assert {name: value for name, value in states.items() if value} == {
        'node_tcp_connection_states{state="established"}': 2,
        'node_tcp_connection_states{state="listen"}': 2,
        'node_tcp_connection_states{state="time_wait"}': 2,
    }


def test_states_are_absent_between_two_counts_never_repeated(tmp_path: Path) -> None:
    source = HostSockets(proc(tmp_path))
    source.read(0)
    between = values(source.read(1000))
    assert not [series for series in between if "connection_states" in series]
    assert between["node_netstat_Tcp_CurrEstab"] == 7
    assert [series for series in values(source.read(15_000)) if "connection_states" in series]


def test_without_ipv6_the_rest_is_there(tmp_path: Path) -> None:
    root = proc(tmp_path)
    (root / "net/tcp6").unlink()
    found = values(HostSockets(root).read(0))
    assert found['node_tcp_connection_states{state="listen"}'] == 1
