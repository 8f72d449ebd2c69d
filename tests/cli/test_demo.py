from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.peers import free_port

EIGHT = {"PRESIDENT", "COORDINATOR", "ANALYST", "ARCHITECT", "DATA_ENG", "SECURITY", "PM", "DEVOPS"}


def ask(url: str, path: str) -> Any:
    with urllib.request.urlopen(f"{url}{path}", timeout=5) as answer:
        return json.load(answer)


def wait_until_all_work(url: str) -> None:
    end = time.monotonic() + 40
    while True:
        try:
            workers = ask(url, "/api/sanso/workers")
            vitals = ask(url, "/api/sanso/vitals")
            if all(worker["tasks_completed"] for worker in workers) and vitals["tokens_per_second"]["value"]:
                assert {worker["name"] for worker in workers} == EIGHT
                assert vitals["requests_per_second"]["value"] > 0
                return
        except OSError:
            pass
        assert time.monotonic() < end, "the eight did not all complete a task"
        time.sleep(0.2)


@pytest.fixture
def heeded_interrupts() -> Iterator[None]:
    """A shell lets what it starts in the background ignore SIGINT, and children do as their parents."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_demo_s_figures_are_real_and_it_leaves_no_process(
    tmp_path: Path, ending: signal.Signals, heeded_interrupts: None
) -> None:
    port = free_port()
    command = [sys.executable, "-m", "sanso", "demo", "--interval", "1", "--listen", f"127.0.0.1:{port}"]
    environment = {**os.environ, "TMPDIR": str(tmp_path), "SANSO_URL": ""}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment) as process:
        wait_until_all_work(f"http://127.0.0.1:{port}")
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 3
        process.send_signal(ending)
        said, _ = process.communicate(timeout=20)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
    assert b"Traceback" not in said
    assert b"PRESIDENT" in said
    if ending != signal.SIGKILL:
        assert process.returncode == 128 + ending
        assert list(tmp_path.iterdir()) == []
