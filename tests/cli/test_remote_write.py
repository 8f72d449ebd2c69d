"""Real senders of remote write: what they scraped is held here as they sent it."""

from __future__ import annotations

import http.server
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from sanso.sdk.otlp_encoding import zigzag
from tests.cli.servers import Served, running, serving
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


OPEN_METRICS = """# TYPE jobs counter
jobs_total{queue="a"} 3 # {trace_id="1f"} 0.5
# EOF
"""


def _native_page() -> bytes:
    """A native histogram in the only format that has them: protobuf, written by hand.

    Schema 3, 9 observations: one in the zero bucket (up to 0.001), 2 in bucket 4, 5 in bucket 5, 1 in bucket -7.
    """
    spans = b"".join(
        field(number, signed(1, offset) + bytes((2 << 3, length)))
        for number, offset, length in ((9, -7, 1), (12, 4, 2))
    )
    histogram = (
        bytes((1 << 3, 9, 2 << 3 | 1)) + struct.pack("<d", 12.5) + signed(5, 3)
        + bytes((6 << 3 | 1,)) + struct.pack("<d", 0.001) + bytes((7 << 3, 1))
        + spans + signed(10, 1) + signed(13, 2) + signed(13, 3)
    )  # fmt: skip
    family = field(1, b"latency_seconds") + bytes((3 << 3, 4)) + field(4, field(7, histogram))
    return bytes((len(family),)) + family


def field(number: int, content: bytes) -> bytes:
    return bytes((number << 3 | 2, len(content))) + content


def signed(number: int, value: int) -> bytes:
    return bytes((number << 3, zigzag(value)))


class _Target(http.server.BaseHTTPRequestHandler):
    """A scraped target whose last series goes away when told to; on other paths, what only some formats have."""

    gone = threading.Event()

    def do_GET(self) -> None:
        if self.path in ("/open", "/native"):
            kind, page = {
                "/open": ("application/openmetrics-text; version=1.0.0; charset=utf-8", OPEN_METRICS.encode()),
                "/native": (
                    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
                    _native_page(),
                ),
            }[self.path]
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(page)
            return
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
scrape_configs:
- {{job_name: app, static_configs: [{{targets: ["127.0.0.1:{target}"]}}]}}
- {{job_name: open, metrics_path: /open, static_configs: [{{targets: ["127.0.0.1:{target}"]}}]}}
- {{job_name: native, metrics_path: /native, static_configs: [{{targets: ["127.0.0.1:{target}"]}}]}}
remote_write:
- url: {url}/api/v1/write
  send_exemplars: true
  send_native_histograms: true
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
        "--enable-feature=exemplar-storage,native-histograms",
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
        running(sender(tmp_path, target, server.url)),
    ):
        server.wait_for("level")
        found = {entry["metric"]["queue"]: entry for entry in server.query("jobs_total{job='app'}")}
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
            _exemplars_and_histograms_arrive(server)


def _metadata_arrives(server: Served) -> None:
    end = time.monotonic() + 15
    while True:
        held = httpx.get(f"{server.url}/api/v1/metadata", params={"metric": "jobs_total"}).json()["data"]
        if held or time.monotonic() > end:
            break
        time.sleep(0.1)
    assert held["jobs_total"][0]["type"] == "counter"
    assert held["jobs_total"][0]["help"] == "Jobs done."


def _exemplars_and_histograms_arrive(server: Served) -> None:
    (found,) = server.get("/api/v1/query_exemplars", query="jobs_total", start="0", end="99999999999")["data"]
    assert found["seriesLabels"]["job"] == "open"
    assert [(one["labels"], one["value"]) for one in found["exemplars"]] == [({"trace_id": "1f"}, "0.5")]
    (entry,) = server.wait_for("latency_seconds")
    _, histogram = entry["histogram"]
    assert (histogram["count"], histogram["sum"]) == ("9", "12.5")
    assert [bucket[3] for bucket in histogram["buckets"]] == ["1", "1", "2", "5"]
    upper = [float(bucket[2]) for bucket in histogram["buckets"]]
    assert upper == pytest.approx([-(2 ** (-8 / 8)), 0.001, 2 ** (4 / 8), 2 ** (5 / 8)])
