"""Containers that come and go: days of 1,000 series of which a tenth is replaced every hour, in minutes.

Rows carry a clock of their own, and upkeep runs each minute of it, as the monitor does. Printed every six hours: memory
of the process, what the catalogue, the heads and each table hold, and what a row cost. Nothing may grow once the
retention (12 h raw, 24 h and 48 h coarse) is reached. `python benchmarks/churn.py [DAYS]` (4).
"""

from __future__ import annotations

import contextlib
import gc
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from sanso.model.clock import FixedClock
from sanso.model.frame import Columns, Row
from sanso.model.labels import Labels, series_of
from sanso.model.matchers import Matcher
from sanso.store.schema import FILE
from sanso.store.store import Store

SERIES, STEP_S, REPLACED_AN_HOUR = 1_000, 15, 100
HOUR_MS = 3_600_000
TIERS = {60_000: 24 * HOUR_MS, 600_000: 48 * HOUR_MS}
TABLES = ("frames", "series", "packs", "layouts", "log", "blocks", "pieces", "families", "states", "tombstones")


class Pods:
    """Series of pods, of which some are replaced now and then."""

    def __init__(self) -> None:
        self._next = 0
        self._labels = [self._fresh() for _ in range(SERIES)]
        self.columns = Columns(tuple(self._labels))
        self._due = 0.0

    def _fresh(self) -> Labels:
        self._next += 1
        return series_of("container_cpu_usage_seconds_total", namespace="shop", pod=f"pod-{self._next:08d}")

    def live(self, seconds: float) -> None:
        """Let time pass: whoever is due is replaced."""
        self._due += seconds * REPLACED_AN_HOUR / 3600
        if self._due >= 1:
            for _ in range(int(self._due)):
                del self._labels[0]
                self._labels.append(self._fresh())
            self._due %= 1
            self.columns = Columns(tuple(self._labels))


def tables(data: Path) -> str:
    """Rows of each table."""
    with contextlib.closing(sqlite3.connect(data / FILE)) as connection:
        held = ((name, connection.execute(f"select count(*) from {name}").fetchone()[0]) for name in TABLES)
        return " ".join(f"{name} {rows}" for name, rows in held if rows)


def main() -> None:
    """Print the figures."""
    days = float(sys.argv[1]) if len(sys.argv) > 1 else 4
    process, clock, pods = psutil.Process(), FixedClock(1_700_000_000_000), Pods()
    totals, random = np.zeros(SERIES), np.random.default_rng(1)
    end = clock.now_ms() + round(days * 24) * HOUR_MS
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        store = Store.open(data, retention_ms=12 * HOUR_MS, tiers=TIERS)
        spent, rows = 0.0, 0
        while clock.now_ms() < end:
            clock.advance(STEP_S)
            pods.live(STEP_S)
            totals += random.integers(0, 15, SERIES) / 10
            began = time.process_time()
            store.append("cadvisor", clock.now_ms(), Row(pods.columns, totals.copy()))
            store.append("pushed", clock.now_ms(), Row(pods.columns, totals.copy()), complete=False)
            store.commit()
            if clock.now_ms() % 60_000 < STEP_S * 1000:
                store.prune(clock.now_ms())
            spent += time.process_time() - began
            rows += 1
            if clock.now_ms() % (6 * HOUR_MS) < STEP_S * 1000:
                store.select([Matcher("__name__", "=~", "container.*")], clock.now_ms() - HOUR_MS, clock.now_ms())
                gc.collect()
                stats = store.stats()
                hours = days * 24 - (end - clock.now_ms()) / HOUR_MS
                print(
                    f"{hours:5.0f} h  {process.memory_info().rss / 2**20:4.0f} MB  {spent / rows * 1e6:4.0f} us a row  "
                    f"series {stats.series}  file {stats.bytes / 2**20:.1f} MiB  {tables(data)}",
                    flush=True,
                )
                spent, rows = 0.0, 0
        store.close()


if __name__ == "__main__":
    main()
