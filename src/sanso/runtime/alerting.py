"""Judging an alert file outside a server: on a running server's answers, or on this machine itself."""

from __future__ import annotations

from types import TracebackType

from sanso.client.base import Client
from sanso.client.http import HttpClient
from sanso.model.clock import Clock, SystemClock
from sanso.model.control import QueryControl
from sanso.model.series import Answer, Edge
from sanso.notify.build import handler_from
from sanso.notify.console import ConsoleNotifier
from sanso.notify.dispatcher import Dispatcher
from sanso.rules.evaluator import RuleEvaluator
from sanso.rules.file import AlertFile
from sanso.runtime.attach import running_server
from sanso.runtime.config import Config
from sanso.runtime.monitor import Alerting, Monitor
from sanso.sources.host import host_sources
from sanso.store.store import Store

_KEEP_MS = 600_000


class _ClientEngine:
    """A client as an engine: rules ask a server as they ask this process."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def instant(
        self,
        expr: str,
        at_ms: int,
        control: QueryControl | None = None,  # noqa: ARG002 - the client has limits
        *,
        edge: Edge = "inside",  # noqa: ARG002 - rules judge values
    ) -> Answer:
        return self._client.query(expr, at_ms)

    def range(
        self,
        expr: str,
        start_ms: int,
        end_ms: int,
        step_ms: int,
        control: QueryControl | None = None,  # noqa: ARG002
        *,
        edge: Edge = "inside",  # noqa: ARG002
    ) -> Answer:
        return self._client.query_range(expr, start_ms, end_ms, step_ms)


class _MemoryKeeper:
    """State for as long as the command runs."""

    def __init__(self) -> None:
        self._states: dict[str, bytes] = {}

    def load_state(self, key: str) -> bytes | None:
        return self._states.get(key)

    def save_state(self, key: str, value: bytes) -> None:
        self._states[key] = value


class AlertRunner:
    """Judges an alert file once a `tick`; alerts go to its handlers, without any to the console.

    Attributes:
        rules: What is judged.
        where: On whose figures.
    """

    def __init__(self, file: AlertFile, url: str = "", clock: Clock | None = None) -> None:
        self.rules = file.rules
        self._clock = clock or SystemClock()
        handlers = [handler_from(settings) for settings in file.handlers] or [ConsoleNotifier()]
        self._dispatcher = Dispatcher(handlers)
        self._server: HttpClient | None = running_server(Config(), url)
        self._monitor: Monitor | None = None
        if self._server is None:
            store = Store.in_memory(retention_ms=_KEEP_MS)
            alerting = Alerting(file.rules, self._dispatcher)
            self._monitor = Monitor(Config(), store, self._clock, sources=host_sources(), alerting=alerting)
            self.where = "this machine"
        else:
            self.where = self._server.where
            engine = _ClientEngine(self._server)
            self._evaluator = RuleEvaluator(file.rules, engine, _MemoryKeeper(), self._dispatcher.send)

    def tick(self) -> None:
        """Judge every rule once."""
        now = self._clock.now_ms()
        if self._monitor is not None:
            self._monitor.tick(now)
        else:
            self._evaluator.evaluate(now)

    def close(self) -> None:
        """Deliver what waits."""
        if self._monitor is not None:
            self._monitor.close()
        else:
            self._dispatcher.close()
        if self._server is not None:
            self._server.close()

    def __enter__(self) -> AlertRunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
