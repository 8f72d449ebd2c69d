"""A notification to send."""

from __future__ import annotations

import math
from typing import Literal

from sanso.model.status import AlertLevel
from sanso.notify.base import Notification


def notification(state: Literal["firing", "resolved"] = "firing", threshold: float = 80.0) -> Notification:
    """CPU is high on web-1."""
    return Notification(
        name="CpuHigh",
        level=AlertLevel.WARNING,
        state=state,
        message="CPU使用率",
        metric_name="cpu_percent",
        value=91.5,
        threshold=threshold,
        timestamp=1_790_000_000.0,
        labels=(("host", "web-1"),),
    )


EXPRESSION = notification(threshold=math.nan)
"""Of a rule without a threshold."""
