from __future__ import annotations

from pathlib import Path

from sanso.rules.file import load_alert_file

RULES = """
groups:
- name: plain
  rules:
  - {alert: A, expr: up == 0, for: 1m, labels: {severity: page}, annotations: {summary: down}}
- name: rich
  interval: 30s
  limit: 5
  labels: {team: a}
  query_offset: 1m
  rules:
  - {alert: B, expr: up == 0, keep_firing_for: 5m}
  - {alert: C, expr: up == 0, labels: {host: "{{ $labels.instance }}"}}
  - {alert: D, expr: up == 0, annotations: {summary: "{{ $value }}"}}
"""


def test_what_is_not_honoured_is_named_with_who_asks_for_it(tmp_path: Path) -> None:
    path = tmp_path / "rules.yml"
    path.write_text(RULES)
    found = load_alert_file(path, {})
    assert [rule.name for rule in found.rules] == ["A", "B", "C", "D"]
    assert found.notices == [
        f"{path}: interval of groups is not honoured yet: rules are judged at every tick (rich)",
        f"{path}: limit of groups is not honoured yet: all alerts are kept (rich)",
        f"{path}: labels of groups is not honoured yet: alerts carry the labels of their rule only (rich)",
        f"{path}: query_offset of groups is not honoured yet: rules are judged at the present time (rich)",
        f"{path}: keep_firing_for of rules is not honoured yet: an alert ends as soon as its condition does (B)",
        f"{path}: templates are not expanded yet: they are shown as written (C, D)",
    ]


def test_many_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "rules.yml"
    groups = "".join(f"- {{name: g{number}, limit: 1, rules: []}}\n" for number in range(9))
    path.write_text(f"groups:\n{groups}")
    (notice,) = load_alert_file(path, {}).notices
    assert notice.endswith("(g0, g1, g2 and 6 more)")
