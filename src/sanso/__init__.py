"""Sanso (三層): continuous performance monitoring for AI services, in three layers on one screen."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a type checker sees the classes; nothing is imported before it is used
    from sanso.cli.live import LivePerformanceDashboard
    from sanso.model.performance import PerformanceMetrics
    from sanso.model.status import AlertLevel
    from sanso.rules.alerts import Alert, AlertManager
    from sanso.runtime.collector import MetricsCollector

__version__ = "0.1.0"

_HOMES = {
    "Alert": "sanso.rules.alerts",
    "AlertLevel": "sanso.model.status",
    "AlertManager": "sanso.rules.alerts",
    "LivePerformanceDashboard": "sanso.cli.live",
    "MetricsCollector": "sanso.runtime.collector",
    "PerformanceMetrics": "sanso.model.performance",
}

__all__ = [
    "Alert",
    "AlertLevel",
    "AlertManager",
    "LivePerformanceDashboard",
    "MetricsCollector",
    "PerformanceMetrics",
    "__version__",
]


def __getattr__(name: str) -> object:
    """Import the public names when they are first used, so that `import sanso.sdk` stays light."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'sanso' has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)
