"""This machine read for real, beside psutil and node_exporter."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request

import numpy as np
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from sanso.model.frame import Row, is_absent
from sanso.model.labels import Labels, labels_of, metric_name, value_of
from sanso.sources.host import host_sources
from tests.peers import free_port, require_program

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")

STEADY = {
    "node_boot_time_seconds",
    "node_filefd_maximum",
    "node_filesystem_files",
    "node_filesystem_size_bytes",
    "node_memory_MemTotal_bytes",
    "node_memory_SwapTotal_bytes",
    "node_network_mtu_bytes",
    "node_network_up",
    "node_uname_info",
}
THEIR_FLAGS = ["--collector.tcpstat", "--collector.netstat.fields=.*", "--collector.processes"]
LABELLED_OTHERWISE = ("node_network_", "node_tcp_connection_states")
"""node_exporter leaves out loopback, and states without connections."""


def here() -> dict[Labels, float]:
    found: dict[Labels, float] = {}
    for source in host_sources():
        row: Row | None = source.read(int(time.time() * 1000))
        if row is not None:
            gone = is_absent(np.ascontiguousarray(row.values))
            found.update({labels: float(row.values[i]) for i, labels in enumerate(row.columns.labels) if not gone[i]})
    return found


def value(found: dict[Labels, float], name: str, **labels: str) -> float:
    return sum(number for series, number in found.items() if labels_of({"__name__": name, **labels}) == series)


def test_every_source_reads_this_machine_in_a_fraction_of_a_tick() -> None:
    sources = host_sources()
    for source in sources:
        source.read(0)
    started = time.process_time()
    for tick in range(1, 21):
        for source in sources:
            source.read(tick * 1000)
    assert (time.process_time() - started) / 20 < 0.05


def _counters() -> dict[tuple[str, Labels], float]:
    """What counts on, as psutil has it."""
    found: dict[tuple[str, Labels], float] = {}
    for number, times in enumerate(psutil.cpu_times(percpu=True)):
        for mode in ("user", "system", "idle"):
            found["node_cpu_seconds_total", (("cpu", str(number)), ("mode", mode))] = getattr(times, mode)
    for device, counted in psutil.net_io_counters(pernic=True).items():
        if not device.startswith("veth"):
            found["node_network_receive_packets_total", (("device", device),)] = counted.packets_recv
    return found


def test_values_agree_with_psutil() -> None:
    before = _counters()
    found = here()
    after = _counters()
    memory = psutil.virtual_memory()
    assert value(found, "node_memory_MemTotal_bytes") == memory.total
    assert value(found, "node_memory_MemAvailable_bytes") == pytest.approx(memory.available, rel=0.05)
    assert value(found, "node_boot_time_seconds") == pytest.approx(psutil.boot_time(), abs=2)
    for (name, labels), least in before.items():
        most = after.get((name, labels))
        if most is not None:  # an interface may be gone
            assert least - 0.02 <= value(found, name, **dict(labels)) <= most + 0.02
    used = psutil.disk_usage("/")
    root = [series for series in found if ("mountpoint", "/") in series]
    sizes = [found[series] for series in root if metric_name(series) == "node_filesystem_size_bytes"]
    assert sizes == [pytest.approx(used.total, rel=0.001)]


@pytest.mark.peer
def test_names_labels_and_steady_values_are_node_exporter_s() -> None:
    address = f"127.0.0.1:{free_port()}"
    command = [require_program("prometheus-node-exporter"), f"--web.listen-address={address}", *THEIR_FLAGS]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as exporter:
        try:
            theirs = scraped(f"http://{address}/metrics")
        finally:
            exporter.terminate()
    ours = {series: number for series, number in here().items() if metric_name(series).startswith("node_")}
    known = {metric_name(series) for series in theirs}
    strange = {metric_name(series) for series in ours} - known
    assert not strange, "names that node_exporter does not have"
    mounts = {value_of(series, "mountpoint") for series in theirs}  # of process 1, who may see other ones
    wrong = [
        series
        for series in ours
        if series not in theirs
        and not metric_name(series).startswith(LABELLED_OTHERWISE)
        and value_of(series, "mountpoint") in mounts
    ]
    assert not wrong, "label sets that node_exporter does not have"
    compared = 0
    for series, number in ours.items():
        if metric_name(series) in STEADY and series in theirs:
            compared += 1
            assert number == pytest.approx(theirs[series], abs=1.0), series
    assert compared >= 5


def scraped(url: str) -> dict[Labels, float]:
    end = time.monotonic() + 15
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                text = answer.read().decode()
            break
        except OSError:
            assert time.monotonic() < end, "node_exporter does not answer"
            time.sleep(0.05)
    return {
        labels_of({"__name__": sample.name, **sample.labels}): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
