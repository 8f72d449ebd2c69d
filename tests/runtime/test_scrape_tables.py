from __future__ import annotations

from pathlib import Path

import pytest

from sanso.exposition.page import HistogramWish, Limits
from sanso.model.errors import ConfigError
from sanso.runtime.config import Config, load_config
from sanso.sources.scrape.settings import NATIVE_PROTOCOLS, PROTOCOLS, Secret


def loaded(folder: Path, text: str) -> Config:
    path = folder / "sanso.toml"
    path.write_text(text, "utf-8")
    return load_config(path)


def test_the_short_form(tmp_path: Path) -> None:
    text = '[[scrape]]\njob = "llm"\nurl = "http://127.0.0.1:8000/m?x=1"\ninterval = "5s"\n'
    (job,) = loaded(tmp_path, text).scrape.jobs
    assert (job.name, job.interval_ms, job.timeout_ms) == ("llm", 5000, 5000)
    assert (job.scheme, job.metrics_path, job.params) == ("http", "/m", (("x", ("1",)),))
    assert job.static[0].targets == ((("__address__", "127.0.0.1:8000"),),)


def test_the_long_form(tmp_path: Path) -> None:
    text = """
[external_labels]
region = "eu"
[[scrape]]
job = "nodes"
targets = ["a:9100", "b:9100"]
timeout = "3s"
scheme = "https"
params = { module = ["x"] }
honor_labels = true
sample_limit = 100
bearer_token = "t"
tls_config = { insecure_skip_verify = true }
[scrape.labels]
zone = "x"
[[scrape.file_sd_configs]]
files = ["sd.json"]
[[scrape.relabel_configs]]
source_labels = ["__address__"]
target_label = "host"
"""
    config = loaded(tmp_path, text)
    (job,) = config.scrape.jobs
    assert dict(config.external_labels) == {"region": "eu"}
    assert (job.interval_ms, job.timeout_ms, job.scheme, job.params) == (15_000, 3_000, "https", (("module", ("x",)),))
    assert len(job.static[0].targets) == 2
    assert dict(job.static[0].labels) == {"zone": "x"}
    assert job.http.credentials == Secret("t")
    assert job.http.tls.skip_verify
    assert job.files[0].patterns == (str(tmp_path / "sd.json"),)
    assert job.relabel[0].target_label == "host"
    assert "t" not in config.text.split()


def test_native_histograms_where_they_are_asked_for(tmp_path: Path) -> None:
    text = '[[scrape]]\njob = "a"\nurl = "http://h/"\n[[scrape]]\njob = "b"\nurl = "http://h/"\n'
    text += "scrape_native_histograms = true\nnative_histogram_bucket_limit = 100\n"
    plain, native = loaded(tmp_path, text).scrape.jobs
    assert (plain.histograms.native, plain.asked) == (False, PROTOCOLS)
    assert (native.histograms, native.asked) == (HistogramWish(most_buckets=100), NATIVE_PROTOCOLS)
    with pytest.raises(ConfigError, match="at least one format is expected, and each once"):
        loaded(tmp_path, '[[scrape]]\njob = "a"\nurl = "http://h/"\nscrape_protocols = []\n')


def test_limits_are_on_by_default(tmp_path: Path) -> None:
    (job,) = loaded(tmp_path, '[[scrape]]\njob = "a"\nurl = "http://a:1"\n').scrape.jobs
    usual = Limits()
    found = job.limits
    assert (found.body_bytes, found.samples, found.labels) == (usual.body_bytes, usual.samples, usual.labels)
    assert (found.label_name_length, found.label_value_length) == (usual.label_name_bytes, usual.label_value_bytes)


def test_one_job_in_two_places_is_two_pools(tmp_path: Path) -> None:
    table = '[[scrape]]\njob = "a"\nurl = "http://h:{}"\n'
    jobs = loaded(tmp_path, table.format(1) + table.format(2)).scrape.jobs
    assert [(job.name, job.key) for job in jobs] == [("a", "a"), ("a", "a (2)")]


@pytest.mark.parametrize(
    ("text", "line", "field", "expected"),
    [
        ('url = "http://a:1"\n', 1, "scrape.0.job", "a job's name is expected"),
        ('job = "a"\n', 1, "scrape.0", "something to scrape is expected"),
        ('job = "a"\nurl = "a:1"\n', 3, "scrape.0.url", "an address like"),
        ('job = "a"\nurl = "http://a:1"\ntargets = ["x:1"]\n', 4, "scrape.0.targets", '"url" says it already'),
        ('job = "a"\nurl = "http://a:1"\nintervall = "5s"\n', 4, "scrape.0.intervall", "unknown field; known are"),
        ('job = "a"\nurl = "http://a:1"\ninterval = "often"\n', 4, "scrape.0.interval", "is not a duration"),
        (
            'job = "a"\nurl = "http://a:1"\ninterval = "1s"\ntimeout = "2s"\n',
            5,
            "scrape.0.timeout",
            "longer than the scrape interval",
        ),
        ('job = "a"\ntargets = "x:1"\n', 3, "scrape.0.targets", "a list of texts is expected"),
        (
            'job = "a"\nurl = "http://a:1"\nkubernetes_sd_configs = []\n',
            4,
            "scrape.0.kubernetes_sd_configs",
            "unknown field",
        ),
    ],
)
def test_what_is_wrong_is_named_with_file_line_and_field(
    tmp_path: Path, text: str, line: int, field: str, expected: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, f"[[scrape]]\n{text}")
    assert (caught.value.line, caught.value.field) == (line, field)
    assert expected in caught.value.expected
