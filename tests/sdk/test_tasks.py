"""Tasks, as blocks and as decorators, sync and async."""

from __future__ import annotations

import asyncio

import pytest

from sanso.sdk.registry import Registry
from sanso.sdk.sketch import Sketch
from sanso.sdk.tasks import OUTCOMES, Task, TaskSeries, outcome_of


class Measured:
    def __init__(self) -> None:
        self.registry = Registry(lambda: 1)
        self.task = Task(TaskSeries(self.registry, "t"), lambda: self.registry.epoch)

    def values(self) -> dict[str, float]:
        self.registry.fold()
        found: dict[str, float] = {}
        for metric in self.registry.metrics():
            for point in metric.points:
                key = dict(point.labels).get("outcome", metric.name)
                found[key] = point.value.count if isinstance(point.value, Sketch) else point.value
        return found


@pytest.fixture
def measured() -> Measured:
    return Measured()


def test_every_outcome_counts_from_zero(measured: Measured) -> None:
    assert {outcome: measured.values()[outcome] for outcome in OUTCOMES} == dict.fromkeys(OUTCOMES, 0)


def test_a_block(measured: Measured) -> None:
    with measured.task, measured.task:
        assert measured.values()["sanso_tasks_in_progress"] == 2
    values = measured.values()
    assert values["sanso_tasks_in_progress"] == 0
    assert values["completed"] == values["sanso_task_duration_seconds"] == 2


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ValueError, "failed"),
        (SystemExit, "failed"),
        (TimeoutError, "timed_out"),
        (asyncio.CancelledError, "cancelled"),
        (KeyboardInterrupt, "cancelled"),
        (GeneratorExit, "cancelled"),
    ],
)
def test_an_exception_is_counted_and_goes_on(measured: Measured, error: type[BaseException], outcome: str) -> None:
    with pytest.raises(error), measured.task:
        raise error
    values = measured.values()
    assert values[outcome] == values["sanso_task_duration_seconds"] == 1
    assert values["sanso_tasks_in_progress"] == values["completed"] == 0
    assert outcome_of(error) == outcome


def test_a_decorated_function_keeps_its_face(measured: Measured) -> None:
    @measured.task
    def double(n: int) -> int:
        """Twice."""
        return 2 * n

    assert [double(n) for n in range(3)] == [0, 2, 4]
    assert (double.__name__, double.__doc__) == ("double", "Twice.")
    assert measured.values()["completed"] == 3


async def test_a_decorated_coroutine_function_is_measured_to_its_end(measured: Measured) -> None:
    @measured.task
    async def wait(seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    assert asyncio.iscoroutinefunction(wait)
    running = [asyncio.create_task(wait(0)) for _ in range(3)]
    await asyncio.sleep(0)
    assert measured.values()["sanso_tasks_in_progress"] == 3
    await asyncio.gather(*running)
    late = asyncio.create_task(wait(60))
    await asyncio.sleep(0)
    late.cancel()
    with pytest.raises(asyncio.CancelledError):
        await late
    values = measured.values()
    assert (values["completed"], values["cancelled"], values["sanso_tasks_in_progress"]) == (3, 1, 0)


async def test_an_async_block(measured: Measured) -> None:
    async with measured.task:
        await asyncio.sleep(0)
    with pytest.raises(asyncio.TimeoutError):
        async with measured.task, asyncio.timeout(0.001):
            await asyncio.sleep(5)
    assert (measured.values()["completed"], measured.values()["timed_out"]) == (1, 1)


def test_a_block_that_was_begun_before_a_fork_is_the_parents(measured: Measured) -> None:
    with measured.task:
        measured.registry.reset()
    values = measured.values()
    assert values["completed"] == values["sanso_task_duration_seconds"] == 0
    assert "sanso_tasks_in_progress" not in values
