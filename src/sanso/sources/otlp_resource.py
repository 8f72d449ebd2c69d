"""What is remembered of one pushing process: its labels, its columns, its running totals."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sanso.model.frame import Columns
from sanso.model.labels import NAME, Labels, labels_of
from sanso.model.native_histogram import NativeHistogram
from sanso.sources.otlp_spelling import label_name

MOST_SERIES = 20_000
"""Of one resource; what goes beyond is rejected and counted."""
_MOST_LAYOUTS = 64

Attributes: TypeAlias = tuple[tuple[str, str], ...]
PointKey: TypeAlias = tuple[str, Attributes]
"""A metric's name and a point's attributes."""


@dataclass
class HistogramMemory:
    """One exponential histogram's series.

    Attributes:
        total: The running total of deltas; None where there was none.
        started_ns: Since when it counts.
    """

    total: NativeHistogram | None = None
    started_ns: int = 0


@dataclass
class ResourceMemory:
    """One resource.

    Attributes:
        frame: The name of its frame.
        identity: `job` and `instance`.
        info: The series `target_info`.
        last_ms: The newest row's time; 0 before the first.
        seen_s: When it last pushed, by a clock that never steps back.
        points: When each metric and attribute set was last pushed, likewise.
        deltas: The newest time in ns of each metric and attribute set that pushes deltas.
    """

    frame: str
    identity: tuple[tuple[str, str], ...]
    info: Labels
    last_ms: int = 0
    seen_s: float = 0.0
    points: dict[PointKey, float] = field(default_factory=dict)
    deltas: dict[PointKey, int] = field(default_factory=dict)
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

    def full(self, key: PointKey) -> bool:
        """Whether a point must be refused: a new one at the limit, and a known one that brings ever new bounds."""
        return len(self._labels) >= (2 * MOST_SERIES if key in self.points else MOST_SERIES)

    def of(self, point: PointKey) -> list[Labels]:
        """The series that a metric's points of these attributes feed; rarely asked, so nothing is kept for it."""
        return [labels for key, labels in self._labels.items() if (key[0], key[2]) == point]

    def forget(self, before_s: float) -> None:
        """Let go of series that were not pushed since."""
        gone = {key for key, seen_s in self.points.items() if seen_s < before_s}
        if not gone:
            return
        for point in gone:
            del self.points[point]
            self.deltas.pop(point, None)
        for key in [key for key in self._labels if (key[0], key[2]) in gone]:
            labels = self._labels.pop(key)
            self.totals.pop(labels, None)
            self.histograms.pop(labels, None)
        self._layouts.clear()  # they are known by the identity of label sets, which may now be given to others

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


def pairs(attributes: Any) -> Attributes:
    """OTLP attributes as texts, in a fixed order."""
    return tuple(sorted((attribute.key, text_of(attribute.value)) for attribute in attributes))


def text_of(value: Any) -> str:
    """An attribute's value as a label value: bytes in base64, lists and maps as JSON."""
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return str(value.string_value)
    plain = _plain(value)
    if plain is None or isinstance(plain, str):
        return plain or ""
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> object:
    match value.WhichOneof("value"):
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case "array_value":
            return [_plain(item) for item in value.array_value.values]
        case "kvlist_value":
            return {pair.key: _plain(pair.value) for pair in value.kvlist_value.values}
        case kind:
            plain: object = getattr(value, kind) if kind else None
            return plain
