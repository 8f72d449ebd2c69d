"""What is remembered of one pushing process: its labels, its columns, its running totals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sanso.model.frame import Columns
from sanso.model.labels import NAME, Labels, labels_of
from sanso.sources.otlp_histograms import Sketch
from sanso.sources.otlp_spelling import label_name

MOST_SERIES = 20_000
"""Of one resource; what goes beyond is rejected and counted."""
_MOST_LAYOUTS = 64


@dataclass
class HistogramMemory:
    """One histogram series: what it counted so far, and which bounds it had at the last push.

    Attributes:
        total: Its count at the last push.
        floor: What lay at or below zero.
        low: The lowest bound's k at the last push.
        high: The highest.
        sketch: The running total of deltas.
    """

    total: float = 0.0
    floor: float = 0.0
    low: int = 0
    high: int = -1
    scale: int = 0
    sketch: Sketch | None = None


@dataclass
class ResourceMemory:
    """One resource.

    Attributes:
        frame: The name of its frame.
        identity: `job` and `instance`.
        info: The series `target_info`.
        last_ms: The newest row's time; 0 before the first.
        seen_ms: When it last pushed.
    """

    frame: str
    identity: tuple[tuple[str, str], ...]
    info: Labels
    last_ms: int = 0
    seen_ms: int = 0
    totals: dict[Labels, float] = field(default_factory=dict)
    histograms: dict[Labels, HistogramMemory] = field(default_factory=dict)
    _labels: dict[tuple[object, ...], Labels] = field(default_factory=dict)
    _layouts: dict[tuple[int, ...], Columns] = field(default_factory=dict)

    def known(self, key: tuple[object, ...]) -> Labels | None:
        """The label set made for a key before."""
        return self._labels.get(key)

    def make(self, key: tuple[object, ...], name: str, attributes: Sequence[tuple[str, str]], **more: str) -> Labels:
        """The label set of a series, remembered under the key."""
        found: dict[str, str] = {}
        for attribute, value in attributes:
            label = label_name(attribute)
            found[label] = f"{found[label]};{value}" if label in found else value
        labels = self._labels[key] = labels_of({**found, **more, **dict(self.identity), NAME: name})
        return labels

    def full(self) -> bool:
        """Whether no further series may come."""
        return len(self._labels) >= MOST_SERIES

    def columns(self, labels: Sequence[Labels]) -> Columns:
        """The columns of a row; the same object for the same remembered label sets."""
        key = tuple(map(id, labels))
        columns = self._layouts.get(key)
        if columns is None:
            if len(self._layouts) >= _MOST_LAYOUTS:
                self._layouts.clear()
            columns = self._layouts[key] = Columns(tuple(labels))
        return columns


def resource_memory(attributes: Sequence[tuple[str, str]]) -> ResourceMemory:
    """A new resource, labelled as Prometheus labels it."""
    found = dict(attributes)
    service, namespace = found.pop("service.name", ""), found.pop("service.namespace", "")
    job = f"{namespace}/{service}" if namespace and service else service
    instance = found.pop("service.instance.id", "")
    identity = tuple((name, value) for name, value in (("job", job), ("instance", instance)) if value)
    about = {label_name(key): value for key, value in found.items()}
    info = labels_of({**about, **dict(identity), NAME: "target_info"})
    return ResourceMemory(f"otlp:{job}/{instance}", identity, info)


def pairs(attributes: Any) -> tuple[tuple[str, str], ...]:
    """OTLP attributes as texts, in a fixed order."""
    return tuple(sorted((attribute.key, text_of(attribute.value)) for attribute in attributes))


def text_of(value: Any) -> str:
    """An attribute's value as a label value."""
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return str(value.string_value)
    if kind == "bool_value":
        return "true" if value.bool_value else "false"
    if kind == "array_value":
        return "[" + ",".join(f'"{text_of(item)}"' for item in value.array_value.values) + "]"
    return "" if kind is None else str(getattr(value, kind))
