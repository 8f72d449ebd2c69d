"""Label sets: a series' identity, as a sorted tuple of (name, value) pairs without empty values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

NAME = "__name__"

Labels: TypeAlias = tuple[tuple[str, str], ...]
"""Sorted by name; hashable and cheap. The metric name is the label `__name__`."""


def labels_of(pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> Labels:
    """Labels from a mapping or pairs; empty values are the same as no label (Prometheus's data model)."""
    items = pairs.items() if isinstance(pairs, Mapping) else pairs
    return tuple(sorted((name, value) for name, value in items if value))


def series_of(name: str, /, **labels: str) -> Labels:
    """Labels of the series `name{labels}`."""
    return labels_of({NAME: name, **labels})


def metric_name(labels: Labels) -> str:
    """The metric name, or an empty string."""
    return value_of(labels, NAME)


def value_of(labels: Labels, name: str) -> str:
    """The value of one label; an empty string where the label is absent."""
    for key, value in labels:
        if key == name:
            return value
    return ""


def without(labels: Labels, names: Iterable[str]) -> Labels:
    """The labels but for `names`."""
    dropped = frozenset(names)
    return tuple(pair for pair in labels if pair[0] not in dropped)


def escape(value: str) -> str:
    """A label value as it stands between quotes in the exposition formats and PromQL."""
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def render(labels: Labels) -> str:
    """`name{a="b"}`: the text by which people know a series."""
    name = metric_name(labels)
    inside = ", ".join(f'{key}="{escape(value)}"' for key, value in labels if key != NAME)
    return f"{name}{{{inside}}}" if inside or not name else name
