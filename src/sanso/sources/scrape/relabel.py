"""Relabelling, to the letter of Prometheus's: targets before they are scraped, series before they are stored."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from sanso.model.errors import QueryError
from sanso.model.expressions import Expression

_EVERYTHING = "(.*)"
_LABEL_ACTIONS = frozenset({"labeldrop", "labelkeep"})
_EQUAL_ACTIONS = frozenset({"keepequal", "dropequal"})
_TARGETED = frozenset({"replace", "hashmod", "lowercase", "uppercase"}) | _EQUAL_ACTIONS


@dataclass(frozen=True)
class RelabelRule:
    """One rule.

    Attributes:
        action: What to do.
        source_labels: Whose values, joined by `separator`, are looked at.
        separator: Between them.
        regex: Anchored on both sides.
        target_label: What is written; may refer to the regex's groups (`replace`).
        replacement: What is written there.
        modulus: Of `hashmod`.

    Raises:
        ValueError: A field is wrong; the text says which.
    """

    action: str = "replace"
    source_labels: tuple[str, ...] = ()
    separator: str = ";"
    regex: str = _EVERYTHING
    target_label: str = ""
    replacement: str = "$1"
    modulus: int = 0
    pattern: Expression = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem:
            raise ValueError(problem)
        try:
            object.__setattr__(self, "pattern", Expression(self.regex))
        except QueryError as error:
            raise ValueError(str(error)) from error


def relabelled(labels: Mapping[str, str], rules: Iterable[RelabelRule]) -> dict[str, str] | None:
    """The labels after all rules, without empty values; None where a rule drops them."""
    found = {name: value for name, value in labels.items() if value}
    for rule in rules:
        value = rule.separator.join([found.get(name, "") for name in rule.source_labels])
        if not _ACTIONS[rule.action](found, rule, value):
            return None
    return found


def _put(labels: dict[str, str], name: str, value: str) -> None:
    if value:
        labels[name] = value
    else:
        labels.pop(name, None)


def _replace(labels: dict[str, str], rule: RelabelRule, value: str) -> bool:
    found = rule.pattern.match(value)
    if found is not None:
        target = found.expand(rule.target_label)
        if target:
            _put(labels, target, found.expand(rule.replacement))
    return True


def _keep(_: dict[str, str], rule: RelabelRule, value: str) -> bool:
    return rule.pattern.matches(value)


def _drop(_: dict[str, str], rule: RelabelRule, value: str) -> bool:
    return not rule.pattern.matches(value)


def _keep_equal(labels: dict[str, str], rule: RelabelRule, value: str) -> bool:
    return labels.get(rule.target_label, "") == value


def _drop_equal(labels: dict[str, str], rule: RelabelRule, value: str) -> bool:
    return labels.get(rule.target_label, "") != value


def _hash(labels: dict[str, str], rule: RelabelRule, value: str) -> bool:
    # The last 8 bytes of the MD5, as Prometheus has it: shards must agree.
    digest = hashlib.md5(value.encode(), usedforsecurity=False).digest()
    labels[rule.target_label] = str(int.from_bytes(digest[8:], "big") % rule.modulus)
    return True


def _map(labels: dict[str, str], rule: RelabelRule, _: str) -> bool:
    for name, value in list(labels.items()):
        found = rule.pattern.match(name)
        if found is not None:
            _put(labels, found.expand(rule.replacement), value)
    return True


def _label_drop(labels: dict[str, str], rule: RelabelRule, _: str) -> bool:
    for name in [name for name in labels if rule.pattern.matches(name)]:
        del labels[name]
    return True


def _label_keep(labels: dict[str, str], rule: RelabelRule, _: str) -> bool:
    for name in [name for name in labels if not rule.pattern.matches(name)]:
        del labels[name]
    return True


def _lower(labels: dict[str, str], rule: RelabelRule, value: str) -> bool:
    _put(labels, rule.target_label, value.lower())
    return True


def _upper(labels: dict[str, str], rule: RelabelRule, value: str) -> bool:
    _put(labels, rule.target_label, value.upper())
    return True


_ACTIONS: dict[str, Callable[[dict[str, str], RelabelRule, str], bool]] = {
    "replace": _replace,
    "keep": _keep,
    "drop": _drop,
    "keepequal": _keep_equal,
    "dropequal": _drop_equal,
    "hashmod": _hash,
    "labelmap": _map,
    "labeldrop": _label_drop,
    "labelkeep": _label_keep,
    "lowercase": _lower,
    "uppercase": _upper,
}


def _problem(rule: RelabelRule) -> str:
    """What is wrong with a rule, as Prometheus judges it; empty where nothing is."""
    action = rule.action
    if action not in _ACTIONS:
        return f"unknown relabel action {action!r}: one of {', '.join(_ACTIONS)} is expected"
    if action in _TARGETED and not rule.target_label:
        return f"relabel configuration for {action} action requires 'target_label' value"
    if action == "hashmod" and rule.modulus < 1:
        return "relabel configuration for hashmod requires non-zero modulus"
    if action == "labelmap" and not rule.replacement:  # any text may be the name of a label
        return f"{rule.replacement!r} is invalid 'replacement' for labelmap action"
    changed = {name for name in _OWN_FIELDS if getattr(rule, name) != getattr(RelabelRule, name)}
    if action in _EQUAL_ACTIONS and changed - {"source_labels", "target_label"}:
        return f"{action} action requires only 'source_labels' and 'target_label', and no other fields"
    if action in _LABEL_ACTIONS and changed - {"regex"}:
        return f"{action} action requires only 'regex', and no other fields"
    return ""


_OWN_FIELDS = ("source_labels", "separator", "regex", "target_label", "replacement", "modulus")
