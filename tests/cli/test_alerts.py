from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.cli.servers import serving

SANSO = [sys.executable, "-m", "sanso"]


def alert_file(folder: Path, log: Path) -> Path:
    rule = {"name": "Busy", "metric_name": "memory_percent", "threshold": 0.0, "level": "critical", "message": "メモリ"}
    path = folder / "alerts.json"
    path.write_text(json.dumps({"rules": [rule], "handlers": [{"type": "log", "path": str(log)}]}), "utf-8")
    return path


def told(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text("utf-8").splitlines()] if log.exists() else []


def wait_for_lines(log: Path, count: int) -> list[dict[str, Any]]:
    end = time.monotonic() + 15
    while len(told(log)) < count and time.monotonic() < end:
        time.sleep(0.05)
    return told(log)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SANSO_URL": ""}
    return subprocess.run([*SANSO, *arguments], capture_output=True, text=True, timeout=30, env=environment)


def test_check_says_right_or_where_it_is_wrong(tmp_path: Path) -> None:
    path = alert_file(tmp_path, tmp_path / "log")
    right = run("alerts", "check", "--config", str(path))
    assert right.returncode == 0
    assert "1 rules are right; handlers: log" in right.stdout
    path.write_text('{"rules": [\n  {"metric_name": "cpu_percent",\n   "treshold": 3}]}')
    wrong = run("alerts", "check", "--config", str(path))
    assert wrong.returncode == 1
    assert "alerts.json:3: rules.0.treshold" in wrong.stderr
    assert wrong.stderr.count("\n") == 1


def test_handlers_can_be_tried(tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = run("alerts", "test", "--config", str(alert_file(tmp_path, log)))
    assert done.returncode == 0, done.stderr
    assert told(log)[0]["name"] == "Test"


def test_run_judges_this_machine_until_it_is_ended(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [*SANSO, "alerts", "run", "--interval", "0.2", "--config", str(alert_file(tmp_path, log))]
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path), "SANSO_URL": ""}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        first = wait_for_lines(log, 1)
        time.sleep(0.8)  # more judgements, nothing more to say
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=15)
        assert process.returncode == 0
    assert "1 rules on this machine" in out
    assert [line["name"] for line in first] == ["Busy"]
    assert len(told(log)) == 1


def test_a_server_fires_once_through_a_restart_and_a_kill(tmp_path: Path) -> None:
    log = tmp_path / "log"
    settings = f'[[rules]]\nfile = "{alert_file(tmp_path, log)}"\n'
    for kill in (True, False, False):
        with serving(tmp_path / "data", settings=settings) as server:
            wait_for_lines(log, 1)
            time.sleep(1.2)
            alerts = server.get("/api/v1/alerts")["data"]["alerts"]
            assert [(alert["labels"]["alertname"], alert["state"]) for alert in alerts] == [("Busy", "firing")]
            if kill:
                server.process.kill()
    assert [line["state"] for line in told(log)] == ["firing"]
