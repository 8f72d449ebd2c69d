"""Reading the configuration again while the monitor runs: targets and rules change, the rest waits for a restart."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from sanso.model.errors import SansoError
from sanso.notify.build import handler_from
from sanso.notify.dispatcher import Dispatcher
from sanso.rules.file import load_alert_file
from sanso.runtime.config import Config
from sanso.runtime.monitor import Alerting, Monitor
from sanso.vitals.catalog import expressions, load

_log = logging.getLogger("sanso")


def alerting_of(config: Config) -> Alerting:
    """Rules and handlers of the alert files.

    Raises:
        ConfigError: A file is wrong.
    """
    vitals = expressions(load())
    files = [load_alert_file(path, vitals) for path in config.rule_files]
    handlers = [handler_from(settings) for file in files for settings in file.handlers]
    notices = [notice for file in files for notice in file.notices]
    return Alerting([rule for file in files for rule in file.rules], Dispatcher(handlers), notices)


class Reloader:
    """Gives a monitor what its files say now; what is wrong leaves everything as it was, and is said.

    Args:
        monitor: Which.
        read: Reads the configuration.

    Attributes:
        loaded: When (ms) what holds was read, and whether the last attempt could be.
    """

    def __init__(self, monitor: Monitor, read: Callable[[], Config]) -> None:
        self._monitor = monitor
        self._read = read
        self.loaded = (monitor.clock.now_ms(), True)
        self._notice = ""
        self._lock = threading.Lock()

    def reload(self) -> str:
        """Read again; what is wrong with the files, or nothing."""
        with self._lock:
            try:
                config = self._read()
                alerting = alerting_of(config)
            except SansoError as error:
                self.loaded = (self.loaded[0], False)
                self._say(f"the configuration was not reloaded, the old one goes on: {error}")
                return str(error)
            alerting.dispatcher.close()  # handlers stay those of the start
            self._monitor.reload(config, alerting)
            self.loaded = (self._monitor.clock.now_ms(), True)
            self._say("")
            _log.info("the configuration was reloaded")
            for notice in (*config.notices, *alerting.notices):
                _log.warning("%s", notice)
            return ""

    def _say(self, notice: str) -> None:
        if self._notice in self._monitor.notices:
            self._monitor.notices.remove(self._notice)
        self._notice = notice
        if notice:
            self._monitor.notices.append(notice)
            _log.error("%s", notice)
