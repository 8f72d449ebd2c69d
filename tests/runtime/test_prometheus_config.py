from __future__ import annotations

from pathlib import Path

import pytest

from sanso.exposition.page import HistogramWish
from sanso.model.errors import ConfigError
from sanso.runtime.config import load_config
from sanso.runtime.prometheus_config import load_prometheus_config
from sanso.sources.scrape.settings import NATIVE_PROTOCOLS, OPENMETRICS, PROTOBUF, PROTOCOLS, TEXT, Secret

EVERYTHING = """
global:
  scrape_interval: 20s
  scrape_timeout: 8s
  evaluation_interval: 30s
  scrape_protocols: [OpenMetricsText1.0.0, PrometheusText0.0.4]
  external_labels: {region: eu, version: 1.10}
  sample_limit: 1000
  body_size_limit: 10MB
rule_files: ["rules/*.yml"]
storage:
  tsdb: {out_of_order_time_window: 30m}
scrape_configs:
  - job_name: plain
    static_configs:
      - targets: ["a:1", "b:2"]
        labels: {zone: x, build: 0010, debug: yes}
  - job_name: full
    scrape_interval: 5s
    scheme: https
    metrics_path: /m
    params: {module: [x, y]}
    honor_labels: true
    honor_timestamps: false
    track_timestamps_staleness: true
    extra_scrape_metrics: true
    enable_compression: false
    fallback_scrape_protocol: OpenMetricsText1.0.0
    sample_limit: 0
    label_limit: 10
    label_name_length_limit: 20
    label_value_length_limit: 30
    target_limit: 40
    keep_dropped_targets: 5
    follow_redirects: false
    basic_auth: {username: u, password_file: secret}
    tls_config: {ca_file: ca.pem, cert_file: c.pem, key_file: k.pem, server_name: n, insecure_skip_verify: true}
    file_sd_configs:
      - files: ["sd/*.json", /abs/t.yml]
        refresh_interval: 1m
    http_sd_configs:
      - url: http://sd.example/targets
        refresh_interval: 30s
        authorization: {credentials: token}
    relabel_configs:
      - {source_labels: [__address__], regex: '(.*):\\d+', target_label: host, replacement: '${1}'}
      - {action: LabelDrop, regex: zone}
    metric_relabel_configs:
      - {source_labels: [__name__], regex: go_.*, action: drop}
"""


