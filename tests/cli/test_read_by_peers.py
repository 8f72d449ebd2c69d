"""Real programs that read from Sanso: what they find is what Sanso itself answers."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cramjam
import pytest

from sanso.sources.remote_write_schema import request_class
from tests.cli.servers import Served, running, serving
from tests.peers import free_port, require_program

pytestmark = pytest.mark.peer
STEP_MS = 5_000
SAMPLES = 240
PURE = "[sample]\nhost = false\n"


def write(server: Served, start_ms: int) -> None:
    """Counters with a reset, a gauge with gaps and values that are no numbers: 20 minutes of them."""
    message = request_class("v1")()
    for code in ("200", "500"):
        for host in range(4):
            labels = {"__name__": "http_requests_total", "code": code, "instance": f"h{host}"}
            _add(message, labels, [(i, float(i % 150) * (host + 1)) for i in range(SAMPLES)], start_ms)
    odd = [float("nan"), float("inf"), 0.1, -1e30]
    depth = {"__name__": "depth", "queue": 'a "b"'}
    _add(message, depth, [(i, odd[i % 4]) for i in range(0, SAMPLES, 3)], start_ms)
    body = bytes(cramjam.snappy.compress_raw(message.SerializeToString()))
    headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
    urllib.request.urlopen(urllib.request.Request(f"{server.url}/api/v1/write", body, headers), timeout=10).close()


def _add(message: Any, labels: dict[str, str], samples: list[tuple[int, float]], start_ms: int) -> None:
    series = message.timeseries.add()
    for name, text in labels.items():
        series.labels.add(name=name, value=text)
    for i, value in samples:
        series.samples.add(timestamp=start_ms + i * STEP_MS, value=value)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, int]]:
    """A server that holds the last twenty minutes, and when they began."""
    start_ms = (int(time.time()) - SAMPLES * STEP_MS // 1000) * 1000
    with serving(tmp_path_factory.mktemp("held") / "data", settings=PURE) as server:
        write(server, start_ms)
        server.wait_for("http_requests_total")
        yield server, start_ms


@contextmanager
def prometheus(folder: Path, settings: str) -> Iterator[str]:
    """A Prometheus with this configuration; its address."""
    config = folder / "prometheus.yml"
    config.write_text(settings, "utf-8")
    address = f"127.0.0.1:{free_port()}"
    command = [require_program("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}"]
    with running([*command, f"--web.listen-address={address}", "--log.level=warn"], f"http://{address}/-/ready"):
        yield f"http://{address}"


def ask(url: str, path: str, **parameters: Any) -> Any:
    query = urllib.parse.urlencode(parameters)
    with urllib.request.urlopen(f"{url}/api/v1/{path}?{query}", timeout=20) as answer:
        return json.load(answer)["data"]["result"]


def sorted_series(result: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(result, key=lambda series: sorted(series["metric"].items()))


def test_prometheus_reads_remotely(held: tuple[Served, int], tmp_path: Path) -> None:
    server, start_ms = held
    settings = f"remote_read: [{{url: '{server.url}/api/v1/read', read_recent: true}}]\n"
    at = {"start": start_ms / 1000 + 301.7, "end": start_ms / 1000 + 1190, "step": 17}
    with prometheus(tmp_path, settings) as url:
        for expr in (
            "http_requests_total",
            "sum by (code) (rate(http_requests_total[1m]))",
            'increase(http_requests_total{code=~"5..",instance!="h1"}[2m])',
            "depth",
            "count_over_time(depth[1m])",
        ):
            theirs, ours = (sorted_series(ask(each, "query_range", query=expr, **at)) for each in (url, server.url))
            assert ours, expr
            assert [series["metric"] for series in theirs] == [series["metric"] for series in ours]
            for one, other in zip(theirs, ours, strict=True):
                assert [time for time, _ in one["values"]] == [time for time, _ in other["values"]]
                for (_, left), (_, right) in zip(one["values"], other["values"], strict=True):
                    assert float(left) == pytest.approx(float(right), rel=1e-12, nan_ok=True)


def test_prometheus_federates(held: tuple[Served, int], tmp_path: Path) -> None:
    server, start_ms = held
    write(server, start_ms)  # again, which changes nothing
    settings = f"""
