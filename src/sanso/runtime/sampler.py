"""Sampling: every source once a tick, each on a thread of its own, so that one that hangs costs only itself."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sanso.model.clock import Clock
from sanso.model.errors import SourceError
from sanso.model.frame import Columns, Family, Row
from sanso.model.labels import series_of
from sanso.model.readings import SourceReading
from sanso.model.series import RowWriter
from sanso.sources.base import Source

_log = logging.getLogger(__name__)

FAMILIES = (
    Family("sanso_source_up", "gauge", "Whether the source was read at this tick."),
    Family("sanso_source_duration_seconds", "gauge", "What reading the source took.", "seconds"),
    Family("sanso_source_samples", "gauge", "Series that the source gave."),
)


@dataclass(frozen=True)
class _Reading:
    runner: _Runner
    row: Row | None
    duration: float
    error: str


class _Runner:
    """One source and the daemon thread that reads it: a read that never returns ends nothing but itself."""

    def __init__(self, source: Source, clock: Clock, results: queue.SimpleQueue[_Reading]) -> None:
        self.source = source
        self.busy = False
        self.last = SourceReading(source.name, up=False, duration_seconds=0.0, samples=0, error="not read yet")
        self._clock = clock
        self._results = results
        self._times: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"sanso-{source.name}", daemon=True)
        self._thread.start()

    def ask(self, now_ms: int) -> None:
        self.busy = True
        self._times.put(now_ms)

    def stop(self) -> None:
        self._times.put(None)

    def _run(self) -> None:
        while (now_ms := self._times.get()) is not None:
            self._results.put(self._read(now_ms))

    def _read(self, now_ms: int) -> _Reading:
        start = self._clock.monotonic()
        row, problem = None, ""
        try:
            row = self.source.read(now_ms)
        except SourceError as error:
            problem = str(error)
        except Exception as error:  # noqa: BLE001 - the edge: a source that breaks costs its own tick, nothing else
            problem = f"{type(error).__name__}: {error}"
            _log.debug("source %s broke", self.source.name, exc_info=True)
        return _Reading(self, row, self._clock.monotonic() - start, problem)


class Sampler:
    """Reads all sources and appends their rows; one call of `tick` a tick, from one thread.

    Args:
        sources: What to read; each has a frame of its own name.
        writer: Where rows go; the caller commits.
        clock: For durations.
        deadline_s: How long a tick waits for its sources; who is later skips the tick, and the next ones until done.
    """

    def __init__(self, sources: Sequence[Source], writer: RowWriter, clock: Clock, deadline_s: float) -> None:
        self._writer = writer
        self._clock = clock
        self._deadline_s = deadline_s
        self._results: queue.SimpleQueue[_Reading] = queue.SimpleQueue()
        self._runners = [_Runner(source, clock, self._results) for source in sources]
        self._columns = Columns(
            tuple(
                series_of(name, source=runner.source.name)
                for name in ("sanso_source_up", "sanso_source_duration_seconds", "sanso_source_samples")
                for runner in self._runners
            )
        )
        writer.describe(FAMILIES)
        for source in sources:
            writer.describe(source.families)

    def tick(self, now_ms: int) -> None:
        """Read every source that is not still busy with an earlier tick, and append what came in time."""
        waiting = {id(runner): runner for runner in self._runners if not runner.busy}
        for runner in self._runners:
            if runner.busy:
                self._note(runner, f"still reading after {self._deadline_s:.1f} s")
        for runner in waiting.values():
            runner.ask(now_ms)
        end = self._clock.monotonic() + self._deadline_s
        while waiting:
            try:
                reading = self._results.get(timeout=max(end - self._clock.monotonic(), 0.001))
            except queue.Empty:
                break
            reading.runner.busy = False
            if waiting.pop(id(reading.runner), None) is not None:  # else an answer to an earlier tick: too late
                self._take(reading, now_ms)
        for runner in waiting.values():
            self._note(runner, f"took longer than {self._deadline_s:.1f} s")
        self._append_own(now_ms)

    def readings(self) -> list[SourceReading]:
        """How each source did at the last tick."""
        return [runner.last for runner in self._runners]

    def stop(self) -> None:
        """Let the threads end."""
        for runner in self._runners:
            runner.stop()

    def _take(self, reading: _Reading, now_ms: int) -> None:
        runner = reading.runner
        if reading.error:
            self._note(runner, reading.error, reading.duration)
            return
        samples = 0
        if reading.row is not None:
            samples = len(reading.row.values)
            self._writer.append(runner.source.name, now_ms, reading.row, complete=True)
        runner.last = SourceReading(runner.source.name, up=True, duration_seconds=reading.duration, samples=samples)

    def _note(self, runner: _Runner, error: str, duration: float = float("nan")) -> None:
        if runner.last.up:
            _log.warning("source %s: %s", runner.source.name, error)
        runner.last = SourceReading(runner.source.name, up=False, duration_seconds=duration, samples=0, error=error)

    def _append_own(self, now_ms: int) -> None:
        last = [runner.last for runner in self._runners]
        values = [float(r.up) for r in last] + [r.duration_seconds for r in last] + [float(r.samples) for r in last]
        self._writer.append("sanso_sources", now_ms, Row(self._columns, np.array(values)))
