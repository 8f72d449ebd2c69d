"""The CPU time of the threads that do a worker's work."""

from __future__ import annotations

import threading
import time
from pathlib import Path

_MOST_THREADS = 64
_THREADS = Path("/proc/self/task")


class ThreadClock:
    """Adds up the CPU time of the threads that use it, from the moment each first did.

    A thread that runs for long without a sign is read through Linux's `/proc`; elsewhere its time arrives with its
    next sign.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._seen: dict[int, float] = {}

    def sign(self) -> None:
        """The calling thread works for this clock."""
        thread = threading.get_native_id()
        now = time.thread_time()
        if thread in self._seen:
            self._take(thread, now)
        elif len(self._seen) < _MOST_THREADS:
            self._seen[thread] = now

    def look(self) -> None:
        """Read every thread; one that ended is forgotten."""
        for thread in list(self._seen):
            now = _cpu_of(thread)
            if now is not None:
                self._take(thread, now)
            elif _THREADS.exists():
                del self._seen[thread]

    def _take(self, thread: int, now: float) -> None:
        before = self._seen[thread]
        self.seconds += max(now - before, 0.0)
        self._seen[thread] = max(now, before)


def _cpu_of(thread: int) -> float | None:
    """CPU seconds of a thread of this process; None where it cannot be known."""
    try:
        return int((_THREADS / str(thread) / "schedstat").read_text().split()[0]) / 1e9
    except (OSError, ValueError, IndexError):
        return None
