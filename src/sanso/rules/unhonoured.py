"""What of a Prometheus rule file is read but not honoured yet, said once a file and kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_OF_GROUPS = {
    "interval": "rules are judged at every tick",
    "limit": "all alerts are kept",
    "labels": "alerts carry the labels of their rule only",
    "query_offset": "rules are judged at the present time",
}
_OF_RULES = {"keep_firing_for": "an alert ends as soon as its condition does"}


def notices_of(path: str, groups: Iterable[Mapping[str, Any]]) -> list[str]:
    """One sentence for each field and for templates, where a file has them, with the rules or groups that do.

    Args:
        path: The file.
        groups: Its groups, checked.
    """
    groups = list(groups)
    rules = [rule for group in groups for rule in group.get("rules", []) if "alert" in rule]
    found = []
    for kind, tables, name, fields in (("groups", groups, "name", _OF_GROUPS), ("rules", rules, "alert", _OF_RULES)):
        for key, instead in fields.items():
            having = [str(table.get(name, "")) for table in tables if table.get(key)]
            if having:
                found.append(f"{path}: {key} of {kind} is not honoured yet: {instead} ({_named(having)})")
    templated = [str(rule["alert"]) for rule in rules if _has_template(rule)]
    if templated:
        found.append(f"{path}: templates are not expanded yet: they are shown as written ({_named(templated)})")
    return found


def _has_template(rule: Mapping[str, Any]) -> bool:
    texts = [*dict(rule.get("labels") or {}).values(), *dict(rule.get("annotations") or {}).values()]
    return any("{{" in str(text) for text in texts)


def _named(names: list[str]) -> str:
    """The first few, and how many more."""
    more = len(names) - 3
    return ", ".join(names[:3]) + (f" and {more} more" if more > 0 else "")
