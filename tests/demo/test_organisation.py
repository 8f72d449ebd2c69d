from __future__ import annotations

import numpy as np
import pytest

from sanso.demo.organisation import MEMBERS, Member
from sanso.demo.processes import demo_organisation


def test_the_eight_of_the_specification_and_to_whom_they_report() -> None:
    names = [member.name for member in MEMBERS]
    assert names == ["PRESIDENT", "COORDINATOR", "ANALYST", "ARCHITECT", "DATA_ENG", "SECURITY", "PM", "DEVOPS"]
    assert {member.reports_to for member in MEMBERS} <= {"", *names}
    assert [worker.name for worker in demo_organisation().workers] == names
    assert demo_organisation().expected == 8


@pytest.mark.parametrize("member", [m for m in MEMBERS if m.work], ids=lambda member: member.name)
def test_work_is_done_in_steps(member: Member) -> None:
    assert member.work is not None
    steps = sum(1 for _ in member.work(np.random.default_rng(3)))
    assert steps >= 6


def test_the_architect_s_task_really_fails_now_and_then() -> None:
    design = next(member.work for member in MEMBERS if member.name == "ARCHITECT")
    assert design is not None
    failures = 0
    random = np.random.default_rng(0)
    for _ in range(60):
        try:
            for _ in design(random):
                pass
        except np.linalg.LinAlgError:
            failures += 1
    assert 0 < failures < 30
