"""Questions over HTTP beside VictoriaMetrics and Prometheus: 5,000 series x 300 samples x 80 steps, and raw samples.

The same samples are sent to each by remote write; then each question is asked over one kept connection, answers read
and not parsed, the median of several taken. VictoriaMetrics is told not to answer from its cache of earlier answers.
`python benchmarks/query.py [REPEATS]` (15).
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import numpy as np

from harness.remote_write import requests, send
from harness.servers import Server, asked_ms, get, get_json, installed, serving
from sanso.model.labels import Labels, series_of

SERIES, SAMPLES, STEPS = 5_000, 300, 80
HISTOGRAMS, BUCKETS = 500, 12
RAW_SERIES, RAW_SAMPLES = 100, 400
QUESTIONS = {
    "sum by (code) (rate(x[1m]))": "sum by (code) (rate(x[1m]))",
    "quantile by (code) (0.99, rate(x[1m]))": "quantile by (code) (0.99, rate(x[1m]))",
    "max_over_time(x[5m])": "max_over_time(x[5m])",
    "histogram_quantile(0.99, sum by (le) (rate(b[1m])))": "histogram_quantile(0.99, sum by (le) (rate(b_bucket[1m])))",
}


def recording(now_ms: int) -> tuple[list[Labels], list[int], np.ndarray]:
    """Counters x, buckets b, at 1 s until now."""
    dice = np.random.default_rng(3)
    times = [now_ms - (SAMPLES - 1 - row) * 1000 for row in range(SAMPLES)]
    codes = ("200", "201", "301", "404", "500")
    labels = [
        series_of("x", code=codes[n % 5], instance=f"host-{n % 50}:9100", path=f"/v1/things/{n}") for n in range(SERIES)
    ]
    counters = np.cumsum(dice.integers(0, 100, (SERIES, SAMPLES)), axis=1).astype(float)
    bounds = [*(f"{0.005 * 2**n:g}" for n in range(BUCKETS - 1)), "+Inf"]
    per_bucket = dice.integers(0, 5, (HISTOGRAMS, BUCKETS, SAMPLES))
    buckets = np.cumsum(np.cumsum(per_bucket, axis=1), axis=2).astype(float)
    labels += [series_of("b_bucket", handler=f"/h/{n}", le=bound) for n in range(HISTOGRAMS) for bound in bounds]
    return labels, times, np.concatenate([counters, buckets.reshape(-1, SAMPLES)])


def raw_recording(now_ms: int) -> tuple[list[Labels], list[int], np.ndarray]:
    """Gauges, to be read as they are."""
    dice = np.random.default_rng(4)
    labels = [series_of("raw", path=f"/v1/things/{n}") for n in range(RAW_SERIES)]
    times = [now_ms - (RAW_SAMPLES - 1 - row) * 1000 for row in range(RAW_SAMPLES)]
    return labels, times, np.round(dice.normal(50, 10, (RAW_SERIES, RAW_SAMPLES)), 3)


def asked(server: Server, now_ms: int) -> Iterator[tuple[str, str]]:
    """Names and paths of all questions."""
    extra = {"nocache": "1"} if server.name.startswith("victoria") else {}
    start, end = now_ms / 1000 - 240, now_ms / 1000 - 3
    for name, expr in QUESTIONS.items():
        yield (
            name,
            "/api/v1/query_range?" + urlencode({"query": expr, "start": start, "end": end, "step": "3", **extra}),
        )
    raw = {"query": "raw[500s]", "time": now_ms / 1000, **extra}
    yield "raw: 100 series x 400 samples", "/api/v1/query?" + urlencode(raw)
    one = {"query": 'x{path="/v1/things/7"}', "time": now_ms / 1000, **extra}
    yield "instant: one series", "/api/v1/query?" + urlencode(one)


def settled(server: Server, now_ms: int) -> None:
    """Wait until all series can be asked for."""
    path = "/api/v1/query?query=" + quote('count({__name__=~"x|b_bucket"})') + f"&time={now_ms / 1000}"
    for _ in range(100):
        if server.name.startswith("victoria"):
            get(server, "/internal/force_flush")
        found = get_json(server, path)["data"]["result"]
        if found and float(found[0]["value"][1]) == SERIES + HISTOGRAMS * BUCKETS:
            return
        time.sleep(0.3)
    raise RuntimeError(f"{server.name} does not hold every series")


def main() -> None:
    """Print the median of each question and the ratios to Sanso's."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    now_ms = int(time.time()) * 1000
    labels, times, values = recording(now_ms)
    bodies = [*requests(labels, times, values), *requests(*raw_recording(now_ms))]
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in installed():
            with serving(name, Path(folder)) as server:
                send(server, bodies)
                settled(server, now_ms)
                for question, path in asked(server, now_ms):
                    wall, cpu, size = asked_ms(
                        server, path, repeats * (10 if question.startswith(("raw", "instant")) else 1)
                    )
                    found.setdefault(question, {})[name] = wall
                    print(
                        f"{name:22} {question:54} {wall:9.2f} ms  cpu {cpu:8.2f} ms  {size / 1e3:10.1f} kB", flush=True
                    )
    for question, by_name in found.items():
        ratios = "  ".join(
            f"{name} {wall / by_name['sanso']:.2f}x" for name, wall in by_name.items() if name != "sanso"
        )
        print(f"{question:54} {ratios}")


if __name__ == "__main__":
    main()
