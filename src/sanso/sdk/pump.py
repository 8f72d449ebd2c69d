"""The one thread of the sdk: folds what was recorded and pushes it, once an interval, or keeps it to be asked for."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeVar

from sanso import __version__
from sanso.sdk import lifecycle
from sanso.sdk.otlp_encoding import Metric, encode_request
from sanso.sdk.push import Pusher, resource_attributes

_Page = TypeVar("_Page", str, bytes)
TIMEOUT_S = 2.0
"""What a push may take; it is also what a server that does not answer can delay the end of a process by."""
_LONGEST_SILENCE_S = 5.0
_BUSY = 50_000
"""A buffer that grew longer than this in one interval is folded ten times as often, so that it stays short."""


class Source(Protocol):
    """Something whose series are pushed."""

    def fold(self) -> int:
        """Take in what was recorded since the last time; returns the longest buffer's length."""
        ...

    def metrics(self) -> list[Metric]:
        """Every series with its value now."""
        ...

    def delivered(self) -> None:
        """The last `metrics` reached the server."""
        ...

    def reset(self) -> None:
        """Begin again in a forked child."""
        ...


class Pump:
    """Folds and pushes until it is stopped.

    Args:
        service: Whose values they are.
        instance: The name of this process; None for its number and a random part.
        sources: What to push.
        pusher: Where to; None to keep everything for whoever asks.
        interval: Seconds between pushes.
    """

    def __init__(
        self, service: str, instance: str | None, sources: list[Source], pusher: Pusher | None, interval: float
    ) -> None:
        self._service = service
        self._given_instance = instance
        self._sources = sources
        self._pusher = pusher
        self._interval = interval
        self._time_ns = 0
        self.stopped = False
        self._begin(instance or _random_instance())
        lifecycle.attach(self)

    def flush(self, timeout: float) -> bool:
        """Fold and push now, in the calling thread; False where the server did not take it in time."""
        deadline = time.monotonic() + timeout
        if not self._turn.acquire(timeout=max(timeout, 0)):
            return False
        try:
            self._guarded(self._fold)
            return bool(self._guarded(lambda: self._push(max(deadline - time.monotonic(), 0.05))))
        finally:
            self._turn.release()

    def stop(self, timeout: float) -> bool:
        """Push a last time and end the thread."""
        delivered = self.flush(timeout)
        self.stopped = True
        self._wake.set()
        lifecycle.detach(self)
        if self._pusher is not None and self._turn.acquire(timeout=timeout):
            self._pusher.close()
            self._turn.release()
        return delivered

    def told(self, tell: Callable[[list[Metric]], _Page]) -> _Page:
        """What `tell` makes of everything recorded so far; waits for a push that is under way."""
        with self._turn:
            self._guarded(self._fold)
            page = tell([metric for source in self._sources for metric in source.metrics()])
            if self._pusher is None:
                self._delivered()
            return page

    def begin_in_child(self) -> None:
        """A forked child has its own name, no thread yet and nothing recorded; the connection is the parent's."""
        for source in self._sources:
            source.reset()
        if self._pusher is not None:
            self._pusher.close()
        given = self._given_instance
        self._begin(f"{given}:{os.getpid()}" if given else _random_instance())

    def end(self) -> None:
        """Deliver what there is before the process ends."""
        if not self.stopped:
            self.flush(TIMEOUT_S)

    def _begin(self, instance: str) -> None:
        self._resource = resource_attributes(self._service, instance)
        self._turn = threading.Lock()
        self._wake = threading.Event()
        self._failures = 0
        if not self.stopped:
            thread = threading.Thread(target=self._run, args=(self._wake,), name="sanso-sdk", daemon=True)
            with suppress(RuntimeError):  # a process that may have no more threads still pushes when it ends
                thread.start()

    def _run(self, wake: threading.Event) -> None:
        push_at = time.monotonic() + self._interval
        pause = self._interval
        while not wake.wait(min(pause, max(push_at - time.monotonic(), 0))) and not self.stopped:
            with self._turn:
                pause = self._interval / 10 if self._guarded(self._fold) > _BUSY else self._interval
                if time.monotonic() >= push_at:
                    self._guarded(lambda: self._push(TIMEOUT_S))
                    push_at = time.monotonic() + self._silence()

    def _silence(self) -> float:
        """Seconds to the next push: a server that is away is asked less and less often."""
        return max(self._interval, min(self._interval * 2.0**self._failures, _LONGEST_SILENCE_S))

    def _guarded(self, step: Callable[[], int]) -> int:
        """A step that must not raise: neither into the application nor out of the thread that goes on recording."""
        try:
            return step()
        except Exception:  # noqa: BLE001 - a mistake of ours must cost a push, not the application
            self._failures = min(self._failures + 1, 10)
            return 0

    def _fold(self) -> int:
        return max(source.fold() for source in self._sources)

    def _push(self, timeout: float) -> bool:
        if self._pusher is None:
            return True
        # Two pushes of one millisecond would be one row to the server, and the second one's values lost.
        self._time_ns = max(time.time_ns(), self._time_ns + 1_000_000)
        metrics = [metric for source in self._sources for metric in source.metrics()]
        body = encode_request(self._resource, __version__, metrics, self._time_ns)
        delivered = self._pusher.send(body, timeout)
        self._failures = 0 if delivered else min(self._failures + 1, 10)
        if delivered:
            self._delivered()
        return delivered

    def _delivered(self) -> None:
        for source in self._sources:
            source.delivered()


def _random_instance() -> str:
    return f"{os.getpid()}-{os.urandom(4).hex()}"
