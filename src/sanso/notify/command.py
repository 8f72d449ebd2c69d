"""A program, called with the alert in its environment and on its standard input; no shell."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from typing import Any

from sanso.model.errors import NotifyError
from sanso.notify.base import Notification

TYPE = "command"
KEYS: dict[str, type] = {"command": list, "timeout": float}


class CommandNotifier:
    """Runs an argument vector."""

    def __init__(self, command: Sequence[str], timeout_s: float = 30.0) -> None:
        self.name = f"command {command[0]}"
        self._command = list(command)
        self._timeout_s = timeout_s

    def send(self, notification: Notification) -> None:
        """Run it and wait."""
        fields = notification.fields()
        given = {f"SANSO_ALERT_{key.upper()}": str(value) for key, value in fields.items() if key != "labels"}
        try:
            done = subprocess.run(
                self._command,
                input=json.dumps(fields, ensure_ascii=False).encode(),
                env={**os.environ, **given},
                capture_output=True,
                timeout=self._timeout_s,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotifyError(f"{self._command[0]}: {error}") from error
        if done.returncode:
            last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise NotifyError(f"{self._command[0]} ended with {done.returncode}: {last}")


def build(settings: dict[str, Any]) -> CommandNotifier:
    """From an alert file."""
    return CommandNotifier(settings["command"], float(settings.get("timeout", 30.0)))
