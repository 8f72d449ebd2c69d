"""Native histograms: the questions of a dashboard of latencies, of Sanso and of Prometheus in one run.

20 series of about 100 buckets (schema 5, as our sdk has them), a sample a second, sent to both by the same requests:
milliseconds and CPU a question over HTTP. `python benchmarks/native_histograms.py [QUESTIONS]` (60).
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

import cramjam
import numpy as np

from harness.remote_write import send
from harness.servers import Server, asked_ms, get_json, installed, serving
from sanso.model.labels import Labels, series_of
from sanso.sources.remote_write_schema import request_class

SERIES, BUCKETS, ROWS = 20, 100, 300
INSTANT = {
    "p99 of all": "histogram_quantile(0.99, sum(rate(latency_seconds[1m])))",
    "p99 by route": "histogram_quantile(0.99, sum by (route) (rate(latency_seconds[1m])))",
    "requests a second": "sum(histogram_count(rate(latency_seconds[1m])))",
}
RANGE = {"p99 over 2 minutes, 120 steps": INSTANT["p99 of all"]}


def labels() -> list[Labels]:
    return [series_of("latency_seconds", instance=f"h{n}", route=f"/r{n % 5}") for n in range(SERIES)]


def requests(now_ms: int) -> list[bytes]:
    """One a minute of samples."""
    dice = np.random.default_rng(1)
    counts = np.cumsum(dice.integers(0, 4, (SERIES, ROWS, BUCKETS)), axis=1)
    counts[:, :, 0] += 1
    first = dice.integers(-160, -140, SERIES)
    bodies = []
    for begin in range(0, ROWS, 60):
        message = request_class("v1")()
        for number, series in enumerate(labels()):
            added = message.timeseries.add()
            for name, text in series:
                added.labels.add(name=name, value=text)
            for row in range(begin, begin + 60):
                own = counts[number, row]
                histogram = added.histograms.add(
                    count_int=int(own.sum()), sum=float(own.sum()) * 0.08, schema=5, zero_threshold=1e-9,
                    timestamp=now_ms - (ROWS - 1 - row) * 1000,
                )  # fmt: skip
                histogram.positive_spans.add(offset=int(first[number]), length=BUCKETS)
                histogram.positive_deltas.extend(np.diff(own, prepend=0).tolist())
        bodies.append(bytes(cramjam.snappy.compress_raw(message.SerializeToString())))
    return bodies


def measured(server: Server, bodies: list[bytes], now_s: float, repeats: int) -> dict[str, tuple[float, float, object]]:
    """Milliseconds and CPU milliseconds a question, and the answer's last value."""
    send(server, bodies)
    found = {}
    for name, expr in {**INSTANT, **RANGE}.items():
        when = {"start": now_s - 119, "end": now_s, "step": 1} if name in RANGE else {"time": now_s}
        path = f"/api/v1/query{'_range' if name in RANGE else ''}?" + urlencode({"query": expr, **when})
        taken, cpu, _ = asked_ms(server, path, repeats)
        result = get_json(server, path)["data"]["result"]
        found[name] = taken, cpu, (result[-1].get("value") or result[-1]["values"][-1])[1]
    return found


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    now_ms = int(time.time() * 1000) // 1000 * 1000
    bodies, reference = requests(now_ms), {}
    for name in installed():
        if name.startswith("victoria"):
            continue  # has no native histograms
        features = () if name == "sanso" else ("--enable-feature=native-histograms",)
        with tempfile.TemporaryDirectory() as folder, serving(name, Path(folder), more=features) as server:
            for question, (taken, cpu, value) in measured(server, bodies, now_ms / 1000 + 0.3, repeats).items():
                ours = reference.setdefault(question, (taken, cpu))
                ratio = (
                    ""
                    if name == "sanso"
                    else f"  {taken / ours[0]:5.1f} × Sanso's time, {cpu / ours[1]:5.1f} × its CPU"
                )
                print(f"{name:<16} {question:<30} {taken:8.2f} ms {cpu:8.2f} ms CPU  = {value}{ratio}")


if __name__ == "__main__":
    main()
