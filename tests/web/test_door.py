from __future__ import annotations

import gzip
import json
import urllib.request
from collections.abc import Iterator

import httpx
import pytest

from sanso.web.door import takes_gzip
from tests.web.hosted import START, hosted

WELCOME = "https://grafana.example"
LONG = f"/api/v1/query_range?query=up&start={START / 1000}&end={START / 1000 + 30}&step=0.1"


@pytest.fixture(scope="module")
def api() -> Iterator[httpx.Client]:
    with hosted(cors_origin=r"https://grafana\..*") as (_, url), httpx.Client(base_url=url) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/v1/query", "GET, OPTIONS, POST"),
        ("POST", "/api/v1/rules", "GET, OPTIONS"),
        ("GET", "/api/v1/read", "OPTIONS, POST"),
        ("DELETE", "/api/v1/label/job/values", "GET, OPTIONS"),
        ("GET", "/v1/metrics", "POST"),
    ],
)
def test_a_method_that_is_not_taken_is_named(api: httpx.Client, method: str, path: str, allowed: str) -> None:
    answer = api.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    assert answer.json()["status"] == "error"


def test_health_may_be_asked_by_head(api: httpx.Client) -> None:
    for path in ("/-/healthy", "/-/ready"):
        answer = api.head(path)
        assert (answer.status_code, answer.content) == (200, b"")


def test_a_page_of_a_welcome_origin_may_ask(api: httpx.Client) -> None:
    answer = api.options("/api/v1/query", headers={"Origin": WELCOME})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == WELCOME
    assert "POST" in answer.headers["access-control-allow-methods"]
    asked = api.post("/api/v1/query", data={"query": "up"}, headers={"Origin": WELCOME})
    assert (asked.status_code, asked.headers["vary"]) == (200, "Origin")
    foreign = api.get("/api/v1/query?query=up", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in foreign.headers
    assert (
        api.post("/api/v1/query", data={"query": "up"}, headers={"Origin": "https://evil.example"}).status_code == 403
    )


def test_errors_of_a_welcome_origin_can_be_read_too(api: httpx.Client) -> None:
    wrong = api.get("/api/v1/query?query=sum(", headers={"Origin": WELCOME})
    assert (wrong.status_code, wrong.headers["access-control-allow-origin"]) == (400, WELCOME)


def test_accept_does_not_matter(api: httpx.Client) -> None:
    answer = api.get("/api/v1/query?query=1", headers={"Accept": "text/html;q=0.9,image/*"})
    assert answer.headers["content-type"] == "application/json"


def test_long_answers_are_packed_for_who_takes_that(api: httpx.Client) -> None:
    plain = api.get(LONG, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    request = urllib.request.Request(f"{str(api.base_url).rstrip('/')}{LONG}", headers={"Accept-Encoding": "gzip, br"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert json.loads(gzip.decompress(answer.read())) == plain.json()
    both = api.get(LONG, headers={"Accept-Encoding": "gzip", "Origin": WELCOME})
    assert both.headers["vary"] == "Accept-Encoding, Origin"
    short = api.get("/api/v1/query?query=1", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in short.headers


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [("", False), ("gzip", True), ("deflate, GZIP;q=0.5", True), ("*", True), ("gzip;q=0", False), ("br", False)],
)
def test_who_takes_gzip(accepted: str, takes: bool) -> None:
    assert takes_gzip(accepted) is takes


def test_a_body_that_is_too_large_is_refused(api: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sanso.web.bodies.MOST_BYTES", 100)
    answer = api.post("/api/v1/query", data={"query": "1" + " " * 200})
    assert answer.status_code == 413


def test_a_question_is_cut_short_by_its_timeout(api: httpx.Client) -> None:
    answer = api.get("/api/v1/query?query=up&timeout=0.0000001")
    assert (answer.status_code, answer.json()["errorType"]) == (503, "timeout")
    assert "query timed out" in answer.json()["error"]
    for text in ("0", "0s", "-5"):
        refused = api.get(f"/api/v1/query?query=up&timeout={text}")
        assert (refused.status_code, refused.json()["errorType"]) == (400, "bad_data")
        assert "timeout must be positive" in refused.json()["error"]
    assert api.get("/api/v1/query?query=up&timeout=soon").json()["error"].startswith('invalid parameter "timeout"')
