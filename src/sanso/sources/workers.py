"""Workers: what each claims and what it shows, judged into a state with its age and its reason."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sanso.model.durations import format_duration_ms
from sanso.model.frame import Family, Row
from sanso.model.labels import Labels, series_of, value_of
from sanso.model.readings import WorkerReading
from sanso.model.series import Engine
from sanso.model.status import WorkerState
from sanso.sources.readings import RowBuilder

CLAIMS = ("active", "processing", "waiting", "error", "closed")


@dataclass(frozen=True)
class ConfiguredWorker:
    """A worker that should be there."""

    name: str
    icon: str = ""
    role: str = ""
    reports_to: str = ""


@dataclass(frozen=True)
class Organisation:
    """The workers there should be: how many, and which by name."""

    expected: int = 0
    workers: tuple[ConfiguredWorker, ...] = ()


@dataclass(frozen=True)
class Patience:
    """Seconds after which a claim to work without progress is a stall, and silence a loss; and silence is forgotten."""

    stalled_s: float = 30.0
    lost_s: float = 10.0
    forget_s: float = 3600.0


@dataclass(frozen=True)
class Evidence:
    """What is known of one worker at one time.

    Attributes:
        claim: What it says it does; empty where it never said.
        silent_s: Since its heartbeat last changed here (not by its own clock); None where it was never seen.
        still_s: Since its progress counter, or its count of tasks, last moved.
        error: What it says went wrong.
    """

    claim: str
    silent_s: float | None
    still_s: float
    error: str = ""


def judged(evidence: Evidence, patience: Patience) -> tuple[WorkerState, str]:
    """The state that the evidence supports, and why."""
    if evidence.silent_s is None:
        return WorkerState.LOST, "never seen"
    if evidence.silent_s > patience.lost_s:
        return WorkerState.LOST, f"no heartbeat for {_whole(evidence.silent_s)}"
    if evidence.claim == "error":
        return WorkerState.ERROR, evidence.error or "says so"
    if evidence.claim == "processing":
        if evidence.still_s > patience.stalled_s:
            return WorkerState.STALLED, f"no progress for {_whole(evidence.still_s)}"
        return WorkerState.PROCESSING, "in a task"
    if evidence.claim == "waiting":
        return WorkerState.WAITING, "waits for work"
    return WorkerState.ACTIVE, "alive"


@dataclass
class _Track:
    """What is remembered of a worker between two looks: the values that move, and since when they stand."""

    heartbeat: float
    beaten_ms: int
    progress: float = 0.0
    moved_ms: int = 0
    state: WorkerState | None = None
    since_ms: int = 0
    reading: WorkerReading | None = None
    closed: bool = False


@dataclass
class _Facts:
    """What PromQL says of one worker now."""

    labels: dict[str, str] = field(default_factory=dict)
    heartbeat: float | None = None
    claim: str = ""
    claimed_since: float = 0.0
    progress: float = 0.0
    completed: float = 0.0
    failed: float = 0.0
    in_progress: float | None = None
    cpu_percent: float | None = None
    error: str = ""


class WorkerJudge:
    """Judges every worker that ever pushed, and those that should.

    Args:
        engine: Answers PromQL about what workers pushed.
        organisation: The workers there should be.
        patience: How long is too long.
    """

    def __init__(
        self, engine: Engine, organisation: Organisation | None = None, patience: Patience | None = None
    ) -> None:
        self._engine = engine
        self.organisation = organisation or Organisation()
        self._patience = patience or Patience()
        self._tracks: dict[tuple[str, str, str], _Track] = {}
        self._lock = threading.Lock()

    def judge(self, now_ms: int) -> list[WorkerReading]:
        """Every worker's state as of now, in the order of the organisation; ask often, the judge remembers."""
        with self._lock:
            for key, facts in self._facts(now_ms).items():
                self._look(key, facts, now_ms)
            self._forget(now_ms)
            seen = [self._reading(key, track, now_ms) for key, track in self._tracks.items() if not track.closed]
        return _ordered([*_distinct(seen), *self._missing(seen)], self.organisation)

    def _facts(self, now_ms: int) -> dict[tuple[str, str, str], _Facts]:
        found: dict[tuple[str, str, str], _Facts] = {}
        beats = self._engine.instant("sanso_worker_heartbeat_timestamp_seconds", now_ms).samples()
        for labels, value in beats:
            found[_key(labels)] = _Facts(dict(labels), heartbeat=value)
        if not found:
            return found
        for labels, value in self._engine.instant('{__name__=~"sanso_worker_.+"}', now_ms).samples():
            facts = found.get(_key(labels))
            if facts is not None:
                _note(facts, value_of(labels, "__name__"), labels, value)
        rates = self._engine.instant("100 * irate(sanso_worker_cpu_seconds_total[1m])", now_ms)
        for labels, value in rates.samples():
            if _key(labels) in found:
                found[_key(labels)].cpu_percent = value
        return found

    def _look(self, key: tuple[str, str, str], facts: _Facts, now_ms: int) -> None:
        beat = facts.heartbeat or 0.0
        moved = facts.progress + facts.completed + facts.failed + facts.claimed_since
        track = self._tracks.get(key)
        if track is None:
            track = self._tracks[key] = _Track(beat, now_ms, moved, now_ms)
        if beat != track.heartbeat:
            track.heartbeat, track.beaten_ms = beat, now_ms
        if moved != track.progress:
            track.progress, track.moved_ms = moved, now_ms
        track.closed = facts.claim == "closed"
        evidence = Evidence(
            facts.claim, (now_ms - track.beaten_ms) / 1000, (now_ms - track.moved_ms) / 1000, facts.error
        )
        state, reason = judged(evidence, self._patience)
        if state is not track.state:
            track.state = state
            track.since_ms = track.beaten_ms if state is WorkerState.LOST else now_ms
        labels = facts.labels
        track.reading = WorkerReading(
            name=labels.get("worker", ""),
            role=labels.get("role", ""),
            icon=labels.get("icon", ""),
            reports_to=labels.get("reports_to", ""),
            state=state,
            reason=reason,
            age_seconds=0.0,
            cpu_percent=facts.cpu_percent if state is not WorkerState.LOST else None,
            tasks_completed=facts.completed,
            tasks_failed=facts.failed,
            tasks_in_progress=facts.in_progress,
            heartbeat_age_seconds=0.0,
            service=labels.get("job", ""),
        )

    def _reading(self, key: tuple[str, str, str], track: _Track, now_ms: int) -> WorkerReading:
        assert track.reading is not None, key
        silent = (now_ms - track.beaten_ms) / 1000
        reading = track.reading
        if silent > self._patience.lost_s and reading.state is not WorkerState.LOST:
            # Its series have left the lookback: nothing was looked at this time, and that is the evidence.
            state, reason = judged(Evidence("", silent, silent), self._patience)
            track.state, track.since_ms = state, track.beaten_ms
            reading = track.reading = replace(reading, state=state, reason=reason, cpu_percent=None)
        if reading.state is WorkerState.LOST:
            reading = replace(reading, reason=f"no heartbeat for {_whole(silent)}")
        age = max(now_ms - track.since_ms, 0) / 1000
        return replace(reading, age_seconds=age, heartbeat_age_seconds=max(silent, 0.0))

    def _forget(self, now_ms: int) -> None:
        for key, track in list(self._tracks.items()):
            if now_ms < track.beaten_ms:  # the clock was set back
                track.beaten_ms = track.moved_ms = track.since_ms = now_ms
            if now_ms - track.beaten_ms > self._patience.forget_s * 1000:
                del self._tracks[key]

    def _missing(self, seen: Sequence[WorkerReading]) -> list[WorkerReading]:
        names = {reading.name for reading in seen}
        state, reason = judged(Evidence("", None, 0.0), self._patience)
        return [
            WorkerReading(w.name, w.role, w.icon, w.reports_to, state, reason, 0.0, None, None, None, None, None)
            for w in self.organisation.workers
            if w.name not in names
        ]


