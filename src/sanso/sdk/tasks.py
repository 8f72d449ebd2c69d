"""Tasks: how many ended well, failed, timed out, are in progress, and how long they took."""

from __future__ import annotations

import asyncio
import functools
import inspect
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from sanso.sdk.telemetry import Telemetry

_Function = TypeVar("_Function", bound=Callable[..., Any])


def outcome_of(error: BaseException | type[BaseException] | None) -> str:
    """completed, failed, timed_out or cancelled."""
    kind = error if isinstance(error, type) or error is None else type(error)
    if kind is None:
        return "completed"
    if issubclass(kind, TimeoutError):
        return "timed_out"
    if issubclass(kind, asyncio.CancelledError | GeneratorExit):
        return "cancelled"
    return "failed"


class Task:
    """A context manager, sync and async, and a decorator of functions and coroutine functions; may be entered again."""

    def __init__(self, telemetry: Telemetry, name: str) -> None:
        self._telemetry = telemetry
        self._name = name
        self._running = telemetry.gauge("sanso_tasks_in_progress", task=name)
        self._record = telemetry.histogram("sanso_task_duration_seconds", task=name).record
        self._starts: list[float] = []

    def __enter__(self) -> Task:
        self._running.add(1)
        self._starts.append(time.perf_counter())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(self._starts.pop(), outcome_of(kind))

    async def __aenter__(self) -> Task:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def __call__(self, function: _Function) -> _Function:
        """Measure every call of a function."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def measured(*args: Any, **kwargs: Any) -> Any:
                with Task(self._telemetry, self._name):
                    return await function(*args, **kwargs)
        else:

            @functools.wraps(function)
            def measured(*args: Any, **kwargs: Any) -> Any:
                with Task(self._telemetry, self._name):
                    return function(*args, **kwargs)

        return measured  # type: ignore[return-value]

    def _end(self, started: float, outcome: str) -> None:
        self._running.add(-1)
        self._record(time.perf_counter() - started)
        self._telemetry.counter("sanso_tasks_total", task=self._name, outcome=outcome).add(1)
