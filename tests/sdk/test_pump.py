"""The thread's own rules: when it pushes, and that nothing ends it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from sanso.sdk.otlp_encoding import Metric
from sanso.sdk.pump import Pump
from sanso.sdk.push import Destination, Pusher


class FakePusher(Pusher):
    """Takes what it is given, or not."""

    def __init__(self) -> None:
        super().__init__(Destination("http://127.0.0.1:9"))
        self.answers = True
        self.bodies: list[bytes] = []
        self.came = threading.Event()

    def send(self, body: bytes, timeout: float) -> bool:
        self.bodies.append(body)
        self.came.set()
        return self.answers


class FakeSource:
    """Something to push, that may be broken."""

    def __init__(self) -> None:
        self.fails = False
        self.folded = 0
        self.longest = 0
        self.heard = 0

    def fold(self) -> int:
        self.folded += 1
        if self.fails:
            raise ZeroDivisionError
        return self.longest

    def metrics(self) -> list[Metric]:
        return []

    def delivered(self) -> None:
        self.heard += 1

    def reset(self) -> None:
        self.folded = 0


class Case:
    def __init__(self, interval: float) -> None:
        self.pusher, self.source = FakePusher(), FakeSource()
        self.pump = Pump("s", None, [self.source], self.pusher, interval)


@pytest.fixture
def case() -> Iterator[Case]:
    made = Case(60)
    yield made
    made.pump.stop(1)


def test_a_server_that_is_away_is_asked_less_and_less_often(case: Case) -> None:
    pump: Any = case.pump
    pump._interval = 1.0
    case.pusher.answers = False
    silences = []
    for _ in range(5):
        silences.append(pump._silence())
        assert not pump.flush(1)
    assert silences == [1, 2, 4, 5, 5]
    assert case.source.heard == 0
    case.pusher.answers = True
    assert pump.flush(1)
    assert pump._silence() == 1
    assert case.source.heard == 1


def test_a_mistake_of_ours_does_not_reach_the_application(case: Case) -> None:
    case.source.fails = True
    assert case.pump.flush(1)
    assert len(case.pusher.bodies) == 1


def test_nor_does_it_end_the_thread() -> None:
    case = Case(0.02)
    case.source.fails = True
    assert case.pusher.came.wait(5)
    case.source.fails = False
    case.pusher.came.clear()
    assert case.pusher.came.wait(5)
    case.pump.stop(1)


def test_busy_buffers_are_folded_more_often_than_pushed() -> None:
    case = Case(0.2)
    case.source.longest = 1_000_000
    deadline = time.monotonic() + 5
    while len(case.pusher.bodies) < 3 and time.monotonic() < deadline:
        case.pusher.came.wait(0.2)
        case.pusher.came.clear()
    case.pump.stop(1)
    assert case.source.folded >= 3 * len(case.pusher.bodies)


def test_a_flush_waits_no_longer_than_it_may(case: Case) -> None:
    pump: Any = case.pump
    with pump._turn:
        started = time.monotonic()
        assert not case.pump.flush(0.05)
        assert not case.pump.flush(-1)
        assert time.monotonic() - started < 1


def test_the_end_of_the_process_flushes_unless_it_was_stopped(case: Case) -> None:
    case.pump.end()
    assert len(case.pusher.bodies) == 1
    case.pump.stop(1)
    assert len(case.pusher.bodies) == 2
    case.pump.end()
    assert len(case.pusher.bodies) == 2
