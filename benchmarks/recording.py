"""What one recorded latency costs an application, folding included, beside prometheus_client and OpenTelemetry.

Prints nanoseconds of CPU a value: the best of interleaved rounds in one process, so that all ran under the same load.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import CollectorRegistry
from prometheus_client import Histogram as PrometheusHistogram

from sanso.sdk.instruments import Histogram

ROUNDS = 7
VALUES = [random.Random(7).lognormvariate(-4, 1) for _ in range(20_000)]
LABELS = {"http_route": "/pay", "http_request_method": "POST"}
TARGETS = {"prometheus_client labels().observe": 8.0, "OpenTelemetry SDK record": 50.0}


def sanso() -> Callable[[], None]:
    histogram = Histogram(tuple(sorted(LABELS.items())), 0)
    record = histogram.record

    def run() -> None:
        for value in VALUES:
            record(value)
        histogram.fold(lambda reason, count: None)

    return run


def prometheus(*, with_labels: bool) -> Callable[[], None]:
    histogram = PrometheusHistogram("duration_seconds", "Durations.", tuple(LABELS), registry=CollectorRegistry())
    child = histogram.labels(**LABELS)

    def run() -> None:
        if with_labels:
            for value in VALUES:
                histogram.labels(**LABELS).observe(value)
        else:
            for value in VALUES:
                child.observe(value)

    return run


def opentelemetry() -> Callable[[], None]:
    provider = MeterProvider([InMemoryMetricReader()])
    histogram = provider.get_meter("benchmark").create_histogram("duration", "s")

    def run() -> None:
        for value in VALUES:
            histogram.record(value, LABELS)

    return run


def nanoseconds(run: Callable[[], None]) -> float:
    """CPU time of the process a value."""
    started = time.process_time()
    run()
    return (time.process_time() - started) / len(VALUES) * 1e9


def measured(runs: dict[str, Callable[[], None]]) -> dict[str, float]:
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(ROUNDS):
        for name, run in runs.items():
            best[name] = min(best[name], nanoseconds(run))
    return best


def main() -> None:
    runs = {
        "sanso record": sanso(),
        "prometheus_client observe, child kept": prometheus(with_labels=False),
        "prometheus_client labels().observe": prometheus(with_labels=True),
        "OpenTelemetry SDK record": opentelemetry(),
    }
    if sys.argv[1:] == ["with-numpy"]:
        import numpy  # noqa: F401 - what an application that has numpy loaded gets
    folded_by = "numpy, as the application has it loaded" if "numpy" in sys.modules else "the standard library alone"
    print(f"folded by {folded_by}; {len(VALUES):,} values a fold")
    best = measured(runs)
    for name, cost in best.items():
        ratio = cost / best["sanso record"]
        target = TARGETS.get(name)
        verdict = f"  (target {target:.0f} x: {'met' if ratio >= target else 'MISSED'})" if target else ""
        print(f"  {name:40s} {cost:8.0f} ns  {ratio:6.1f} x{verdict}")


if __name__ == "__main__":
    main()
    if not sys.argv[1:]:
        sys.stdout.flush()
        subprocess.run([sys.executable, __file__, "with-numpy"], check=True)
