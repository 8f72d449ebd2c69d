"""Every vital sign evaluated: on 900 seconds of a real node_exporter, and on an application whose figures are known."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

from sanso.model.frame import Floats, Frame, Times, absent, is_absent
from sanso.model.labels import Labels, labels_of, series_of
from sanso.promql.engine import PromEngine
from sanso.vitals.catalog import Vital, load
from tests.promql.memory import MemoryReader

RECORDING = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "node_exporter_900s.npz"
VITALS = {vital.name: vital for vital in load()}
START, SECONDS = 1_790_000_000_000, 600


def asked(engine: PromEngine, name: str, at_ms: int) -> float:
    answer = engine.instant(VITALS[name].expr, at_ms)
    assert len(answer.labels) <= 1
    value = answer.first()
    return math.nan if value is None else value


class Recording:
    """The recorded matrix, and plain sums over it."""

    def __init__(self, path: Path) -> None:
        found = np.load(path)
        self.times: Times = found["timeline_ms"]
        self.values: Floats = np.ascontiguousarray(found["values"].T)
        self.labels = [parsed(str(text)) for text in found["series"]]
        self.engine = PromEngine(MemoryReader([Frame(self.labels, self.times, self.values)]))

    def rows(self, name: str, **labels: str) -> Floats:
        wanted = {"__name__": name, **labels}
        rows = [i for i, have in enumerate(self.labels) if wanted.items() <= dict(have).items()]
        return np.asarray(self.values[rows])

    def last(self, name: str, **labels: str) -> float:
        return float(self.rows(name, **labels)[:, -1].sum())

    def per_second(self, name: str, **labels: str) -> float:
        """Between the last two scrapes."""
        rows = self.rows(name, **labels)
        return float((rows[:, -1] - rows[:, -2]).sum() / (self.times[-1] - self.times[-2]) * 1000)


def parsed(text: str) -> Labels:
    name, _, rest = text.partition("{")
    pairs = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', rest)
    return labels_of({"__name__": name, **dict(pairs)})


@pytest.fixture(scope="module")
def recording() -> Recording:
    if not RECORDING.exists():
        pytest.skip("the recording is not beside the checkout")
    return Recording(RECORDING)


def test_system_vitals_are_what_plain_arithmetic_on_the_recording_says(recording: Recording) -> None:
    cpu = "node_cpu_seconds_total"
    whole = recording.per_second(cpu)
    idle = recording.per_second(cpu, mode="idle")
    free, total = recording.last("node_memory_MemAvailable_bytes"), recording.last("node_memory_MemTotal_bytes")
    size, left, available = (
        recording.last(f"node_filesystem_{what}_bytes", mountpoint="/") for what in ("size", "free", "avail")
    )
    disks = [dict(labels)["device"] for labels in recording.labels if ("__name__", "node_disk_io_now") in labels]
    real = [device for device in disks if not re.match(r"dm-|md|loop|ram|zram", device)]
    ups = [dict(labels) for labels in recording.labels if ("__name__", "node_network_up") in labels]
    links = {labels["device"] for labels in ups} - {"lo"}

    def disk(what: str) -> float:
        return sum(recording.per_second(f"node_disk_{what}_total", device=device) for device in real)

    def network(way: str) -> float:
        return sum(recording.per_second(f"node_network_{way}_bytes_total", device=device) for device in links)

    expected = {
        "cpu_percent": 100 * (1 - (idle + recording.per_second(cpu, mode="iowait")) / whole),
        "cpu_idle_percent": 100 * idle / whole,
        "memory_percent": 100 * (1 - free / total),
        "memory_used_bytes": total - free,
        "swap_used_bytes": recording.last("node_memory_SwapTotal_bytes") - recording.last("node_memory_SwapFree_bytes"),
        "cache_bytes": sum(recording.last(f"node_memory_{n}_bytes") for n in ("Cached", "Buffers", "SReclaimable"))
        - recording.last("node_memory_Shmem_bytes"),
        "disk_usage": 100 * (size - left) / (size - left + available),
        "disk_read_bytes_per_second": disk("read_bytes"),
        "disk_write_bytes_per_second": disk("written_bytes"),
        "disk_iops": disk("reads_completed") + disk("writes_completed"),
        "network_bytes_per_second": network("receive") + network("transmit"),
        "network_connections": recording.last("node_netstat_Tcp_CurrEstab"),
    }
    at = int(recording.times[-1])
    for name, value in expected.items():
        assert asked(recording.engine, name, at) == pytest.approx(value, rel=1e-9, abs=1e-6), name


def test_every_vital_answers_something_or_nothing_all_through_the_recording(recording: Recording) -> None:
    start, end = int(recording.times[60]), int(recording.times[-1])
    for vital in load():
        answer = recording.engine.range(vital.expr, start, end, 15_000)
        seen = answer.values[~is_absent(np.ascontiguousarray(answer.values))] if len(answer.labels) else np.empty(0)
        if vital.layer == "system" and vital.name not in ("network_bandwidth_percent", "packet_loss_percent"):
            assert seen.size, vital.name
        seen = seen[~np.isnan(seen)]  # 0/0: there was nothing to have a share of
        if vital.unit == "percent" and seen.size:
            assert -1e-6 <= seen.min() <= seen.max() <= 100 + 1e-6, vital.name


class Application:
    """Ten minutes of a service at 1 s: 40 requests a second, and models and workers with known figures."""

    def __init__(self) -> None:
        self.times: Times = START + 1000 * np.arange(SECONDS, dtype=np.int64)
        self.labels: list[Labels] = []
        self.rows: list[Floats] = []
        self.at = int(self.times[-1])

    def counter(self, name: str, per_second: float, **labels: str) -> None:
        self._add(name, per_second * np.arange(SECONDS, dtype=np.float64), **labels)

    def gauge(self, name: str, value: float, **labels: str) -> None:
        self._add(name, np.full(SECONDS, value), **labels)

    def latencies(self, name: str, per_second: dict[float, float], **labels: str) -> None:
        """A histogram: so many a second up to each bound (not cumulated)."""
        total = 0.0
        for bound, rate in per_second.items():
            total += rate
            self.counter(f"{name}_bucket", total, le=f"{bound:g}" if bound < math.inf else "+Inf", **labels)
        self.counter(f"{name}_count", total, **labels)

    def engine(self) -> PromEngine:
        return PromEngine(MemoryReader([Frame(self.labels, self.times, np.array(self.rows))]))

    def _add(self, name: str, values: Floats, **labels: str) -> None:
        self.labels.append(series_of(name, **labels))
        self.rows.append(values)


@pytest.fixture(scope="module")
def application() -> Application:
    made = Application()
    request, inference = "http_server_request_duration_seconds", "gen_ai_server_request_duration_seconds"
    bounds = {0.1: 18.0, 0.2: 16.0, 0.4: 4.0, math.inf: 0.0}
    made.latencies(request, bounds, http_route="/pay", http_response_status_code="200")
    made.counter(f"{request}_count", 1.0, http_route="/pay", http_response_status_code="404")
    made.counter(f"{request}_count", 1.0, http_route="/pay", http_response_status_code="503")
    made.gauge("http_server_active_requests", 3.0)
    made.counter("http_server_timeouts_total", 0.5)
    for outcome, rate in (("completed", 8.0), ("failed", 1.0), ("timed_out", 1.0), ("cancelled", 5.0)):
        made.counter("sanso_tasks_total", rate, task="t", outcome=outcome)
    made.gauge("sanso_tasks_in_progress", 2.0)
    made.latencies(inference, {0.5: 9.0, 1.0: 1.0, math.inf: 0.0})
    made.latencies("gen_ai_server_time_to_first_token_seconds", {0.1: 19.0, 0.2: 1.0, math.inf: 0.0})
    made.counter("gen_ai_client_inference_usage_output_tokens_total", 240.0)
    made.counter("gen_ai_client_inference_usage_input_tokens_total", 100.0)
    made.counter("gen_ai_client_inference_usage_cache_read_input_tokens_total", 25.0)
    for what, mean in (("batch_fill", 0.75), ("context_usage", 0.5)):
        made.counter(f"sanso_inference_{what}_ratio_sum", mean)
        made.counter(f"sanso_inference_{what}_ratio_count", 1.0)
    made.counter("sanso_evaluation_score_sum", 0.9)
    made.counter("sanso_evaluation_score_count", 1.0)
    for gpu, (use, used, degrees) in enumerate([(40.0, 6.0, 60.0), (90.0, 2.0, 71.0)]):
        made.gauge("DCGM_FI_DEV_GPU_UTIL", use, gpu=str(gpu))
        made.gauge("DCGM_FI_DEV_FB_USED", used, gpu=str(gpu))
        made.gauge("DCGM_FI_DEV_FB_FREE", 8.0 - used, gpu=str(gpu))
        made.gauge("DCGM_FI_DEV_GPU_TEMP", degrees, gpu=str(gpu))
    states = ["active"] * 3 + ["processing"] * 2 + ["waiting", "error", "lost"]
    for number, state in enumerate(states):
        for each in ("active", "processing", "waiting", "error", "stalled", "lost"):
            made.gauge("sanso_worker_state", float(each == state), worker=str(number), state=each)
    made.gauge("sanso_organisation_workers_expected", 8.0)
    return made


EXPECTED = {
    "latency_p50_seconds": 0.1 + 0.1 * (19 - 18) / 16,
    "latency_p95_seconds": 0.2 + 0.2 * (0.95 * 38 - 34) / 4,
    "latency_p99_seconds": 0.2 + 0.2 * (0.99 * 38 - 34) / 4,
    "requests_per_second": 40.0,
    "task_completion_percent": 80.0,
    "concurrency": 5.0,
    "error_4xx_percent": 2.5,
    "error_5xx_percent": 2.5,
    "timeout_percent": 100 * 1.5 / 55,
    "error_rate": 100 * 3 / 50,
    "gpu_usage": 90.0,
    "gpu_memory": 75.0,
    "gpu_temperature_celsius": 71.0,
    "tokens_per_second": 240.0,
    "inference_p50_seconds": 0.5 * 5 / 9,
    "inference_p95_seconds": 0.75,
    "inference_p99_seconds": 0.95,
    "time_to_first_token_p95_seconds": 0.1,
    "batch_efficiency_percent": 75.0,
    "context_usage_percent": 50.0,
    "cache_hit_percent": 25.0,
    "accuracy_drift": 0.0,
    "active_workers": 5.0,
    "waiting_workers": 1.0,
    "error_workers": 2.0,
    "completed_tasks": 8.0 * (SECONDS - 1),
}


@pytest.mark.parametrize("vital", [vital for vital in load() if vital.layer != "system"], ids=lambda vital: vital.name)
def test_application_and_ai_vitals_are_the_figures_that_went_in(application: Application, vital: Vital) -> None:
    assert asked(application.engine(), vital.name, application.at) == pytest.approx(EXPECTED[vital.name], abs=1e-9)


def test_five_of_eight_workers_is_degraded(application: Application) -> None:
    judged = application.engine().instant(VITALS["active_workers"].judge, application.at).first()
    assert judged == 62.5


def test_a_model_that_gets_worse_drifts_down() -> None:
    """Six hours of one evaluation every 15 s; in the last ten minutes the score falls from 0.9 to 0.6."""
    count = 6 * 240 + 1
    scores = np.where(np.arange(count) < count - 40, 0.9, 0.6)
    times = START + 15_000 * np.arange(count, dtype=np.int64)
    labels = [series_of("sanso_evaluation_score_sum"), series_of("sanso_evaluation_score_count")]
    values = np.array([scores.cumsum(), np.arange(1.0, count + 1)])
    drift = asked(PromEngine(MemoryReader([Frame(labels, times, values)])), "accuracy_drift", int(times[-1]))
    assert drift == pytest.approx(0.6 - (0.9 * 350 + 0.6 * 10) / 360, abs=0.002)


def test_nothing_in_gives_nothing_out() -> None:
    engine = PromEngine(MemoryReader([Frame([series_of("x")], np.array([START], dtype=np.int64), absent(1, 1))]))
    for vital in load():
        assert math.isnan(asked(engine, vital.name, START)), vital.name
