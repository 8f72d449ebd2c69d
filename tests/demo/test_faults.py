from __future__ import annotations

import itertools

import pytest

from sanso.demo import faults


@pytest.mark.parametrize("fault", [faults.slow_route, faults.error_burst, faults.stalled_worker, faults.spoilt_model])
def test_every_fault_comes_and_goes_once_a_cycle(fault: object) -> None:
    assert callable(fault)
    states = [fault(second / 2) for second in range(int(faults.CYCLE_S * 4))]
    begins = sum(later and not earlier for earlier, later in itertools.pairwise(states))
    assert begins == 2
    assert not states[0]
    assert not all(states)


def test_a_stall_lasts_longer_than_the_judge_s_patience() -> None:
    seconds = sum(faults.stalled_worker(second) for second in range(int(faults.CYCLE_S)))
    assert seconds > 30
