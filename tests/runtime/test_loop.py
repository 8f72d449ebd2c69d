from __future__ import annotations

import itertools
import threading
import time

from hypothesis import given
from hypothesis import strategies as st

from sanso.model.clock import FixedClock, SystemClock
from sanso.model.errors import StoreError
from sanso.runtime.loop import TickLoop


def test_ticks_come_on_the_interval_s_own_marks() -> None:
    marks: list[int] = []
    enough = threading.Event()

    def tick(mark: int) -> None:
        marks.append(mark)
        if len(marks) == 4:
            enough.set()

    loop = TickLoop(tick, 50, SystemClock())
    loop.start()
    assert enough.wait(5)
    loop.stop()
    assert all(mark % 50 == 0 for mark in marks)
    assert all(later > earlier for earlier, later in itertools.pairwise(marks))


def test_an_error_ends_no_loop() -> None:
    seen = []
    enough = threading.Event()

    def tick(mark: int) -> None:
        seen.append(mark)
        if len(seen) > 2:
            enough.set()
            return
        raise StoreError("x") if len(seen) == 1 else RuntimeError("y")

    loop = TickLoop(tick, 20, SystemClock())
    loop.start()
    assert enough.wait(5)
    loop.stop()


def test_marks_that_pass_while_a_tick_runs_are_skipped_and_counted() -> None:
    clock = FixedClock(1_000_000)
    loop = TickLoop(lambda mark: None, 1000, clock)
    clock.advance(3.4)
    assert loop._next(1_000_000) == 1_003_000
    assert loop.missed == 2


@given(st.integers(0, 10**12), st.integers(-(10**7), 10**7), st.sampled_from([100, 500, 1000, 7000]))
def test_the_next_mark_is_a_mark_and_never_far(mark: int, moved: int, interval: int) -> None:
    mark = (mark + 10**8) // interval * interval
    loop = TickLoop(lambda _: None, interval, FixedClock(mark + moved))
    following = loop._next(mark)
    assert following % interval == 0
    assert following - (mark + moved) <= 2 * interval
    assert following != mark


def test_stop_waits_for_the_tick_that_runs() -> None:
    done = []
    begun = threading.Event()

    def tick(_: int) -> None:
        begun.set()
        time.sleep(0.1)
        done.append(1)

    loop = TickLoop(tick, 10_000, SystemClock())
    loop.start()
    assert begun.wait(5)
    loop.stop()
    assert done == [1]
