"""Injected faults: what goes wrong in the demo, and when, as a function of the time since it began."""

from __future__ import annotations

CYCLE_S = 120.0
"""All faults come once in this time."""
_SLOW = (20.0, 35.0)
_BURST = (45.0, 55.0)
_STALL = (60.0, 105.0)
_SPOILT = (75.0, 115.0)


def slow_route(elapsed_s: float) -> bool:
    """Whether `/search` is slow now."""
    return _within(elapsed_s, _SLOW)


def error_burst(elapsed_s: float) -> bool:
    """Whether `/pay` answers 503 now and then."""
    return _within(elapsed_s, _BURST)


def stalled_worker(elapsed_s: float) -> bool:
    """Whether DEVOPS hangs in its task: it claims to work, and does not move on."""
    return _within(elapsed_s, _STALL)


def spoilt_model(elapsed_s: float) -> bool:
    """Whether the model was swapped for a coarser one."""
    return _within(elapsed_s, _SPOILT)


def _within(elapsed_s: float, span: tuple[float, float]) -> bool:
    return span[0] <= elapsed_s % CYCLE_S < span[1]
