"""Write requests taken in turns by one thread: all that wait at once, in one transaction."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from queue import Empty, SimpleQueue
from typing import NamedTuple

from sanso.model.errors import DecodeError
from sanso.web.services import ReceiveRemoteWrite, WriteResult

_MOST_AT_ONCE = 64
_IDLE_S = 20.0

Answer = asyncio.Future[WriteResult | DecodeError]


class _Waiting(NamedTuple):
    body: bytes
    message: str
    answer: Answer


class WriteTurns:
    """The queue of write requests of one event loop, and the thread that takes them, for as long as there are any.

    A thread of its own, because a disk may keep a transaction waiting, and the event loop must answer others meanwhile.
    Handing over costs a sender's request two passes of the loop; an executor would cost five.

    Args:
        receive_all: Takes several requests.
    """

    def __init__(self, receive_all: ReceiveRemoteWrite) -> None:
        self._receive_all = receive_all
        self._queue: SimpleQueue[_Waiting] = SimpleQueue()
        self._lock = threading.Lock()
        self._running = False

    def submit(self, body: bytes, message: str) -> Answer:
        """Put a request into the queue; on the event loop."""
        answer: Answer = asyncio.get_running_loop().create_future()
        with self._lock:
            self._queue.put(_Waiting(body, message, answer))
            if not self._running:
                self._start()
        return answer

    def _start(self) -> None:
        self._running = True
        threading.Thread(target=self._run, name="sanso-write", daemon=True).start()

    def _run(self) -> None:
        try:
            while turn := self._next():
                self._take(turn)
        finally:
            with self._lock:
                self._running = False
                if not self._queue.empty():
                    self._start()

    def _next(self) -> list[_Waiting]:
        """What waits, once something does; nothing when nothing came for a while."""
        turn = []
        with contextlib.suppress(Empty):
            turn.append(self._queue.get(timeout=_IDLE_S))
            while len(turn) < _MOST_AT_ONCE:
                turn.append(self._queue.get_nowait())
        return turn

    def _take(self, turn: list[_Waiting]) -> None:
        results: list[WriteResult | DecodeError] = []
        try:
            results += self._receive_all([(one.body, one.message) for one in turn])
        finally:  # an error of ours ends the thread, with its traceback; who waits must hear of it all the same
            turn[0].answer.get_loop().call_soon_threadsafe(_settle, turn, results)


def _settle(turn: list[_Waiting], results: list[WriteResult | DecodeError]) -> None:
    for place, one in enumerate(turn):
        if one.answer.done():  # whoever waited has gone
            continue
        if place < len(results):
            one.answer.set_result(results[place])
        else:
            one.answer.set_exception(RuntimeError("the request could not be taken"))
