"""Alert files: ours (JSON or TOML) and Prometheus's rule groups (YAML)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sanso.model.durations import parse_duration_ms
from sanso.model.errors import QueryError
from sanso.model.labels import labels_of
from sanso.model.status import AlertLevel
from sanso.notify.build import kinds
from sanso.promql.parse import parsed
from sanso.rules.places import Document, read
from sanso.rules.rule import OPERATORS, AlertRule
from sanso.rules.unhonoured import notices_of

_RULE_KEYS = {"name", "metric_name", "threshold", "op", "expr", "for", "level", "message", "labels"}
_GROUP_KEYS = {"name", "interval", "rules", "limit", "labels", "query_offset"}
_PROMETHEUS_KEYS = {"alert", "expr", "for", "labels", "annotations", "keep_firing_for"}
_RECORD_KEYS = {"record", "expr", "labels"}
_LEVELS = {"page": AlertLevel.CRITICAL, "error": AlertLevel.CRITICAL, "warn": AlertLevel.WARNING}


@dataclass(frozen=True)
class AlertFile:
    """Rules and the settings of handlers, checked; `notices` name what is not honoured yet."""

    rules: list[AlertRule]
    handlers: list[dict[str, Any]]
    notices: list[str] = field(default_factory=list)


def load_alert_file(path: Path, vitals: Mapping[str, str]) -> AlertFile:
    """Read and check an alert file.

    Args:
        path: .json, .toml, or .yml / .yaml (Prometheus's rule groups, or ours).
        vitals: PromQL by vital name: what `metric_name` may name.

    Raises:
        ConfigError: With file, line, field and what was expected.
    """
    document = read(path)
    if not isinstance(document.tree, dict):
        raise document.error("", 'an object with "rules" is expected')
    if "groups" in document.tree:
        return _groups(document)
    _only(document, "", document.tree, {"rules", "handlers"})
    rules = [_rule(document, place, table, vitals) for place, table in _tables(document, "rules")]
    names = [rule.name for rule in rules]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise document.error(f"rules.{number}", f'a second rule is called "{name}": give it a name of its own')
    return AlertFile(rules, [_handler(document, place, table) for place, table in _tables(document, "handlers")])


def _rule(document: Document, place: str, table: dict[str, Any], vitals: Mapping[str, str]) -> AlertRule:
    _only(document, place, table, _RULE_KEYS)
    if ("expr" in table) == ("metric_name" in table):
        raise document.error(place, 'either "expr" or "metric_name" with "threshold" is expected')
    op = _text(document, place, table, "op", ">")
    if op not in OPERATORS:
        raise document.error(f"{place}.op", f"one of {' '.join(OPERATORS)} is expected, not {op!r}")
    if "expr" in table:
        metric = expr = _text(document, place, table, "expr", "")
        threshold, op = math.nan, ""
    else:
        metric = _text(document, place, table, "metric_name", "")
        threshold = _threshold(document, place, table)
        expr = f"({vitals.get(metric, metric)}) {op} {threshold!r}"
    _check_promql(document, f"{place}.{'metric_name' if op else 'expr'}", expr, metric)
    level = _level(document, place, table.get("level", "warning"))
    name = _text(document, place, table, "name", "") or f"{metric} {op} {threshold:g} {level.value}"
    return AlertRule(
        name=name if op or "name" in table else metric,
        expr=expr,
        for_ms=_duration(document, f"{place}.for", table.get("for", "0s")),
        level=level,
        message=_text(document, place, table, "message", name),
        metric_name=metric,
        op=op,
        threshold=threshold,
        labels=labels_of(_strings(document, f"{place}.labels", table.get("labels", {}))),
    )


def _groups(document: Document) -> AlertFile:
    _only(document, "", document.tree, {"groups"})
    found = AlertFile([], [])
    for group_place, group in _tables(document, "groups"):
        _only(document, group_place, group, _GROUP_KEYS)
        inner = Document(document.path, group, document.lines)
        for number, table in enumerate(_list(inner, f"{group_place}.rules", group.get("rules", []))):
            place = f"{group_place}.rules.{number}"
            if "record" in table:
                _only(document, place, table, _RECORD_KEYS)
                _check_promql(document, f"{place}.expr", str(table.get("expr")), str(table.get("expr")))
                line = document.lines.get(f"{place}.record", 0)
                where = f"{document.path}:{line}: {table['record']}"
                found.notices.append(f"{where}: recording rules are not supported yet: nothing is recorded")
                continue
            found.rules.append(_prometheus_rule(document, place, table))
    found.notices.extend(notices_of(document.path, (group for _, group in _tables(document, "groups"))))
    return found


def _prometheus_rule(document: Document, place: str, table: dict[str, Any]) -> AlertRule:
    _only(document, place, table, _PROMETHEUS_KEYS)
    for key in ("alert", "expr"):
        if not table.get(key):
            raise document.error(place, f'"{key}" is expected')
    labels = _strings(document, f"{place}.labels", table.get("labels", {}))
    annotations = _strings(document, f"{place}.annotations", table.get("annotations", {}))
    severity = labels.pop("severity", "warning")
    expr = str(table["expr"])
    _check_promql(document, f"{place}.expr", expr, expr)
    return AlertRule(
        name=str(table["alert"]),
        expr=expr,
        for_ms=_duration(document, f"{place}.for", table.get("for", "0s")),
        level=_severity(severity),
        message=annotations.get("summary") or annotations.get("description") or "",
        metric_name=expr,
        labels=labels_of(labels),
    )


def _severity(text: str) -> AlertLevel:
    """The level of a severity label; what people call theirs otherwise is a warning."""
    known = {level.value: level for level in AlertLevel}
    return _LEVELS.get(text) or known.get(text, AlertLevel.WARNING)


def _handler(document: Document, place: str, table: dict[str, Any]) -> dict[str, Any]:
    kind = table.get("type")
    if kind not in kinds():
        raise document.error(f"{place}.type", f"one of {', '.join(sorted(kinds()))} is expected, not {kind!r}")
    keys = kinds()[kind].KEYS
    _only(document, place, table, {"type", *keys})
    for key, wanted in keys.items():
        if key not in table:
            if key != "timeout":
                raise document.error(place, f'a {kind} handler needs "{key}"')
            continue
        value = table[key]
        right = isinstance(value, int | float) if wanted is float else isinstance(value, wanted) and bool(value)
        if not right or (wanted is list and not all(isinstance(item, str) for item in value)):
            names = {str: "a text", float: "a number of seconds", list: "a list of texts (program and arguments)"}
            raise document.error(f"{place}.{key}", f"{names[wanted]} is expected, not {value!r}")
    return table


def _threshold(document: Document, place: str, table: dict[str, Any]) -> float:
    value = table.get("threshold")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise document.error(f"{place}.threshold", f"a number is expected, not {value!r}")
    return float(value)


def _level(document: Document, place: str, value: object) -> AlertLevel:
    try:
        return AlertLevel(value)
    except ValueError as error:
        expected = f"one of {', '.join(level.value for level in AlertLevel)} is expected, not {value!r}"
        raise document.error(f"{place}.level", expected) from error


def _duration(document: Document, place: str, value: object) -> int:
    try:
        return parse_duration_ms(value if isinstance(value, int | float) else str(value))
    except ValueError as error:
        raise document.error(place, str(error)) from error


def _check_promql(document: Document, place: str, expr: str, written: str) -> None:
    try:
        parsed(expr)
    except QueryError as error:
        problem = str(error).removeprefix('invalid parameter "query": ')
        raise document.error(place, f"a vital sign or PromQL is expected, not {written!r}: {problem}") from error


def _text(document: Document, place: str, table: dict[str, Any], key: str, default: str) -> str:
    value = table.get(key, default)
    if not isinstance(value, str):
        raise document.error(f"{place}.{key}", f"a text is expected, not {value!r}")
    return value


def _strings(document: Document, place: str, value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise document.error(place, f"names with texts are expected, not {value!r}")
    return {str(key): str(text) for key, text in value.items()}


def _tables(document: Document, key: str) -> list[tuple[str, dict[str, Any]]]:
    items = _list(document, key, document.tree.get(key, []))
    return [(f"{key}.{number}", item) for number, item in enumerate(items)]


def _list(document: Document, place: str, value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise document.error(place, f"a list is expected, not {value!r}")
    for number, item in enumerate(value):
        if not isinstance(item, dict):
            raise document.error(f"{place}.{number}", f"an object is expected, not {item!r}")
    return value


def _only(document: Document, place: str, table: dict[str, Any], known: set[str]) -> None:
    for key in table:
        if key not in known:
            inner = f"{place}.{key}" if place else key
            raise document.error(inner, f"unknown field; known are {', '.join(sorted(known))}")
