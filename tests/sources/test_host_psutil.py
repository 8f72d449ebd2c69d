"""What macOS and Windows get, read here: psutil knows Linux too, so both ways can be compared."""

from __future__ import annotations

import sys

import pytest

from sanso.sources.host_psutil import HostPsutil
from tests.sources.rows import values
from tests.sources.test_host import here


def test_names_and_values_are_those_of_proc() -> None:
    ours = values(HostPsutil().read(5000))
    assert ours["node_time_seconds"] == 5.0
    assert ours["node_memory_MemTotal_bytes"] > 0
    assert any(series.startswith("node_filesystem_avail_bytes{") for series in ours)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is no /proc to compare with")
def test_it_agrees_with_proc() -> None:
    from sanso.model.labels import render

    proc = {render(series): number for series, number in here().items()}
    ours = values(HostPsutil().read(0))
    assert ours["node_memory_MemTotal_bytes"] == proc["node_memory_MemTotal_bytes"]
    compared = [series for series in ours if series in proc and "cpu_seconds" in series]
    assert len(compared) >= 8
    for series in compared:
        assert ours[series] == pytest.approx(proc[series], abs=2.0), series
    disks = [series for series in ours if series.startswith("node_disk_read_bytes_total")]
    for series in disks:
        if series in proc:
            assert ours[series] == pytest.approx(proc[series], rel=0.05, abs=1e7)
