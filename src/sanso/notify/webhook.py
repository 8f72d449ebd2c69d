"""A POST of JSON: our fields, and the shape that Alertmanager's receivers know."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sanso.model.errors import NotifyError
from sanso.notify.base import Notification

TYPE = "webhook"
KEYS: dict[str, type] = {"url": str, "timeout": float}
_PAUSES_S = (0.5, 2.0)
"""Between the tries."""


class WebhookNotifier:
    """Tries three times."""

    def __init__(self, url: str, timeout_s: float = 5.0, sleep: Callable[[float], None] = time.sleep) -> None:
        self.name = f"webhook {url}"
        self._url = url
        self._timeout_s = timeout_s
        self._sleep = sleep

    def send(self, notification: Notification) -> None:
        """Post until it is taken."""
        body = json.dumps(payload(notification), ensure_ascii=False).encode()
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})
        for pause in (*_PAUSES_S, None):
            try:
                with urllib.request.urlopen(request, timeout=self._timeout_s):
                    return
            except urllib.error.HTTPError as error:
                error.close()
                problem = f"answered {error.code}"
                if error.code < 500 and error.code != 429:
                    break
            except OSError as error:
                problem = str(getattr(error, "reason", error))
            if pause is not None:
                self._sleep(pause)
        raise NotifyError(f"{self._url}: {problem}")


def payload(notification: Notification) -> dict[str, Any]:
    """What is posted."""
    moment = datetime.fromtimestamp(notification.timestamp, UTC).isoformat()
    labels = {"alertname": notification.name, "severity": notification.level.value, **dict(notification.labels)}
    alert = {
        "status": notification.state,
        "labels": labels,
        "annotations": {"summary": notification.message},
        "startsAt": moment,
    }
    return {"version": "4", "status": notification.state, "alerts": [alert], **notification.fields()}


def build(settings: dict[str, Any]) -> WebhookNotifier:
    """From an alert file."""
    return WebhookNotifier(settings["url"], float(settings.get("timeout", 5.0)))
