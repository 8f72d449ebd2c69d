"""Real Prometheus scrapes the same pages: what it takes and what it holds of them is what our parser says."""

from __future__ import annotations

import json
import math
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from sanso.exposition.formats import OPENMETRICS as OPENMETRICS_FORMAT
from sanso.exposition.formats import TEXT as TEXT_FORMAT
from sanso.exposition.openmetrics import OpenMetricsParser
from sanso.exposition.page import HistogramWish
from sanso.exposition.parse import TextParser
from sanso.exposition.protobuf import ProtobufParser
from sanso.model.errors import DecodeError
from sanso.model.labels import Labels, labels_of, without
from tests.exposition import metric_families, pages, test_protobuf
from tests.peers import free_port, require_program

pytestmark = [pytest.mark.peer, pytest.mark.slow]

TEXT: dict[str, bytes] = {
    "plain": b"a 1\nb 2\n",
    "no-newline-at-end": b"a 1",
    "blank-lines": b"\n\na 1\n \n\t\n",
    "crlf": b"a 1\r\nb 2\r\n",
    "crlf-comment": b"# a\r\na 1\n",
    "crlf-type": b"# TYPE a counter\r\na 1\n",
    "bare-cr-line": b"a 1\n\r\n",
    "blanks": b'a\t { b = "c" , d="e" , } \t 1  \nb{}2\n',
    "no-comma": b'a{b="c" d="e"} 1\n',
    "leading-comma": b'a{,b="c"} 1\n',
    "two-commas": b'a{b="c",,} 1\n',
    "escapes": rb'a{b="\\\"\n\t\x"} 1' + b"\n",
    "utf-8-value": 'a{b="é漢"} 1\n'.encode(),
    "not-utf-8-value": b'a{b="\xff"} 1\n',
    "not-utf-8-help": b"# HELP a \xff\na 1\n",
    "bom": b"\xef\xbb\xbfa 1\n",
    "empty-label": b'a{b=""} 1\n',
    "colons": b'vllm:requests{m="x"} 1\n:a: 2\n',
    "duplicate-label": b'a{b="c",b="d"} 1\n',
    "name-as-label": b'a{__name__="b"} 1\n',
    "no-name": b'{b="c"} 1\n',
    "duplicate-series": b'a{b="c",d="e"} 1\na{d="e",b="c"} 2\n',
    "brace-in-value": b'a{b="}",c="{"} 1\n',
    "numbers": b"a 1\nb +1.5e-3\nc .5\nd 5.\ne 007\nf Inf\ng -inf\nh +INFINITY\ni 1e-999\nj 1E3\n",
    "nan": b"a nan\nb NaN\n",
    "signed-nan": b"a +nan\n",
    "too-large": b"a 1e999\n",
    "underscore-number": b"a 1_0\n",
    "hex-number": b"a 0x10\n",
    "hex-float": b"a 0x1p4\n",
    "no-value": b"a\n",
    "word": b"a x\n",
    "three-numbers": b"a 1 2 3\n",
    "float-time": b"a 1 1.5\n",
    "comments": b"#\n# x\n#HELP\n# HELPa b\n# help a b\n# EOF\n# UNIT a b\na 1\n",
    "type-late": b"a 1\n# TYPE a counter\n# HELP a x\n",
    "type-twice": b"# TYPE a counter\n# TYPE a gauge\na 1\n",
    "type-wrong": b"# TYPE a info\na 1\n",
    "type-missing": b"# TYPE a\na 1\n",
    "type-name-missing": b"# TYPE \na 1\n",
    "help-empty": b"# HELP a\na 1\n",
    "help-name-missing": b"# HELP  \na 1\n",
    "help-other-name": b"# HELP a.b c\na 1\n",
    "dotted-name": b"a.b 1\n",
    "digit-name": b"1a 1\n",
    "single-quotes": b"a{b='c'} 1\n",
    "open-quote": b'a{b="c} 1\n',
    "open-brace": b'a{b="c" 1\n',
    "exemplar": b'a_total 1 # {b="c"} 1\n',
    "empty": b"",
    "time": f"a 1 {int(time.time() * 1000)}\n".encode(),
}
OPENMETRICS: dict[str, bytes] = {
    "plain": b"# TYPE a gauge\na 1\n# EOF\n",
    "no-eof": b"a 1\n",
    "after-eof": b"a 1\n# EOF\na 2\n",
    "eof-without-newline": b"a 1\n# EOF",
    "blank-line": b"a 1\n\n# EOF\n",
    "two-blanks": b"a  1\n# EOF\n",
    "blank-at-end": b"a 1 \n# EOF\n",
    "crlf": b"a 1\r\n# EOF\r\n",
    "counter": b'# TYPE a counter\na_total{b="c"} 1\n# EOF\n',
    "exemplar": b'# TYPE a counter\na_total 1 # {b="c"} 0.5 1.5\n# EOF\n',
    "histogram": b'# TYPE a histogram\na_bucket{le="1.0"} 1 # {} 0.5\na_bucket{le="+Inf"} 2\n# EOF\n',
    "unit": b"# TYPE a_seconds gauge\n# UNIT a_seconds seconds\na_seconds 1\n# EOF\n",
    "unit-wrong": b"# UNIT a seconds\na 1\n# EOF\n",
    "type-wrong": b"# TYPE a untyped\na 1\n# EOF\n",
    "comment": b"# hello\na 1\n# EOF\n",
    "no-number": b"a x\n# EOF\n",
    "escapes": rb'a{b="\\\"\n"} 1' + b"\n# EOF\n",
}
STRICTER: dict[str, bytes] = {
    "no-infinite-bucket": b'# TYPE a histogram\na_bucket{le="1.0"} 1\n# EOF\n',
    "falling-buckets": b'# TYPE a histogram\na_bucket{le="1.0"} 2\na_bucket{le="+Inf"} 1\n# EOF\n',
    "counter-without-total": b"# TYPE a counter\na 1\n# EOF\n",
    "negative-counter": b"# TYPE a counter\na_total -1\n# EOF\n",
    "interleaved": b'a{b="1"} 1\nc 1\na{b="2"} 2\n# EOF\n',
    "type-after-samples": b"a 1\n# TYPE a gauge\n# EOF\n",
    "info-of-two": b"# TYPE a info\na_info 2\n# EOF\n",
}
"""The standard forbids these pages and so do we; Prometheus takes them."""
AS_THE_FORMAT_SAYS: dict[str, bytes] = {
    "leading-blank": b" a 1\n",  # Prometheus makes the blank a part of the name
    "blanks-in-type": b"# TYPE a  counter \na 1\n",
    "time-before-1970": b"a 1 -5\n",
}
"""Text 0.0.4 allows these pages ("leading and trailing whitespace is ignored") and so do we; Prometheus does not."""


