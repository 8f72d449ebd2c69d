from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sanso.rules.state import AlertState, advance

SECOND = 1000
broken = st.lists(st.one_of(st.none(), st.floats(0, 10)), max_size=40)


@given(broken, st.integers(0, 5))
def test_it_fires_once_and_is_resolved_once(values: list[float | None], patience: int) -> None:
    state, events = AlertState(), []
    for tick, value in enumerate(values):
        state, event = advance(state, value, tick * SECOND, patience * SECOND)
        if event:
            events.append(event)
    assert events == (["firing", "resolved"] * len(events))[: len(events)]


@given(broken, st.integers(0, 5))
def test_it_fires_exactly_when_it_was_broken_for_that_long(values: list[float | None], patience: int) -> None:
    state, run = AlertState(), 0
    for tick, value in enumerate(values):
        state, _ = advance(state, value, tick * SECOND, patience * SECOND)
        run = run + 1 if value is not None else 0
        expected = "inactive" if not run else "firing" if run - 1 >= patience else "pending"
        assert state.phase == expected


def test_a_firing_alert_keeps_its_beginning_and_shows_the_newest_value() -> None:
    state, _ = advance(AlertState(), 1.0, 0, 0)
    state, event = advance(state, 2.0, 5000, 0)
    assert (state.since_ms, state.value, event) == (0, 2.0, "")
    state, event = advance(state, None, 6000, 0)
    assert (state.phase, state.value, event) == ("inactive", 2.0, "resolved")
