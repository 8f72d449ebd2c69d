from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from sanso.cli.services import rule_groups
from sanso.model.clock import FixedClock
from sanso.notify.base import Notification
from sanso.rules.evaluator import RuleEvaluator
from sanso.rules.rule import AlertRule
from sanso.web.rules_api import alert_json
from tests.web.hosted import START, hosted, monitor


@pytest.fixture(scope="module")
def api() -> Iterator[httpx.Client]:
    with hosted() as (_, url), httpx.Client(base_url=url) as client:
        yield client


@pytest.fixture(scope="module")
def several() -> Iterator[httpx.Client]:
    """Three groups, one of them of recording rules."""
    alerting = {"type": "alerting", "name": "A", "labels": {"team": "x"}, "alerts": [{"state": "firing"}]}
    recording = {"type": "recording", "name": "r:sum", "labels": {}}
    groups = [
        {"name": "one", "file": "f.yml", "rules": [alerting, {**alerting, "name": "B", "labels": {"team": "y"}}]},
        {"name": "two", "file": "f.yml", "rules": [recording]},
        {"name": "three", "file": "g.yml", "rules": [alerting, recording]},
    ]
    with hosted(rules=lambda: groups) as (_, url), httpx.Client(base_url=url) as client:
        yield client


def test_a_rule_in_prometheus_s_form(api: httpx.Client) -> None:
    (group,) = api.get("/api/v1/rules").json()["data"]["groups"]
    assert set(group) == {"name", "file", "interval", "limit", "rules", "evaluationTime", "lastEvaluation"}
    (rule,) = group["rules"]
    (alert,) = rule["alerts"]
    assert rule["evaluationTime"] > 0
    assert datetime.fromisoformat(rule["lastEvaluation"]).timestamp() == START / 1000 + 30
    assert {key: rule[key] for key in rule if key not in ("alerts", "evaluationTime", "lastEvaluation")} == {
        "state": "firing", "name": "Always", "query": "up > 0", "duration": 0, "keepFiringFor": 0, "health": "ok",
        "labels": {"severity": "critical"}, "annotations": {"summary": "it is up"}, "type": "alerting",
    }  # fmt: skip
    assert alert == {
        "labels": {"alertname": "Always", "severity": "critical", "job": "a", "instance": 'x"y\n'},
        "annotations": {"summary": "it is up"}, "state": "firing", "activeAt": "2026-09-21T14:13:21Z", "value": "1e+00",
    }  # fmt: skip
    assert api.get("/api/v1/alerts").json()["data"]["alerts"] == [alert]


def test_a_rule_without_a_text_has_no_annotations_and_people_read_its_name() -> None:
    heard: list[Notification] = []
    with monitor(FixedClock(START)) as watching:
        rules = RuleEvaluator([AlertRule("Quiet", "up > 0")], watching.engine, watching.store.states, heard.append)
        rules.evaluate(START + 30_000)
        (reading,) = rules.readings()
        (group,) = rule_groups(rules, 1000)
    assert alert_json(reading)["annotations"] == {}
    assert group["rules"][0]["annotations"] == group["rules"][0]["alerts"][0]["annotations"] == {}
    assert [notification.message for notification in heard] == ["Quiet"]


def shown(api: httpx.Client, **parameters: Any) -> dict[str, list[str]]:
    groups = api.get("/api/v1/rules", params=parameters).json()["data"]["groups"]
    return {group["name"]: [rule["name"] for rule in group["rules"]] for group in groups}


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"type": "alert"}, {"one": ["A", "B"], "three": ["A"]}),
        ({"type": "record"}, {"two": ["r:sum"], "three": ["r:sum"]}),
        ({"rule_name[]": ["B", "r:sum"]}, {"one": ["B"], "two": ["r:sum"], "three": ["r:sum"]}),
        ({"rule_group[]": "three"}, {"three": ["A", "r:sum"]}),
        ({"file[]": "g.yml"}, {"three": ["A", "r:sum"]}),
        ({"match[]": '{team="y"}'}, {"one": ["B"]}),
    ],
)
def test_some_of_the_rules(several: httpx.Client, parameters: dict[str, Any], found: dict[str, list[str]]) -> None:
    assert shown(several, **parameters) == found


def test_alerts_may_be_left_out(several: httpx.Client) -> None:
    groups = several.get("/api/v1/rules?exclude_alerts=true&rule_name[]=A").json()["data"]["groups"]
    assert [rule["alerts"] for group in groups for rule in group["rules"]] == [[], []]


def test_rules_page_by_page(several: httpx.Client) -> None:
    first = several.get("/api/v1/rules?group_limit=2").json()["data"]
    assert [group["name"] for group in first["groups"]] == ["one", "two"]
    token = first["groupNextToken"]
    second = several.get(f"/api/v1/rules?group_limit=2&group_next_token={token}").json()["data"]
    assert [group["name"] for group in second["groups"]] == ["three"]
    assert "groupNextToken" not in second


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"type": "x"}, 'invalid parameter "type": not supported value "x"'),
        ({"exclude_alerts": "x"}, 'invalid parameter "exclude_alerts"'),
        ({"group_limit": "x"}, 'strconv.ParseInt: parsing "x": invalid syntax'),
        ({"group_limit": "0"}, "group_limit needs to be greater than 0"),
        ({"group_next_token": "x"}, "group_limit needs to be present"),
        ({"group_next_token": "x", "group_limit": "1"}, "were rule groups changed?"),
        ({"match[]": "{"}, "1:2: parse error: unexpected end of input"),
    ],
)
def test_what_cannot_be_asked_of_rules(several: httpx.Client, parameters: dict[str, str], text: str) -> None:
    answer = several.get("/api/v1/rules", params=parameters)
    assert (answer.status_code, answer.json()["errorType"]) == (400, "bad_data")
    assert text in answer.json()["error"]
