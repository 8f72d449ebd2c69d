"""Frozen snapshots that front ends draw: never live objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from sanso.model.labels import Labels
from sanso.model.status import AlertLevel, Status, WorkerState

Layer: TypeAlias = Literal["application", "system", "ai"]
Direction: TypeAlias = Literal["up", "down", "both"]


@dataclass(frozen=True)
class VitalReading:
    """One vital sign now.

    Attributes:
        name: The contract's name.
        value: In `unit`; None where there is nothing to measure.
        status: Against the vital's thresholds.
        unit: percent, seconds, bytes, bytes_per_second, per_second, celsius, count, ratio.
        layer: Where it belongs.
        labels: Of this value, where the vital has one value a label set (`cpu_core_percent{cpu}`).
        low: The least that a percentile of a histogram may be: the lower end of its bucket; None where it is exact.
        high: The most that it may be.
    """

    name: str
    value: float | None
    status: Status
    unit: str
    layer: Layer
    labels: Labels = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class WorkerReading:
    """One worker of the organisation now.

    Attributes:
        name: As the worker calls itself.
        role: What it is for.
        icon: One emoji, may be empty.
        reports_to: The name of the worker above; empty at the top.
        state: As judged.
        reason: Why, in a few words.
        age_seconds: Since when it is in this state.
        cpu_percent: Of one core; None where unknown.
        tasks_completed: Since the worker started; None where it never reported (a configured worker never seen).
        tasks_failed: Likewise.
        tasks_in_progress: Now.
        heartbeat_age_seconds: Since the last sign of life; None where there never was one.
        service: The service (job) that pushed it.
    """

    name: str
    role: str
    icon: str
    reports_to: str
    state: WorkerState
    reason: str
    age_seconds: float
    cpu_percent: float | None
    tasks_completed: float | None
    tasks_failed: float | None
    tasks_in_progress: float | None
    heartbeat_age_seconds: float | None
    service: str = ""


@dataclass(frozen=True)
class AlertReading:
    """One alert that is pending or firing.

    Attributes:
        name: The rule's name.
        level: How bad.
        message: The rule's text; empty where it has none.
        state: pending (waits out its `for`) or firing.
        metric_name: The vital sign or expression.
        value: The last value.
        threshold: The limit, NaN for expression rules.
        since_ms: When it entered this state.
        labels: Of the series that breaks the rule, and the rule's own.
    """

    name: str
    level: AlertLevel
    message: str
    state: Literal["pending", "firing"]
    metric_name: str
    value: float
    threshold: float
    since_ms: int
    labels: Labels = ()


@dataclass(frozen=True)
class SourceReading:
    """How one source does: up or down, what it costs, what went wrong."""

    name: str
    up: bool
    duration_seconds: float
    samples: int
    error: str = ""


@dataclass(frozen=True)
class Overview:
    """Everything the dashboard's first screen draws, of one moment.

    Attributes:
        time_ms: Of the reading.
        host: The watched machine's name.
        vitals: By vital name; one reading a label set, a single one for plain vitals. Every vital of the catalogue
            is there.
        workers: In the order of the organisation; empty where none ever reported.
        workers_expected: How many there should be; 0 where unknown.
        alerts: Firing first.
        sources: Of this machine.
        notices: What the user should know (a taken port, a full disk), one sentence each.
    """

    time_ms: int
    host: str
    vitals: dict[str, list[VitalReading]]
    workers: list[WorkerReading]
    workers_expected: int
    alerts: list[AlertReading]
    sources: list[SourceReading] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