class WorkersSource:
    """The judged states as series, so that PromQL, vital signs and alerts see them."""

    name = "workers"
    families = (
        Family("sanso_worker_state", "gauge", "1 for the state that a worker is judged to be in, 0 for the others."),
        Family("sanso_worker_state_age_seconds", "gauge", "Since when the worker is in that state.", "seconds"),
        Family("sanso_organisation_workers_expected", "gauge", "How many workers there should be."),
    )

    def __init__(self, judge: WorkerJudge) -> None:
        self._judge = judge
        self._builder = RowBuilder()

    def read(self, now_ms: int) -> Row | None:
        """One value a worker and state; None where there are no workers."""
        readings = self._judge.judge(now_ms)
        expected = self._judge.organisation.expected or len(readings)
        if not expected:
            return None
        names = tuple((reading.name, reading.service) for reading in readings)
        values: list[float] = [float(expected)]
        for reading in readings:
            values.extend(float(reading.state is state) for state in WorkerState)
            values.append(reading.age_seconds)
        return self._builder.row(names, self._labels(names), values)

    @staticmethod
    def _labels(names: tuple[tuple[str, str], ...]) -> list[Labels]:
        labels = [series_of("sanso_organisation_workers_expected")]
        for worker, service in names:
            about = {"worker": worker, "job": service}
            labels.extend(series_of("sanso_worker_state", state=state.value, **about) for state in WorkerState)
            labels.append(series_of("sanso_worker_state_age_seconds", **about))
        return labels


