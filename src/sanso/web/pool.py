"""Where questions are answered: a few threads, a bounded queue before them, and an end to what nobody waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sanso.model.control import QueryControl
from sanso.model.errors import QueryError

_T = TypeVar("_T")

_WATCH_AFTER_S = 0.05
"""Before so long nobody hangs up: short questions need no watch."""


class QueryPool:
    """Answers questions on threads of its own, so that they hold up neither the server nor the watching.

    The threads keep their priority: one with less of it holds the interpreter's lock longer while others want it, and
    the sampling waits (benchmarks/ticks.py: sources took 76 ms instead of 46).

    Args:
        threads: Questions at once.
        most_waiting: Questions that may wait; one more is refused.
    """

    def __init__(self, threads: int, most_waiting: int = 256) -> None:
        self._most = threads + most_waiting
        self._controls: set[QueryControl] = set()
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="sanso-query")

    async def run(self, work: Callable[[], _T], control: QueryControl, gone: Callable[[], Awaitable[None]]) -> _T:
        """What `work` gives, called on one of the threads.

        Args:
            work: Checks the control now and then.
            control: Of the question.
            gone: Ends when whoever asked has hung up; then the question is cancelled.

        Raises:
            QueryError: As `work`, or it waited past its time, or too many wait.
        """
        if len(self._controls) >= self._most:
            raise QueryError("query timed out in query queue: too many queries wait, ask again later", "timeout")
        loop = asyncio.get_running_loop()
        self._controls.add(control)
        future = self._executor.submit(work)
        watch: asyncio.Task[None] | None = None
        hung_up = False

        async def until_gone() -> None:
            nonlocal hung_up
            await gone()
            hung_up = True
            control.cancel()
            future.cancel()  # where it still waits for a thread

        def begin_watch() -> None:
            nonlocal watch
            watch = loop.create_task(until_gone())

        timers = (loop.call_later(_WATCH_AFTER_S, begin_watch), loop.call_later(control.timeout_s, future.cancel))
        try:
            return await asyncio.wrap_future(future, loop=loop)
        except asyncio.CancelledError:
            control.cancel()
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # the server stops
                raise
            if hung_up:
                raise QueryError("query was canceled in query queue", "canceled") from None
            raise QueryError("query timed out in query queue", "timeout") from None
        finally:
            self._controls.discard(control)
            for timer in timers:
                timer.cancel()
            if watch is not None:
                watch.cancel()

    def close(self) -> None:
        """End what runs, soon, and take nothing more."""
        for control in list(self._controls):
            control.cancel()
        self._executor.shutdown(wait=True, cancel_futures=True)
