"""Names for readers that know only the classic characters: every other one becomes an underscore."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from sanso.exposition.page import Sample
from sanso.model.frame import Family
from sanso.model.labels import NAME, Labels, labels_of

_NOT_IN_NAME = re.compile(r"[^a-zA-Z0-9_:]")
_NOT_IN_LABEL = re.compile(r"[^a-zA-Z0-9_]")


_Value = TypeVar("_Value")


def with_classic_names(
    series: Iterable[Sample], families: Mapping[str, Family]
) -> tuple[list[Sample], dict[str, Family]]:
    """Samples and families under classic names; of two series that then are one, the first is kept."""
    return classic_samples(series), _classic_families(families)


def classic_samples(series: Iterable[tuple[Labels, _Value, int | None]]) -> list[tuple[Labels, _Value, int | None]]:
    """Samples under classic names; of two series that then are one, the first is kept."""
    kept: dict[Labels, tuple[Labels, _Value, int | None]] = {}
    for labels, value, time_ms in series:
        named = _classic(labels)
        kept.setdefault(named, (named, value, time_ms))
    return list(kept.values())


def _classic_families(families: Mapping[str, Family]) -> dict[str, Family]:
    renamed: dict[str, Family] = {}
    for name, family in families.items():
        classic = _classic_name(name)
        renamed.setdefault(classic, family if classic == name else replace(family, name=classic))
    return renamed


def _classic(labels: Labels) -> Labels:
    if all(_is_classic(name, value) for name, value in labels):
        return labels
    pairs: dict[str, str] = {}
    for name, value in labels:
        if name == NAME:
            pairs.setdefault(NAME, _classic_name(value))
        else:
            pairs.setdefault(_NOT_IN_LABEL.sub("_", _not_a_digit_first(name)), value)
    return labels_of(pairs)


def _is_classic(name: str, value: str) -> bool:
    if name == NAME:
        return value == _classic_name(value)
    return not _NOT_IN_LABEL.search(name) and not name[:1].isdigit()


def _classic_name(name: str) -> str:
    return _NOT_IN_NAME.sub("_", _not_a_digit_first(name))


def _not_a_digit_first(name: str) -> str:
    return f"_{name}" if name[:1].isdigit() else name
