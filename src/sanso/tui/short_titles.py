"""Vital signs in a narrow column: titles of at most eight cells, and which signs matter most."""

from __future__ import annotations

from sanso.model.readings import Layer

_SHORT: dict[str, tuple[str, str]] = {
    "latency_p50_seconds": ("p50", "p50"),
    "latency_p95_seconds": ("p95", "p95"),
    "latency_p99_seconds": ("p99", "p99"),
    "requests_per_second": ("Requests", "要求"),
    "task_completion_percent": ("Tasks ok", "完了率"),
    "concurrency": ("In work", "並行"),
    "error_4xx_percent": ("4xx", "4xx"),
    "error_5xx_percent": ("5xx", "5xx"),
    "timeout_percent": ("Timeouts", "時間切れ"),
    "error_rate": ("Errors", "エラー率"),
    "cpu_percent": ("CPU", "CPU"),
    "cpu_core_percent": ("Cores", "コア別"),
    "cpu_idle_percent": ("CPU idle", "CPU空き"),
    "memory_percent": ("Memory", "メモリ"),
    "memory_used_bytes": ("Mem used", "使用量"),
    "swap_used_bytes": ("Swap", "スワップ"),
    "cache_bytes": ("Cache", "ｷｬｯｼｭ"),
    "disk_usage": ("Disk", "ディスク"),
    "disk_read_bytes_per_second": ("Read", "読取"),
    "disk_write_bytes_per_second": ("Write", "書込"),
    "disk_iops": ("IOPS", "IOPS"),
    "network_bytes_per_second": ("Network", "通信量"),
    "network_bandwidth_percent": ("Net band", "帯域"),
    "network_connections": ("Conns", "接続数"),
    "packet_loss_percent": ("Loss", "損失率"),
    "gpu_usage": ("GPU", "GPU"),
    "gpu_memory": ("VRAM", "VRAM"),
    "gpu_temperature_celsius": ("GPU temp", "GPU温度"),
    "tokens_per_second": ("Tokens", "トークン"),
    "inference_p50_seconds": ("Inf p50", "推論p50"),
    "inference_p95_seconds": ("Inf p95", "推論p95"),
    "inference_p99_seconds": ("Inf p99", "推論p99"),
    "time_to_first_token_p95_seconds": ("TTFT p95", "初回p95"),
    "batch_efficiency_percent": ("Batch", "バッチ"),
    "context_usage_percent": ("Context", "文脈"),
    "cache_hit_percent": ("Cache", "ｷｬｯｼｭ率"),
    "accuracy_drift": ("Drift", "ドリフト"),
    "active_workers": ("Workers", "稼働数"),
    "waiting_workers": ("Waiting", "待機数"),
    "error_workers": ("In error", "異常数"),
    "completed_tasks": ("Tasks", "タスク"),
}

_FIRST: dict[Layer, tuple[str, ...]] = {
    "application": (
        "latency_p50_seconds",
        "latency_p95_seconds",
        "latency_p99_seconds",
        "requests_per_second",
        "error_rate",
        "task_completion_percent",
        "concurrency",
        "error_5xx_percent",
        "error_4xx_percent",
    ),
    "system": (
        "cpu_percent",
        "cpu_core_percent",
        "memory_percent",
        "disk_usage",
        "swap_used_bytes",
        "disk_read_bytes_per_second",
        "disk_write_bytes_per_second",
        "network_bytes_per_second",
        "network_connections",
    ),
    "ai": (
        "gpu_usage",
        "gpu_memory",
        "gpu_temperature_celsius",
        "tokens_per_second",
        "time_to_first_token_p95_seconds",
        "inference_p95_seconds",
        "context_usage_percent",
        "active_workers",
        "error_workers",
    ),
}

LEADS: dict[Layer, str] = {
    "application": "latency_p95_seconds",
    "system": "cpu_percent",
    "ai": "tokens_per_second",
}
"""The sign that each layer plots where there is room."""


def short_title(name: str, title: str, lang: str) -> str:
    """The title for a narrow column; the long one where there is none."""
    english, japanese = _SHORT.get(name, (title, title))
    return japanese if lang == "ja" else english


def rank(name: str, layer: Layer) -> int:
    """Where a sign stands when not all fit: low is first; the others follow in the catalogue's order."""
    first = _FIRST[layer]
    return first.index(name) if name in first else len(first)
