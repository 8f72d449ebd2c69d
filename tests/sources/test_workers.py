from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanso.model.clock import FixedClock
from sanso.model.frame import Columns, Row, is_absent
from sanso.model.labels import Labels, series_of
from sanso.model.readings import WorkerReading
from sanso.model.status import WorkerState
from sanso.promql.engine import PromEngine
from sanso.sources.workers import ConfiguredWorker, Evidence, Organisation, Patience, WorkerJudge, WorkersSource, judged
from sanso.store.store import Store

START = 1_790_000_000_000
CLAIMS = ("active", "processing", "waiting", "error")
S = WorkerState


@pytest.mark.parametrize(
    ("evidence", "state", "reason"),
    [
        (Evidence("active", 1.0, 99.0), S.ACTIVE, "alive"),
        (Evidence("", 1.0, 99.0), S.ACTIVE, "alive"),
        (Evidence("processing", 1.0, 5.0), S.PROCESSING, "in a task"),
        (Evidence("processing", 1.0, 31.0), S.STALLED, "no progress for 31s"),
        (Evidence("waiting", 1.0, 999.0), S.WAITING, "waits for work"),
        (Evidence("error", 1.0, 0.0, "disk full"), S.ERROR, "disk full"),
        (Evidence("error", 1.0, 0.0), S.ERROR, "says so"),
        (Evidence("processing", 11.0, 99.0), S.LOST, "no heartbeat for 11s"),
        (Evidence("error", 95.0, 0.0, "x"), S.LOST, "no heartbeat for 1m35s"),
        (Evidence("", None, 0.0), S.LOST, "never seen"),
    ],
)
def test_what_the_evidence_supports(evidence: Evidence, state: WorkerState, reason: str) -> None:
    assert judged(evidence, Patience()) == (state, reason)


@given(st.sampled_from([*CLAIMS, "", "nonsense"]), st.none() | st.floats(0, 1e6), st.floats(0, 1e6))
def test_silence_beats_every_claim_and_only_a_claim_to_work_can_stall(
    claim: str, silent: float | None, still: float
) -> None:
    state, reason = judged(Evidence(claim, silent, still), Patience())
    assert reason
    assert (state is S.LOST) == (silent is None or silent > 10)
    assert state is not S.STALLED or (claim == "processing" and still > 30)


class World:
    """A store that workers push to, a second a push, and a judge that looks at it."""

    def __init__(self, organisation: Organisation | None = None) -> None:
        self.clock = FixedClock(START)
        self.store = Store.in_memory(retention_ms=10**9)
        self.judge = WorkerJudge(PromEngine(self.store), organisation)
        self.claims: dict[tuple[str, str], str] = {}
        self.progress: dict[tuple[str, str], float] = {}
        self.about: dict[str, dict[str, str]] = {}
        self.errors: dict[str, str] = {}
        self.columns: dict[tuple[Labels, ...], Columns] = {}

    def says(self, name: str, claim: str, *, instance: str = "i1", **about: str) -> None:
        """From now on the worker's heartbeats say this."""
        self.claims[name, instance] = claim
        self.progress.setdefault((name, instance), 0.0)
        self.about[name] = about or self.about.get(name, {})

    def moves(self, name: str, instance: str = "i1") -> None:
        self.progress[name, instance] += 1

    def silent(self, name: str, instance: str = "i1") -> None:
        del self.claims[name, instance]

    def run(self, seconds: int) -> dict[str, WorkerReading]:
        """Push and look once a second; what the judge says at the end."""
        found: list[WorkerReading] = []
        for _ in range(seconds):
            self.clock.advance(1)
            for (name, instance), claim in self.claims.items():
                self._push(name, instance, claim)
            found = self.judge.judge(self.clock.now_ms())
        return {reading.name: reading for reading in found}

    def _push(self, name: str, instance: str, claim: str) -> None:
        me = {"worker": name, "job": "svc", "instance": instance}
        cells = {
            series_of("sanso_worker_heartbeat_timestamp_seconds", **me): self.clock.now_ms() / 1000,
            series_of("sanso_worker_info", **me, **self.about.get(name, {})): 1.0,
            series_of("sanso_worker_progress_total", **me): self.progress[name, instance],
            series_of("sanso_worker_tasks_total", outcome="completed", **me): 7.0,
            series_of("sanso_worker_tasks_total", outcome="failed", **me): 2.0,
            series_of("sanso_worker_tasks_total", outcome="timed_out", **me): 1.0,
            **{
                series_of("sanso_worker_claimed_state", state=state, **me): float(state == claim)
                for state in (*CLAIMS, "closed")
            },
        }
        if name in self.errors:
            cells[series_of("sanso_worker_error_info", error=self.errors[name], **me)] = 1.0
        columns = self.columns.setdefault(tuple(cells), Columns(tuple(cells)))
        row = Row(columns, np.array(list(cells.values())))
        self.store.append(f"otlp:{name}/{instance}", self.clock.now_ms(), row, complete=False)


