"""An alerting rule."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sanso.model.labels import Labels
from sanso.model.status import AlertLevel

OPERATORS = (">", ">=", "<", "<=", "==", "!=")


@dataclass(frozen=True)
class AlertRule:
    """Fires for each series that its expression returns, for as long as it does.

    Attributes:
        name: What people call it; Prometheus's files may call several rules the same.
        expr: PromQL.
        for_ms: How long it must hold before it fires.
        level: How bad.
        message: What people read; the name where there is none.
        metric_name: The vital sign, or the expression itself.
        op: How the value is held against the threshold; empty for expression rules.
        threshold: The limit; NaN for expression rules.
        labels: Added to the alert's.
    """

    name: str
    expr: str
    for_ms: int = 0
    level: AlertLevel = AlertLevel.WARNING
    message: str = ""
    metric_name: str = ""
    op: str = ""
    threshold: float = math.nan
    labels: Labels = ()

    @property
    def key(self) -> str:
        """What tells it from every other rule, now and after a restart."""
        return "\n".join((self.name, self.expr, self.level.value, *map("=".join, self.labels)))
