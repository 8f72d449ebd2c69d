"""The three instruments: a counter, a gauge and a histogram."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, ClassVar, Literal, TypeAlias

from sanso.sdk.sketch import Sketch, finite

Labels: TypeAlias = tuple[tuple[str, str], ...]
"""Sorted by name."""
Kind: TypeAlias = Literal["counter", "gauge", "histogram"]

MOST_BUFFERED = 1_000_000
"""Values of one series that wait to be folded; what comes on top of them is dropped, and counted."""


class Buffer:
    """Values on their way from the application's threads to the folding thread.

    The list stays the same object for ever, so its bound `append` may be kept. Whatever is appended while `drain`
    runs stands behind the part that it takes.
    """

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values: list[float] = []

    def drain(self) -> tuple[list[float], int]:
        """What waited, and how many values more than the bound were thrown away."""
        waiting = len(self.values)
        if not waiting:
            return [], 0
        taken = self.values[: min(waiting, MOST_BUFFERED)]
        del self.values[:waiting]
        return taken, waiting - len(taken)


class Counter:
    """Only grows.

    Attributes:
        labels: Of the series.
        start_ns: Since when it counts, in nanoseconds since 1970.
        add: `add(n)` counts n; n must be finite and not negative. One C call, from any thread.
        value: The total as of the last fold.
    """

    kind: ClassVar[Kind] = "counter"
    __slots__ = ("_buffer", "add", "labels", "start_ns", "value")

    def __init__(self, labels: Labels, start_ns: int) -> None:
        self.labels = labels
        self.start_ns = start_ns
        self.value = 0.0
        self._buffer = Buffer()
        self.add: Callable[[float], None] = self._buffer.values.append

    def fold(self, drop: Callable[[str, int], None]) -> int:
        """Take in what was added; returns how much that was. One thread at a time."""
        taken, lost = self._buffer.drain()
        if not taken:
            return 0
        numbers, total = finite(taken)
        drop("buffer_full", lost)
        drop("not_a_number", len(taken) - len(numbers))
        if min(numbers, default=0) < 0:
            kept = [number for number in numbers if number >= 0]
            drop("negative", len(numbers) - len(kept))
            total = sum(kept, 0.0)
        self.value += total
        return len(taken)

    def reset(self, start_ns: int) -> None:
        """Begin again, in a forked child."""
        self._buffer.values.clear()
        self.value = 0.0
        self.start_ns = start_ns


class Gauge:
    """A value that goes up and down; without a value until it is first set."""

    kind: ClassVar[Kind] = "gauge"
    __slots__ = ("_lock", "labels", "start_ns", "value")

    def __init__(self, labels: Labels, start_ns: int) -> None:
        self.labels = labels
        self.start_ns = start_ns
        self.value: float | None = None
        self._lock = threading.Lock()

    def set(self, value: float) -> None:
        """The value is `value` now; what is no number is left out."""
        with self._lock:
            self.value = value

    def add(self, amount: float) -> None:
        """Move the value, from zero where it was never set."""
        with self._lock:
            self.value = amount if self.value is None else self.value + amount

    def fold(self, drop: Callable[[str, int], None]) -> int:
        """Throw a value away that is no number."""
        with self._lock:
            if self.value is not None and type(self.value) is not float:
                numbers, _ = finite([self.value])
                drop("not_a_number", 1 - len(numbers))
                self.value = float(numbers[0]) if numbers else None
        return 0

    def reset(self, start_ns: int) -> None:
        """Begin again, in a forked child, where nobody may ever release the lock."""
        self._lock = threading.Lock()
        self.value = None
        self.start_ns = start_ns


class Histogram:
    """A distribution.

    Attributes:
        labels: Of the series.
        start_ns: Since when it counts, in nanoseconds since 1970.
        record: `record(v)` takes a value in. One C call, from any thread; keep it.
        sketch: What was recorded, as of the last fold.
    """

    kind: ClassVar[Kind] = "histogram"
    __slots__ = ("_buffer", "labels", "record", "sketch", "start_ns")

    def __init__(self, labels: Labels, start_ns: int) -> None:
        self.labels = labels
        self.start_ns = start_ns
        self.sketch = Sketch()
        self._buffer = Buffer()
        self.record: Callable[[float], None] = self._buffer.values.append

    @property
    def value(self) -> Sketch:
        """The sketch."""
        return self.sketch

    def fold(self, drop: Callable[[str, int], None]) -> int:
        """Take in what was recorded; returns how much that was. One thread at a time."""
        taken, lost = self._buffer.drain()
        if not taken:
            return 0
        drop("buffer_full", lost)
        drop("not_a_number", self.sketch.add(taken))
        return len(taken)

    def reset(self, start_ns: int) -> None:
        """Begin again, in a forked child."""
        self._buffer.values.clear()
        self.sketch = Sketch()
        self.start_ns = start_ns


Instrument: TypeAlias = Counter | Gauge | Histogram


def discarding(instrument: Any) -> Any:
    """The same instrument, made to forget what it is given: for names beyond every limit."""
    forget: Callable[[float], None] = deque[float](maxlen=0).append
    if isinstance(instrument, Counter):
        instrument.add = forget
    elif isinstance(instrument, Histogram):
        instrument.record = forget
    return instrument
