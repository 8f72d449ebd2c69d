"""Status: what a reading means, in the words and colours that every front end shares."""

from __future__ import annotations

from enum import Enum


class Status(Enum):
    """A vital sign's state against its thresholds; UNKNOWN where there is no value or no threshold."""

    NORMAL = "normal"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


class AlertLevel(Enum):
    """How bad an alert is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class WorkerState(Enum):
    """A worker's state as judged on evidence."""

    ACTIVE = "active"
    PROCESSING = "processing"
    WAITING = "waiting"
    ERROR = "error"
    STALLED = "stalled"
    LOST = "lost"
