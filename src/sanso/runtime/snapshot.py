"""An overview as one JSON object or as exposition text."""

from __future__ import annotations

import json
import math
from dataclasses import fields

from sanso.exposition.render import render_text
from sanso.model.frame import Family
from sanso.model.labels import Labels, labels_of, series_of
from sanso.model.performance import PerformanceMetrics
from sanso.model.readings import Overview, VitalReading
from sanso.vitals.catalog import load


def performance_of(overview: Overview) -> PerformanceMetrics:
    """The nine figures of the original specification.

    Counts and the error rate of nothing are 0 (no worker, no task, no error); percentages of a part that is not there
    are NaN.
    """
    values = {name: _single(readings) for name, readings in overview.vitals.items()}
    return PerformanceMetrics(
        timestamp=overview.time_ms / 1000,
        cpu_percent=_number(values["cpu_percent"]),
        memory_percent=_number(values["memory_percent"]),
        disk_usage=_number(values["disk_usage"]),
        gpu_usage=_number(values["gpu_usage"]),
        gpu_memory=_number(values["gpu_memory"]),
        active_workers=int(values["active_workers"] or 0),
        completed_tasks=int(values["completed_tasks"] or 0),
        error_rate=values["error_rate"] or 0.0,
    )


def snapshot_json(overview: Overview) -> str:
    """One line: `timestamp`, the specification's figures, and `layers` with every vital by name, null where absent."""
    metrics = performance_of(overview)
    figures: dict[str, object] = {field.name: _json_number(getattr(metrics, field.name)) for field in fields(metrics)}
    layers: dict[str, dict[str, object]] = {"application": {}, "system": {}, "ai": {}}
    for name, readings in overview.vitals.items():
        layers[readings[0].layer][name] = _json_vital(readings)
    return json.dumps({**figures, "host": overview.host, "layers": layers}, ensure_ascii=False)


def snapshot_exposition(overview: Overview) -> str:
    """Prometheus text: `sanso_vital{name=…, layer=…, unit=…}`."""
    help_texts = {vital.name: vital.help["en"] for vital in load()}
    samples: list[tuple[Labels, float, int | None]] = []
    families = {}
    for name, readings in overview.vitals.items():
        metric = f"sanso_vital_{name}"
        families[metric] = Family(metric, "gauge", help_texts.get(name, ""))
        samples.extend(
            (labels_of((*series_of(metric), *reading.labels)), reading.value, None)
            for reading in readings
            if reading.value is not None
        )
    return render_text(samples, families).rstrip("\n")


def _single(readings: list[VitalReading]) -> float | None:
    return readings[0].value if len(readings) == 1 else None


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _json_number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _json_vital(readings: list[VitalReading]) -> object:
    if not readings[0].labels:
        value = readings[0].value
        return None if value is None else _json_number(value)
    return {reading.labels[0][1]: reading.value for reading in readings}
