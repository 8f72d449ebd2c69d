"""Delivery off the evaluating thread: a bounded queue, and one thread that empties it."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Sequence

from sanso.model.errors import NotifyError
from sanso.notify.base import Notification, Notifier

_log = logging.getLogger(__name__)
_MOST_WAITING = 1000
_GRACE_S = 5.0


class Dispatcher:
    """Gives each notification to every notifier.

    Attributes:
        dropped: Notifications given up because too many waited.
    """

    def __init__(self, notifiers: Sequence[Notifier]) -> None:
        self.dropped = 0
        self._notifiers = list(notifiers)
        self._failing: set[str] = set()
        self._waiting: queue.Queue[Notification | None] = queue.Queue(_MOST_WAITING)
        self._thread: threading.Thread | None = None

    def send(self, notification: Notification) -> None:
        """Queue it; never blocks."""
        if not self._notifiers:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="sanso-notify", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(notification)
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Deliver what waits, within a few seconds."""
        if self._thread is not None:
            try:
                self._waiting.put(None, timeout=_GRACE_S)
            except queue.Full:
                return
            self._thread.join(_GRACE_S)

    def _run(self) -> None:
        while (notification := self._waiting.get()) is not None:
            for notifier in self._notifiers:
                self._deliver(notifier, notification)

    def _deliver(self, notifier: Notifier, notification: Notification) -> None:
        try:
            notifier.send(notification)
        except NotifyError as error:
            self._failed(notifier, str(error))
        except Exception as error:  # noqa: BLE001 - the edge: somebody's callable must not end all notification
            self._failed(notifier, f"{type(error).__name__}: {error}")
        else:
            if notifier.name in self._failing:
                self._failing.discard(notifier.name)
                _log.warning("%s works again", notifier.name)

    def _failed(self, notifier: Notifier, problem: str) -> None:
        if notifier.name not in self._failing:
            self._failing.add(notifier.name)
            _log.warning("%s failed: %s", notifier.name, problem)
