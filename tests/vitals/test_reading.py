from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sanso.model.frame import Frame
from sanso.model.labels import Labels, labels_of, series_of, value_of
from sanso.model.native_histogram import NativeHistogram, component, parts
from sanso.promql.engine import PromEngine
from sanso.vitals.catalog import load
from sanso.vitals.reading import read_vitals
from tests.promql.memory import MemoryReader

AT = 1_790_000_000_000
TIMES = AT - 60_000 + np.arange(61, dtype=np.int64) * 1000
SECONDS = np.arange(61.0)
LATENCY = "http_server_request_duration_seconds"


def engine(labels: list[tuple[tuple[str, str], ...]], rows: list[np.ndarray]) -> PromEngine:
    return PromEngine(MemoryReader([Frame(labels, TIMES, np.array(rows))]))


def test_a_percentile_of_foreign_buckets_has_the_bounds_of_its_bucket() -> None:
    bounds = ["0.1", "0.25", "+Inf"]
    asked = engine(
        [series_of(f"{LATENCY}_bucket", le=bound) for bound in bounds], [SECONDS * 1, SECONDS * 10, SECONDS * 10]
    )
    (reading,) = read_vitals(load(), asked, AT)["latency_p95_seconds"]
    assert reading.value is not None
    assert (reading.low, reading.high) == (0.1, 0.25)
    assert 0.1 < reading.value < 0.25


class Growing(MemoryReader):
    """A reader whose buckets are twice as wide whenever it is read: rows come between any two looks."""

    scale = 1.0

    def select(self, *asked: Any, **how: Any) -> list[Frame]:
        self.scale *= 2
        found = super().select(*asked, **how)
        return [replace(frame, labels=[self._wider(labels) for labels in frame.labels]) for frame in found]

    def _wider(self, labels: Labels) -> Labels:
        le = value_of(labels, "le")
        return labels_of({**dict(labels), "le": f"{float(le) * self.scale:g}" if le != "+Inf" else le})


def test_a_percentile_lies_between_its_bounds_while_rows_come() -> None:
    labels = [series_of(f"{LATENCY}_bucket", le=bound) for bound in ("0.1", "0.25", "+Inf")]
    rows = [SECONDS * 1, SECONDS * 10, SECONDS * 10]
    asked = PromEngine(Growing([Frame(labels, TIMES, np.array(rows))]))
    percentiles = [vital for vital in load() if LATENCY in vital.expr and vital.is_percentile]
    assert percentiles
    for name, (reading,) in read_vitals(percentiles, asked, AT).items():
        assert reading.value is not None, name
        assert reading.low is not None, name
        assert reading.high is not None, name
        assert reading.low <= reading.value <= reading.high, name


def test_what_is_no_percentile_has_no_bounds() -> None:
    asked = engine([series_of("node_memory_MemTotal_bytes"), series_of("node_memory_MemAvailable_bytes")], [
        SECONDS * 0 + 100, SECONDS * 0 + 40,
    ])  # fmt: skip
    (reading,) = read_vitals(load(), asked, AT)["memory_percent"]
    assert reading.value == 60.0
    assert reading.low is None
    assert reading.high is None


def test_nothing_measured_has_no_bounds() -> None:
    (reading,) = read_vitals(load(), PromEngine(MemoryReader([])), AT)["latency_p99_seconds"]
    assert reading.value is None
    assert reading.low is None


def test_a_percentile_of_the_sdk_is_told_to_about_a_percent() -> None:
    held = parts(NativeHistogram(5, 20.0, 1.0, positive=((-100, 10.0), (-90, 10.0))))
    rows = [SECONDS * value if part not in ("schema",) else SECONDS * 0 + value for part, value in held.items()]
    asked = engine([component(series_of(LATENCY), part) for part in held], rows)
    answer = asked.instant(f"histogram_quantile(0.95, sum(rate({LATENCY}[1m])))", AT)
    low, high = (
        asked.instant(f"histogram_quantile(0.95, sum(rate({LATENCY}[1m])))", AT, edge=edge).first()
        for edge in ("lower", "upper")
    )
    value = answer.first()
    assert value is not None
    assert low is not None
    assert high is not None
    assert low < value < high
    assert high / low - 1 < 0.022
