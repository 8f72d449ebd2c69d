"""OTLP requests for tests, and a writer that keeps what it was given."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from sanso.model.clock import FixedClock
from sanso.model.frame import Family, Row
from sanso.model.labels import render
from sanso.sources.otlp import OtlpReceiver

NOW_MS = 1_800_000_000_000
PROTOBUF = "application/x-protobuf"


class KeptRows:
    """A `RowWriter` in memory; checks what every writer relies on."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, int, Row]] = []
        self.families: dict[str, Family] = {}
        self.commits = 0

    def append(self, frame: str, time_ms: int, row: Row, *, complete: bool = True) -> int:
        assert not complete
        assert len(set(row.columns.labels)) == len(row.columns.labels) == len(row.values)
        newest = max((time for name, time, _ in self.rows if name == frame), default=0)
        if time_ms < newest:
            return len(row.values)
        self.rows.append((frame, time_ms, row))
        return 0

    def commit(self) -> None:
        self.commits += 1

    def describe(self, families: Iterable[Family]) -> None:
        self.families.update({family.name: family for family in families})

    def last(self) -> dict[str, float]:
        """The newest row by the text of its series, without target_info."""
        row = self.rows[-1][2]
        texts = map(render, row.columns.labels)
        return {
            text: value for text, value in zip(texts, row.values.tolist(), strict=True) if "target_info" not in text
        }


def receiver() -> tuple[OtlpReceiver, KeptRows, FixedClock]:
    rows, clock = KeptRows(), FixedClock(NOW_MS)
    return OtlpReceiver(rows, clock), rows, clock


def set_attributes(attributes: Any, values: dict[str, str]) -> None:
    for key, value in values.items():
        pair = attributes.add()
        pair.key, pair.value.string_value = key, value


def request(
    kind: str,
    fill: Callable[[Any], None],
    *,
    name: str = "m",
    unit: str = "",
    at_ms: int = NOW_MS,
    delta: bool = False,
    monotonic: bool = True,
    attributes: dict[str, str] | None = None,
    resource: dict[str, str] | None = None,
) -> ExportMetricsServiceRequest:
    """A request of one point; `fill` sets its value."""
    made = ExportMetricsServiceRequest()
    part = made.resource_metrics.add()
    set_attributes(part.resource.attributes, {"service.name": "s"} if resource is None else resource)
    metric = part.scope_metrics.add().metrics.add()
    metric.name, metric.unit = name, unit
    body: Any = getattr(metric, kind)
    if kind in ("sum", "histogram", "exponential_histogram"):
        body.aggregation_temporality = 1 if delta else 2
    if kind == "sum":
        body.is_monotonic = monotonic
    point = body.data_points.add()
    point.time_unix_nano = at_ms * 1_000_000
    set_attributes(point.attributes, attributes or {})
    fill(point)
    return made


def number(value: float) -> Callable[[Any], None]:
    def fill(point: Any) -> None:
        point.as_double = value

    return fill


def buckets(counts: list[int], bounds: list[float], total: float | None = None) -> Callable[[Any], None]:
    def fill(point: Any) -> None:
        point.bucket_counts.extend(counts)
        point.explicit_bounds.extend(bounds)
        point.count = sum(counts)
        if total is not None:
            point.sum = total

    return fill


def exponential(scale: int, offset: int, counts: list[int], zeros: int = 0) -> Callable[[Any], None]:
    def fill(point: Any) -> None:
        point.scale, point.zero_count = scale, zeros
        point.positive.offset = offset
        point.positive.bucket_counts.extend(counts)
        point.count = sum(counts) + zeros

    return fill
