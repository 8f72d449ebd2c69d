"""What becomes of long questions: their callers hang up, their time runs out, too many of them wait."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from sanso.model.control import QueryControl
from sanso.model.errors import QueryError
from sanso.model.series import Answer
from sanso.web.pool import QueryPool
from tests.web.hosted import hosted


class Endless:
    """An engine that goes on until its question is ended, and notes how that was."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.ended: list[str] = []

    def instant(self, expr: str, at_ms: int, control: QueryControl | None = None, **_: Any) -> Answer:
        assert control is not None
        self.begun.release()
        try:
            end = time.monotonic() + 20
            while time.monotonic() < end:
                control.check()
                time.sleep(0.005)
        except QueryError as error:
            self.ended.append(error.kind)
            raise
        raise AssertionError("nobody ended it")

    def range(self, expr: str, start_ms: int, end_ms: int, step_ms: int, **_: Any) -> Answer:
        raise AssertionError("not asked here")


def test_a_caller_that_hangs_up_ends_its_question() -> None:
    endless = Endless()
    with hosted(engine=endless) as (_, url):
        host, port = url.removeprefix("http://").split(":")
        caller = socket.create_connection((host, int(port)))
        caller.sendall(b"GET /api/v1/query?query=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert endless.begun.acquire(timeout=10)
        caller.close()
        end = time.monotonic() + 10
        while not endless.ended and time.monotonic() < end:
            time.sleep(0.01)
        assert endless.ended == ["canceled"]


def test_who_finds_the_queue_full_or_waits_too_long_is_told() -> None:
    endless, pool = Endless(), QueryPool(1, most_waiting=1)
    with hosted(engine=endless, pool=pool) as (_, url), ThreadPoolExecutor(2) as callers:
        ask = f"{url}/api/v1/query?query=1"
        running = callers.submit(httpx.get, ask, timeout=30)
        assert endless.begun.acquire(timeout=10)
        # The monitor's clock stands still, so what ends a wait is the server's own timer.
        waiting = callers.submit(httpx.get, f"{ask}&timeout=1", timeout=30)
        end = time.monotonic() + 10
        while len(pool._controls) < 2 and time.monotonic() < end:
            time.sleep(0.005)
        full = httpx.get(ask, timeout=10)
        assert full.status_code == 503
        assert "too many queries wait" in full.json()["error"]
        late = waiting.result(timeout=10)
        assert (late.status_code, late.json()["errorType"]) == (503, "timeout")
        assert late.json()["error"] == "query timed out in query queue"
        assert httpx.get(f"{url}/-/healthy").status_code == 200
        assert not running.done()
        pool.close()
        assert running.result(timeout=10).status_code == 499
    assert endless.ended == ["canceled"]
