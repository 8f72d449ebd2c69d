"""`AlertManager`: the original specification's alerts, held against one set of figures at a time."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sanso.model.labels import Labels
from sanso.model.performance import PerformanceMetrics
from sanso.model.status import AlertLevel

__all__ = ["Alert", "AlertLevel", "AlertManager"]
_log = logging.getLogger(__name__)


@dataclass
class Alert:
    """A broken rule.

    Attributes:
        level: How bad.
        message: The rule's text.
        metric_name: What was measured.
        current_value: What it is.
        threshold: What it should not pass.
        timestamp: Seconds since 1970.
        state: Rules of the server also say when they are kept again.
        name: The rule's name, where it has one.
        labels: Of the series, where it has some.
    """

    level: AlertLevel
    message: str
    metric_name: str
    current_value: float
    threshold: float
    timestamp: float
    state: Literal["firing", "resolved"] = "firing"
    name: str = ""
    labels: Labels = ()


class AlertManager:
    """Holds figures against rules and tells handlers of each that is broken.

    Attributes:
        alert_rules: The rules, in the order they were added.
        alert_handlers: Who is told.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.alert_rules: list[dict[str, Any]] = []
        self.alert_handlers: list[Callable[[Alert], object]] = []
        self._now = now

    def add_rule(self, metric_name: str, threshold: float, level: AlertLevel, message: str) -> None:
        """A figure of `PerformanceMetrics` must not be above a threshold.

        Raises:
            ValueError: There is no such figure.
        """
        if metric_name not in PerformanceMetrics.__dataclass_fields__:
            known = ", ".join(name for name in PerformanceMetrics.__dataclass_fields__ if name != "timestamp")
            raise ValueError(f"{metric_name!r} is not a figure of PerformanceMetrics: {known}")
        rule = {"metric_name": metric_name, "threshold": threshold, "level": level, "message": message}
        self.alert_rules.append(rule)

    def add_handler(self, handler: Callable[[Alert], object]) -> None:
        """Tell somebody of every alert; what a handler raises is logged, and the others are told all the same."""
        self.alert_handlers.append(handler)

    def check_alerts(self, metrics: PerformanceMetrics) -> None:
        """Tell the handlers of every rule that the figures break; what is absent (NaN) breaks none."""
        values = asdict(metrics)
        for rule in self.alert_rules:
            value = values[rule["metric_name"]]
            if not math.isnan(value) and value > rule["threshold"]:
                self._tell(Alert(current_value=value, timestamp=self._now(), **rule))

    def _tell(self, alert: Alert) -> None:
        for handler in self.alert_handlers:
            try:
                handler(alert)
            except Exception:  # noqa: BLE001 - the edge: one handler must not silence the others
                _log.exception("an alert handler failed")
