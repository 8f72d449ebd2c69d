"""The protobuf format between Sanso and a real Prometheus: scraped from it, and federated to it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.servers import Served
from tests.cli.test_scrape_beside_prometheus import started
from tests.exposition.metric_families import (
    GAUGE_HISTOGRAM,
    HISTOGRAM,
    delimited,
    exponential,
    family,
    metric,
)
from tests.peers import free_port, require_program
from tests.sources.scrape.served import served

pytestmark = [pytest.mark.peer, pytest.mark.slow]

PROMETHEUS = """
global: {scrape_interval: 1s, scrape_timeout: 900ms}
scrape_configs:
- job_name: self
  static_configs: [{targets: ["PEER"]}]
- job_name: application
  static_configs: [{targets: ["TARGET"]}]
- job_name: federation
  metrics_path: /federate
  honor_labels: true
  params: {"match[]": ['{job="direct"}']}
  static_configs: [{targets: ["SANSO"]}]
"""
SANSO = """
global: {scrape_interval: 1s, scrape_timeout: 900ms}
scrape_configs:
- job_name: text
  scrape_protocols: [PrometheusText0.0.4]
  static_configs: [{targets: ["PEER"]}]
- job_name: protobuf
  scrape_protocols: [PrometheusProto]
  static_configs: [{targets: ["PEER"]}]
- job_name: federated-text
  metrics_path: /federate
  params: {"match[]": ['{job="self"}']}
  scrape_protocols: [PrometheusText0.0.4]
  static_configs: [{targets: ["PEER"]}]
- job_name: federated-protobuf
  metrics_path: /federate
  params: {"match[]": ['{job="self"}']}
  scrape_protocols: [PrometheusProto]
  static_configs: [{targets: ["PEER"]}]
- job_name: direct
  scrape_native_histograms: true
  static_configs: [{targets: ["TARGET"]}]
- job_name: federated-histograms
  metrics_path: /federate
  honor_labels: true
  scrape_native_histograms: true
  params: {"match[]": ['{job="application"}']}
  static_configs: [{targets: ["PEER"]}]
