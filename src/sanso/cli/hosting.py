"""A monitor with its doors: the HTTP API and the second OTLP port, in this process."""

from __future__ import annotations

import errno
import logging
import os
import socket
from collections.abc import Callable, Sequence
from types import TracebackType

from sanso.cli.reloading import Reloader, alerting_of
from sanso.cli.services import services_of
from sanso.model.clock import Clock, SystemClock
from sanso.model.errors import StoreError
from sanso.runtime.config import Config, split_address
from sanso.runtime.monitor import Monitor
from sanso.sources.base import Source
from sanso.sources.host import host_sources
from sanso.sources.self_process import SelfProcess
from sanso.store.store import Store
from sanso.web.app import create_app, create_otlp_app
from sanso.web.pool import QueryPool
from sanso.web.server import Server
from sanso.web.services import Services

_log = logging.getLogger("sanso")


class Hosting:
    """A running monitor and its servers; closing ends both.

    Attributes:
        monitor: What watches.
        url: Where the API answers; empty where its port was taken.
        reloader: Reads the configuration again.
    """

    def __init__(
        self, monitor: Monitor, servers: Sequence[Server], url: str, pool: QueryPool, reloader: Reloader
    ) -> None:
        self.monitor = monitor
        self.reloader = reloader
        self.url = url
        self._servers = servers
        self._pool = pool

    @classmethod
    def open(
        cls,
        config: Config,
        *,
        must_listen: bool,
        clock: Clock | None = None,
        reread: Callable[[], Config] | None = None,
    ) -> Hosting:
        """Open the store, bind the ports, begin to watch.

        Args:
            config: What to do.
            must_listen: A taken API port is an error (`serve`); else it is a notice, and the rest goes on (`top`).
            clock: What the time is.
            reread: Reads the configuration again, for a reload.

        Raises:
            StoreBusyError: Another process holds the data directory.
            StoreError: The API's port is taken, and must not be.
            ConfigError: An alert file is wrong.
        """
        clock = clock or SystemClock()
        alerting = alerting_of(config)
        store = Store.open(
            config.data,
            retention_ms=config.retention_ms,
            max_bytes=config.retention_bytes,
            late_ms=config.late_ms,
            tiers=config.tiers_ms,
        )
        store.tend_beside()
        try:
            sockets, notices = _bind(config, must_listen=must_listen)
        except StoreError:
            store.close()
            raise
        sources: list[Source] = [*host_sources()] if config.collect_host else []
        monitor = Monitor(config, store, clock, sources=[*sources, SelfProcess()], alerting=alerting)
        monitor.notices.extend(notices)
        url = _url(sockets["api"]) if "api" in sockets else ""
        if store.lock is not None:
            store.lock.set_url(url)
        pool = QueryPool(config.query.threads)
        reloader = Reloader(monitor, reread or (lambda: config))
        servers = _serve(services_of(monitor, pool, reloader), sockets)
        monitor.start()
        return cls(monitor, servers, url, pool, reloader)

    def close(self) -> None:
        """Stop answering, stop watching, close the store."""
        for server in self._servers:
            server.stop()
        self._pool.close()
        self.monitor.close()

    def __enter__(self) -> Hosting:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _bind(config: Config, *, must_listen: bool) -> tuple[dict[str, socket.socket], list[str]]:
    bound: dict[str, socket.socket] = {}
    notices: list[str] = []
    for name, address in (("api", config.listen), ("otlp", config.otlp_listen)):
        if not address:
            continue
        try:
            bound[name] = _listen(address)
        except OSError as error:
            problem = f"{address} cannot be listened on ({os.strerror(error.errno or errno.EADDRINUSE)})"
            if must_listen and name == "api":
                raise StoreError(f"{problem}: choose another with --listen, or ask who has it with --url") from error
            lost = "the API and pushes to it are off" if name == "api" else "push OTLP to the API's port instead"
            notices.append(f"{problem}; {lost}")
    return bound, notices


def _listen(address: str) -> socket.socket:
    host, port = split_address(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named TCP, or asyncio does not set TCP_NODELAY, and every answer to a kept connection waits 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _serve(services: Services, sockets: dict[str, socket.socket]) -> list[Server]:
    makers = {"api": create_app, "otlp": create_otlp_app}
    servers = [Server(makers[name](services), listener) for name, listener in sockets.items()]
    for server in servers:
        server.start()
    return servers
