"""Label sets: a series' identity, as a sorted tuple of (name, value) pairs without empty values."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TypeAlias, TypeVar, cast

NAME = "__name__"

Labels: TypeAlias = tuple[tuple[str, str], ...]
"""Sorted by name; hashable and cheap. The metric name is the label `__name__`."""

_T = TypeVar("_T")
_MOST_DERIVED = 32


class LabelSets(list[Labels]):
    """Label sets that a reader gives again and again, and what was derived from them. They are never changed.

    Thousands of label sets are dear to work on, and a dashboard asks the same question every few seconds: what its
    evaluation makes of them (sets without the name, groups) is kept with them, for as long as somebody holds them.
    """

    def __init__(self, labels: Iterable[Labels] = ()) -> None:
        super().__init__(labels)
        self._derived: dict[Hashable, object] = {}

    def derived(self, key: Hashable, make: Callable[[list[Labels]], _T]) -> _T:
        """What `make` made of these label sets under this key."""
        found = self._derived.get(key)
        if found is None:
            if len(self._derived) >= _MOST_DERIVED:
                self._derived.clear()
            found = self._derived[key] = make(self)
        return cast("_T", found)


def derived(labels: list[Labels], key: Hashable, make: Callable[[list[Labels]], _T]) -> _T:
    """What `make` makes of label sets, from before where they were given before."""
    return labels.derived(key, make) if isinstance(labels, LabelSets) else make(labels)


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
