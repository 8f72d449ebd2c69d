"""Reading the vital signs: one PromQL answer each, held against its thresholds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from sanso.model.labels import Labels, labels_of, value_of
from sanso.model.readings import VitalReading
from sanso.model.series import EDGES, Engine, HeldEngine
from sanso.model.status import Status
from sanso.vitals.catalog import Vital


def read_vitals(vitals: Iterable[Vital], engine: HeldEngine, at_ms: int) -> dict[str, list[VitalReading]]:
    """Every vital at one time, by name.

    A plain vital has exactly one reading (value None where there is nothing to measure); a labelled one has a reading
    for each label value, sorted naturally, or a single empty one.
    """
    return {vital.name: _read(vital, engine, at_ms) for vital in vitals}


def status_of(vital: Vital, value: float | None) -> Status:
    """What a value means; UNKNOWN where there is no value or the vital has no thresholds."""
    if value is None or math.isnan(value) or (vital.warning is None and vital.critical is None):
        return Status.UNKNOWN
    if _past(vital, value, vital.critical):
        return Status.CRITICAL
    return Status.WARNING if _past(vital, value, vital.warning) else Status.NORMAL


def _past(vital: Vital, value: float, threshold: float | None) -> bool:
    if threshold is None:
        return False
    return value < threshold if vital.direction == "down" else value >= threshold


def _read(vital: Vital, held: HeldEngine, at_ms: int) -> list[VitalReading]:
    engine = (
        held.steady() if vital.is_percentile else held
    )  # rows come meanwhile: a value and its bounds are of one state
    samples = engine.instant(vital.expr, at_ms).samples()
    if vital.label:
        readings = [_reading(vital, value, value, _only(vital, labels)) for labels, value in samples]
        return sorted(readings, key=_natural) or [_reading(vital, None, None)]
    value = samples[0][1] if samples else None
    judged = engine.instant(vital.judge, at_ms).first() if vital.judge and value is not None else value
    reading = _reading(vital, value, judged)
    return [_bounded(reading, vital, engine, at_ms) if vital.is_percentile and reading.value is not None else reading]


def _bounded(reading: VitalReading, vital: Vital, engine: Engine, at_ms: int) -> VitalReading:
    """With both ends of the bucket that holds the percentile."""
    ends = [engine.instant(vital.expr, at_ms, edge=edge).first() for edge in EDGES[1:]]
    known = [end for end in ends if end is not None and not math.isnan(end)]
    if len(known) < len(ends) or reading.value is None:
        return reading
    # With the value: a point inside a bucket is computed from its ends and rounded, and may miss one by the last digit.
    return replace(reading, low=min(*known, reading.value), high=max(*known, reading.value))


def _reading(vital: Vital, value: float | None, judged: float | None, labels: Labels = ()) -> VitalReading:
    if value is not None and math.isnan(value):  # 0/0: nothing happened, so there is nothing to say
        value = None
    return VitalReading(vital.name, value, status_of(vital, judged), vital.unit, vital.layer, labels)


def _only(vital: Vital, labels: Labels) -> Labels:
    return labels_of({vital.label: value_of(labels, vital.label)})


def _natural(reading: VitalReading) -> tuple[int, str]:
    text = reading.labels[0][1] if reading.labels else ""
    return (int(text) if text.isdigit() else 1 << 30, text)
