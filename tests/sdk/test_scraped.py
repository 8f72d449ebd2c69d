"""Applications that are scraped: by our parsers, by both kinds of servers, by real Prometheus."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
import pytest

from sanso.exposition.openmetrics import OpenMetricsParser
from sanso.exposition.parse import TextParser
from sanso.exposition.protobuf import ProtobufParser
from sanso.model.labels import series_of
from sanso.sdk import Telemetry
from tests.exposition.test_protobuf import histograms, numbers
from tests.peers import free_port, require_program

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    with Telemetry(service="checkout", push=False, endpoint="not an address", labels={"zone": "b"}) as made:
        made.counter("orders_total", kind="card").add(2)
        made.gauge("queue_depth").set(3)
        record = made.histogram("wait_seconds", route="/pay").record
        for value in (0.02, 0.2, 2.0):
            record(value)
        with made.task("summarise"):
            pass
        made.worker("ANALYST", role="analysis").wait()
        yield made


def test_everything_is_told_without_a_push(telemetry: Telemetry) -> None:
    kind, body = telemetry.exposition()
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    page = TextParser().parse(body)
    told = dict(zip(page.row.columns.labels, page.row.values.tolist(), strict=True))
    assert told[series_of("orders_total", kind="card", zone="b")] == 2
    assert told[series_of("queue_depth", zone="b")] == 3
    assert told[series_of("wait_seconds_bucket", le="0.1", route="/pay", zone="b")] == 1
    assert told[series_of("wait_seconds_bucket", le="+Inf", route="/pay", zone="b")] == 3
    assert told[series_of("wait_seconds_sum", route="/pay", zone="b")] == pytest.approx(2.22)
    assert told[series_of("sanso_tasks_total", task="summarise", outcome="completed", zone="b")] == 1
    assert told[series_of("sanso_worker_claimed_state", worker="ANALYST", state="waiting", zone="b")] == 1
    assert told[series_of("sanso_sdk_overflow_total", zone="b")] == 0
    assert telemetry.flush()


def test_openmetrics_where_it_is_asked_for(telemetry: Telemetry) -> None:
    kind, body = telemetry.exposition("application/openmetrics-text, text/plain;q=0.5")
    assert kind == OPENMETRICS
    page = OpenMetricsParser().parse(body)
    assert {family.name: family.type for family in page.families}["orders_total"] == "counter"


PROTOBUF = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,*/*;q=0.2"


def test_protobuf_where_it_is_asked_for(telemetry: Telemetry) -> None:
    kind, body = telemetry.exposition(PROTOBUF)
    assert kind.startswith("application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delim")
    page = ProtobufParser().parse(body)
    assert numbers(page)['orders_total{kind="card", zone="b"}'] == 2
    (waits,) = [found for series, found in histograms(page).items() if series.startswith("wait_seconds{")]
    assert (waits.schema, waits.count) == (5, 3.0)
    assert waits.sum == pytest.approx(2.22)


def test_totals_go_on_from_page_to_page(telemetry: Telemetry) -> None:
    telemetry.exposition()
    telemetry.counter("orders_total", kind="card").add(5)
    assert b'orders_total{kind="card",zone="b"} 7\n' in telemetry.exposition()[1]


def test_a_goodbye_is_told_once(telemetry: Telemetry) -> None:
    telemetry.worker("ANALYST").close()
    assert b'state="closed",worker="ANALYST",zone="b"} 1\n' in telemetry.exposition()[1]
    assert b"ANALYST" not in telemetry.exposition()[1]


def test_a_pushing_application_may_be_scraped_too() -> None:
    with Telemetry(service="x", endpoint=f"http://127.0.0.1:{free_port()}", bounds={"d_seconds": (1, 2)}) as made:
        made.histogram("d_seconds").record(1.5)
        assert b'd_seconds_bucket{le="2.0"} 1\n' in made.exposition()[1]
    with pytest.raises(ValueError, match="the bounds of d_seconds must be positive and rise"):
        Telemetry(service="x", push=False, bounds={"d_seconds": (2, 1)})


def checked(client: httpx.Client) -> None:
    answer = client.get("/metrics", headers={"accept": OPENMETRICS, "accept-encoding": "gzip"})
    assert (answer.headers["content-type"], answer.headers["content-encoding"]) == (OPENMETRICS, "gzip")
    assert int(answer.headers["content-length"]) < len(answer.content)
    OpenMetricsParser().parse(answer.content)
    for encoding in ("identity", "gzip;q=0", "gzip; q=0.0", "br"):
        plain = client.get("/metrics", headers={"accept-encoding": encoding})
        assert "content-encoding" not in plain.headers
        TextParser().parse(plain.content)
    refused = client.post("/metrics")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
    head = client.head("/metrics", headers={"accept-encoding": "identity"})
    assert head.content == b""
    assert int(head.headers["content-length"]) > 1000


def test_wsgi(telemetry: Telemetry) -> None:
    with httpx.Client(transport=httpx.WSGITransport(app=telemetry.metrics_wsgi()), base_url="http://x") as client:
        checked(client)


async def test_asgi(telemetry: Telemetry) -> None:
    app = telemetry.metrics_asgi()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x") as client:
        answer = await client.get("/", headers={"accept": OPENMETRICS})
        assert answer.headers["content-encoding"] == "gzip"
        OpenMetricsParser().parse(answer.content)
        assert (await client.put("/")).status_code == 405
    with pytest.raises(ValueError, match="over http, not lifespan"):
        await app({"type": "lifespan"}, None, None)  # type: ignore[arg-type]


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        """Nothing."""


@contextmanager
def served(telemetry: Telemetry) -> Iterator[int]:
    with make_server("127.0.0.1", 0, telemetry.metrics_wsgi(), handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def prometheus(folder: Path, port: int, *more: str) -> Iterator[str]:
    own = free_port()
    jobs = [{"job_name": "app", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}]
    config = folder / "prometheus.yml"
    config.write_text(json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}), "utf-8")
    command = [require_program("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}"]
    command += [f"--web.listen-address=127.0.0.1:{own}", *more]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            yield f"http://127.0.0.1:{own}/api/v1/query"
        finally:
            child.terminate()


def asked(url: str, query: str) -> list[float]:
    try:
        with urllib.request.urlopen(f"{url}?{urllib.parse.urlencode({'query': query})}", timeout=5) as answer:
            return [float(found["value"][1]) for found in json.load(answer)["data"]["result"]]
    except OSError:
        return []


@pytest.mark.peer
@pytest.mark.slow
def test_prometheus_scrapes_it(telemetry: Telemetry, tmp_path: Path) -> None:
    record = telemetry.histogram("wait_seconds", route="/pay").record
    for number in range(1000):
        record(number / 1000)
    with served(telemetry) as port, prometheus(tmp_path, port) as url:
        end = time.monotonic() + 30
        while not asked(url, "orders_total") and time.monotonic() < end:
            time.sleep(0.2)
        assert asked(url, 'up{job="app"}') == [1]
        assert asked(url, 'orders_total{kind="card",zone="b"}') == [2]
        assert asked(url, "wait_seconds_count") == [1003]
        (median,) = asked(url, "histogram_quantile(0.5, wait_seconds_bucket)")
        assert median == pytest.approx(0.5, rel=0.02)
        assert len(asked(url, '{job="app"}')) > 30


@pytest.mark.peer
@pytest.mark.slow
def test_prometheus_gets_its_histograms_as_native_ones(telemetry: Telemetry, tmp_path: Path) -> None:
    record = telemetry.histogram("wait_seconds", route="/pay").record
    for number in range(1000):
        record(number / 1000)
    with served(telemetry) as port, prometheus(tmp_path, port, "--enable-feature=native-histograms") as url:
        end = time.monotonic() + 30
        while not asked(url, "histogram_count(wait_seconds)") and time.monotonic() < end:
            time.sleep(0.2)
        assert asked(url, "histogram_count(wait_seconds)") == [1003]
        assert asked(url, "wait_seconds_count") == []
        (median,) = asked(url, "histogram_quantile(0.5, wait_seconds)")
        assert median == pytest.approx(0.5, rel=0.02)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_forked_child_tells_its_own(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import os\n"
        "from sanso.sdk import Telemetry\n"
        "telemetry = Telemetry(service='x', push=False)\n"
        "counter = telemetry.counter('a_total')\n"
        "counter.add(3)\n"
        "telemetry.exposition()\n"
        "child = os.fork()\n"
        "counter.add(1)\n"
        "page = telemetry.exposition()[1]\n"
        "os.write(1, b'%d %d\\n' % (b'a_total 1\\n' in page, b'a_total 4\\n' in page))\n"
        "if child:\n"
        "    os.waitpid(child, 0)\n",
        "utf-8",
    )
    ran = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=30)
    assert sorted(ran.stdout.split("\n")) == ["", "0 1", "1 0"]
    assert ran.stderr == ""
