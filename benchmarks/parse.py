"""Exposition pages read: lines a second of one core, beside prometheus_client's parsers in the same run.

The page is a real one of node_exporter; its values change from page to page as a host's do. Three ways to meet it: the
same shape again (a target that is scraped), each page for the first time, and a series more or less on every page. The
same page in protobuf, and one of native histograms, beside the protobuf runtime (upb, in C) and what Python has to do
to get labels and values out of it. `python benchmarks/parse.py [PAGES]` (100).
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from sanso.exposition.formats import UTF8_PROTOBUF, format_float
from sanso.exposition.openmetrics import OpenMetricsParser
from sanso.exposition.parse import TextParser
from sanso.exposition.protobuf import ProtobufParser
from sanso.exposition.render_openmetrics import render_openmetrics
from sanso.exposition.render_protobuf import render_protobuf
from sanso.model.labels import series_of
from sanso.model.native_histogram import NativeHistogram

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.exposition.metric_families import read_page

PAGE = Path(__file__).resolve().parents[2] / "shared" / "data" / "node_exporter.prom"
CHANGING = (b"node_cpu_seconds_total{", b"node_network_", b"node_disk_")
THEIRS = 4


def as_openmetrics(text: bytes) -> bytes:
    """The page in the other format."""
    page = TextParser().parse(text)
    cells = zip(page.row.columns.labels, page.row.values.tolist(), strict=True)
    families = {family.name: family for family in page.families}
    return render_openmetrics(((labels, value, None) for labels, value in cells), families).encode()


def later(lines: list[bytes], random: np.random.Generator) -> list[bytes]:
    """The page some time later: most counters are higher, gauges elsewhere."""
    moved = []
    for line in lines:
        series, _, number = line.rpartition(b" ")
        if line[:1] == b"#" or not series or b"{le=" in line or b"_info" in series or random.random() < 0.3:
            moved.append(line)
            continue
        value = float(number)
        whole = value == int(value) if np.isfinite(value) else False
        value += int(random.integers(0, 5000)) if whole else abs(value) * float(random.random()) / 1000
        moved.append(series + b" " + format_float(value).encode())
    return moved


def churned(pages: list[list[bytes]]) -> list[list[bytes]]:
    """On every page another series is missing, or a new one there."""
    changed = []
    for number, lines in enumerate(pages):
        places = [place for place, line in enumerate(lines) if line.startswith(CHANGING)]
        place = places[number * 37 % len(places)]
        more = [lines[place].replace(b'="', f'="{number}'.encode(), 1)] if number % 2 else []
        changed.append([*lines[:place], *more, *lines[place + 1 - len(more) :]])
    return changed


def rate(read: Callable[[Any], object], pages: Sequence[bytes | str]) -> float:
    """Lines a CPU-second, the best of three rounds."""
    lines = sum(len(page.splitlines()) for page in pages)
    costs = []
    for _ in range(3):
        began = time.process_time()
        for page in pages:
            read(page)
        costs.append(time.process_time() - began)
    return lines / min(costs)


def as_messages(text: bytes) -> bytes:
    """The page in protobuf."""
    page = TextParser().parse(text)
    cells = zip(page.row.columns.labels, page.row.values.tolist(), strict=True)
    families = {family.name: family for family in page.families}
    return render_protobuf(((labels, value, None) for labels, value in cells), [], families, UTF8_PROTOBUF)


def histograms(number: int) -> bytes:
    """A page of 100 native histograms of 40 buckets, each observed since the page before."""
    buckets = tuple((index, float(1 + (index * 7 + number) % 50)) for index in range(-20, 20))
    held = NativeHistogram(3, sum(count for _, count in buckets), 1.0 + number, zero_threshold=1e-9, positive=buckets)
    told = [(series_of(f"wait_{name}_seconds", code="200"), held, None) for name in range(100)]
    return render_protobuf([], told, {}, UTF8_PROTOBUF)


def by_runtime(body: bytes) -> None:
    """Labels and values of every metric, by the protobuf runtime."""
    for family in read_page(body):
        for metric in family.metric:
            labels = tuple(sorted((pair.name, pair.value) for pair in metric.label))
            if metric.HasField("histogram"):
                native = metric.histogram
                spans = [(span.offset, span.length) for span in native.positive_span]
                deque((labels, spans, native.sample_sum, list(native.positive_delta)), maxlen=0)
            else:
                found = (metric.gauge, metric.counter, metric.untyped)
                deque((labels, sum(each.value for each in found)), maxlen=0)


def protobuf(pages: Sequence[bytes]) -> None:
    """Print the rates of samples."""
    for name, told in (
        ("the same page", [as_messages(page) for page in pages]),
        ("native histograms", [histograms(number) for number in range(len(pages))]),
    ):
        samples, kept = ProtobufParser().parse(told[0]).samples, ProtobufParser()
        lines = samples * len(told) / sum(len(page.splitlines()) for page in told)  # `rate` counts lines
        peer, ours = rate(by_runtime, told) * lines, rate(kept.parse, told) * lines
        print(f"protobuf, {name}, {samples} samples: {ours:,.0f} samples/s, {ours / peer:.1f} × the protobuf runtime")


def main() -> None:
    """Print the rates and the ratios."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    text = PAGE.read_bytes()
    for name, parser, theirs, first in (
        ("text 0.0.4", TextParser, read_text, text),
        ("OpenMetrics", OpenMetricsParser, read_openmetrics, as_openmetrics(text)),
    ):
        random = np.random.default_rng(1)
        lines = [first.split(b"\n")]
        while len(lines) < count:
            lines.append(later(lines[-1], random))
        pages = [b"\n".join(page) for page in lines]
        changing = [b"\n".join(page) for page in churned(lines)]
        decoded = [page.decode() for page in pages[:THEIRS]]
        peer = rate(lambda page, read=theirs: deque(read(page), maxlen=0), decoded)
        print(f"{name}, {len(lines[0])} lines a page; prometheus_client: {peer:,.0f} lines/s")
        kept = parser()
        for how, found in (
            ("the same shape, other numbers", rate(kept.parse, pages)),
            ("a series more or less each page", rate(parser().parse, changing)),
            ("on first sight", rate(lambda page, make=parser: make().parse(page), pages[:20])),
        ):
            print(f"  {how:34} {found:12,.0f} lines/s   {found / peer:6.1f} × prometheus_client")
        if parser is TextParser:
            in_text = pages
    protobuf(in_text)


if __name__ == "__main__":
    main()
