from __future__ import annotations

import threading
from collections.abc import Sequence

import httpx
import numpy as np

from sanso.model.control import QueryControl
from sanso.model.frame import Floats
from sanso.model.series import Answer, Edge
from sanso.web.short import ShortQuestions
from tests.web.hosted import hosted


def test_what_was_short_is_known_until_it_takes_long() -> None:
    known = ShortQuestions()
    assert "a" not in known
    known.took("a", 0.0001)
    assert "a" in known
    known.took("a", 0.5)
    assert "a" not in known


def test_only_so_many_are_remembered_the_newest() -> None:
    known = ShortQuestions()
    for number in range(5000):
        known.took(str(number), 0.0)
    assert "0" not in known
    assert "4999" in known


class Noting:
    """An engine that notes on which threads it was asked."""

    def __init__(self) -> None:
        self.threads: list[str] = []

    def instant(self, expr: str, at_ms: int, control: QueryControl | None = None, *, edge: Edge = "inside") -> Answer:
        self.threads.append(threading.current_thread().name)
        return _one(at_ms)

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
        self.threads.append(threading.current_thread().name)
        return _one(start_ms)


def _one(time_ms: int) -> Answer:
    values: Floats = np.ones((1, 1))
    return Answer("scalar", [()], np.array([time_ms], dtype=np.int64), values)


def test_a_question_that_was_short_stays_on_the_servers_thread() -> None:
    noting = Noting()
    with hosted(engine=noting) as (_, url), httpx.Client(base_url=f"{url}/api/v1") as api:
        for _ in range(3):
            assert api.get("/query?query=1").json()["data"]["result"][1] == "1"
        for _ in range(2):
            api.get("/query_range?query=1&start=0&end=1&step=1")
    assert _in_pool(noting.threads) == [True, False, False, True, True]


def _in_pool(threads: Sequence[str]) -> list[bool]:
    return [name.startswith("sanso-query") for name in threads]
