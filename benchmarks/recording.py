"""What one recorded latency costs an application, folding included, beside prometheus_client and OpenTelemetry.

Prints nanoseconds of CPU a value: the median of interleaved rounds in one process, so that all ran under the same load.
Every round has values of its own: a processor learns how to sort values that it has seen.
"""

from __future__ import annotations

import random
import statistics
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
VALUES_A_ROUND = 20_000
LABELS = {"http_route": "/pay", "http_request_method": "POST"}
TARGETS = {"prometheus_client labels().observe": 8.0, "OpenTelemetry SDK record": 50.0}


def kept(reason: str, count: int) -> None:
    """Nothing may be dropped here."""
    assert not count, reason


def sanso() -> Callable[[list[float]], None]:
    histogram = Histogram(tuple(sorted(LABELS.items())), 0)
    record = histogram.record

    def run(values: list[float]) -> None:
        for value in values:
            record(value)
        histogram.fold(kept)

    return run


def prometheus(*, with_labels: bool) -> Callable[[list[float]], None]:
    histogram = PrometheusHistogram("duration_seconds", "Durations.", tuple(LABELS), registry=CollectorRegistry())
    child = histogram.labels(**LABELS)

    def run(values: list[float]) -> None:
        if with_labels:
            for value in values:
                histogram.labels(**LABELS).observe(value)
        else:
            for value in values:
                child.observe(value)

    return run


def opentelemetry() -> Callable[[list[float]], None]:
    provider = MeterProvider([InMemoryMetricReader()])
    histogram = provider.get_meter("benchmark").create_histogram("duration", "s")

    def run(values: list[float]) -> None:
        for value in values:
            histogram.record(value, LABELS)

    return run


def nanoseconds(run: Callable[[list[float]], None], values: list[float]) -> float:
    """CPU time of the process a value."""
    started = time.process_time()
    run(values)
    return (time.process_time() - started) / len(values) * 1e9


def measured(runs: dict[str, Callable[[list[float]], None]]) -> dict[str, float]:
    dice = random.Random(7)
    costs: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        values = [dice.lognormvariate(-4, 1) for _ in range(VALUES_A_ROUND)]
        for name, run in runs.items():
            costs[name].append(nanoseconds(run, values))
    return {name: statistics.median(cost) for name, cost in costs.items()}


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
    print(f"folded by {folded_by}; {VALUES_A_ROUND:,} values a fold")
    typical = measured(runs)
    for name, cost in typical.items():
        ratio = cost / typical["sanso record"]
        target = TARGETS.get(name)
        verdict = f"  (target {target:.0f} x: {'met' if ratio >= target else 'MISSED'})" if target else ""
        print(f"  {name:40s} {cost:8.0f} ns  {ratio:6.1f} x{verdict}")


if __name__ == "__main__":
    main()
    if not sys.argv[1:]:
        sys.stdout.flush()
        subprocess.run([sys.executable, __file__, "with-numpy"], check=True)