def _messages() -> dict[str, bytes]:
    """Pages in protobuf, without native histograms (tests/cli) and those of gauges (Prometheus 2 has none)."""
    summary = metric_families.family("s", metric_families.SUMMARY)
    held = metric_families.metric(summary, a="b").summary
    held.sample_count, held.sample_sum = 3, 1.5
    held.quantile.add(quantile=1, value=2.0)
    held.quantile.add(quantile=0.999, value=2.5)
    whole, bare = test_protobuf.classic(), test_protobuf.classic()
    for told in (whole, bare):
        told.metric[0].label[0].name = "own"  # the job is another here
    whole.metric[0].histogram.bucket.add(upper_bound=math.inf, cumulative_count=4)
    stamped = metric_families.family("t", metric_families.GAUGE)
    metric_families.metric(stamped, a="").timestamp_ms = int(time.time() * 1000)
    unset = metric_families.family("u", metric_families.COUNTER)
    metric_families.metric(unset)
    twice = metric_families.family("g", metric_families.GAUGE)
    for value in (1.0, 2.0):
        metric_families.metric(twice).gauge.value = value
    refused = {name.replace(" ", "-"): body for name, (body, _) in test_protobuf.damaged().items()}
    for ours_alone in ("parts-by-hand", "schema", "count", "spans", "le-twice", "a-label-without-a-name"):
        del refused[ours_alone]
    plain = test_protobuf.simple()
    del plain[-1]  # names beyond the classic characters: Prometheus 2 has none
    return {
        "simple": metric_families.delimited(*plain),
        "summary": metric_families.delimited(summary),
        "classic": metric_families.delimited(bare),
        "classic-with-infinity": metric_families.delimited(whole),
        "stamped": metric_families.delimited(stamped),
        "unset": metric_families.delimited(unset),
        "twice": metric_families.delimited(twice),
        "nothing": b"",
        **refused,
    }


MESSAGES = _messages()


