"""One JSON object a line, appended to a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sanso.model.errors import NotifyError
from sanso.notify.base import Notification

TYPE = "log"
KEYS: dict[str, type] = {"path": str}


class LogNotifier:
    """Opens the file anew each time, so that it may be rotated."""

    def __init__(self, path: Path) -> None:
        self.name = f"log {path}"
        self._path = path

    def send(self, notification: Notification) -> None:
        """Append a line."""
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(notification.fields(), ensure_ascii=False) + "\n")
        except OSError as error:
            raise NotifyError(f"{self._path}: {error.strerror}") from error


def build(settings: dict[str, Any]) -> LogNotifier:
    """From an alert file."""
    return LogNotifier(Path(settings["path"]).expanduser())
