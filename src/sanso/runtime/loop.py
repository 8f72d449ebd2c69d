"""A thread that calls something once an interval, on the interval's own marks, and never twice for one mark."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from sanso.model.clock import Clock
from sanso.model.errors import SansoError

_log = logging.getLogger(__name__)


class TickLoop:
    """Calls `tick(mark_ms)` at every multiple of the interval; marks that pass while it runs are skipped and counted.

    Args:
        tick: What to do; its errors are logged and the loop goes on.
        interval_ms: Between two marks.
        clock: What the time is.

    Attributes:
        missed: Marks skipped so far.
    """

    def __init__(self, tick: Callable[[int], None], interval_ms: int, clock: Clock) -> None:
        self.missed = 0
        self._tick = tick
        self._interval_ms = interval_ms
        self._clock = clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sanso-loop", daemon=True)

    def start(self) -> None:
        """Begin; the first tick comes at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the tick that runs; waits for it, at most a few seconds."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        mark = self._clock.now_ms() // self._interval_ms * self._interval_ms
        while not self._stopping.is_set():
            self._call(mark)
            mark = self._next(mark)
            self._stopping.wait(max(mark - self._clock.now_ms(), 0) / 1000)

    def _call(self, mark: int) -> None:
        try:
            self._tick(mark)
        except SansoError:
            _log.exception("a tick failed; the next one comes")
        except Exception:  # noqa: BLE001 - the edge: a monitor never falls over
            _log.exception("a tick broke; the next one comes")

    def _next(self, mark: int) -> int:
        now = self._clock.now_ms()
        following = mark + self._interval_ms
        late = (now - following) // self._interval_ms
        if now < mark - self._interval_ms:  # the clock was set back: begin anew on its marks
            return now // self._interval_ms * self._interval_ms + self._interval_ms
        if late > 0:
            self.missed += late
            following += late * self._interval_ms
        return following
