"""Tasks: completed, failed, timed out, cancelled; how many at once and how long."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Literal, TypeAlias, TypeVar, cast

from sanso.sdk.registry import Registry

Outcome: TypeAlias = Literal["completed", "failed", "timed_out", "cancelled"]
OUTCOMES: tuple[Outcome, ...] = ("completed", "failed", "timed_out", "cancelled")
_CANCELLED = {"CancelledError", "Cancelled"}

_Function = TypeVar("_Function", bound=Callable[..., Any])


def outcome_of(error: type[BaseException] | None) -> Outcome:
    """What the exception that left a block says of it; asyncio's and trio's are known by name, not imported."""
    if error is None:
        return "completed"
    if issubclass(error, TimeoutError):
        return "timed_out"
    if issubclass(error, (KeyboardInterrupt, GeneratorExit)) or _CANCELLED & {base.__name__ for base in error.__mro__}:
        return "cancelled"
    return "failed"


class TaskSeries:
    """The series of one task name; made when the task is first named, so that each counts from zero."""

    def __init__(self, registry: Registry, name: str) -> None:
        self.outcomes = {
            outcome: registry.counter("sanso_tasks_total", {"task": name, "outcome": outcome}) for outcome in OUTCOMES
        }
        self.in_progress = registry.gauge("sanso_tasks_in_progress", {"task": name})
        self.duration = registry.histogram("sanso_task_duration_seconds", {"task": name})


class Task:
    """Measures a block (`with`, `async with`) or every call of a function (as a decorator, sync or async).

    One object measures blocks one after the other or nested; where several threads enter the same object at once,
    counts and total time stay right, but the single durations may be swapped among them.
    """

    def __init__(self, series: TaskSeries, epoch: Callable[[], int]) -> None:
        self._series = series
        self._epoch = epoch
        self._open: list[tuple[int, float]] = []

    def __enter__(self) -> Task:
        self._series.in_progress.add(1)
        self._open.append((self._epoch(), time.perf_counter()))
        return self

    def __exit__(
        self, error: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        epoch, started = self._open.pop()
        if epoch != self._epoch():  # forked in between: the block is the parent's to count
            return
        series = self._series
        series.duration.record(time.perf_counter() - started)
        series.in_progress.add(-1)
        series.outcomes[outcome_of(error)].add(1)

    async def __aenter__(self) -> Task:
        return self.__enter__()

    async def __aexit__(
        self, error: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(error, value, traceback)

    def __call__(self, function: _Function) -> _Function:
        """Measure every call of a function."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def measured_async(*args: Any, **kwargs: Any) -> Any:
                with Task(self._series, self._epoch):
                    return await function(*args, **kwargs)

            return cast("_Function", measured_async)

        @functools.wraps(function)
        def measured(*args: Any, **kwargs: Any) -> Any:
            with Task(self._series, self._epoch):
                return function(*args, **kwargs)

        return cast("_Function", measured)
