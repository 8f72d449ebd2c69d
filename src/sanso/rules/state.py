"""The state machine of one alert: inactive, pending, firing, resolved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

Phase: TypeAlias = Literal["inactive", "pending", "firing"]
Event: TypeAlias = Literal["firing", "resolved", ""]


@dataclass(frozen=True)
class AlertState:
    """One alert's state.

    Attributes:
        phase: Where it is.
        since_ms: Since when.
        value: The last value that broke the rule.
    """

    phase: Phase = "inactive"
    since_ms: int = 0
    value: float = 0.0


def advance(state: AlertState, value: float | None, now_ms: int, for_ms: int) -> tuple[AlertState, Event]:
    """The next state, and what is to be said: once on entering firing, once on leaving it.

    Args:
        state: The state before.
        value: The value that breaks the rule now; None where it is kept.
        now_ms: The time.
        for_ms: How long it must be broken before it fires.
    """
    if value is None:
        event: Event = "resolved" if state.phase == "firing" else ""
        return AlertState("inactive", now_ms, state.value), event
    if state.phase == "firing":
        return replace(state, value=value), ""
    begun = state.since_ms if state.phase == "pending" else now_ms
    if now_ms - begun >= for_ms:
        return AlertState("firing", now_ms, value), "firing"
    return AlertState("pending", begun, value), ""
