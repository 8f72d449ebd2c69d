from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanso.model.errors import ConfigError
from sanso.model.status import AlertLevel
from sanso.rules.file import load_alert_file
from sanso.vitals.catalog import expressions, load

VITALS = expressions(load())
CONTRACT = {
    "rules": [
        {
            "name": "CpuHigh", "metric_name": "cpu_percent", "threshold": 80.0, "level": "warning",
            "message": "CPU使用率が高くなっています", "for": "0s", "op": ">",
        }
    ],
    "handlers": [{"type": "console"}, {"type": "webhook", "url": "http://127.0.0.1:9/"}],
}  # fmt: skip


def written(folder: Path, text: str, suffix: str = ".json") -> Path:
    path = folder / f"alerts{suffix}"
    path.write_text(text, "utf-8")
    return path


def test_the_contract_s_file(tmp_path: Path) -> None:
    file = load_alert_file(written(tmp_path, json.dumps(CONTRACT)), VITALS)
    (rule,) = file.rules
    assert (rule.name, rule.level, rule.threshold, rule.op) == ("CpuHigh", AlertLevel.WARNING, 80.0, ">")
    assert rule.message == "CPU使用率が高くなっています"
    assert rule.expr == f"({VITALS['cpu_percent']}) > 80.0"
    assert [handler["type"] for handler in file.handlers] == ["console", "webhook"]


def test_toml_and_yaml_say_the_same(tmp_path: Path) -> None:
    toml = '[[rules]]\nmetric_name = "cpu_percent"\nthreshold = 80\nfor = "30s"\n[[handlers]]\ntype = "console"\n'
    yaml = "rules:\n- metric_name: cpu_percent\n  threshold: 80\n  for: 30s\nhandlers:\n- type: console\n"
    one = load_alert_file(written(tmp_path, toml, ".toml"), VITALS)
    other = load_alert_file(written(tmp_path, yaml, ".yaml"), VITALS)
    assert one == other
    assert one.rules[0].name == "cpu_percent > 80 warning"
    assert one.rules[0].for_ms == 30_000


def test_prometheus_s_groups(tmp_path: Path) -> None:
    yaml = """groups:
- name: host
  rules:
  - alert: DiskFull
    expr: node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.05
    for: 5m
    labels: {severity: page, team: infra}
    annotations: {summary: "almost full"}
  - alert: DiskFull
    expr: node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.2
"""
    page, warning = load_alert_file(written(tmp_path, yaml, ".yml"), VITALS).rules
    assert (page.level, page.message, page.for_ms, page.labels) == (
        AlertLevel.CRITICAL, "almost full", 300_000, (("team", "infra"),)
    )  # fmt: skip
    assert (warning.level, warning.message) == (AlertLevel.WARNING, "")
    assert page.key != warning.key


@pytest.mark.parametrize(
    ("text", "suffix", "line", "field", "expected"),
    [
        (
            '{"rules": [\n{"metric_name": "cpu_percent",\n"treshold": 1}]}',
            ".json",
            3,
            "rules.0.treshold",
            "unknown field",
        ),
        ('{"rules": [{"metric_name": "cpu_percent"}]}', ".json", 1, "rules.0.threshold", "a number is expected"),
        ('{"rules": [{"expr": "up", "metric_name": "x"}]}', ".json", 1, "rules.0", 'either "expr" or "metric_name"'),
        ('{"rules": [{"expr": "sum("}]}', ".json", 1, "rules.0.expr", "a vital sign or PromQL is expected"),
        ('{"rules": [{"expr": "up", "level": "bad"}]}', ".json", 1, "rules.0.level", "one of info, warning, critical"),
        ('{"rules": [{"expr": "up", "for": "long"}]}', ".json", 1, "rules.0.for", "long"),
        ('{"rules": [{"expr": "up", "op": "~"}]}', ".json", 1, "rules.0.op", "one of > >= < <= == !="),
        ('{"rules": [{"expr": "up"}, {"expr": "up"}]}', ".json", 1, "rules.1", 'a second rule is called "up"'),
        ('{"rules": {}}', ".json", 1, "rules", "a list is expected"),
        ('{"rules": [3]}', ".json", 1, "rules.0", "an object is expected"),
        ('{"rule": []}', ".json", 1, "rule", "unknown field; known are handlers, rules"),
        ('{"handlers": [{"type": "pigeon"}]}', ".json", 1, "handlers.0.type", "one of apprise, command, console"),
        ('{"handlers": [{"type": "webhook"}]}', ".json", 1, "handlers.0", 'a webhook handler needs "url"'),
        ('{"handlers": [{"type": "command", "command": "ls"}]}', ".json", 1, "handlers.0.command", "a list of texts"),
        ("[[rules]]\nexpr = 'up'\nlevel = 'x'\n", ".toml", 3, "rules.0.level", "one of info"),
        ("groups:\n- rules:\n  - record: x\n    expr: up(\n", ".yml", 4, "groups.0.rules.0.expr", "PromQL is expected"),
        ("groups:\n- rules:\n  - alert: x\n", ".yml", 3, "groups.0.rules.0", '"expr" is expected'),
        ("[]", ".json", 0, "", 'an object with "rules" is expected'),
    ],
)
def test_what_is_wrong_is_named_with_file_line_and_field(
    tmp_path: Path, text: str, suffix: str, line: int, field: str, expected: str
) -> None:
    path = written(tmp_path, text, suffix)
    with pytest.raises(ConfigError) as caught:
        load_alert_file(path, VITALS)
    assert (caught.value.file, caught.value.line, caught.value.field) == (str(path), line, field)
    assert expected in caught.value.expected


@pytest.mark.parametrize(
    ("text", "suffix", "expected"),
    [("{", ".json", "is not JSON"), ("a = ", ".toml", "is not TOML"), ("a: [", ".yml", "is not YAML")],
)
def test_what_cannot_be_read_at_all(tmp_path: Path, text: str, suffix: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        load_alert_file(written(tmp_path, text, suffix), VITALS)
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_alert_file(tmp_path / "none.json", VITALS)


trees = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["rules", "handlers", "metric_name", "threshold", "op", "expr", "for", "level", "type", "url"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(trees)
def test_any_json_is_a_file_or_a_clear_error(tmp_path: Path, tree: Any) -> None:
    path = written(tmp_path, json.dumps(tree))
    try:
        file = load_alert_file(path, VITALS)
    except ConfigError as error:
        message = str(error)
    else:
        message = ""
        assert isinstance(file.rules, list)
    assert message == "" or message.startswith(str(path))


def test_what_prometheus_has_and_we_have_not_yet_is_named_and_severities_may_be_anything(tmp_path: Path) -> None:
    text = """
groups:
- name: g
  rules:
  - {alert: Watchdog, expr: vector(1), labels: {severity: none}}
  - {record: "job:up:sum", expr: sum by (job) (up)}
"""
    found = load_alert_file(written(tmp_path, text, ".yml"), VITALS)
    assert [(rule.name, rule.level) for rule in found.rules] == [("Watchdog", AlertLevel.WARNING)]
    (notice,) = found.notices
    assert ":6: job:up:sum: recording rules are not supported yet" in notice


def test_an_expression_is_read_as_the_engine_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"rules": [{"expr": "up > 0x1F offset 0s"}, {"expr": "up @ -5 == 1_000"}]}')
    assert [rule.expr for rule in load_alert_file(path, {}).rules] == ["up > 0x1F offset 0s", "up @ -5 == 1_000"]
