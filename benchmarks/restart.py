"""Start with 24 h of 1,000 series at 1 s held: from a cold process to a ready server, and the store alone.

The store is made by writing rows as the monitor does, values as a node_exporter has them. It is opened sealed, and with
the longest log that is not sealed yet. `python benchmarks/restart.py [HOURS]` (24).
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from harness.recorded import Recorded
from harness.servers import serving
from sanso.model.frame import Columns, Row
from sanso.model.matchers import Matcher
from sanso.store.store import Store

SERIES, HEAD_ROWS = 1_000, 600
FOREVER_MS = 100 * 365 * 86_400_000


def fill(data: Path, seconds: int, *, prune_every: int = 60) -> None:
    """A store of so many seconds, the last head as long as it may be."""
    recorded = Recorded.load().wide(SERIES)
    columns = Columns(tuple(recorded.labels))
    store = Store.open(data, retention_ms=FOREVER_MS, head_rows=HEAD_ROWS)
    start = int(time.time() * 1000) - seconds * 1000
    began = time.perf_counter()
    for time_ms, values in recorded.rows(seconds - seconds % HEAD_ROWS - 1, start):
        store.append("host", time_ms, Row(columns, values))
        store.commit()
        if (time_ms - start) // 1000 % prune_every == 0:
            store.prune(time_ms)
    took = time.perf_counter() - began
    stats = store.stats()
    store.close()
    print(
        f"made: {stats.samples:,} samples, {stats.bytes / 2**20:.1f} MiB, {took / seconds * 1e6:.0f} us a row of 1,000"
    )


def opened(data: Path) -> None:
    """Print how long the store takes to open."""
    took = []
    for _ in range(5):
        began = time.perf_counter()
        store = Store.open(data, retention_ms=FOREVER_MS, head_rows=HEAD_ROWS)
        took.append(time.perf_counter() - began)
        (frame, *_) = store.select([Matcher("__name__", "=", "node_load1")], 0, 1 << 60)
        store.close()
    print(f"store open: {min(took) * 1000:.0f} ms, of {len(frame.timeline):,} rows")


def started(folder: Path) -> None:
    """Print how long a server takes until it is ready, and what it weighs then."""
    for _ in range(3):
        began = time.perf_counter()
        with serving("sanso", folder) as server:
            print(f"ready after {time.perf_counter() - began:.2f} s, {server.pss_mb():.0f} MB PSS")
            time.sleep(2)


def main() -> None:
    """Print the figures."""
    seconds = round(float(sys.argv[1]) * 3600) if len(sys.argv) > 1 else 86_400
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = folder / "sanso"
        fill(data, seconds)
        print("with the longest log:")
        opened(data)
        started(folder)
        store = Store.open(data, retention_ms=FOREVER_MS)
        store.seal()
        store.close()
        print("sealed:")
        opened(data)
        started(folder)


if __name__ == "__main__":
    main()
