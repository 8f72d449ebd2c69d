"""Apprise URLs: a hundred services, where the extra `apprise` is installed."""

from __future__ import annotations

from typing import Any

from sanso.model.errors import NotifyError
from sanso.model.status import AlertLevel
from sanso.notify.base import Notification

TYPE = "apprise"
KEYS: dict[str, type] = {"url": str}
_KINDS = {AlertLevel.INFO: "info", AlertLevel.WARNING: "warning", AlertLevel.CRITICAL: "failure"}


class AppriseNotifier:
    """One Apprise URL."""

    def __init__(self, url: str) -> None:
        self.name = f"apprise {url.partition(':')[0]}"
        self._url = url

    def send(self, notification: Notification) -> None:
        """Hand it to Apprise."""
        try:
            import apprise
        except ImportError as error:
            raise NotifyError("Apprise is not installed: pip install 'sanso[apprise]'") from error
        places = apprise.Apprise()
        if not places.add(self._url):
            raise NotifyError(f"{self.name}: Apprise does not know this URL")
        kind = "success" if notification.state == "resolved" else _KINDS[notification.level]
        if not places.notify(title=notification.name, body=notification.text(), notify_type=kind):
            raise NotifyError(f"{self.name}: not delivered")


def build(settings: dict[str, Any]) -> AppriseNotifier:
    """From an alert file."""
    return AppriseNotifier(settings["url"])