class _Target(BaseHTTPRequestHandler):
    """Serves each page at its own path."""

    bodies: ClassVar[Mapping[str, tuple[bytes, str]]] = {}

    def do_GET(self) -> None:
        body, kind = self.bodies[self.path]
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Quiet."""


@dataclass(frozen=True)
class Scraped:
    """What Prometheus made of every page: whether it took it, and its samples."""

    healthy: dict[str, bool]
    errors: dict[str, str]
    samples: dict[str, dict[Labels, float | str]]


@contextmanager
def _prometheus(folder: Path, port: int) -> Iterator[str]:
    own = free_port()
    jobs = [
        {"job_name": path.lstrip("/"), "metrics_path": path, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
        for path in _Target.bodies
    ]
    config = folder / "prometheus.yml"
    settings = {"scrape_interval": "1s", "scrape_timeout": "1s"}
    config.write_text(json.dumps({"global": settings, "scrape_configs": jobs}), "utf-8")
    command = [require_program("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}"]
    command += [f"--web.listen-address=127.0.0.1:{own}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            yield f"http://127.0.0.1:{own}"
        finally:
            child.terminate()


def _asked(url: str, path: str, **parameters: str) -> Any:
    with urllib.request.urlopen(f"{url}{path}?{urllib.parse.urlencode(parameters)}", timeout=5) as answer:
        return json.load(answer)["data"]


def _targets(url: str) -> list[dict[str, Any]]:
    for _ in range(150):
        time.sleep(0.2)
        try:
            found: list[dict[str, Any]] = _asked(url, "/api/v1/targets")["activeTargets"]
        except OSError:
            continue
        if found and all(target["health"] != "unknown" for target in found):
            return found
    raise AssertionError("Prometheus did not scrape every target within 30 s")


def _samples(url: str) -> dict[str, dict[Labels, float | str]]:
    held: dict[str, dict[Labels, float | str]] = {}
    for result in _asked(url, "/api/v1/query", query='{__name__=~".+"}')["result"]:
        labels = labels_of(result["metric"])
        job = result["metric"]["job"]
        name = result["metric"]["__name__"]
        if name == "up" or name.startswith("scrape_"):
            continue
        value = float(result["value"][1])
        held.setdefault(job, {})[without(labels, ("job", "instance"))] = "NaN" if math.isnan(value) else value
    return held


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Scraped:
    _Target.bodies = {
        **{f"/text-{name}": (body, TEXT_FORMAT.content_type) for name, body in (TEXT | AS_THE_FORMAT_SAYS).items()},
        **{
            f"/openmetrics-{name}": (body, OPENMETRICS_FORMAT.content_type)
            for name, body in (OPENMETRICS | STRICTER).items()
        },
        **{f"/protobuf-{name}": (body, metric_families.CONTENT_TYPE) for name, body in MESSAGES.items()},
    }
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Target)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with _prometheus(tmp_path_factory.mktemp("prometheus"), server.server_port) as url:
            targets = _targets(url)
            healthy = {target["labels"]["job"]: target["health"] == "up" for target in targets}
            errors = {target["labels"]["job"]: target["lastError"] for target in targets}
            return Scraped(healthy, errors, _samples(url))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _ours(parser: TextParser | OpenMetricsParser | ProtobufParser, body: bytes) -> dict[Labels, float | str] | str:
    try:
        page = parser.parse(body)
    except DecodeError as error:
        return str(error)
    return {labels: value for labels, (value, _) in pages.told(page).items()}


@pytest.mark.parametrize("name", TEXT)
def test_text(scraped: Scraped, name: str) -> None:
    job = f"text-{name}"
    ours = _ours(TextParser(), TEXT[name])
    if not scraped.healthy[job]:
        assert isinstance(ours, str), scraped.errors[job]
    else:
        assert ours == scraped.samples.get(job, {})


@pytest.mark.parametrize("name", OPENMETRICS)
def test_openmetrics(scraped: Scraped, name: str) -> None:
    job = f"openmetrics-{name}"
    ours = _ours(OpenMetricsParser(), OPENMETRICS[name])
    if not scraped.healthy[job]:
        assert isinstance(ours, str), scraped.errors[job]
    else:
        assert ours == scraped.samples.get(job, {})


@pytest.mark.parametrize("name", MESSAGES)
def test_protobuf_pages(scraped: Scraped, name: str) -> None:
    job = f"protobuf-{name}"
    ours = _ours(ProtobufParser(wish=HistogramWish(native=False)), MESSAGES[name])
    if not scraped.healthy[job]:
        assert isinstance(ours, str), scraped.errors[job]
    else:
        assert ours == scraped.samples.get(job, {})


@pytest.mark.parametrize("name", STRICTER)
def test_where_the_standard_is_stricter(scraped: Scraped, name: str) -> None:
    assert scraped.healthy[f"openmetrics-{name}"]
    assert isinstance(_ours(OpenMetricsParser(), STRICTER[name]), str)


@pytest.mark.parametrize("name", AS_THE_FORMAT_SAYS)
def test_where_the_format_allows_more(scraped: Scraped, name: str) -> None:
    assert not scraped.healthy[f"text-{name}"]
    assert isinstance(_ours(TextParser(), AS_THE_FORMAT_SAYS[name]), dict)