global: {{scrape_interval: 500ms, scrape_timeout: 400ms}}
scrape_configs:
- job_name: federate
  metrics_path: /federate
  honor_labels: true
  params: {{"match[]": ['http_requests_total{{code="200"}}', "depth"]}}
  static_configs: [{{targets: ["{server.url.removeprefix("http://")}"]}}]
"""
    with prometheus(tmp_path, settings) as url:
        end = time.monotonic() + 20
        while not (found := ask(url, "query", query="http_requests_total")) and time.monotonic() < end:
            time.sleep(0.2)
        assert len(found) == 4
        ours = {series["metric"]["instance"]: series for series in server.query('http_requests_total{code="200"}')}
        for series in found:
            assert series["metric"].pop("job") == "federate"  # which ours has none of
            assert series["metric"] == ours[series["metric"]["instance"]]["metric"]
            assert series["value"][1] == ours[series["metric"]["instance"]]["value"][1]
        (depth,) = ask(url, "query", query="depth")
        assert depth["metric"] == {"__name__": "depth", "queue": 'a "b"', "job": "federate"}
        last = (SAMPLES - 1) // 3 * 3
        (stamp,) = ask(url, "query", query="timestamp(depth)")
        assert float(stamp["value"][1]) == (start_ms + last * STEP_MS) / 1000


def promtool(*arguments: str) -> str:
    done = subprocess.run(
        [require_program("promtool"), "query", *arguments], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_promtool(held: tuple[Served, int]) -> None:
    server, start_ms = held
    at, later = str(start_ms / 1000 + 600), str(start_ms / 1000 + 605)
    instant = promtool("instant", "--time", at, server.url, 'sum(http_requests_total{code="200"})')
    assert instant.startswith("{} => 1200 @[")
    found = json.loads(
        promtool("--format=json", "range", "--start", at, "--end", later, "--step", "5s", server.url, "depth")
    )
    assert [series["metric"]["queue"] for series in found] == ['a "b"']
    series = promtool("series", "--match", "depth", "--start", at, "--end", str(start_ms / 1000 + 900), server.url)
    assert series.strip() == '{__name__="depth", queue="a \\"b\\""}'
    assert promtool("labels", server.url, "code").split() == ["200", "500"]
    wrong = subprocess.run(
        [require_program("promtool"), "query", "instant", server.url, "sum("],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert wrong.returncode != 0
    assert "bad_data" in wrong.stderr


RULES = """
groups:
- name: g
  interval: 1s
  rules:
  - {record: "code:requests:sum", expr: "sum by (code) (http_requests_total)"}
  - {alert: Many, expr: "sum(http_requests_total) > 0", for: 1h, labels: {severity: page}}
"""


def vmalert(folder: Path, url: str, *more: str) -> tuple[list[str], str]:
    (folder / "rules.yml").write_text(RULES, "utf-8")
    address = f"127.0.0.1:{free_port()}"
    command = [
        require_program("vmalert"), f"-rule={folder / 'rules.yml'}", f"-datasource.url={url}",
        f"-remoteWrite.url={url}", f"-remoteRead.url={url}", f"-httpListenAddr={address}",
        "-notifier.url=http://127.0.0.1:9", "-remoteWrite.flushInterval=200ms", "-loggerLevel=ERROR", *more,
    ]  # fmt: skip
    return command, f"http://{address}"


def test_vmalert_asks_writes_back_and_restores(held: tuple[Served, int], tmp_path: Path) -> None:
    server, _ = held
    command, address = vmalert(tmp_path, server.url, "-datasource.queryStep=1s")
    with running(command, f"{address}/health"):
        server.wait_for('{__name__="code:requests:sum"}')
        (state,) = server.wait_for("ALERTS_FOR_STATE")
        first = float(state["value"][1])
        time.sleep(2)
    found = server.query('{__name__="code:requests:sum"}')
    assert {series["metric"]["code"] for series in found} == {"200", "500"}
    with running(command, f"{address}/health"):
        end = time.monotonic() + 15
        while time.monotonic() < end:
            (now,) = server.query("ALERTS_FOR_STATE")
            alerts = json.load(urllib.request.urlopen(f"{address}/api/v1/alerts", timeout=5))["data"]["alerts"]
            if alerts and alerts[0].get("restored"):
                break
            time.sleep(0.2)
        assert alerts[0]["restored"], "vmalert did not find its alert again"
        assert float(now["value"][1]) == pytest.approx(first, abs=1)
