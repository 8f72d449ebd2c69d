from __future__ import annotations

import numpy as np
import pytest

from sanso.model.control import QueryControl
from sanso.model.errors import QueryError
from sanso.model.labels import Labels, labels_of, render, series_of
from sanso.model.series import Answer, Edge
from sanso.model.status import AlertLevel
from sanso.notify.base import Notification
from sanso.rules.evaluator import RuleEvaluator
from sanso.rules.rule import AlertRule


class FakeEngine:
    """Answers each question with what a test says."""

    def __init__(self) -> None:
        self.answers: dict[str, dict[Labels, float]] = {}
        self.broken: set[str] = set()

    def instant(self, expr: str, at_ms: int, control: QueryControl | None = None, *, edge: Edge = "inside") -> Answer:
        if expr in self.broken:
            raise QueryError(f"{expr} is beyond me", "execution")
        found = self.answers.get(expr, {})
        values = np.array(list(found.values()), dtype=np.float64).reshape(len(found), 1)
        return Answer("vector", list(found), np.array([at_ms], dtype=np.int64), values)

    def range(
        self,
        expr: str,
        start_ms: int,
        end_ms: int,
        step_ms: int,
        control: QueryControl | None = None,
        *,
        edge: Edge = "inside",
    ) -> Answer:
        raise AssertionError("rules ask at one time")


class MemoryKeeper:
    def __init__(self) -> None:
        self.saved: dict[str, bytes] = {}
        self.writes = 0

    def load_state(self, key: str) -> bytes | None:
        return self.saved.get(key)

    def save_state(self, key: str, value: bytes) -> None:
        self.saved[key] = value
        self.writes += 1


class Room:
    """An evaluator and what stands around it."""

    def __init__(self, *rules: AlertRule) -> None:
        self.engine, self.keeper, self.heard = FakeEngine(), MemoryKeeper(), list[Notification]()
        self.rules = rules
        self.evaluator = self.started()

    def started(self) -> RuleEvaluator:
        return RuleEvaluator(self.rules, self.engine, self.keeper, self.heard.append)

    def restart(self) -> None:
        self.evaluator = self.started()

    def at(self, seconds: float, **values: float) -> list[str]:
        """Evaluate with these values of x by host; what was said."""
        self.engine.answers["x > 1"] = {series_of("x", host=host): value for host, value in values.items()}
        before = len(self.heard)
        self.evaluator.evaluate(round(seconds * 1000))
        return [f"{dict(said.labels)['host']} {said.state}" for said in self.heard[before:]]


RULE = AlertRule("High", "x > 1", 2000, AlertLevel.CRITICAL, "x is high", "x", ">", 1.0, labels_of({"team": "ml"}))


def test_each_series_is_an_alert_of_its_own() -> None:
    room = Room(RULE)
    assert room.at(0, a=2.0) == []
    assert room.at(1, a=2.0, b=3.0) == []
    assert room.at(2, a=2.5, b=3.0) == ["a firing"]
    assert set(room.at(3, b=3.0)) == {"a resolved", "b firing"}
    said = room.heard[0]
    assert (said.name, said.level, said.value, said.threshold, said.timestamp) == (
        "High", AlertLevel.CRITICAL, 2.5, 1.0, 2.0
    )  # fmt: skip
    assert dict(said.labels) == {"host": "a", "team": "ml"}


def test_a_restart_says_nothing_twice() -> None:
    room = Room(RULE)
    for second in range(4):
        room.at(second, a=2.0)
    room.restart()
    assert room.at(4, a=2.0) == []
    assert [reading.since_ms for reading in room.evaluator.readings()] == [2000]
    room.restart()
    assert room.at(5) == ["a resolved"]


def test_a_pending_alert_waits_on_through_a_restart() -> None:
    room = Room(RULE)
    room.at(0, a=2.0)
    room.restart()
    assert room.at(2, a=2.0) == ["a firing"]


def test_a_rule_that_was_taken_out_is_forgotten() -> None:
    room = Room(RULE)
    for second in range(4):
        room.at(second, a=2.0)
    room.rules = ()
    room.restart()
    assert room.evaluator.readings() == []
    assert room.evaluator.series(5000) is None


def test_a_question_that_fails_keeps_the_states_and_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    room = Room(RULE)
    for second in range(3):
        room.at(second, a=2.0)
    room.engine.broken.add("x > 1")
    assert room.at(3) == []
    assert room.at(4) == []
    assert list(room.evaluator.errors().values()) == ["x > 1 is beyond me"]
    assert [reading.state for reading in room.evaluator.readings()] == ["firing"]
    assert len(caplog.records) == 1
    room.engine.broken.clear()
    assert room.at(5) == ["a resolved"]
    assert room.evaluator.errors() == {}


def test_alerts_are_series() -> None:
    room = Room(RULE)
    room.at(0, a=2.0)
    row = room.evaluator.series(0)
    assert row is not None
    expected = 'ALERTS{alertname="High", alertstate="pending", host="a", severity="critical", team="ml"}'
    assert [render(labels) for labels in row.columns.labels] == [expected]
    room.at(1, a=2.0)
    again = room.evaluator.series(1000)
    assert again is not None
    assert again.columns is row.columns
    room.at(2, a=2.0)
    firing = room.evaluator.series(2000)
    assert firing is not None
    assert dict(firing.columns.labels[0])["alertstate"] == "firing"
    room.at(3)
    empty = room.evaluator.series(3000)
    assert empty is not None
    assert empty.columns.labels == ()


def test_state_is_saved_only_when_it_changes() -> None:
    room = Room(RULE)
    room.at(0)
    room.at(1)
    assert room.keeper.writes == 0
    room.at(2, a=2.0)
    room.at(3, a=2.0)
    writes = room.keeper.writes
    room.at(3.5, a=2.0)
    assert room.keeper.writes == writes


def test_two_rules_of_one_name_have_states_of_their_own() -> None:
    warning = AlertRule("High", "x > 1", 0, AlertLevel.WARNING, "", "x", ">", 1.0)
    critical = AlertRule("High", "x > 9", 0, AlertLevel.CRITICAL, "", "x", ">", 9.0)
    room = Room(warning, critical)
    room.at(0, a=2.0)
    assert [(r.level, r.state) for r in room.evaluator.readings()] == [(AlertLevel.WARNING, "firing")]
    room.engine.answers["x > 9"] = {series_of("x", host="a"): 10.0}
    assert room.at(1, a=10.0) == ["a firing"]
    assert {r.level for r in room.evaluator.readings()} == {AlertLevel.WARNING, AlertLevel.CRITICAL}
    assert [room.evaluator.phase(rule) for rule in (warning, critical)] == ["firing", "firing"]
