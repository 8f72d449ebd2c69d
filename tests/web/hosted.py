"""The API over a monitor with a few known series, served for real on a free port."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from sanso.cli.services import services_of
from sanso.model.clock import FixedClock
from sanso.model.frame import ABSENT, Columns, Family, Row
from sanso.model.labels import series_of
from sanso.model.status import AlertLevel
from sanso.rules.rule import AlertRule
from sanso.runtime.config import Config
from sanso.runtime.monitor import Alerting, Monitor
from sanso.store.store import Store
from sanso.web.app import create_app
from sanso.web.pool import QueryPool
from sanso.web.server import Server

START = 1_790_000_000_000
COLUMNS = Columns(
    (
        series_of("up", job="a", instance='x"y\n'),
        series_of("up", job="b", instance="z"),
        series_of("jobs_total", job="a"),
        series_of("odd", kind="nan"),
        series_of("odd", kind="inf"),
        series_of("now_and_then"),
    )
)


def monitor(clock: FixedClock, ticks: int = 30) -> Monitor:
    """A monitor whose clock stands at the last of its ticks."""
    store = Store.in_memory(retention_ms=10**9)
    rule = AlertRule("Always", "up > 0", 0, AlertLevel.CRITICAL, "it is up", "up", ">", 0.0)
    watching = Monitor(Config(), store, clock, sources=[], alerting=Alerting([rule]))
    store.describe([Family("up", "gauge", "Whether it is up."), Family("jobs_total", "counter", "Jobs.", "")])
    for tick in range(ticks):
        clock.advance(1)
        cells = [1.0, 0.0, 2.0 * tick, np.nan, np.inf, float(tick) if tick % 2 else ABSENT]
        store.append("test", clock.now_ms(), Row(COLUMNS, np.array(cells)))
        watching.tick(clock.now_ms())
    return watching


@contextmanager
def hosted(**changed: Any) -> Iterator[tuple[Monitor, str]]:
    """The monitor, and where its API answers; `changed` is what the API is given instead."""
    with monitor(FixedClock(START)) as watching:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        pool = changed.pop("pool", None) or QueryPool(2)
        server = Server(create_app(replace(services_of(watching, pool), started_ms=START, **changed)), listener)
        server.start()
        try:
            yield watching, f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.stop()
            pool.close()
