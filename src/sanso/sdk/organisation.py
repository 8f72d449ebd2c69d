"""All workers of a process, as series."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from sanso.sdk.instruments import Kind
from sanso.sdk.otlp_encoding import Metric, Point
from sanso.sdk.registry import labels_of
from sanso.sdk.worker import Claim, Worker

_Told: TypeAlias = tuple[str, Kind, dict[str, str], float]
_CLAIMS: tuple[Claim, ...] = ("active", "processing", "waiting", "error")


class Organisation:
    """The workers of this process, heard at every push.

    Args:
        now: Seconds since 1970.
        common: Labels that every series carries.
        most: How many workers are told of.
        refused: Called for each worker beyond that.
    """

    def __init__(
        self, now: Callable[[], float], common: Mapping[str, str] | None, most: int, refused: Callable[[], None]
    ) -> None:
        self._now = now
        self._common = dict(common or {})
        self._most = most
        self._refused = refused
        self._known: dict[str, Worker] = {}
        self._present: dict[str, Worker] = {}
        self._closing: list[Worker] = []
        self._process = 0.0
        self.reset()

    def worker(self, name: str, about: dict[str, str]) -> Worker:
        """The worker of that name: made once, and the same one ever after."""
        return self._known.get(name) or Worker(name, about, self._now, self._join)

    def fold(self) -> int:
        """Charge CPU time: the whole process's to an only worker, else each its threads'."""
        process = time.process_time()
        workers = list(self._present.values())
        for worker in workers:
            worker.clock.look()
            threads = worker.clock.seconds
            used = process - self._process if len(workers) == 1 else threads - self._threads[worker.name]
            self._cpu[worker.name] += max(used, 0.0)
            self._threads[worker.name] = threads
        self._process = process
        return 0

    def metrics(self) -> list[Metric]:
        """What every worker says of itself now."""
        self._closing = [worker for worker in self._present.values() if worker.claim == "closed"]
        metrics: dict[str, Metric] = {}
        points: defaultdict[str, list[Point]] = defaultdict(list)
        now = self._now()
        for worker in list(self._present.values()):
            start_ns = int(worker.started * 1e9)
            for name, kind, labels, value in self._told(worker, now):
                metrics.setdefault(name, Metric(name, kind, points[name]))
                points[name].append(Point(labels_of({**self._common, **labels}), start_ns, value))
        return list(metrics.values())

    def delivered(self) -> None:
        """Workers whose goodbye has arrived are told of no more."""
        for worker in self._closing:
            if worker.claim == "closed":
                worker.present = False
                self._present.pop(worker.name, None)
        self._closing = []

    def reset(self) -> None:
        """In a forked child no worker is at work, until it is used."""
        self._lock = threading.Lock()
        self._present = {}
        self._closing = []
        self._process = time.process_time()
        self._threads: defaultdict[str, float] = defaultdict(float)
        self._cpu: defaultdict[str, float] = defaultdict(float)
        self._returned: set[str] = set()
        for worker in self._known.values():
            worker.reset()

    def close(self) -> None:
        """Every worker says goodbye."""
        for worker in list(self._present.values()):
            worker.close()

    def _join(self, worker: Worker) -> None:
        with self._lock:
            if worker.name in self._known or len(self._known) < self._most:
                self._known.setdefault(worker.name, worker)
                self._present[worker.name] = worker
            else:
                self._refused()
            if worker.claim == "closed":
                self._returned.add(worker.name)
        worker.appear()

    def _told(self, worker: Worker, now: float) -> Iterator[_Told]:
        me = {"worker": worker.name}
        yield "sanso_worker_info", "gauge", worker.about, 1.0
        yield "sanso_worker_heartbeat_timestamp_seconds", "gauge", me, now
        yield "sanso_worker_start_timestamp_seconds", "gauge", me, worker.started
        claim, since = worker.claim, worker.claimed_since
        ever_closed = claim == "closed" or worker.name in self._returned
        for state in (*_CLAIMS, "closed") if ever_closed else _CLAIMS:
            yield "sanso_worker_claimed_state", "gauge", {**me, "state": state}, float(state == claim)
        yield "sanso_worker_claimed_since_timestamp_seconds", "gauge", me, since
        yield "sanso_worker_progress_total", "counter", me, worker.progressed
        for outcome, count in worker.outcomes.items():
            yield "sanso_worker_tasks_total", "counter", {**me, "outcome": outcome}, float(count)
        yield "sanso_worker_tasks_in_progress", "gauge", me, float(worker.in_progress)
        yield "sanso_worker_cpu_seconds_total", "counter", me, self._cpu[worker.name]
        errors = worker.errors
        for error in errors:
            # An error that is over is told as 0, so that the server does not remember it as the present one.
            now_in_error = claim == "error" and error == errors[-1]
            yield "sanso_worker_error_info", "gauge", {**me, "error": error}, float(now_in_error)
