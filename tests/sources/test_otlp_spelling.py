from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanso.sources.otlp_spelling import label_name, metric_name


@pytest.mark.parametrize(
    ("name", "unit", "kind", "expected"),
    [
        ("http.server.request.duration", "s", "", "http_server_request_duration_seconds"),
        ("http_server_request_duration_seconds", "s", "", "http_server_request_duration_seconds"),
        ("network.io", "By/s", "gauge", "network_io_bytes_per_second"),
        ("orders", "{order}", "counter", "orders_total"),
        ("orders_total", "{order}", "counter", "orders_total"),
        ("cpu.time", "s", "counter", "cpu_time_seconds_total"),
        ("cpu_seconds_total", "s", "counter", "cpu_seconds_total"),
        ("load", "1", "gauge", "load_ratio"),
        ("load", "1", "", "load"),
        ("2fast", "", "", "_2fast"),
        ("vllm:tokens", "", "", "vllm:tokens"),
    ],
)
def test_names_are_spelt_as_prometheus_spells_them(name: str, unit: str, kind: str, expected: str) -> None:
    assert metric_name(name, unit, monotonic=kind == "counter", gauge=kind == "gauge") == expected


@given(st.text(max_size=20), st.text(max_size=6), st.booleans(), st.booleans())
def test_whatever_comes_the_name_is_legal(name: str, unit: str, monotonic: bool, gauge: bool) -> None:
    assert re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", metric_name(name, unit, monotonic=monotonic, gauge=gauge))


@given(st.text(max_size=20))
def test_whatever_comes_the_label_is_legal_and_not_reserved(key: str) -> None:
    assert re.fullmatch(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*", label_name(key))
