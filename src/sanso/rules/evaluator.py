"""Judging rules continuously: each series a rule returns is an alert with a state of its own."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sanso.model.errors import SansoError
from sanso.model.frame import Columns, Row
from sanso.model.labels import NAME, Labels, labels_of, series_of, without
from sanso.model.readings import AlertReading
from sanso.model.series import Engine, StateKeeper
from sanso.notify.base import Notification
from sanso.rules.rule import AlertRule
from sanso.rules.state import AlertState, Event, Phase, advance

_log = logging.getLogger(__name__)
_KEY = "alerts"


@dataclass(frozen=True)
class Judged:
    """A rule's last evaluation: when (ms; 0 for never), and how long it took."""

    at_ms: int = 0
    seconds: float = 0.0


class RuleEvaluator:
    """Rules and the states of their alerts; a restart goes on where it stopped.

    Args:
        rules: What to judge.
        engine: Answers PromQL.
        keeper: Where states are kept.
        dispatch: Told once when an alert begins to fire and once when it is resolved.
        seconds: A clock that never goes back, to tell what a rule takes.
    """

    def __init__(
        self,
        rules: Sequence[AlertRule],
        engine: Engine,
        keeper: StateKeeper,
        dispatch: Callable[[Notification], None],
        seconds: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._rules = list(rules)
        self._engine = engine
        self._keeper = keeper
        self._dispatch = dispatch
        self._coming: list[AlertRule] | None = None
        self._errors: dict[str, str] = {}
        self._seconds = seconds
        self._judged: dict[str, Judged] = {}
        self._columns = Columns(())
        self._states = self._restored()

    @property
    def rules(self) -> Sequence[AlertRule]:
        """What is judged."""
        return self._rules

    def replace(self, rules: Sequence[AlertRule]) -> None:
        """Judge these from the next evaluation on; alerts of rules that are still there stay as they are."""
        self._coming = list(rules)

    def evaluate(self, now_ms: int) -> None:
        """Judge every rule; one whose question fails keeps its states and is shown with its error."""
        before = dict(self._states)
        self._adopt()
        for rule in self._rules:
            begun = self._seconds()
            try:
                samples = self._engine.instant(rule.expr, now_ms).samples()
            except SansoError as error:
                self._fail(rule, str(error))
                continue
            finally:
                self._judged[rule.key] = Judged(now_ms, self._seconds() - begun)
            self._errors.pop(rule.key, None)
            self._judge(rule, {without(labels, (NAME,)): value for labels, value in samples}, now_ms)
        if self._states != before:
            self._keeper.save_state(_KEY, self._saved())

    def readings(self) -> list[AlertReading]:
        """Alerts that fire, then those that wait out their `for`; oldest first."""
        rules = {rule.key: rule for rule in self._rules}
        states = list(self._states.items())
        found = [_reading(rules[key], labels, state) for (key, labels), state in states if key in rules]
        return sorted(found, key=lambda reading: (reading.state != "firing", reading.since_ms))

    def readings_of(self, rule: AlertRule) -> list[AlertReading]:
        """One rule's alerts, oldest first."""
        found = [
            _reading(rule, labels, state) for (key, labels), state in list(self._states.items()) if key == rule.key
        ]
        return sorted(found, key=lambda reading: reading.since_ms)

    def phase(self, rule: AlertRule) -> Phase:
        """A rule's state: firing where one of its alerts fires, else pending where one waits."""
        phases = {state.phase for (key, _), state in list(self._states.items()) if key == rule.key}
        return "firing" if "firing" in phases else "pending" if phases else "inactive"

    def judged(self, rule: AlertRule) -> Judged:
        """A rule's last evaluation."""
        return self._judged.get(rule.key, Judged())

    def errors(self) -> dict[str, str]:
        """What is wrong with rules, by their keys."""
        return dict(self._errors)

    def series(self, now_ms: int) -> Row | None:  # noqa: ARG002 - rows are as of the evaluation
        """`ALERTS{alertname, alertstate, severity, …}` 1 for each pending or firing alert."""
        rules = {rule.key: rule for rule in self._rules}
        shown = {_series(rules[key], labels, state): None for (key, labels), state in self._states.items()}
        labels = tuple(shown)
        if labels != self._columns.labels:
            self._columns = Columns(labels)
        return Row(self._columns, np.ones(len(labels))) if self._rules else None

    def _adopt(self) -> None:
        """Take the rules that are coming; alerts of rules that are gone go with them."""
        if self._coming is None:
            return
        rules, self._coming = self._coming, None
        keys = {rule.key for rule in rules}
        self._states = {known: state for known, state in self._states.items() if known[0] in keys}
        self._errors = {key: problem for key, problem in self._errors.items() if key in keys}
        self._rules = rules

    def _judge(self, rule: AlertRule, breaking: dict[Labels, float], now_ms: int) -> None:
        known = {labels for key, labels in self._states if key == rule.key}
        for labels in [*breaking, *(known - breaking.keys())]:
            key = (rule.key, labels)
            state, event = advance(self._states.get(key, AlertState()), breaking.get(labels), now_ms, rule.for_ms)
            if state.phase == "inactive":
                self._states.pop(key, None)
            else:
                self._states[key] = state
            if event:
                self._dispatch(_notification(rule, labels, state, event, now_ms))

    def _fail(self, rule: AlertRule, problem: str) -> None:
        if self._errors.get(rule.key) != problem:
            _log.warning("rule %s: %s", rule.name, problem)
        self._errors[rule.key] = problem

    def _saved(self) -> bytes:
        states = [
            [key, list(labels), state.phase, state.since_ms, state.value]
            for (key, labels), state in self._states.items()
        ]
        return json.dumps(states, ensure_ascii=False).encode()

    def _restored(self) -> dict[tuple[str, Labels], AlertState]:
        keys = {rule.key for rule in self._rules}
        saved = json.loads(self._keeper.load_state(_KEY) or b"[]")
        return {
            (key, labels_of([(name, text) for name, text in labels])): AlertState(phase, since, value)
            for key, labels, phase, since, value in saved
            if key in keys
        }


def _series(rule: AlertRule, labels: Labels, state: AlertState) -> Labels:
    alert = series_of("ALERTS", alertname=rule.name, alertstate=state.phase, severity=rule.level.value)
    return labels_of({**dict(labels), **dict(rule.labels), **dict(alert)})


def _notification(rule: AlertRule, labels: Labels, state: AlertState, event: Event, now_ms: int) -> Notification:
    return Notification(
        name=rule.name,
        level=rule.level,
        state="resolved" if event == "resolved" else "firing",
        message=rule.message or rule.name,
        metric_name=rule.metric_name,
        value=state.value,
        threshold=rule.threshold,
        timestamp=now_ms / 1000,
        labels=labels_of({**dict(labels), **dict(rule.labels)}),
    )


def _reading(rule: AlertRule, labels: Labels, state: AlertState) -> AlertReading:
    return AlertReading(
        name=rule.name,
        level=rule.level,
        message=rule.message,
        state="firing" if state.phase == "firing" else "pending",
        metric_name=rule.metric_name,
        value=state.value,
        threshold=rule.threshold,
        since_ms=state.since_ms,
        labels=labels_of({**dict(labels), **dict(rule.labels)}),
    )
