from __future__ import annotations

import promql_parser
import pytest

from sanso.model.units import format_value
from sanso.vitals.catalog import Vital, expressions, load

CONTRACT = [
    "latency_p50_seconds",
    "latency_p95_seconds",
    "latency_p99_seconds",
    "requests_per_second",
    "task_completion_percent",
    "concurrency",
    "error_4xx_percent",
    "error_5xx_percent",
    "timeout_percent",
    "error_rate",
    "cpu_percent",
    "cpu_core_percent",
    "cpu_idle_percent",
    "memory_percent",
    "memory_used_bytes",
    "swap_used_bytes",
    "cache_bytes",
    "disk_usage",
    "disk_read_bytes_per_second",
    "disk_write_bytes_per_second",
    "disk_iops",
    "network_bytes_per_second",
    "network_bandwidth_percent",
    "network_connections",
    "packet_loss_percent",
    "gpu_usage",
    "gpu_memory",
    "gpu_temperature_celsius",
    "tokens_per_second",
    "inference_p50_seconds",
    "inference_p95_seconds",
    "inference_p99_seconds",
    "time_to_first_token_p95_seconds",
    "batch_efficiency_percent",
    "context_usage_percent",
    "cache_hit_percent",
    "accuracy_drift",
    "active_workers",
    "waiting_workers",
    "error_workers",
    "completed_tasks",
]


def test_every_name_of_the_contract_is_there_and_no_other() -> None:
    assert [vital.name for vital in load()] == CONTRACT
    assert list(expressions(load())) == CONTRACT


@pytest.mark.parametrize("vital", load(), ids=lambda vital: vital.name)
def test_a_vital_is_plain_promql_with_texts_in_both_languages(vital: Vital) -> None:
    promql_parser.parse(vital.expr)
    if vital.judge:
        promql_parser.parse(vital.judge)
    assert set(vital.title) == set(vital.help) == {"en", "ja"}
    assert all(vital.title.values())
    assert all(vital.help.values())
    assert " furlongs" not in format_value(1.5, vital.unit)
    assert (vital.warning is None) == (vital.critical is None)


def test_thresholds_of_the_specification() -> None:
    expected = {
        "cpu_percent": [70.0, 90.0],
        "memory_percent": [70.0, 90.0],
        "gpu_usage": [80.0, 95.0],
        "error_rate": [5.0, 15.0],
        "active_workers": [75.0, 50.0],
    }
    assert {vital.name: [vital.warning, vital.critical] for vital in load() if vital.name in expected} == expected
