"""One line on standard error."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any, TextIO

from sanso.model.status import AlertLevel
from sanso.notify.base import Notification

TYPE = "console"
KEYS: dict[str, type] = {}
_COLOURS = {AlertLevel.INFO: "36", AlertLevel.WARNING: "33", AlertLevel.CRITICAL: "31"}


class ConsoleNotifier:
    """Writes to a stream, in colour where it is a terminal."""

    name = "console"

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def send(self, notification: Notification) -> None:
        """Write a line."""
        stream = self._stream or sys.stderr
        moment = datetime.fromtimestamp(notification.timestamp).astimezone().isoformat(timespec="seconds")
        text = f"{moment} {notification.text()}"
        colour = "32" if notification.state == "resolved" else _COLOURS[notification.level]
        stream.write(f"\x1b[{colour}m{text}\x1b[0m\n" if stream.isatty() else f"{text}\n")
        stream.flush()


def build(_: dict[str, Any]) -> ConsoleNotifier:
    """From an alert file."""
    return ConsoleNotifier()
