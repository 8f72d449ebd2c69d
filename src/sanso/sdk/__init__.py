"""What an application imports to measure itself: `Telemetry`. The standard library only."""

from sanso.sdk.telemetry import Telemetry

__all__ = ["Telemetry"]