def written(folder: Path, text: str, name: str = "prometheus.yml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_every_field_counts(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    written(tmp_path / "rules", "groups: []", "a.yml")
    config = load_config(written(tmp_path, EVERYTHING))
    assert dict(config.external_labels) == {"region": "eu", "version": "1.10"}
    assert config.rule_files == (tmp_path / "rules" / "a.yml",)
    assert config.late_ms == 1_800_000
    plain, full = config.scrape.jobs
    assert (plain.name, plain.interval_ms, plain.timeout_ms) == ("plain", 20_000, 8_000)
    assert dict(plain.static[0].labels) == {"zone": "x", "build": "0010", "debug": "yes"}
    assert [dict(target)["__address__"] for target in plain.static[0].targets] == ["a:1", "b:2"]
    assert (plain.limits.samples, plain.limits.body_bytes) == (1000, 10 << 20)
    assert (plain.protocols, plain.fallback) == ((OPENMETRICS, TEXT), TEXT)
    assert plain.honor_timestamps
    assert not plain.honor_labels

    assert (full.interval_ms, full.timeout_ms) == (5_000, 5_000)
    assert (full.scheme, full.metrics_path, full.params) == ("https", "/m", (("module", ("x", "y")),))
    assert full.honor_labels
    assert not full.honor_timestamps
    assert full.track_timestamps_staleness
    assert full.extra_metrics
    assert not full.compression
    assert full.fallback == OPENMETRICS
    limits = full.limits
    assert (limits.samples, limits.labels, limits.label_name_length, limits.label_value_length) == (0, 10, 20, 30)
    assert (limits.targets, limits.dropped_kept) == (40, 5)
    assert not full.http.follow_redirects
    assert (full.http.username, full.http.password) == (Secret("u"), Secret(file=tmp_path / "secret"))
    tls = full.http.tls
    assert (tls.ca.file, tls.cert.file, tls.key.file) == tuple(tmp_path / name for name in ("ca.pem", "c.pem", "k.pem"))
    assert (tls.server_name, tls.skip_verify) == ("n", True)
    assert full.files[0].patterns == (str(tmp_path / "sd/*.json"), "/abs/t.yml")
    assert full.files[0].refresh_ms == 60_000
    assert (full.urls[0].url, full.urls[0].refresh_ms) == ("http://sd.example/targets", 30_000)
    assert full.urls[0].http.credentials == Secret("token")
    assert [rule.action for rule in full.relabel] == ["replace", "labeldrop"]
    assert full.metric_relabel[0].regex == "go_.*"


def test_what_is_not_honoured_is_named(tmp_path: Path) -> None:
    text = """
global: {query_log_file: q.log, scrape_failure_log_file: f.log}
alerting: {alertmanagers: []}
remote_write: [{url: "http://x/"}]
remote_read: [{url: "http://x/"}]
tracing: {endpoint: x}
storage: {exemplars: {max_exemplars: 3}}
runtime: {gogc: 50}
scrape_configs:
- job_name: j
  kubernetes_sd_configs: [{role: pod}]
  consul_sd_configs: [{server: x}]
  oauth2: {client_id: x}
  proxy_url: http://p
"""
    found = load_prometheus_config(written(tmp_path, text))
    said = "\n".join(found.notices)
    for name in (
        "alerting",
        "remote_write",
        "remote_read",
        "tracing",
        "storage.exemplars",
        "global.query_log_file",
        "global.scrape_failure_log_file",
        'job "j": kubernetes_sd_configs',
        'job "j": consul_sd_configs',
        'job "j": oauth2',
        'job "j": proxy_url',
    ):
        assert f"{name} is not supported yet" in said


def test_native_histograms_are_asked_for_as_in_prometheus(tmp_path: Path) -> None:
    text = """
global: {scrape_native_histograms: true, always_scrape_classic_histograms: true}
scrape_configs:
- job_name: as-global
- job_name: not-here
  scrape_native_histograms: false
  always_scrape_classic_histograms: false
- job_name: told
  scrape_protocols: [PrometheusText0.0.4, PrometheusProto]
  fallback_scrape_protocol: PrometheusProto
  native_histogram_bucket_limit: 160
  native_histogram_min_bucket_factor: 1.1
- job_name: of-old
  scrape_native_histograms: false
  scrape_classic_histograms: true
  convert_classic_histograms_to_nhcb: true
"""
    found = load_prometheus_config(written(tmp_path, text))
    first, second, third, fourth = found.plan.jobs
    assert found.notices == ()
    assert (first.asked, first.histograms) == (NATIVE_PROTOCOLS, HistogramWish(classic=True))
    assert (second.asked, second.histograms) == (PROTOCOLS, HistogramWish(native=False))
    assert (third.asked, third.fallback) == ((TEXT, PROTOBUF), PROTOBUF)
    assert third.histograms == HistogramWish(classic=True, most_buckets=160, finest_schema=2)
    assert (fourth.asked, fourth.histograms) == (PROTOCOLS, HistogramWish(native=False, classic=True, custom=True))
    everywhere = load_prometheus_config(
        written(tmp_path, "global: {scrape_protocols: [PrometheusText0.0.4]}\nscrape_configs: [{job_name: a}]\n")
    )
    assert everywhere.plan.jobs[0].asked == (TEXT,)


@pytest.mark.parametrize(("factor", "schema"), [(0, 8), (1, 8), (1.002, 8), (1.09, 3), (1.1, 2), (2, 0), (1e9, -4)])
def test_the_least_growth_of_buckets(tmp_path: Path, factor: float, schema: int) -> None:
    text = f"scrape_configs: [{{job_name: a, native_histogram_min_bucket_factor: {factor}}}]\n"
    assert load_prometheus_config(written(tmp_path, text)).plan.jobs[0].histograms.finest_schema == schema


@pytest.mark.parametrize(
    ("text", "line", "field", "expected"),
    [
        ("scrape_config: []\n", 1, "scrape_config", "unknown field; known are"),
        ("global:\n  scrape_intervall: 5s\n", 2, "global.scrape_intervall", "unknown field"),
        ("global:\n  scrape_interval: soon\n", 2, "global.scrape_interval", "is not a duration"),
        ("global:\n  scrape_timeout: 2m\n", 2, "global.scrape_timeout", "longer than the scrape interval"),
        ("scrape_configs:\n- scheme: http\n", 2, "scrape_configs.0.job_name", "a job's name is expected"),
        (
            "scrape_configs:\n- job_name: a\n- job_name: a\n",
            3,
            "scrape_configs.1.job_name",
            'a second job is called "a"',
        ),
        ("scrape_configs:\n- job_name: a\n  scheme: ftp\n", 3, "scrape_configs.0.scheme", "http or https is expected"),
        (
            "scrape_configs:\n- job_name: a\n  static_configs:\n  - target: [x]\n",
            4,
            "scrape_configs.0.static_configs.0.target",
            "unknown field; known are labels, targets",
        ),
        (
            "scrape_configs:\n- job_name: a\n  static_configs:\n  - targets: ['http://x']\n",
            4,
            "scrape_configs.0.static_configs.0.targets",
            "host:port is expected",
        ),
        (
            "scrape_configs:\n- job_name: a\n  relabel_configs:\n  - action: hashmod\n    target_label: x\n",
            4,
            "scrape_configs.0.relabel_configs.0",
            "non-zero modulus",
        ),
        (
            "scrape_configs:\n- job_name: a\n  file_sd_configs:\n  - files: [x.txt]\n",
            4,
            "scrape_configs.0.file_sd_configs.0.files",
            ".json, .yml or .yaml",
        ),
        (
            "scrape_configs:\n- job_name: a\n  basic_auth: {username: x}\n  bearer_token: y\n",
            4,
            "scrape_configs.0.bearer_token",
            "at most one of",
        ),
        (
            "scrape_configs:\n- job_name: a\n  tls_config: {cert_file: x}\n",
            3,
            "scrape_configs.0.tls_config.cert_file",
            "together",
        ),
        ("scrape_configs:\n- job_name: a\n  sample_limit: many\n", 3, "scrape_configs.0.sample_limit", "whole number"),
        ("scrape_configs:\n- job_name: a\n  job_name: b\n", 3, "scrape_configs.0.job_name", "stands twice"),
        ("scrape_configs: {}\n", 1, "scrape_configs", "a list of tables is expected"),
        ("a: [\n", 2, "", "is not YAML"),
    ],
)
def test_what_is_wrong_is_named_with_file_line_and_field(
    tmp_path: Path, text: str, line: int, field: str, expected: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert (caught.value.file, caught.value.line, caught.value.field) == (str(path), line, field)
    assert expected in caught.value.expected


def test_an_empty_file_and_empty_sections_are_well(tmp_path: Path) -> None:
    assert load_config(written(tmp_path, "")).scrape.jobs == ()
    text = "global:\nrule_files:\nscrape_configs:\n- job_name: a\n  static_configs:\n"
    (job,) = load_config(written(tmp_path, text)).scrape.jobs
    assert (job.interval_ms, job.timeout_ms) == (60_000, 10_000)


def test_jobs_of_other_files_and_merged_keys(tmp_path: Path) -> None:
    written(tmp_path, "scrape_configs: [{job_name: b}]", "more.yml")
    text = """
scrape_config_files: [mo*.yml]
scrape_configs:
- &base
  job_name: a
  scrape_interval: 30s
- <<: *base
  job_name: c
"""
    jobs = load_config(written(tmp_path, text)).scrape.jobs
    assert [(job.name, job.interval_ms) for job in jobs] == [("a", 30_000), ("c", 30_000), ("b", 60_000)]


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    text = """
remote_write: [{url: "http://u:hidden@x/"}]
scrape_configs:
- job_name: a
  basic_auth: {username: u, password: hidden}
- job_name: b
  authorization: {credentials: hidden}
"""
    shown = load_config(written(tmp_path, text)).text
    assert "hidden" not in shown
    assert shown.count("<secret>") == 3
    assert "username: u" in shown


def test_times_of_nothing_are_those_given_by_default(tmp_path: Path) -> None:
    path = tmp_path / "prometheus.yml"
    path.write_text(
        "global: {scrape_interval: 0s, scrape_timeout: 0s, evaluation_interval: 0}\n"
        "scrape_configs:\n"
        "- {job_name: a, scrape_interval: 0s, scrape_timeout: 0s}\n"
        "- {job_name: b, scrape_interval: 5s}\n"
    )
    jobs = load_prometheus_config(path).plan.jobs
    assert [(job.interval_ms, job.timeout_ms) for job in jobs] == [(60_000, 10_000), (5_000, 5_000)]
    path.write_text("global: {scrape_interval: 0s, scrape_timeout: 70s}\n")
    with pytest.raises(ConfigError, match="longer than the scrape interval"):
        load_prometheus_config(path)


@pytest.mark.parametrize("after", ["---\nglobal: {scrape_interval: 7s}\n", "---\nnonsense: {", "---\n"])
def test_what_comes_after_the_first_document_is_passed_over(tmp_path: Path, after: str) -> None:
    path = tmp_path / "prometheus.yml"
    path.write_text(f"global: {{scrape_interval: 4s}}\nscrape_configs: [{{job_name: a, sample_limit: 0x10}}]\n{after}")
    (job,) = load_prometheus_config(path).plan.jobs
    assert (job.interval_ms, job.limits.samples) == (4_000, 16)