"""


def page(observations: int) -> bytes:
    """Histograms: whole numbers, fractions, a gauge, nothing observed yet; the last positive bucket grows."""
    whole, gauge = family("whole_seconds", HISTOGRAM), family("pending", GAUGE_HISTOGRAM)
    for code in ("200", "500"):
        held = metric(whole, code=code).histogram
        exponential(held)
        held.positive_delta[2] += observations
        held.sample_count += observations
    exponential(metric(gauge).histogram)
    fresh = family("fresh", HISTOGRAM)
    metric(fresh).histogram.zero_threshold = 0.01
    fractions = family("fractions", HISTOGRAM)
    exponential(metric(fractions).histogram, floats=True)
    return delimited(whole, gauge, fresh, fractions)


@contextmanager
def beside(folder: Path, target: str) -> Iterator[tuple[Served, Served]]:
    """Prometheus and Sanso, each scraping the other and the target."""
    peer, own = (f"127.0.0.1:{free_port()}" for _ in range(2))
    addresses = {"PEER": peer, "SANSO": own, "TARGET": target}
    for name, text in (("peer.yml", PROMETHEUS), ("prometheus.yml", SANSO)):
        for word, address in addresses.items():
            text = text.replace(f'"{word}"', f'"{address}"')
        (folder / name).write_text(text)
    program = require_program("prometheus")
    prometheus = [program, f"--config.file={folder / 'peer.yml'}", f"--storage.tsdb.path={folder / 'peer'}"]
    prometheus += [f"--web.listen-address={peer}", "--enable-feature=native-histograms"]
    sanso = [sys.executable, "-m", "sanso", "serve", "--no-host", "--config", str(folder / "prometheus.yml")]
    sanso += ["--data", str(folder / "own"), "--listen", own]
    if "version 2." not in subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10).stdout:
        settings = (folder / "peer.yml").read_text()  # since 3 it is no feature of the whole program any more
        for job in ("application", "federation"):
            settings = settings.replace(f"job_name: {job}", f"job_name: {job}\n  scrape_native_histograms: true")
        (folder / "peer.yml").write_text(settings)
    with started(prometheus, f"http://{peer}") as first, started(sanso, f"http://{own}") as second:
        yield first, second


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Served]]:
    with served() as pages:
        pages.texts["/metrics"] = page(0)
        with beside(tmp_path_factory.mktemp("data"), pages.address) as both:
            for observations in range(8):
                time.sleep(1)
                pages.texts["/metrics"] = page(observations)
            yield both


def until(check: Any, seconds: float = 20) -> Any:
    """What the check gives, as soon as that is something."""
    end = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.3)
    return found


def values(server: Served, expr: str) -> dict[tuple[tuple[str, str], ...], float]:
    return {
        tuple(sorted(each["metric"].items())): float(each["value"][1]) for each in server.query(expr) if "value" in each
    }


@pytest.mark.parametrize("kind", ["", "federated-"])
def test_a_prometheus_gives_the_same_series_as_text_and_as_protobuf(servers: tuple[Served, Served], kind: str) -> None:
    _, sanso = servers
    text, messages = f"{kind}text", f"{kind}protobuf"

    def series(job: str) -> set[tuple[tuple[str, str], ...]]:
        found = values(sanso, f'{{job="{job}",__name__!~"scrape_(duration_seconds|series_added)"}}')
        return {tuple(pair for pair in labels if pair[0] != "job") for labels in found}

    until(lambda: len(series(text)) > 300 and series(text) == series(messages))
    buckets = [
        dict(labels)["le"]
        for labels in series(messages)
        if ("__name__", "prometheus_http_request_duration_seconds_bucket") in labels
    ]
    assert {"1.0", "+Inf"} <= set(buckets)
    told = {
        each["target"]["job"]: (each["type"], each["help"])
        for each in sanso.get("/api/v1/targets/metadata", metric="prometheus_http_requests_total")["data"]
    }
    assert told[text] == told[messages]
    assert told["text"][0] == "counter"


QUESTIONS = [
    "histogram_count(X)",
    "histogram_sum(X)",
    "histogram_quantile(0.1, X)",
    "histogram_quantile(0.5, X)",
    "histogram_quantile(0.99, X)",
    "histogram_fraction(0, 1.1, X)",
    "histogram_quantile(0.9, sum(X))",
]
NAMES = ["whole_seconds", "fresh", "fractions", "pending"]


def answers(server: Served, name: str, job: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], str]:
    """What the questions about a histogram give, without the job's label."""
    found: dict[tuple[str, tuple[tuple[str, str], ...]], str] = {}
    for question in QUESTIONS:
        answer = values(server, question.replace("X", f'{name}{{job="{job}"}}'))
        assert answer, question
        for key, value in answer.items():
            found[question, tuple(pair for pair in key if pair[0] != "job")] = f"{value:.9g}"
    return found


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", ["to Prometheus", "from Prometheus"])
def test_native_histograms_are_federated(servers: tuple[Served, Served], way: str, name: str) -> None:
    """Whoever federates holds what it holds of the target itself: so every question has the same answer."""
    server = servers[way == "from Prometheus"]
    for job in ("direct", "application"):
        until(lambda job=job: server.query(f'histogram_count({name}{{job="{job}"}})'))
    end = time.monotonic() + 20
    while answers(server, name, "direct") != answers(server, name, "application") and time.monotonic() < end:
        time.sleep(0.3)
    assert answers(server, name, "direct") == answers(server, name, "application")
    counts = f'histogram_count({name}) or label_replace(histogram_sum({name}), "is", "sum", "", "")'
    until(lambda: values(servers[0], counts) == values(servers[1], counts))
