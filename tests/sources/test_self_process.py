"""This process, beside what psutil says of it: on Linux it is read without."""

from __future__ import annotations

import sys
import threading
import time

import psutil
import pytest

from sanso.sources.self_process import SelfProcess
from tests.sources.rows import values


@pytest.mark.parametrize("platform", ["", "darwin"], ids=["as it is here", "without /proc"])
def test_this_process_is_a_source_too(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    with monkeypatch.context() as elsewhere:
        if platform:
            elsewhere.setattr(sys, "platform", platform)
        source = SelfProcess()
    process, end = psutil.Process(), threading.Event()
    waiting = [threading.Thread(target=end.wait) for _ in range(3)]
    for thread in waiting:
        thread.start()
    try:
        until = time.process_time() + 0.05  # two ticks of the kernel's clock and more
        while time.process_time() < until:
            pass
        found = values(source.read(0))
        times = process.cpu_times()
        assert found["sanso_process_cpu_seconds_total"] == pytest.approx(times.user + times.system, abs=0.2)
        assert found["sanso_process_resident_memory_bytes"] == pytest.approx(process.memory_info().rss, rel=0.2)
        assert found["sanso_process_threads"] == process.num_threads() > len(waiting)
    finally:
        end.set()
        for thread in waiting:
            thread.join()
