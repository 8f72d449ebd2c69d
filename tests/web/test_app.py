from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

import httpx
import pytest
from google.protobuf.json_format import MessageToJson
from prometheus_client.parser import text_string_to_metric_families

from sanso.vitals.catalog import load
from tests.sources.otlp_requests import number, request
from tests.web.hosted import hosted


@pytest.fixture(scope="module")
def api() -> Iterator[httpx.Client]:
    with hosted() as (_, url), httpx.Client(base_url=url) as client:
        yield client


def test_health_and_the_page(api: httpx.Client) -> None:
    assert api.get("/-/healthy").text == "Sanso is Healthy.\n"
    assert api.get("/-/ready").status_code == 200
    page = api.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert "三層" in page.text


def test_metrics_are_exposition_text(api: httpx.Client) -> None:
    answer = api.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {family.name for family in text_string_to_metric_families(answer.text)}
    assert "sanso_source_up" in families
    chosen = {family.name for family in text_string_to_metric_families(api.get("/metrics?source=up").text)}
    assert chosen == {"up"}


def test_vitals_and_workers_as_promised(api: httpx.Client) -> None:
    vitals = api.get("/api/sanso/vitals").json()
    assert set(vitals) == {vital.name for vital in load()}
    assert vitals["cpu_percent"] == {"value": None, "status": "unknown", "unit": "percent", "layer": "system"}
    assert isinstance(vitals["cpu_core_percent"], list)
    assert api.get("/api/sanso/workers").json() == []


def test_histories(api: httpx.Client) -> None:
    found = api.get("/api/sanso/histories", params={"names": "cpu_percent,nothing", "seconds": 10, "points": 5}).json()
    assert found == {"cpu_percent": [None] * 5}
    for wrong in ({"points": "x"}, {"points": 0}, {"seconds": -1}):
        assert api.get("/api/sanso/histories", params={"names": "cpu_percent", **wrong}).status_code == 400


def test_the_stream_sends_overviews(api: httpx.Client) -> None:
    with api.stream("GET", "/api/sanso/stream?interval=0.5") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = (line for line in answer.iter_lines() if line)
        first, second = next(lines), next(lines)
    assert json.loads(first.removeprefix("data: "))["host"]
    assert json.loads(second.removeprefix("data: "))["vitals"]
    assert api.get("/api/sanso/stream?interval=soon").status_code == 400


@pytest.mark.parametrize("path", ["/v1/metrics", "/api/v1/otlp/v1/metrics"])
@pytest.mark.parametrize("kind", ["application/x-protobuf", "application/json"])
@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_otlp_is_taken_in_both_encodings(kind: str, encoding: str, path: str) -> None:
    with hosted() as (watching, url):
        made = request("gauge", number(7.0), name="pushed", at_ms=watching.clock.now_ms())
        body = made.SerializeToString() if "protobuf" in kind else MessageToJson(made).encode()
        headers = {"Content-Type": kind, **({"Content-Encoding": "gzip"} if encoding else {})}
        answer = httpx.post(f"{url}{path}", content=gzip.compress(body) if encoding else body, headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == kind
        watching.tick(watching.clock.now_ms())
        assert watching.engine.instant("pushed", watching.clock.now_ms()).first() == 7.0


def test_otlp_that_cannot_be_read_is_refused(api: httpx.Client) -> None:
    wrong = api.post("/v1/metrics", content=b"\xff\xff", headers={"Content-Type": "application/x-protobuf"})
    assert wrong.status_code == 400
    assert api.post("/v1/metrics", content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415
    assert api.get("/v1/metrics").status_code == 405


def test_foreign_pages_can_neither_read_nor_write(api: httpx.Client) -> None:
    assert api.get("/api/v1/query?query=up", headers={"Host": "evil.example"}).status_code == 403
    json_type = {"Content-Type": "application/json"}
    assert (
        api.post("/v1/metrics", content=b"{}", headers={**json_type, "Origin": "http://evil.example"}).status_code
        == 403
    )
    own = str(api.base_url).rstrip("/")
    assert api.post("/v1/metrics", content=b"{}", headers={**json_type, "Origin": own}).status_code == 200
