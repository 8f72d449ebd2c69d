"""`/metrics` as scrapers ask for it: by Accept, and nothing in it that Prometheus's own tools complain of."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from sanso.exposition.formats import OPENMETRICS, TEXT, UTF8_TEXT
from sanso.exposition.openmetrics import OpenMetricsParser
from sanso.exposition.parse import TextParser
from tests.cli.servers import serving
from tests.peers import require_program

ACCEPTS = {
    "": TEXT,
    "*/*": TEXT,
    "text/plain;version=1.0.0;escaping=allow-utf-8": UTF8_TEXT,
    "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1": OPENMETRICS,
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with serving(tmp_path_factory.mktemp("data")) as server, httpx.Client(base_url=server.url) as client:
        server.wait_for("sanso_process_cpu_seconds_total")
        server.wait_for("node_cpu_seconds_total")
        server.wait_for("sanso_source_up")
        yield client


@pytest.mark.parametrize("accept", ACCEPTS)
def test_the_format_is_negotiated(api: httpx.Client, accept: str) -> None:
    answer = api.get("/metrics?source=host", headers={"accept": accept, "accept-encoding": "gzip"})
    assert answer.headers["content-type"] == ACCEPTS[accept].content_type
    assert answer.headers["content-encoding"] == "gzip"
    if ACCEPTS[accept].openmetrics:
        page = OpenMetricsParser().parse(answer.content)
        list(read_openmetrics(answer.text))  # type: ignore[no-untyped-call]
    else:
        page = TextParser().parse(answer.content)
        list(read_text(answer.text))
    assert len(page.row.columns.labels) > 50


@pytest.mark.peer
def test_promtool_has_nothing_against_what_sanso_says_of_itself(api: httpx.Client) -> None:
    page = api.get("/metrics").text
    command = [require_program("promtool"), "check", "metrics"]
    checked = subprocess.run(command, input=page, capture_output=True, text=True, timeout=30)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    assert {family.name for family in read_text(page)} >= {
        "sanso_process_cpu_seconds",
        "sanso_process_resident_memory_bytes",
        "sanso_source_up",
    }
