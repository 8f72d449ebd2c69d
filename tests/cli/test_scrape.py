"""`sanso serve` scraping: a real exporter, what is not honoured, reloads."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.servers import Served, serving
from tests.peers import free_port, require_program
from tests.sources.scrape.served import served


def wait_until(true: Callable[[], bool], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)


@contextmanager
def with_prometheus_config(folder: Path, text: str) -> Iterator[tuple[Served, Path]]:
    """A server with a Prometheus configuration, and the file of what it logs."""
    (folder / "prometheus.yml").write_text(text, "utf-8")
    url = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "sanso", "serve", "--no-host", "--config", str(folder / "prometheus.yml")]
    command += ["--data", str(folder / "data"), "--listen", url.removeprefix("http://")]
    log = folder / "log"
    with log.open("wb") as file, subprocess.Popen(command, stderr=file) as process:
        try:
            server = Served(process, url)
            server.wait_ready()
            yield server, log
        finally:
            process.terminate()
            process.wait(timeout=15)


@pytest.mark.peer
def test_a_node_exporter_is_scraped(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    exporter = [require_program("prometheus-node-exporter"), f"--web.listen-address={address}"]
    settings = f'[[scrape]]\njob = "node"\nurl = "http://{address}/metrics"\ninterval = "500ms"\n'
    with subprocess.Popen(exporter, stderr=subprocess.DEVNULL) as process:
        try:
            with serving(tmp_path / "data", settings=settings) as server:
                (load,) = server.wait_for('node_load1{job="node"}')
                assert load["metric"]["instance"] == address
                server.wait_for('up{job="node"} == 1')
                assert float(server.wait_for("scrape_samples_scraped")[0]["value"][1]) > 300
                (target,) = server.get("/api/v1/targets")["data"]["activeTargets"]
                assert (target["health"], target["lastError"]) == ("up", "")
                (known,) = server.get("/api/v1/targets/metadata", metric="node_load1")["data"]
                assert (known["type"], known["target"]["job"]) == ("gauge", "node")
                sources = server.get("/api/sanso/overview")["sources"]
                assert [source["up"] for source in sources if source["name"] == "scrape:node"] == [True]
        finally:
            process.terminate()
            process.wait(timeout=10)


def rule_names(server: Served) -> list[str]:
    return [rule["name"] for group in server.get("/api/v1/rules")["data"]["groups"] for rule in group["rules"]]


def runtime_info(server: Served) -> Any:
    return server.get("/api/v1/status/runtimeinfo")["data"]


def test_what_is_not_honoured_is_said_and_a_reload_follows_the_file(tmp_path: Path) -> None:
    with served() as pages:
        start = f"""
global: {{scrape_interval: 200ms}}
remote_write: [{{url: "http://127.0.0.1:9/"}}]
rule_files: [rules.yml]
scrape_configs:
- job_name: first
  static_configs: [{{targets: ["{pages.address}"]}}]
"""
        rules = "groups:\n- name: g\n  rules:\n  - {alert: Down, expr: up == 0}\n  - {record: x, expr: up}\n"
        (tmp_path / "rules.yml").write_text(rules)
        with with_prometheus_config(tmp_path, start) as (server, log):
            server.wait_for('a{job="first"}')
            text = log.read_text()
            assert "remote_write is not supported yet" in text
            assert "rules.yml:5: x: recording rules are not supported yet" in text
            notices = server.get("/api/sanso/overview")["notices"]
            assert any("remote_write" in notice for notice in notices)

            config = tmp_path / "prometheus.yml"
            config.write_text(start.replace("first", "second").replace("remote_write", "tracing"))
            (tmp_path / "rules.yml").write_text(rules.replace("Down", "Gone"))
            server.process.send_signal(signal.SIGHUP)
            server.wait_for('a{job="second"}')
            wait_until(lambda: not server.query('a{job="first"}'))
            wait_until(lambda: rule_names(server) == ["Gone"])
            assert server.get("/api/v1/scrape_pools")["data"] == {"scrapePools": ["second"]}
            assert "job_name: second" in server.get("/api/v1/status/config")["data"]["yaml"]
            notices = server.get("/api/sanso/overview")["notices"]
            assert not any("remote_write" in notice for notice in notices)
            assert any("tracing" in notice for notice in notices)

            config.write_text("scrape_configs: [{job: x}]")
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: "the old one goes on" in log.read_text())
            assert any("was not reloaded" in notice for notice in server.get("/api/sanso/overview")["notices"])
            reload = urllib.request.Request(f"{server.url}/-/reload", method="POST")
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(reload, timeout=10)
            assert caught.value.code == 500
            assert b"failed to reload config" in caught.value.read()
            assert server.query('a{job="second"}')
            assert runtime_info(server)["reloadConfigSuccess"] is False
            config.write_text(start)
            urllib.request.urlopen(reload, timeout=10).close()
            server.wait_for('a{job="first"}')
            runtime = runtime_info(server)
            assert runtime["reloadConfigSuccess"] is True
            assert runtime["lastConfigTime"] > runtime["startTime"]
            assert not any("was not reloaded" in notice for notice in server.get("/api/sanso/overview")["notices"])


def test_a_wrong_file_is_refused_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "prometheus.yml"
    path.write_text("scrape_configs:\n- job_name: a\n  scrape_intervall: 1s\n")
    command = [sys.executable, "-m", "sanso", "serve", "--config", str(path), "--data", str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert f"{path}:3: scrape_configs.0.scrape_intervall: unknown field" in done.stderr


def test_what_was_scraped_survives_a_kill_and_goes_on(tmp_path: Path) -> None:
    with served() as pages:
        settings = f'[[scrape]]\njob = "j"\nurl = "http://{pages.address}/metrics"\ninterval = "100ms"\n'
        with serving(tmp_path / "data", settings=settings) as server:
            server.wait_for("count_over_time(a[1m]) > 15")
            server.process.kill()
            server.process.wait(timeout=10)
        with serving(tmp_path / "data", settings=settings) as server:
            wait_until(lambda: count(server) > 5)
            first = count(server)
            wait_until(lambda: count(server) > first + 5)
            assert len(server.query("a")) == 1


def count(server: Served) -> float:
    """Samples that are held of the one series."""
    found = server.query("count_over_time(a[1m])")
    return float(found[0]["value"][1]) if found else 0.0
