"""Time as an argument: the one place that reads the system's clocks."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never step back; only differences mean something."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds that never step back."""
        return time.monotonic()


class FixedClock:
    """A clock that moves only when told: for tests and for answering about one moment."""

    def __init__(self, at_ms: int) -> None:
        self.at_ms = at_ms

    def now_ms(self) -> int:
        """The time it was set to."""
        return self.at_ms

    def monotonic(self) -> float:
        """The same time in seconds."""
        return self.at_ms / 1000

    def advance(self, seconds: float) -> None:
        """Move on."""
        self.at_ms += round(seconds * 1000)
