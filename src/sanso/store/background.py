"""The thread that does a store's upkeep: it encodes and merges beside the writer, and takes short turns of his."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from sanso.store.pace import Pace

_log = logging.getLogger(__name__)
_REST_S = 0.004
"""About as long as a slice takes: half of one core is left to everybody else, and all of the others."""


class _StopError(Exception):
    """The store is closed while something is half done: the next start clears it away."""


class Background(Pace):
    """Works whenever it is woken.

    Args:
        work: What to do, with this as its pace.
        hurried: Whether there is too much to do for resting between slices.
    """

    def __init__(self, work: Callable[[Pace], None], hurried: Callable[[], bool]) -> None:
        self._work = work
        self._hurried = hurried
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sanso-upkeep", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it will still do what it is woken for."""
        return self._thread.is_alive() and not self._stopping.is_set()

    def wake(self) -> None:
        """There is something to do."""
        self._woken.set()

    def rest(self) -> None:
        """Let others run; ends the work where the store is being closed."""
        if not self._hurried():
            self._stopping.wait(_REST_S)
        if self._stopping.is_set():
            raise _StopError

    def stop(self) -> None:
        """End soon, and wait for that."""
        self._stopping.set()
        self._woken.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._woken.wait()
            self._woken.clear()
            if self._stopping.is_set():
                return
            try:
                self._work(self)
            except _StopError:
                return
            except Exception:  # noqa: BLE001 - the edge: what failed is tried again, rows are logged all the same
                _log.exception("upkeep of the history failed; it is tried again")
