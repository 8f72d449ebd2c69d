"""Percentiles of an application's latencies, the whole way: sketch, OTLP, store, PromQL."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanso.model.clock import FixedClock
from sanso.promql.engine import PromEngine
from sanso.sdk.otlp_encoding import Metric, Point, encode_request
from sanso.sdk.sketch import Sketch
from sanso.sources.otlp import PROTOBUF, OtlpReceiver
from sanso.store.store import Store

NOW = 1_790_000_000_000
GAMMA = 2.0 ** (1 / 32)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(1e-6, 1e4), min_size=1, max_size=60), st.floats(0, 1, exclude_max=True))
def test_a_percentile_is_in_the_bucket_of_the_true_one(latencies: list[float], rank: float) -> None:
    """Its bucket's middle is then at most 1.1 % away; what is interpolated within it, at most its width of 2.2 %."""
    store = Store.in_memory(retention_ms=10**12)
    otlp = OtlpReceiver(store, FixedClock(NOW))
    sketch = Sketch()
    for half, time_ms in ((latencies[: len(latencies) // 2], NOW - 1000), (latencies[len(latencies) // 2 :], NOW)):
        sketch.add(half)
        point = Point((("http_route", "/"),), (NOW - 2000) * 1_000_000, sketch)
        body = encode_request({"service.name": "s"}, "0", [Metric("m", "histogram", [point])], time_ms * 1_000_000)
        assert otlp.receive(body, content_type=PROTOBUF).rejected == 0
    engine = PromEngine(store)
    place = int(rank * len(latencies))
    true, quantile = sorted(latencies)[place], (place + 0.5) / len(latencies)  # not on the edge between two
    for expr in (f"histogram_quantile({quantile}, m)", f"histogram_quantile({quantile}, sum(increase(m[1m])))"):
        answer = engine.instant(expr, NOW).first()
        assert answer is not None
        assert 1 / GAMMA - 1e-9 <= answer / true <= GAMMA + 1e-9
        index = math.ceil(math.log2(true) * 32)
        assert abs(GAMMA ** (index - 0.5) / true - 1) <= 0.011
    assert engine.instant("histogram_count(m)", NOW).first() == len(latencies) == engine.instant("m_count", NOW).first()
    assert engine.instant("histogram_sum(m)", NOW).first() == pytest.approx(sum(latencies), rel=1e-12)
