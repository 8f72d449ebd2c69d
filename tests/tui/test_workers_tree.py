from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sanso.model.readings import WorkerReading
from sanso.tui.workers_tree import branches, worker_line
from tests.tui.fakes import workers

NAMES = "ABCDEF"


@st.composite
def organisations(draw: st.DrawFn) -> list[WorkerReading]:
    some = draw(st.lists(st.sampled_from(NAMES), max_size=8))
    return [
        replace(workers()[0], name=name, reports_to=draw(st.sampled_from(["", "?", *NAMES])), service=str(number))
        for number, name in enumerate(some)
    ]


@given(organisations())
def test_nobody_is_left_out_or_drawn_twice(organisation: Sequence[WorkerReading]) -> None:
    drawn = [worker.service for _, worker in branches(organisation)]
    assert sorted(drawn) == sorted(worker.service for worker in organisation)


def test_the_tree_of_the_specification() -> None:
    lines = [f"{branch}{worker.name}" for branch, worker in branches(workers())]
    assert lines == [
        "└── PRESIDENT",
        "    ├── COORDINATOR",
        "    │   ├── ANALYST",
        "    │   ├── ARCHITECT",
        "    │   └── DATA_ENG",
        "    ├── SECURITY",
        "    ├── PM",
        "    └── DEVOPS",
    ]


def test_a_worker_s_line_says_what_is_known() -> None:
    president, lost = workers()[0], workers()[6]
    assert worker_line(president, "en") == "👑 PRESIDENT: ACTIVE (CPU: 45%, Tasks: 12) – task plan the day"
    assert worker_line(lost, "en") == "📈 PM: LOST (CPU: –, Tasks: –) – no heartbeat for 95 s"
