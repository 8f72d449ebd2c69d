"""What a notifier is, and what it is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from sanso.model.labels import Labels
from sanso.model.status import AlertLevel


@dataclass(frozen=True)
class Notification:
    """An alert that began to fire, or was resolved.

    Attributes:
        name: The rule's name.
        level: How bad.
        state: firing or resolved.
        message: The rule's text.
        metric_name: The vital sign or expression.
        value: The last value.
        threshold: The limit; NaN for expression rules.
        timestamp: Seconds since 1970.
        labels: Of the series.
    """

    name: str
    level: AlertLevel
    state: Literal["firing", "resolved"]
    message: str
    metric_name: str
    value: float
    threshold: float
    timestamp: float
    labels: Labels = ()

    def text(self) -> str:
        """One line."""
        limit = "" if self.threshold != self.threshold else f" (limit {self.threshold:g})"
        return f"[{self.level.value}] {self.state}: {self.message}: {self.metric_name} = {self.value:g}{limit}"

    def fields(self) -> dict[str, Any]:
        """As JSON holds it; NaN is null."""
        return {
            "name": self.name,
            "level": self.level.value,
            "state": self.state,
            "message": self.message,
            "metric_name": self.metric_name,
            "current_value": None if self.value != self.value else self.value,
            "threshold": None if self.threshold != self.threshold else self.threshold,
            "timestamp": self.timestamp,
            "labels": dict(self.labels),
        }


class Notifier(Protocol):
    """Delivers one notification; may take seconds, for a thread of its own calls it."""

    @property
    def name(self) -> str:
        """How logs call it."""
        ...

    def send(self, notification: Notification) -> None:
        """Deliver.

        Raises:
            NotifyError: It could not be delivered.
        """
        ...
