from __future__ import annotations

from pathlib import Path

from sanso.sources.host_network import HostNetwork
from tests.sources.rows import folder, values

DEV = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 1000 10 0 0 0 0 0 0 1000 10 0 0 0 0 0 0
  eth0:123456789 9 1 2 3 4 5 6 987654321 8 7 6 5 4 3 2
vethab1: 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1
"""  # noqa: E501 - as the kernel writes it


def net(root: Path) -> tuple[Path, Path]:
    proc = folder(root / "proc", net__dev=DEV)
    sys = folder(
        root / "sys",
        class__net__eth0__operstate="up\n",
        class__net__eth0__speed="10000\n",
        class__net__eth0__mtu="1500\n",
        class__net__eth0__carrier_changes="2\n",
        class__net__lo__operstate="unknown\n",
        class__net__lo__speed="-1\n",
        class__net__lo__mtu="65536\n",
    )
    return proc, sys


def test_counters_of_each_interface(tmp_path: Path) -> None:
    found = values(HostNetwork(*net(tmp_path)).read(0))
    assert found['node_network_receive_bytes_total{device="eth0"}'] == 123456789
    assert found['node_network_receive_drop_total{device="eth0"}'] == 2
    assert found['node_network_transmit_bytes_total{device="eth0"}'] == 987654321
    assert found['node_network_transmit_carrier_total{device="eth0"}'] == 3
    assert not [series for series in found if "veth" in series]


def test_link_speed_is_bytes_a_second_and_absent_where_unknown(tmp_path: Path) -> None:
    found = values(HostNetwork(*net(tmp_path)).read(0))
    assert found['node_network_speed_bytes{device="eth0"}'] == 1_250_000_000
    assert 'node_network_speed_bytes{device="lo"}' not in found
    assert found['node_network_up{device="eth0"}'] == 1
    assert found['node_network_up{device="lo"}'] == 0
    assert 'node_network_carrier_changes_total{device="lo"}' not in found


def test_a_link_that_goes_down_is_seen_within_ten_seconds(tmp_path: Path) -> None:
    proc, sys = net(tmp_path)
    source = HostNetwork(proc, sys)
    source.read(0)
    (sys / "class/net/eth0/operstate").write_text("down\n")
    assert values(source.read(5000))['node_network_up{device="eth0"}'] == 1
    assert values(source.read(10_000))['node_network_up{device="eth0"}'] == 0


def test_a_clock_set_back_does_not_stop_the_looking(tmp_path: Path) -> None:
    proc, sys = net(tmp_path)
    source = HostNetwork(proc, sys)
    source.read(1_000_000)
    (sys / "class/net/eth0/operstate").write_text("down\n")
    assert values(source.read(5000))['node_network_up{device="eth0"}'] == 0
