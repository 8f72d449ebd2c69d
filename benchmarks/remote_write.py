"""Remote write: samples taken a CPU-second, 1,000 series a request, beside VictoriaMetrics and Prometheus.

Requests are made before the clock starts; the same bytes go to each server in turn, and its CPU is read from /proc
after what it had taken is settled. `python benchmarks/remote_write.py [REQUESTS]` (600).
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import cramjam
import numpy as np

from harness.remote_write import send
from harness.servers import installed, serving
from sanso.sources.remote_write_schema import request_class

SERIES, SENDERS = 1_000, 5


def requests(count: int) -> list[bytes]:
    """Requests of SENDERS senders in turn, 1,000 series each; values as counters and gauges have them."""
    random = np.random.default_rng(1)
    message = request_class("v1")()
    made = []
    start = int(time.time() * 1000) - count * 200
    templates = []
    for sender in range(SENDERS):
        built = request_class("v1")()
        for number in range(SERIES):
            series = built.timeseries.add()
            name = "node_cpu_seconds_total" if number % 2 else "go_memstats_alloc_bytes"
            labels = {"__name__": name, "cpu": str(number), "instance": f"host-{sender}:9100", "job": "node"}
            for key in sorted(labels):
                series.labels.add(name=key, value=labels[key])
            series.samples.add()
        templates.append(built)
    totals = np.zeros((SENDERS, SERIES))
    for index in range(count):
        sender = index % SENDERS
        totals[sender] += random.integers(0, 1000, SERIES)
        message = templates[sender]
        for number, series in enumerate(message.timeseries):
            series.samples[0].value = totals[sender, number] / 100
            series.samples[0].timestamp = start + (index // SENDERS) * 1000
        made.append(bytes(cramjam.snappy.compress_raw(message.SerializeToString())))
    return made


def main() -> None:
    """Print samples a CPU-second of each, and how many times Sanso's share is theirs."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    bodies = requests(count)
    rates: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in installed():
            with serving(name, Path(folder)) as server:
                send(server, bodies[: 2 * SENDERS])
                before, began = server.cpu_seconds(), time.perf_counter()
                send(server, bodies[2 * SENDERS :])
                wall = time.perf_counter() - began
                time.sleep(3)  # what it does of it in the background is its cost too
                cost = server.cpu_seconds() - before
                rates[name] = (count - 2 * SENDERS) * SERIES / cost
                print(
                    f"{name:18} {rates[name]:12,.0f} samples/CPU-second   wall {wall:.2f} s   {server.pss_mb():.0f} MB"
                )
    for name in rates:
        if name != "sanso":
            print(f"sanso / {name}: {rates['sanso'] / rates[name]:.2f}")


if __name__ == "__main__":
    main()
