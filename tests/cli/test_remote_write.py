"""Real senders of remote write: what they scraped is held here as they sent it."""

from __future__ import annotations

import http.server
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.cli.servers import Served, serving
from tests.peers import free_port, require_program

pytestmark = pytest.mark.peer
EXPOSITION = """# HELP jobs_total Jobs done.
# TYPE jobs_total counter
jobs_total{queue="a"} 3
jobs_total{queue="b \\"quoted\\""} 4.5
# TYPE depth gauge
depth NaN
# TYPE level gauge
level +Inf
"""


class _Target(http.server.BaseHTTPRequestHandler):
    """A scraped target whose last series goes away when told to."""

    gone = threading.Event()

    def do_GET(self) -> None:
        body = EXPOSITION if not self.gone.is_set() else EXPOSITION.replace("level +Inf\n", "")
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def _target() -> Iterator[int]:
    _Target.gone.clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Target)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _prometheus(folder: Path, target: int, url: str) -> list[str]:
    config = folder / "prometheus.yml"
    config.write_text(
        f"""
global: {{scrape_interval: 500ms, scrape_timeout: 400ms, external_labels: {{site: here}}}}
scrape_configs: [{{job_name: app, static_configs: [{{targets: ["127.0.0.1:{target}"]}}]}}]
remote_write:
- url: {url}/api/v1/write
  metadata_config: {{send_interval: 1s}}
  queue_config: {{batch_send_deadline: 200ms}}
""",
        "utf-8",
    )
    return [
        require_program("prometheus"),
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{free_port()}",
        "--log.level=warn",
    ]


def _vmagent(folder: Path, target: int, url: str) -> list[str]:
    config = folder / "scrape.yml"
    config.write_text(
        f"""
global: {{scrape_interval: 500ms, scrape_timeout: 400ms, external_labels: {{site: here}}}}
scrape_configs: [{{job_name: app, static_configs: [{{targets: ["127.0.0.1:{target}"]}}]}}]
""",
        "utf-8",
    )
    return [
        require_program("vmagent"),
        f"-promscrape.config={config}",
        f"-remoteWrite.url={url}/api/v1/write",
        f"-remoteWrite.tmpDataPath={folder / 'queue'}",
        "-remoteWrite.flushInterval=200ms",
        f"-httpListenAddr=127.0.0.1:{free_port()}",
        "-loggerLevel=ERROR",
    ]


@contextmanager
def _sending(command: list[str]) -> Iterator[None]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


def _gone(server: Served, expr: str, seconds: float = 15) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not server.query(expr):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    "sender",
    [_prometheus, _vmagent],
    ids=["prometheus", "vmagent"],
)
def test_a_sender(tmp_path: Path, sender: Callable[[Path, int, str], list[str]]) -> None:
    with (
        _target() as target,
        serving(tmp_path / "data") as server,
        _sending(sender(tmp_path, target, server.url)),
    ):
        server.wait_for("level")
        found = {entry["metric"]["queue"]: entry for entry in server.query("jobs_total")}
        assert {queue: entry["value"][1] for queue, entry in found.items()} == {"a": "3", 'b "quoted"': "4.5"}
        assert found["a"]["metric"] == {
            "__name__": "jobs_total",
            "queue": "a",
            "job": "app",
            "instance": f"127.0.0.1:{target}",
            "site": "here",
        }
        assert server.query("level")[0]["value"][1] == "+Inf"
        assert server.query("depth")[0]["value"][1] == "NaN"
        assert server.query("up{job='app'}")[0]["value"][1] == "1"
        _Target.gone.set()
        assert _gone(server, "level"), "the stale marker did not end the series"
        assert server.query("jobs_total")
        if sender is _prometheus:
            _metadata_arrives(server)


def _metadata_arrives(server: Served) -> None:
    end = time.monotonic() + 15
    while True:
        held = httpx.get(f"{server.url}/api/v1/metadata", params={"metric": "jobs_total"}).json()["data"]
        if held or time.monotonic() > end:
            break
        time.sleep(0.1)
    assert held["jobs_total"][0]["type"] == "counter"
    assert held["jobs_total"][0]["help"] == "Jobs done."
