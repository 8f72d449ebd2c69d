"""Rules and alerts, as Prometheus's API shows them: `rules`, `alerts`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from sanso.model.labels import labels_of
from sanso.model.matchers import Matcher
from sanso.model.readings import AlertReading
from sanso.web.answers import success
from sanso.web.door import Asked
from sanso.web.number_text import scientific
from sanso.web.parameters import Parameters, invalid
from sanso.web.selectors import matchers_of
from sanso.web.services import Services

_TYPES = {"": ("alerting", "recording"), "alert": ("alerting",), "record": ("recording",)}
_TRUE, _FALSE = ("1", "t", "true"), ("", "0", "f", "false")


def rules(services: Services, asked: Asked) -> Response:
    """The rules in their groups, with the alerts that they raise."""
    given = asked.given.strict()
    kinds = _TYPES.get(given.text("type").lower())
    if kinds is None:
        raise invalid("type", f'not supported value "{given.text("type").lower()}"')
    without_alerts = _boolean(given, "exclude_alerts")
    matcher_sets = [matchers_of(text) for text in given.every("match[]")]
    wanted, files = given.every("rule_group[]"), given.every("file[]")
    names = given.every("rule_name[]")
    groups = []
    for group in services.rules():
        if (wanted and group["name"] not in wanted) or (files and group["file"] not in files):
            continue
        kept = [
            {**rule, "alerts": []} if without_alerts and rule["type"] == "alerting" else rule
            for rule in group["rules"]
            if rule["type"] in kinds and (not names or rule["name"] in names) and _matches(rule, matcher_sets)
        ]
        if kept:
            groups.append({**group, "rules": kept})
    return success(_page(groups, given))


def alerts(services: Services, _: Asked) -> Response:
    """What is pending or firing."""
    return success({"alerts": [alert_json(reading) for reading in services.alerts()]})


def alertmanagers(_services: Services, _: Asked) -> Response:
    """Alerts leave through handlers of our own: there is no Alertmanager."""
    return success({"activeAlertmanagers": [], "droppedAlertmanagers": []})


def alert_json(reading: AlertReading) -> dict[str, Any]:
    """One alert."""
    return {
        "labels": {"alertname": reading.name, "severity": reading.level.value, **dict(reading.labels)},
        "annotations": annotations_of(reading.message),
        "state": reading.state,
        "activeAt": moment(reading.since_ms),
        "value": scientific(reading.value),
    }


def annotations_of(message: str) -> dict[str, str]:
    """A rule's text as Prometheus's annotations; a rule without any has none."""
    return {"summary": message} if message else {}


def moment(time_ms: int) -> str:
    """A time in RFC 3339; the year 1 is Prometheus's "never"."""
    if not time_ms:
        return "0001-01-01T00:00:00Z"
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat().replace("+00:00", "Z")


def _matches(rule: Mapping[str, Any], sets: list[tuple[Matcher, ...]]) -> bool:
    labels = labels_of(rule["labels"])
    return not sets or any(all(matcher.accepts(labels) for matcher in matchers) for matchers in sets)


def _boolean(given: Parameters, name: str) -> bool:
    text = given.text(name).lower()
    if text not in (*_TRUE, *_FALSE):
        raise invalid(name, f'error converting {name}: strconv.ParseBool: parsing "{text}": invalid syntax')
    return text in _TRUE


def _page(groups: list[dict[str, Any]], given: Parameters) -> dict[str, Any]:
    """So many groups, from the one that the token names."""
    token, text = given.text("group_next_token"), given.text("group_limit")
    if not text:
        if token:
            raise invalid("group_next_token", "group_limit needs to be present in order to paginate over the groups")
        return {"groups": groups}
    if not text.lstrip("+-").isdigit() or len(text) > 9:
        raise invalid(
            "group_limit", f'group_limit needs to be a valid number: strconv.ParseInt: parsing "{text}": invalid syntax'
        )
    limit, start = int(text), 0
    if limit <= 0:
        raise invalid("group_limit", "group_limit needs to be greater than 0")
    if token:
        tokens = [_token(group) for group in groups]
        if token not in tokens:
            raise invalid("group_next_token", f"invalid group_next_token '{token}'. were rule groups changed?")
        start = tokens.index(token)
    found: dict[str, Any] = {"groups": groups[start : start + limit]}
    if start + limit < len(groups):
        found["groupNextToken"] = _token(groups[start + limit])
    return found


def _token(group: Mapping[str, Any]) -> str:
    return hashlib.sha256(f"{group['file']};{group['name']}".encode()).hexdigest()
