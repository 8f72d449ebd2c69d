"""Any Python callable that takes a notification."""

from __future__ import annotations

from collections.abc import Callable

from sanso.notify.base import Notification


class CallableNotifier:
    """Calls it."""

    def __init__(self, function: Callable[[Notification], object]) -> None:
        self.name = getattr(function, "__name__", type(function).__name__)
        self._function = function

    def send(self, notification: Notification) -> None:
        """Call it; what it raises is its own."""
        self._function(notification)
