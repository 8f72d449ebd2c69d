"""What workers claim, and what tells whether it is true."""

from __future__ import annotations

import threading

import pytest

from sanso.sdk.organisation import Organisation
from sanso.sdk.sketch import Sketch
from sanso.sdk.worker import Worker, error_text


class Office:
    """An organisation on a clock that moves when told."""

    def __init__(self, most: int = 10) -> None:
        self.now = 1000.0
        self.refused = 0
        self.organisation = Organisation(lambda: self.now, {"zone": "b"}, most, self._refuse)

    def _refuse(self) -> None:
        self.refused += 1

    def worker(self, name: str = "A", **about: str) -> Worker:
        return self.organisation.worker(name, about)

    def heard(self, name: str) -> dict[tuple[tuple[str, str], ...], float]:
        """Values by labels, without those that every series has."""
        self.organisation.fold()
        found: dict[tuple[tuple[str, str], ...], float] = {}
        for metric in self.organisation.metrics():
            for point in metric.points if metric.name == name else []:
                assert not isinstance(point.value, Sketch)
                assert ("zone", "b") in point.labels
                labels = tuple(pair for pair in point.labels if pair[0] not in ("zone", "worker"))
                found[labels] = point.value
        return found

    def number(self, name: str) -> float:
        return self.heard(name)[()]

    def state(self) -> str:
        """The one state that is claimed."""
        (state,) = [labels[0][1] for labels, value in self.heard("sanso_worker_claimed_state").items() if value == 1]
        return state

    def deliver(self) -> None:
        self.organisation.metrics()
        self.organisation.delivered()


@pytest.fixture
def office() -> Office:
    return Office()


def test_a_worker_says_who_it_is_and_that_it_lives(office: Office) -> None:
    worker = office.worker("A", role="analysis", icon="📋", reports_to="B")
    office.now = 1007.0
    assert office.heard("sanso_worker_info") == {(("icon", "📋"), ("reports_to", "B"), ("role", "analysis")): 1.0}
    assert office.number("sanso_worker_heartbeat_timestamp_seconds") == 1007
    assert office.number("sanso_worker_start_timestamp_seconds") == 1000
    assert office.state() == "active"
    assert office.worker("A") is worker


def test_all_states_are_told(office: Office) -> None:
    office.worker()
    assert office.heard("sanso_worker_claimed_state") == {
        (("state", "active"),): 1.0,
        (("state", "processing"),): 0.0,
        (("state", "waiting"),): 0.0,
        (("state", "error"),): 0.0,
    }


def test_a_task_is_processing_and_then_completed(office: Office) -> None:
    worker = office.worker()
    office.now = 1010.0
    with worker.task("read the report"):
        office.now = 1015.0
        assert worker.doing == "read the report"
        assert office.state() == "processing"
        assert office.number("sanso_worker_claimed_since_timestamp_seconds") == 1010
        assert office.number("sanso_worker_tasks_in_progress") == 1
        worker.progress()
        worker.progress(3)
        worker.progress(-5)
    assert office.state() == "active"
    assert worker.doing == ""
    assert office.number("sanso_worker_progress_total") == 4
    assert office.number("sanso_worker_tasks_in_progress") == 0
    assert office.heard("sanso_worker_tasks_total") == {
        (("outcome", "completed"),): 1.0,
        (("outcome", "failed"),): 0.0,
        (("outcome", "timed_out"),): 0.0,
        (("outcome", "cancelled"),): 0.0,
    }


def test_tasks_at_once(office: Office) -> None:
    worker = office.worker()
    with worker.task("one"):
        with worker.task("two"):
            assert office.number("sanso_worker_tasks_in_progress") == 2
        assert office.state() == "processing"
    assert office.state() == "active"


@pytest.mark.parametrize(
    ("error", "outcome", "state"),
    [
        (ValueError("no"), "failed", "error"),
        (TimeoutError(), "timed_out", "error"),
        (KeyboardInterrupt(), "cancelled", "active"),
    ],
)
def test_a_task_that_ends_by_an_exception(office: Office, error: BaseException, outcome: str, state: str) -> None:
    worker = office.worker()
    with pytest.raises(type(error)), worker.task("fail"):
        raise error
    assert office.heard("sanso_worker_tasks_total")[("outcome", outcome),] == 1
    assert office.state() == state


def test_waiting_lasts_until_the_next_task_or_progress(office: Office) -> None:
    worker = office.worker()
    worker.wait()
    assert office.state() == "waiting"
    with worker.task("go"):
        assert office.state() == "processing"
        worker.wait()
        assert office.state() == "waiting"
        worker.progress()
        assert office.state() == "processing"
        with worker.wait():
            assert office.state() == "waiting"
        assert office.state() == "processing"
    worker.wait()
    worker.progress()
    assert office.state() == "active"


