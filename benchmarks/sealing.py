"""How long a writer is held up while its rows are sealed, merged and made coarse, and what that costs.

The recording of a node_exporter, made so wide, is written a row at a time and committed, a million samples a second:
many times what a machine of that many series brings. Printed: the median and longest wall time of one append and
commit (the first row, which brings the series, apart), the longest of a prune, samples a second of CPU (all of it:
writing, sealing, merging; and encoding alone), and the memory in the end.
`python benchmarks/sealing.py [SERIES ...]` (1000 10000 50000).
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from harness.recorded import Recorded
from sanso.model.frame import Columns, Row
from sanso.store.blocks import encode
from sanso.store.store import Store

CELLS = 15_000_000
ENCODED_ROWS = 600
SAMPLES_A_SECOND = 1_000_000
PRUNES = 20
RETENTION_MS, COARSE_MS = 200_000, 86_400_000


def encoding(recorded: Recorded) -> float:
    """Samples of the recording encoded in a second of CPU."""
    times = recorded.times[:ENCODED_ROWS]
    values = np.ascontiguousarray(recorded.values[:ENCODED_ROWS].T)
    took = []
    for _ in range(5):
        began = time.process_time()
        encode(times, range(len(values)), values)
        took.append(time.process_time() - began)
    return values.size / statistics.median(took)


def resident() -> float:
    """MiB of memory this process has."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096 / 2**20


def measured(recorded: Recorded, series: int, folder: Path) -> None:
    """Write, and print a line."""
    wide = recorded.wide(series)
    columns = Columns(tuple(wide.labels))
    count = CELLS // series
    tiers = {60_000: COARSE_MS}
    store = Store.open(folder, retention_ms=RETENTION_MS, tiers=tiers)
    store.tend_beside()
    rows, prunes = [], []
    made, source = 0.0, wide.rows(count, 1_700_000_000_000)
    cpu, began = time.process_time(), time.perf_counter()
    for number in range(count):
        before = time.thread_time()
        time_ms, values = next(source)
        made += time.thread_time() - before
        start = time.perf_counter()
        store.append("f", time_ms, Row(columns, values))
        store.commit()
        rows.append(time.perf_counter() - start)
        if number % (count // PRUNES) == 0:
            start = time.perf_counter()
            store.prune(time_ms)
            prunes.append(time.perf_counter() - start)
        time.sleep(max(began + number * series / SAMPLES_A_SECOND - time.perf_counter(), 0))
    memory = resident()
    store.close()
    cpu = time.process_time() - cpu - made
    first, *ordered = rows[:1] + sorted(rows[1:])
    print(
        f"{series:6,} series x {count:5,} rows: row median {statistics.median(rows) * 1000:6.2f} ms, "
        f"99th {ordered[len(ordered) * 99 // 100] * 1000:6.1f} ms, longest {ordered[-1] * 1000:7.1f} ms, "
        f"the first, of new series, {first * 1000:6.1f} ms; "
        f"longest prune {max(prunes) * 1000:7.1f} ms; {series * count / cpu / 1e6:4.2f} M samples/s of CPU; "
        f"{memory:.0f} MiB",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    recorded = Recorded.load()
    print(f"encoding alone: {encoding(recorded) / 1e6:.1f} M samples a second of CPU")
    for series in [int(each) for each in sys.argv[1:]] or [1_000, 10_000, 50_000]:
        with tempfile.TemporaryDirectory() as folder:
            measured(recorded, series, Path(folder))


if __name__ == "__main__":
    main()
