"""Heavy questions while a machine is watched: how many ticks of the sampling are missed, and how slow sources get.

One Sanso that watches this machine once a second is asked heavy range questions by several askers at once.
`python benchmarks/ticks.py [SECONDS] [ASKERS]` (20, 4).
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import numpy as np

from harness.remote_write import requests, send
from harness.servers import Server, free_port, get, get_json
from sanso.model.labels import series_of

SERIES, SAMPLES = 5_000, 300
HEAVY = (
    "quantile by (code) (0.99, rate(x[1m]))",
    "max_over_time(x[5m])",
    "topk(5, x * on (path) group_left rate(x[2m]))",
)


@contextlib.contextmanager
def watching(data: Path) -> Iterator[Server]:
    """A Sanso that watches this machine."""
    (data / "sanso.toml").write_text('otlp_listen = ""\n', "utf-8")
    address = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "sanso", "serve", "--quiet", "--config", str(data / "sanso.toml")]
    with subprocess.Popen([*command, "--data", str(data), "--listen", address]) as child:
        try:
            server = Server("sanso", child.pid, f"http://{address}", data)
            for _ in range(100):
                with contextlib.suppress(OSError):
                    get(server, "/-/ready")
                    break
                time.sleep(0.1)
            yield server
        finally:
            child.terminate()
            child.wait(timeout=60)


def fill(server: Server, now_ms: int) -> None:
    labels = [series_of("x", code=str(n % 5), path=f"/v1/things/{n}") for n in range(SERIES)]
    times = [now_ms - (SAMPLES - 1 - row) * 1000 for row in range(SAMPLES)]
    values = np.cumsum(np.random.default_rng(3).integers(0, 100, (SERIES, SAMPLES)), axis=1).astype(float)
    send(server, requests(labels, times, values))


def hammer(server: Server, now_ms: int, until: float, counts: list[int]) -> None:
    window = {"start": now_ms / 1000 - 240, "end": now_ms / 1000 - 3, "step": "3"}
    asked = 0
    while time.monotonic() < until:
        get(server, "/api/v1/query_range?" + urlencode({"query": HEAVY[asked % len(HEAVY)], **window}))
        asked += 1
    counts.append(asked)


def value(server: Server, expr: str) -> float:
    return float(get_json(server, "/api/v1/query?" + urlencode({"query": expr}))["data"]["result"][0]["value"][1])


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    askers = int(sys.argv[2]) if len(sys.argv) > 2 else 4
    with tempfile.TemporaryDirectory() as folder, watching(Path(folder)) as server:
        now_ms = int(time.time() * 1000)
        fill(server, now_ms)
        time.sleep(2)
        before = value(server, "sanso_ticks_missed_total")
        counts: list[int] = []
        until = time.monotonic() + seconds
        threads = [threading.Thread(target=hammer, args=(server, now_ms, until, counts)) for _ in range(askers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        time.sleep(2)
        window = f"{int(seconds)}s"
        rows = value(server, f"count_over_time(node_load1[{window}] offset 2s)")
        slowest = value(server, f"max(max_over_time(sanso_source_duration_seconds[{window}] offset 2s))")
        missed = value(server, "sanso_ticks_missed_total") - before
        print(f"{sum(counts)} heavy questions by {askers} askers in {seconds:.0f} s: {missed:.0f} ticks missed,")
        print(
            f"{rows:.0f} of {int(seconds)} rows of the host are there, the slowest source took {slowest * 1000:.0f} ms"
        )


if __name__ == "__main__":
    main()
