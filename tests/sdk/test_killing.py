"""Eight forked processes, killed at random and started again."""

from __future__ import annotations

from tests.sdk.killing import experiment


def test_what_arrived_is_what_processes_that_lived_to_flush_recorded() -> None:
    outcome = experiment(4.0, seed=5)
    assert outcome.wrong == []
    assert outcome.received == outcome.recorded > 1000
    # The experiment did what it is for.
    assert outcome.flushed >= 12
    assert outcome.killed >= 5
    assert outcome.killed_received > 0