def _key(labels: Labels) -> tuple[str, str, str]:
    return value_of(labels, "job"), value_of(labels, "instance"), value_of(labels, "worker")


def _note(facts: _Facts, name: str, labels: Labels, value: float) -> None:
    match name:
        case "sanso_worker_info" if value == 1:
            facts.labels.update({k: v for k, v in labels if k in ("role", "icon", "reports_to")})
        case "sanso_worker_claimed_state" if value == 1:
            facts.claim = value_of(labels, "state")
        case "sanso_worker_claimed_since_timestamp_seconds":
            facts.claimed_since = value
        case "sanso_worker_progress_total":
            facts.progress = value
        case "sanso_worker_tasks_in_progress":
            facts.in_progress = value
        case "sanso_worker_error_info" if value == 1:
            facts.error = value_of(labels, "error")
        case "sanso_worker_tasks_total" if value_of(labels, "outcome") == "completed":
            facts.completed += value
        case "sanso_worker_tasks_total" if value_of(labels, "outcome") in ("failed", "timed_out"):
            facts.failed += value


def _distinct(readings: list[WorkerReading]) -> list[WorkerReading]:
    """Of several workers of one name and service, those that live; the newest of the lost where none does."""
    by_name: dict[tuple[str, str], list[WorkerReading]] = {}
    for reading in readings:
        by_name.setdefault((reading.name, reading.service), []).append(reading)
    kept: list[WorkerReading] = []
    for same in by_name.values():
        alive = [r for r in same if r.state is not WorkerState.LOST] or [
            min(same, key=lambda r: r.heartbeat_age_seconds or 0.0)
        ]
        kept.append(alive[0])
        kept.extend(replace(r, name=f"{r.name}#{number}") for number, r in enumerate(alive[1:], 2))
    return kept


def _ordered(readings: list[WorkerReading], organisation: Organisation) -> list[WorkerReading]:
    """Top down: each worker before those who report to it; configured ones in their order, others by name."""
    rank = {worker.name: place for place, worker in enumerate(organisation.workers)}
    by_name = {reading.name: reading for reading in readings}
    ordered = sorted(readings, key=lambda r: (rank.get(r.name, len(rank)), r.name))
    out: list[WorkerReading] = []

    def add(reading: WorkerReading) -> None:
        if reading in out:
            return
        out.append(reading)
        for below in ordered:
            if below.reports_to == reading.name:
                add(below)

    for reading in ordered:
        if reading.reports_to not in by_name:
            add(reading)
    for reading in ordered:  # who reports to each other in a circle
        add(reading)
    return out


def _whole(seconds: float) -> str:
    return format_duration_ms(int(seconds) * 1000)
