from __future__ import annotations

import socket

import pytest

from sanso.model.frame import Family
from sanso.model.labels import labels_of
from sanso.sources.scrape.cycle import TargetReading
from sanso.sources.scrape.scraper import JobReading
from sanso.sources.scrape.target import Target
from sanso.web.parameters import Parameters
from sanso.web.targets_api import metadata_json, targets_json


def target(job: str, address: str, path: str = "/metrics") -> Target:
    labels = labels_of({"job": job, "instance": address})
    return Target(job, labels, labels_of({"__address__": address}), f"http://{address}{path}", 15_000, 10_000)


UP = TargetReading(
    target("a", "10.0.0.1:80"),
    "up",
    "",
    1_790_000_000_123,
    0.25,
    2,
    (Family("x", "gauge", "An x.", "seconds"), Family("y", "counter", "A y.")),
)
DOWN = TargetReading(target("b", "localhost:9100", "/m?x=1"), "down", "refused", 1_790_000_000_000, 0.5)
NEW = TargetReading(target("b", "[::1]:9100"))
DROPPED = labels_of({"__address__": "h:1"})
JOBS = [JobReading("b", [DOWN, NEW], [DROPPED], 3), JobReading("a", [UP], [], 0)]


def test_targets_in_prometheus_form() -> None:
    found = targets_json(JOBS, "any")
    host = socket.gethostname()
    assert found["activeTargets"][0] == {
        "discoveredLabels": {"__address__": "10.0.0.1:80"},
        "labels": {"job": "a", "instance": "10.0.0.1:80"},
        "scrapePool": "a",
        "scrapeUrl": "http://10.0.0.1:80/metrics",
        "globalUrl": "http://10.0.0.1:80/metrics",
        "lastError": "",
        "lastScrape": "2026-09-21T14:13:20.123Z",
        "lastScrapeDuration": 0.25,
        "health": "up",
        "scrapeInterval": "15s",
        "scrapeTimeout": "10s",
    }
    assert [each["health"] for each in found["activeTargets"]] == ["up", "down", "unknown"]
    assert [each["globalUrl"] for each in found["activeTargets"][1:]] == [
        f"http://{host}:9100/m?x=1",
        f"http://{host}:9100/metrics",
    ]
    assert found["activeTargets"][1]["lastError"] == "refused"
    assert found["activeTargets"][2]["lastScrape"] == "0001-01-01T00:00:00Z"
    assert found["droppedTargets"] == [{"discoveredLabels": {"__address__": "h:1"}, "scrapePool": "b"}]
    assert found["droppedTargetCounts"] == {"a": 0, "b": 3}


@pytest.mark.parametrize(
    ("state", "pool", "active", "dropped"),
    [("active", "", 3, 0), ("dropped", "", 0, 1), ("", "", 3, 1), ("any", "a", 1, 0), ("any", "none", 0, 0)],
)
def test_states_and_pools_may_be_chosen(state: str, pool: str, active: int, dropped: int) -> None:
    found = targets_json(JOBS, state, pool)
    assert (len(found["activeTargets"]), len(found["droppedTargets"])) == (active, dropped)


def test_metadata_of_targets() -> None:
    found = metadata_json(JOBS, Parameters([]))
    assert found[0] == {
        "target": {"job": "a", "instance": "10.0.0.1:80"},
        "metric": "x",
        "type": "gauge",
        "help": "An x.",
        "unit": "seconds",
    }
    assert len(found) == 2
    (one,) = metadata_json(JOBS, Parameters([("metric", "y"), ("match_target", '{job="a"}')]))
    assert (one["help"], "metric" in one) == ("A y.", False)
    assert metadata_json(JOBS, Parameters([("match_target", '{job="b"}')])) == []
    assert len(metadata_json(JOBS, Parameters([("limit", "1")]))) == 1
