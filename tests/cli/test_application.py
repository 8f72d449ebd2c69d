"""An application with the sdk, a server, and what people see: the whole way, in real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from sanso.sdk import Telemetry
from tests.cli.servers import serving

WORKERS = '[organisation]\nexpected = 2\n[[organisation.workers]]\nname = "PM"\nicon = "📈"\n'


def test_what_an_application_records_is_seen_in_all_three_layers(tmp_path: Path) -> None:
    with (
        serving(tmp_path, settings=WORKERS) as server,
        Telemetry(service="checkout", endpoint=server.url) as telemetry,
    ):
        histogram = telemetry.histogram(
            "http_server_request_duration_seconds", http_route="/pay", http_response_status_code="200"
        )
        worker = telemetry.worker("ANALYST", role="analysis", icon="📋", reports_to="PM")
        for _ in range(3):
            for _ in range(20):
                histogram.record(0.05)
            with worker.task("read"):
                worker.progress()
            with telemetry.inference(model="m", provider="local") as call:
                call.first_token()
                call.tokens(input=12, output=34)
            telemetry.flush()
            time.sleep(1.1)
        vitals = server.get("/api/sanso/vitals")
        assert 0.045 <= vitals["latency_p95_seconds"]["value"] <= 0.056
        assert vitals["requests_per_second"]["value"] > 0
        assert vitals["tokens_per_second"]["value"] > 0
        assert vitals["memory_percent"]["value"] > 0
        workers = {worker["name"]: worker for worker in server.get("/api/sanso/workers")}
        assert workers["ANALYST"]["state"] in ("active", "waiting")
        assert workers["ANALYST"]["tasks_completed"] == 3
        assert workers["PM"]["state"] == "lost"
        assert workers["PM"]["reason"] == "never seen"
        plain = subprocess.run(
            [sys.executable, "-m", "sanso", "top", "--once", "--lang", "en", "--url", server.url],
            capture_output=True, text=True, timeout=30, check=True,
        ).stdout  # fmt: skip
        assert "ANALYST" in plain
        assert "PM: LOST" in plain


def test_the_specification_s_python_asks_the_server(tmp_path: Path) -> None:
    program = """
import json
from sanso import AlertLevel, AlertManager, MetricsCollector
collector = MetricsCollector()
metrics = collector.collect_system_metrics()
heard = []
alerts = AlertManager()
alerts.add_rule("memory_percent", 0.0, AlertLevel.WARNING, "メモリ")
alerts.add_rule("gpu_usage", 0.0, AlertLevel.WARNING, "absent")
alerts.add_handler(heard.append)
alerts.check_alerts(metrics)
same = heard[0].current_value == metrics.memory_percent
print(json.dumps([metrics.active_workers, [alert.message for alert in heard], same]))
"""
    with serving(tmp_path) as server, Telemetry(service="s", endpoint=server.url) as telemetry:
        telemetry.worker("A")
        telemetry.flush()
        server.wait_for('sanso_worker_state{state="active"} == 1')
        environment = {**os.environ, "SANSO_URL": server.url}
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, env=environment
        )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [1, ["メモリ"], True]
