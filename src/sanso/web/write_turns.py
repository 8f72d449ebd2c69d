"""Write requests taken in turns: all that wait at once, in one transaction."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import NamedTuple, TypeAlias

from sanso.model.errors import DecodeError
from sanso.web.services import ReceiveRemoteWrite, WriteResult

_MOST_AT_ONCE = 64
_IDLE_S = 20.0
_SHORT_S = 0.002
_SHORT_BYTES = 1 << 18

Taken: TypeAlias = WriteResult | DecodeError | None
"""What came of a request; None where an error of ours kept it from being taken."""
Answer = Callable[[Taken], None]
_log = logging.getLogger("sanso")


class _Waiting(NamedTuple):
    body: bytes
    message: str
    answer: Answer


class WriteTurns:
    """The write requests of one event loop.

    What came in one pass of the loop is taken by it in the next, as long as that is short: handing over to a thread
    costs as much as taking a request. At first, once a turn has taken long (a disk may keep a transaction waiting), and
    when much has come, a thread takes the turns, and the loop answers others meanwhile; until a turn is short again.

    Args:
        receive_all: Takes several requests.
        path: Where they were sent to.
    """

    def __init__(self, receive_all: ReceiveRemoteWrite, path: str) -> None:
        self._receive_all = receive_all
        self._path = path
        self._arrived: list[_Waiting] = []
        self._queue: SimpleQueue[_Waiting] = SimpleQueue()
        self._lock = threading.Lock()
        self._running = False
        self._handed_over = 0
        self._short = False

    def submit(self, body: bytes, message: str, answer: Answer) -> None:
        """Put a request into the next turn; on the event loop, as is the answer."""
        if not self._arrived:
            loop = asyncio.get_running_loop()
            loop.call_soon(self._turn, loop)
        self._arrived.append(_Waiting(body, message, answer))

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take what has arrived, or hand it over; requests are taken in the order in which they came."""
        turn, self._arrived = self._arrived, []
        if self._short and not self._handed_over and sum(len(one.body) for one in turn) <= _SHORT_BYTES:
            began = loop.time()
            _settle(turn, self._taken(turn))
            self._short = loop.time() - began < _SHORT_S
            return
        self._handed_over += len(turn)
        with self._lock:
            for one in turn:
                self._queue.put(one)
            if not self._running:
                self._start(loop)

    def _taken(self, turn: list[_Waiting]) -> Sequence[Taken]:
        """The results of a turn."""
        try:
            return self._receive_all([(one.body, one.message) for one in turn])
        except Exception:  # noqa: BLE001 - the edge: it is logged, those who wait hear of it, and the next come
            _log.exception("POST %s could not be answered", self._path)
            return [None] * len(turn)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._running = True
        threading.Thread(target=self._run, args=(loop,), name="sanso-write", daemon=True).start()

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            while turn := self._next():
                self._take_over(turn, loop)
        finally:
            with self._lock:
                self._running = False
                if not self._queue.empty():
                    self._start(loop)

    def _next(self) -> list[_Waiting]:
        """What waits, once something does; nothing when nothing came for a while."""
        turn = []
        with contextlib.suppress(Empty):
            turn.append(self._queue.get(timeout=_IDLE_S))
            while len(turn) < _MOST_AT_ONCE:
                turn.append(self._queue.get_nowait())
        return turn

    def _take_over(self, turn: list[_Waiting], loop: asyncio.AbstractEventLoop) -> None:
        began = loop.time()
        results = self._taken(turn)
        short = loop.time() - began < _SHORT_S * len(turn)
        loop.call_soon_threadsafe(self._took_over, turn, results, short)

    def _took_over(self, turn: list[_Waiting], results: Sequence[Taken], short: bool) -> None:  # noqa: FBT001
        self._handed_over -= len(turn)
        self._short = short
        _settle(turn, results)


def _settle(turn: list[_Waiting], results: Sequence[Taken]) -> None:
    for one, result in zip(turn, results, strict=True):
        one.answer(result)
