"""What the engine does beside computing: limits before memory is taken, annotations with places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sanso.model.clock import FixedClock, SystemClock
from sanso.model.control import QueryControl
from sanso.model.errors import QueryError
from sanso.model.frame import Frame
from sanso.model.labels import series_of
from sanso.promql import operators
from sanso.promql.engine import PromEngine, _in_order
from sanso.promql.parse import parsed
from tests.promql.memory import MemoryReader

SERIES = 50


def engine() -> PromEngine:
    labels = [series_of("x", n=str(number), g=str(number % 5)) for number in range(SERIES)]
    times = np.arange(100, dtype=np.int64) * 1000
    return PromEngine(MemoryReader([Frame(labels, times, np.ones((SERIES, 100)))]))


@pytest.mark.parametrize(
    "expr",
    ["x", "x + x", "rate(x[10s])", "sum(x)", "-x", "abs(x)", "topk(1, x)", "max_over_time(x[10s:1s])",
     "count_over_time(vector(1)[2h:1s])",
     "x * 2", "x and x", "label_replace(x, 'a', 'b', '', '')", "timestamp(x)"],
)  # fmt: skip
def test_too_much_memory_is_refused_with_the_figure(expr: str) -> None:
    control = QueryControl(SystemClock(), most_samples=SERIES * 90)
    with pytest.raises(QueryError, match=r"\d+ \(\d+ MiB\), 4500 are allowed") as caught:
        engine().range(expr, 0, 99_000, 1000, control)
    assert caught.value.kind == "execution"


def test_samples_are_counted() -> None:
    control = QueryControl(SystemClock())
    engine().range("sum(rate(x[10s]))", 0, 99_000, 1000, control)
    assert control.total_samples == SERIES * 100
    assert control.peak_samples >= SERIES * 100


def test_a_cancelled_question_stops() -> None:
    control = QueryControl(SystemClock())
    control.cancel()
    with pytest.raises(QueryError, match="canceled"):
        engine().instant("x", 1000, control)


def test_annotations_have_places_and_come_once() -> None:
    answer = engine().range("rate(x[5s]) +\n  increase(x[5s]) + quantile(2, x)", 0, 99_000, 1000)
    assert answer.infos == (
        'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "x" (1:6)',
        'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "x" (2:12)',
    )
    assert answer.warnings == ("PromQL warning: quantile value should be between 0 and 1, got 2 (2:30)",)


def test_annotations_are_about_what_stands_in_parentheses() -> None:
    answer = engine().instant("quantile((2), x) + quantile_over_time((1e9 + 3), ((x))[5s:1s])", 9000)
    assert answer.warnings == (
        "PromQL warning: quantile value should be between 0 and 1, got 2 (1:11)",
        "PromQL warning: quantile value should be between 0 and 1, got 1.000000003e+09 (1:40)",
    )


def test_ranges_are_checked() -> None:
    for times, text in (((0, 1, 0), "zero or negative"), ((2, 1, 1), "before start"), ((0, 11_001, 1), "11,000")):
        with pytest.raises(QueryError, match=text):
            engine().range("x", *times)
    with pytest.raises(QueryError, match="invalid expression type"):
        engine().range("x[1m]", 0, 1, 1)


def test_answers_of_ranges_are_sorted_by_labels() -> None:
    answer = engine().range("1 + sort_desc(x)", 0, 10_000, 1000)
    assert answer.labels == sorted(answer.labels)
    why = "sort is ineffective for range queries since results are always ordered by labels"
    assert answer.warnings == (f"PromQL warning: {why} (1:5)",)
    assert not engine().instant("sort_desc(x)", 0).warnings


def test_every_value_at_every_step_is_too_much() -> None:
    times = np.arange(100, dtype=np.int64) * 1000
    values = np.arange(100.0 * SERIES).reshape(SERIES, 100)
    frame = Frame([series_of("x", n=str(number)) for number in range(SERIES)], times, values)
    control = QueryControl(SystemClock(), most_samples=SERIES * 100 * 10)
    with pytest.raises(QueryError, match="too many samples"):
        PromEngine(MemoryReader([frame])).range('count_values("v", x)', 0, 99_000, 1000, control)


class Slow(MemoryReader):
    """A reader that takes three seconds each time."""

    def __init__(self, frames: list[Frame], clock: FixedClock) -> None:
        super().__init__(frames)
        self._clock = clock

    def select(self, *asked: Any, **how: Any) -> list[Frame]:
        self._clock.advance(3)
        return super().select(*asked, **how)


def test_reading_and_evaluating_are_timed_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FixedClock(0)

    def slowly(seconds: float, answer: Callable[..., Any]) -> Callable[..., Any]:
        def answered(*asked: Any) -> Any:
            clock.advance(seconds)
            return answer(*asked)

        return answered

    monkeypatch.setattr("sanso.promql.engine.parsed", slowly(1, parsed))
    monkeypatch.setattr("sanso.promql.operators.negated", slowly(10, operators.negated))
    monkeypatch.setattr("sanso.promql.engine._in_order", slowly(50, _in_order))
    frame = Frame([series_of("x")], np.arange(100, dtype=np.int64) * 1000, np.ones((1, 100)))
    control = QueryControl(clock)
    clock.advance(0.5)
    control.spent("waiting")
    PromEngine(Slow([frame], clock)).range("-x + on() -rate(x[1m])", 0, 90_000, 1000, control)
    assert control.seconds == {"waiting": 0.5, "preparing": 1.0 + 2 * 3, "evaluating": 2 * 10.0, "sorting": 50.0}


@pytest.mark.parametrize(
    "expr",
    ['evil{v=~"(a+)+b"}', 'evil{v!~"(a|a)*[0-9]*"}', 'label_replace(evil, "w", "", "v", "(a+)+b") == 2'],
)
def test_a_pattern_that_matches_in_many_ways_is_answered_in_time(expr: str) -> None:
    # An engine that tries them one by one would take days, and this control ends nothing within a match.
    frame = Frame(
        [series_of("evil", v="a" * 28 + str(number)) for number in range(5_000)],
        np.arange(1, dtype=np.int64),
        np.ones((5_000, 1)),
    )
    answer = PromEngine(MemoryReader([frame])).instant(expr, 0, QueryControl(SystemClock(), timeout_s=10))
    assert answer.labels == []
