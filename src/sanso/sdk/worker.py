"""Workers: signs of life, what a worker claims to do, and the evidence beside the claim."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sanso.sdk.tasks import outcome_of

if TYPE_CHECKING:
    from sanso.sdk.telemetry import Telemetry

_CLAIMS = ("active", "processing", "waiting", "error", "closed")
_LONGEST_ERROR = 120


class Worker:
    """One worker of an AI organisation. Its heart beats on the pushing thread; use it from the thread that works."""

    def __init__(self, telemetry: Telemetry, name: str, *, role: str, icon: str, reports_to: str) -> None:
        self._telemetry = telemetry
        self._name = name
        self._about = {"role": role, "icon": icon, "reports_to": reports_to}
        self._progress = telemetry.counter("sanso_worker_progress_total", worker=name)
        self._running = telemetry.gauge("sanso_worker_tasks_in_progress", worker=name)
        self._heart = telemetry.gauge("sanso_worker_heartbeat_timestamp_seconds", worker=name)
        self._cpu = telemetry.counter("sanso_worker_cpu_seconds_total", worker=name)
        self._clock: int | None = None
        self._cpu_last = time.process_time()
        self._error = ""
        telemetry.gauge("sanso_worker_info", worker=name, **self._about).set(1)
        telemetry.gauge("sanso_worker_start_timestamp_seconds", worker=name).set(time.time())
        self._running.set(0)
        for outcome in ("completed", "failed"):
            telemetry.counter("sanso_worker_tasks_total", worker=name, outcome=outcome)
        self._claim("active")

    @contextmanager
    def task(self, what: str = "") -> Iterator[Worker]:
        """Work on something: processing until the block ends, failed where it raises."""
        del what  # names of single tasks would be series without end
        self._follow_this_thread()
        self._clear_error()
        self._running.add(1)
        self._claim("processing")
        try:
            yield self
        except BaseException as error:
            self._done(outcome_of(error))
            raise
        self._done("completed")

    def progress(self, steps: float = 1) -> None:
        """Say that the task moves on: a worker that claims to work and never says so is judged stalled."""
        self._progress.add(steps)

    def wait(self) -> None:
        """Say that there is nothing to do, until the next task."""
        self._clear_error()
        self._claim("waiting")

    def error(self, error: BaseException | str) -> None:
        """Say that something is wrong, until the next task or wait."""
        text = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
        self._clear_error()
        self._error = text[:_LONGEST_ERROR]
        self._telemetry.gauge("sanso_worker_error_info", worker=self._name, error=self._error).set(1)
        self._claim("error")

    def close(self) -> None:
        """Say goodbye: a worker that left in order is not lost."""
        self._claim("closed")

    def beat(self, *, alone: bool) -> None:
        """One heartbeat with the CPU time since the last; called by the pushing thread.

        Args:
            alone: The only worker of its process is charged the process; else each its thread.
        """
        self._heart.set(time.time())
        now = time.process_time() if alone else self._thread_seconds()
        if now is None:
            return
        self._cpu.add(max(now - self._cpu_last, 0.0))
        self._cpu_last = now

    def forget(self) -> None:
        """In a forked child: this worker lives in the parent."""
        for name, attributes, _ in list(self._telemetry.instruments()):
            if dict(attributes).get("worker") == self._name:
                self._telemetry.discard(name, dict(attributes))

    def _thread_seconds(self) -> float | None:
        if self._clock is None:
            return None
        try:
            return time.clock_gettime(self._clock)
        except OSError:  # the thread has ended
            self._clock = None
            return None

    def _follow_this_thread(self) -> None:
        if not hasattr(time, "pthread_getcpuclockid"):
            return
        clock = time.pthread_getcpuclockid(threading.get_ident())
        if clock != self._clock:
            if self._clock is None or self._cpu_last > time.clock_gettime(clock):
                self._cpu_last = time.clock_gettime(clock)
            self._clock = clock

    def _claim(self, state: str) -> None:
        for claim in _CLAIMS:
            gauge = self._telemetry.gauge("sanso_worker_claimed_state", worker=self._name, state=claim)
            gauge.set(float(claim == state))
        self._telemetry.gauge("sanso_worker_claimed_since_timestamp_seconds", worker=self._name).set(time.time())

    def _done(self, outcome: str) -> None:
        self._running.add(-1)
        self._telemetry.counter("sanso_worker_tasks_total", worker=self._name, outcome=outcome).add(1)
        self._claim("active")

    def _clear_error(self) -> None:
        if self._error:
            self._telemetry.gauge("sanso_worker_error_info", worker=self._name, error=self._error).set(0)
            self._error = ""
