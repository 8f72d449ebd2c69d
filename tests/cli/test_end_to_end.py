"""The commands as a user runs them, each in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from sanso.model.performance import PerformanceMetrics
from sanso.vitals.catalog import load
from tests.peers import free_port, require_program


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sanso", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=30, check=False, env={**os.environ, **environment}
    )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    url = f"http://127.0.0.1:{free_port()}"
    config = tmp_path / "sanso.toml"
    config.write_text('otlp_listen = ""\n')
    command = [sys.executable, "-m", "sanso", "serve", "--quiet", "--config", str(config)]
    with subprocess.Popen(
        [*command, "--data", str(tmp_path / "data"), "--listen", url.removeprefix("http://")]
    ) as child:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"{url}/-/ready", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield url
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=15) == 0


def test_collect_prints_every_name(tmp_path: Path) -> None:
    done = run("collect", "--once", "--format", "json", XDG_DATA_HOME=str(tmp_path), SANSO_URL="")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {field.name for field in fields(PerformanceMetrics)} < set(found)
    for vital in load():
        assert vital.name in found["layers"][vital.layer]
    assert 0 <= found["cpu_percent"] <= 100
    assert 0 < found["memory_percent"] < 100
    assert found["layers"]["application"]["requests_per_second"] is None


def test_a_server_answers_and_is_attached_to(server: str, tmp_path: Path) -> None:
    time.sleep(1.5)
    done = run("query", "--url", server, "--format", "json", "count(node_cpu_seconds_total)")
    assert done.returncode == 0, done.stderr
    assert int(json.loads(done.stdout)["result"][0]["value"][1]) >= 8
    second = run("serve", "--data", str(tmp_path / "data"))
    assert second.returncode == 1
    assert server in second.stderr
    wrong = run("query", "--url", server, "sum(")
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("sanso: ")


def test_wrong_usage_is_exit_code_2() -> None:
    assert run("collect", "--interval", "soon").returncode == 2
    assert run("top", "--interval", "0.1").returncode == 2
    assert run("nonsense").returncode == 2
    assert run("collect", "--count", "0").returncode == 2


def test_plain_lines_without_a_terminal(tmp_path: Path, server: str) -> None:
    done = run("top", "--once", "--url", server)
    assert done.returncode == 0
    assert "CPU" in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.browser
def test_the_page_draws_vitals(server: str, tmp_path: Path) -> None:
    time.sleep(1.5)
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync", "--disable-quic", "--virtual-time-budget=4000"]
    command = [
        require_program("chromium"),
        *flags,
        f"--user-data-dir={tmp_path / 'chromium'}",
        "--dump-dom",
        f"{server}/",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "cpu percent" in done.stdout
    assert "memory percent" in done.stdout
