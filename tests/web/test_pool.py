from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from sanso.model.clock import SystemClock
from sanso.model.control import QueryControl
from sanso.model.errors import QueryError
from sanso.web.pool import QueryPool


@pytest.fixture
def pool() -> Iterator[QueryPool]:
    made = QueryPool(1, most_waiting=1)
    yield made
    made.close()


def control(timeout_s: float = 30.0) -> QueryControl:
    return QueryControl(SystemClock(), timeout_s=timeout_s)


async def never() -> None:
    await asyncio.Event().wait()


async def at_once() -> None:
    pass


def until_ended(held: QueryControl) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        held.check()
        time.sleep(0.005)
    raise AssertionError("nobody ended it")


async def test_what_is_answered_comes_back_and_so_do_errors(pool: QueryPool) -> None:
    assert await pool.run(lambda: threading.current_thread().name, control(), never) != threading.current_thread().name

    def fails() -> None:
        raise QueryError("no")

    with pytest.raises(QueryError, match="no"):
        await pool.run(fails, control(), never)


async def test_a_question_ends_when_its_caller_hangs_up(pool: QueryPool) -> None:
    held = control()
    with pytest.raises(QueryError, match="canceled") as caught:
        await pool.run(lambda: until_ended(held), held, at_once)
    assert caught.value.kind == "canceled"


async def test_a_question_ends_when_its_time_is_up(pool: QueryPool) -> None:
    held = control(0.05)
    with pytest.raises(QueryError, match="timed out in expression evaluation"):
        await pool.run(lambda: until_ended(held), held, never)


async def test_who_waits_too_long_and_who_finds_the_queue_full(pool: QueryPool) -> None:
    running = control()
    first = asyncio.create_task(pool.run(lambda: until_ended(running), running, never))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(pool.run(lambda: 1, control(0.2), never))
    await asyncio.sleep(0)
    with pytest.raises(QueryError, match="too many queries wait") as caught:
        await pool.run(lambda: 1, control(), never)
    assert caught.value.kind == "timeout"
    with pytest.raises(QueryError, match="timed out in query queue"):
        await second
    running.cancel()
    with pytest.raises(QueryError, match="canceled"):
        await first
    assert await pool.run(lambda: 2, control(), never) == 2


async def test_who_hangs_up_in_the_queue_is_never_answered(pool: QueryPool) -> None:
    running, called = control(), []
    first = asyncio.create_task(pool.run(lambda: until_ended(running), running, never))
    await asyncio.sleep(0.05)
    with pytest.raises(QueryError, match="canceled in query queue"):
        await pool.run(lambda: called.append(1), control(), at_once)
    running.cancel()
    with pytest.raises(QueryError, match="canceled"):
        await first
    assert called == []


def test_closing_ends_what_runs() -> None:
    pool = QueryPool(1)
    held = control()

    async def ask() -> None:
        with pytest.raises(QueryError, match="canceled"):
            await pool.run(lambda: until_ended(held), held, never)

    thread = threading.Thread(target=lambda: asyncio.run(ask()))
    thread.start()
    time.sleep(0.1)
    pool.close()
    thread.join(5)
    assert not thread.is_alive()