def test_what_is_known_of_a_worker_is_told() -> None:
    world = World()
    world.says("ANALYST", "waiting", role="analysis", icon="📋", reports_to="COORDINATOR")
    (reading,) = world.run(2).values()
    assert (reading.state, reading.reason, reading.role, reading.icon) == (
        S.WAITING,
        "waits for work",
        "analysis",
        "📋",
    )
    assert (reading.reports_to, reading.service) == ("COORDINATOR", "svc")
    assert (reading.tasks_completed, reading.tasks_failed) == (7.0, 3.0)
    assert reading.heartbeat_age_seconds == 0.0


def test_a_worker_that_stands_still_stalls_and_goes_on_when_it_moves() -> None:
    world = World()
    world.says("A", "processing")
    assert world.run(25)["A"].state is S.PROCESSING
    assert world.run(10)["A"].state is S.STALLED
    stalled = world.run(5)["A"]
    assert stalled.age_seconds == pytest.approx(8, abs=1)
    world.moves("A")
    assert world.run(1)["A"].state is S.PROCESSING


def test_a_silent_worker_is_lost_and_a_heartbeat_brings_it_back() -> None:
    world = World()
    world.says("A", "active")
    world.run(3)
    world.silent("A")
    assert world.run(9)["A"].state is S.ACTIVE
    lost = world.run(3)["A"]
    assert (lost.state, lost.cpu_percent) == (S.LOST, None)
    assert lost.reason == "no heartbeat for 12s"
    assert world.run(600)["A"].reason == "no heartbeat for 10m12s"
    world.says("A", "active")
    assert world.run(1)["A"].state is S.ACTIVE


def test_a_lost_worker_is_forgotten_after_an_hour() -> None:
    world = World()
    world.says("A", "active")
    world.run(1)
    world.silent("A")
    world.clock.advance(3500)
    assert "A" in world.run(1)
    world.clock.advance(200)
    assert world.run(1) == {}


def test_a_worker_that_said_goodbye_is_not_lost() -> None:
    world = World()
    world.says("A", "active")
    world.run(2)
    world.says("A", "closed")
    assert world.run(1) == {}
    world.silent("A")
    assert world.run(30) == {}


def test_an_error_is_shown_with_its_text() -> None:
    world = World()
    world.errors["A"] = "ValueError: bad"
    world.says("A", "error")
    assert (world.run(1)["A"].state, world.run(1)["A"].reason) == (S.ERROR, "ValueError: bad")


def test_who_should_be_there_and_never_came_is_lost() -> None:
    world = World(Organisation(2, (ConfiguredWorker("BOSS", "👑"), ConfiguredWorker("A"))))
    world.says("A", "active", reports_to="BOSS")
    found = world.run(1)
    assert list(found) == ["BOSS", "A"]
    assert (found["BOSS"].state, found["BOSS"].reason, found["BOSS"].icon) == (S.LOST, "never seen", "👑")


def test_a_restarted_process_replaces_its_lost_self() -> None:
    world = World()
    world.says("A", "active", instance="old")
    world.run(2)
    world.silent("A", "old")
    world.says("A", "active", instance="new")
    assert list(world.run(20)) == ["A"]
    assert world.run(1)["A"].state is S.ACTIVE


def test_two_living_workers_of_one_name_are_both_shown() -> None:
    world = World()
    world.says("A", "active", instance="one")
    world.says("A", "waiting", instance="two")
    assert list(world.run(2)) == ["A", "A#2"]


def test_a_clock_set_back_makes_nobody_lost() -> None:
    world = World()
    world.says("A", "active")
    world.run(5)
    world.clock.advance(-100)
    reading = world.run(1)["A"]
    assert reading.age_seconds >= 0
    assert (reading.heartbeat_age_seconds or 0) >= 0


@given(st.dictionaries(st.sampled_from("ABCDE"), st.sampled_from(["", *"ABCDEF"]), min_size=1))
def test_superiors_come_first_and_circles_leave_nobody_out(reports: dict[str, str]) -> None:
    world = World()
    for name, boss in reports.items():
        world.says(name, "active", reports_to=boss) if boss else world.says(name, "active", role="x")
    order = list(world.run(1))
    assert sorted(order) == sorted(reports)
    for name, boss in reports.items():
        seen, upper = {name}, boss
        while upper in reports and upper not in seen:
            seen.add(upper)
            upper = reports[upper]
        if upper not in seen and boss in reports:  # not in a circle
            assert order.index(boss) < order.index(name)


def test_states_are_series() -> None:
    world = World(Organisation(8))
    source = WorkersSource(world.judge)
    world.says("A", "waiting")
    world.run(3)
    row = source.read(world.clock.now_ms())
    assert row is not None
    found = dict(zip(row.columns.labels, row.values, strict=True))
    assert found[series_of("sanso_organisation_workers_expected")] == 8
    assert found[series_of("sanso_worker_state", worker="A", job="svc", state="waiting")] == 1
    assert sum(value for labels, value in found.items() if ("__name__", "sanso_worker_state") in labels) == 1
    assert found[series_of("sanso_worker_state_age_seconds", worker="A", job="svc")] == 2.0
    assert not is_absent(row.values).any()
    again = source.read(world.clock.now_ms())
    assert again is not None
    assert again.columns is row.columns


def test_nobody_expected_and_nobody_there_is_nothing_to_measure() -> None:
    assert WorkersSource(World().judge).read(START) is None
