from __future__ import annotations

import pytest

from sanso.model.clock import FixedClock
from sanso.model.control import Phase, QueryControl
from sanso.model.errors import QueryError


def test_a_question_may_go_on_until_its_time_is_up() -> None:
    clock = FixedClock(0)
    control = QueryControl(clock, timeout_s=2.0)
    control.check()
    clock.advance(1.5)
    control.check()
    clock.advance(0.5)
    with pytest.raises(QueryError, match="query timed out in expression evaluation") as caught:
        control.check()
    assert caught.value.kind == "timeout"


def test_each_phase_has_its_time() -> None:
    clock = FixedClock(0)
    control = QueryControl(clock)
    phases: list[tuple[float, Phase]] = [(1, "waiting"), (2, "preparing"), (4, "evaluating"), (8, "preparing")]
    for seconds, phase in phases:
        clock.advance(seconds)
        control.spent(phase)
    assert control.seconds == {"waiting": 1.0, "preparing": 10.0, "evaluating": 4.0, "sorting": 0.0}


def test_a_cancelled_question_ends_at_its_next_check() -> None:
    control = QueryControl(FixedClock(0))
    control.cancel()
    with pytest.raises(QueryError, match="query was canceled") as caught:
        control.hold(1)
    assert caught.value.kind == "canceled"


def test_samples_are_counted_and_too_many_refused_with_the_figure() -> None:
    control = QueryControl(FixedClock(0), most_samples=1 << 20)
    control.hold(1000, read=700)
    control.hold(10, read=10)
    assert (control.peak_samples, control.total_samples) == (1000, 710)
    with pytest.raises(QueryError, match=r"2097152 \(16 MiB\), 1048576 are allowed") as caught:
        control.hold(2 << 20)
    assert caught.value.kind == "execution"