async def test_waiting_may_be_awaited(office: Office) -> None:
    worker = office.worker()
    async with worker.wait():
        assert office.state() == "waiting"
    assert office.state() == "active"


def test_a_wait_that_another_claim_ended_changes_nothing_at_its_end(office: Office) -> None:
    worker = office.worker()
    with worker.wait():
        worker.error("it broke")
    assert office.state() == "error"


def test_an_error_is_told_while_it_lasts_and_then_taken_back(office: Office) -> None:
    worker = office.worker()
    worker.error(ValueError("no such file"))
    name = "sanso_worker_error_info"
    first, second = (("error", "ValueError: no such file"),), (("error", "out of paper"),)
    assert office.state() == "error"
    assert office.heard(name) == {first: 1.0}
    worker.error("out of paper")
    assert office.heard(name) == {first: 0.0, second: 1.0}
    worker.progress()
    assert office.state() == "active"
    assert office.heard(name) == {first: 0.0, second: 0.0}
    for number in range(20):
        worker.error(f"error {number}")
    assert len(office.heard(name)) == 4


def test_error_texts_are_one_short_line() -> None:
    assert error_text(ValueError("a\nb")) == "ValueError: a"
    assert error_text(KeyError()) == "KeyError"
    assert error_text("  ") == "error"
    assert len(error_text("x" * 500)) == 120


def test_a_goodbye_is_told_until_it_has_arrived(office: Office) -> None:
    worker = office.worker()
    office.worker("B")
    worker.close()
    for _ in range(2):
        assert office.heard("sanso_worker_claimed_state")[("state", "closed"),] == 1
    assert len(office.organisation.metrics()[0].points) == 2
    office.deliver()
    assert len(office.organisation.metrics()[0].points) == 1
    worker.close()
    office.deliver()
    assert len(office.organisation.metrics()[0].points) == 1


def test_a_worker_may_come_back(office: Office) -> None:
    worker = office.worker()
    worker.close()
    office.deliver()
    office.now = 2000.0
    with worker.task("again"):
        assert office.state() == "processing"
    assert office.number("sanso_worker_start_timestamp_seconds") == 2000
    assert office.heard("sanso_worker_claimed_state")[("state", "closed"),] == 0


def test_all_say_goodbye_together(office: Office) -> None:
    office.worker("A")
    office.worker("B")
    office.organisation.close()
    office.deliver()
    assert office.organisation.metrics() == []


def test_a_child_tells_nothing_of_its_parents_workers_until_it_uses_them(office: Office) -> None:
    worker = office.worker()
    worker.progress(5)
    with worker.task("begun before the fork"):
        office.organisation.reset()
    assert office.organisation.metrics() == []
    office.now = 1500.0
    worker.progress()
    assert office.number("sanso_worker_progress_total") == 1
    assert office.number("sanso_worker_start_timestamp_seconds") == 1500
    assert office.heard("sanso_worker_tasks_total")[("outcome", "completed"),] == 0
    assert office.number("sanso_worker_tasks_in_progress") == 0


def test_workers_beyond_the_limit_work_untold_and_are_counted() -> None:
    office = Office(most=2)
    for name in "ABCD":
        with office.worker(name).task("x"):
            pass
    assert len(office.organisation.metrics()[0].points) == 2
    assert office.refused == 2


def burn(seconds: float) -> float:
    import time

    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass
    return seconds


def test_an_only_worker_is_charged_the_process(office: Office) -> None:
    office.worker()
    office.organisation.fold()
    thread = threading.Thread(target=burn, args=(0.05,))
    thread.start()
    thread.join()
    assert 0.05 <= office.number("sanso_worker_cpu_seconds_total") < 1


def test_several_workers_are_charged_their_threads(office: Office) -> None:
    idle, busy = office.worker("A"), office.worker("B")
    idle.progress()
    working, look, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        with busy.task("x"):
            burn(0.05)
            working.set()
            look.wait(5)
            burn(0.05)
        ended.set()

    thread = threading.Thread(target=work)
    thread.start()
    assert working.wait(5)
    office.organisation.fold()
    before = cpu(office)
    look.set()
    assert ended.wait(5)
    thread.join()
    office.organisation.fold()
    after = cpu(office)
    assert before["B"] >= 0.045
    assert after["B"] >= 0.095
    assert after["B"] < 1
    assert after["A"] < 0.09
    office.organisation.fold()
    assert cpu(office)["B"] == after["B"]


def cpu(office: Office) -> dict[str, float]:
    found: dict[str, float] = {}
    for metric in office.organisation.metrics():
        for point in metric.points if metric.name == "sanso_worker_cpu_seconds_total" else []:
            assert not isinstance(point.value, Sketch)
            found[dict(point.labels)["worker"]] = point.value
    return found
