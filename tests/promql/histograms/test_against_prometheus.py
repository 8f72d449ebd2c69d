"""Native histograms written to Debian's Prometheus, which knows them as an experiment: the same answers.

2.42 answers 0 to irate, last_over_time, label_replace and differences of histograms; these are not asked. Ranges are
asked at times off the samples' grid, for 2.x closes them on the left. 2.x interpolates within buckets on a straight
line, 3.x on a logarithmic one: so its quantiles must lie within the bounds that we give for ours.
"""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sanso.model.labels import Labels, labels_of, series_of
from sanso.model.native_histogram import NativeHistogram
from sanso.model.series import Edge
from sanso.promql.engine import PromEngine
from sanso.web.histogram_text import histogram_json
from tests.peers import free_port, require_program
from tests.promql.histograms.test_reading import Sample, frame_of
from tests.promql.memory import MemoryReader
from tests.promql.test_against_prometheus import asked, wait_for
from tests.sources.remote_write_requests import packed, request_of

pytestmark = pytest.mark.peer

STEP, ROWS = 15, 40
QUESTIONS = [
    "x", "x offset 1m", 'x{n="1"}', "histogram_count(x)", "histogram_sum(x)", "sum(x)", "sum by (g) (x)", "count(x)",
    "histogram_fraction(0.5, 4, x)", "histogram_fraction(-1, 8, x)", "histogram_fraction(-Inf, 2, sum(x))", "group(x)",
    *(f"{name}(x[{width}])" for name in ("rate", "increase") for width in ("50s", "2m10s", "7m")),
    "sum by (g) (rate(x[3m]))", "histogram_count(sum(increase(x[4m])))",
    "count_over_time(x[2m10s])", "present_over_time(x[1m])", "x + x", 'x and x{g="a"}',
    'x unless x{g="a"}', "histogram_sum(rate(x[1m])) / histogram_count(rate(x[1m]))", "sum(rate(x[2m:30s]))",
    "absent(x)", "sum without (n) (increase(x[2m]))",
]  # fmt: skip
QUANTILES = [f"histogram_quantile({q}, {of})" for q in (0.05, 0.3, 0.5, 0.77, 0.99) for of in ("x", "sum(rate(x[3m]))")]


def samples() -> dict[Labels, Sequence[Sample]]:
    """Four counters: two schemas, buckets below zero, a restart, one that ends."""
    dice = np.random.default_rng(11)
    found: dict[Labels, Sequence[Sample]] = {}
    for number in range(4):
        schema = number % 2
        counts = np.zeros((2, 8))
        zero, rows = 0.0, list[Sample]()
        for row in range(ROWS):
            if number == 1 and row == ROWS // 2:
                counts[:], zero = 0.0, 0.0  # a restart
            counts[0] += dice.integers(1, 6, 8)
            counts[1] += dice.integers(1, 3, 8) if number == 2 else 0
            zero += float(dice.integers(0, 3))
            positive = tuple((place - 2, float(count)) for place, count in enumerate(counts[0]))
            negative = tuple((place - 2, float(count)) for place, count in enumerate(counts[1]) if count)
            total = float(np.round(counts[0].sum() * 1.7 - counts[1].sum(), 3))
            count = zero + counts.sum()
            rows.append(NativeHistogram(schema, float(count), total, zero, 0.001, positive, negative))
        if number == 3:
            rows[ROWS * 2 // 3 :] = [None] * (ROWS - ROWS * 2 // 3)
        found[series_of("x", n=str(number), g="ab"[number // 2])] = rows
    return found


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, PromEngine, int]]:
    """Prometheus, an engine of ours over the same samples, and the time of the last one."""
    folder: Path = tmp_path_factory.mktemp("prometheus")
    (folder / "p.yml").write_text("global: {}\n")
    port = free_port()
    command = [require_program("prometheus"), f"--config.file={folder / 'p.yml'}", "--web.enable-remote-write-receiver"]
    command += [f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}"]
    command += ["--enable-feature=native-histograms"]
    start = (int(time.time()) - STEP * ROWS) // STEP * STEP
    series = samples()
    sent = [
        (
            labels,
            [((start + row * STEP) * 1000, h, False) for row, h in enumerate(rows) if isinstance(h, NativeHistogram)],
        )
        for labels, rows in series.items()
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/-/ready")
        headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
        headers["X-Prometheus-Remote-Write-Version"] = "0.1.0"
        body = packed(request_of("v1", sent))
        urllib.request.urlopen(urllib.request.Request(f"{url}/api/v1/write", body, headers), timeout=10).close()
        frame = frame_of(series)
        shifted = type(frame)(frame.labels, (frame.timeline * STEP + start) * 1000, frame.values)
        yield url, PromEngine(MemoryReader([shifted])), start + STEP * (ROWS - 1)
        child.terminate()


Found = dict[tuple[Labels, float], Any]


def theirs(data: Any) -> Found | str:
    if isinstance(data, str):
        return data
    found: Found = {}
    for entry in data["result"]:
        labels = labels_of(entry["metric"])
        for seconds, value in (*entry.get("values", ()), *([entry["value"]] if "value" in entry else ())):
            found[labels, seconds] = float(value)
        for seconds, value in (*entry.get("histograms", ()), *([entry["histogram"]] if "histogram" in entry else ())):
            found[labels, seconds] = _flat(value)
    return found


def _flat(shown: Mapping[str, Any]) -> list[float]:
    """Count, sum, and every bucket's rule, bounds and observations, without what rounding leaves in an empty bucket."""
    numbers = [float(shown["count"]), float(shown["sum"])]
    for rule, *rest in shown.get("buckets", ()):
        lower, upper, count = map(float, rest)
        if abs(count) > 1e-9:
            numbers += [float(rule), lower, upper, count]
    return numbers


def ours(promql: PromEngine, expr: str, *times: int, edge: Edge = "inside") -> Found:
    if len(times) == 1:
        answer = promql.instant(expr, times[0], edge=edge)
    else:
        answer = promql.range(expr, times[0], times[1], times[2], edge=edge)
    found: Found = {}
    for labels, row in zip(answer.labels, answer.values, strict=True):
        for at, value in zip(answer.times.tolist(), row.tolist(), strict=True):
            if value == value:
                found[labels, at / 1000] = value
    for (place, step), histogram in answer.histograms.items():
        shown = json.loads(histogram_json(histogram))
        found[answer.labels[place], answer.times.tolist()[step] / 1000] = _flat(shown)
    return found


def test_histograms_are_prometheus_s(peer: tuple[str, PromEngine, int]) -> None:
    url, promql, last = peer
    wrong = []
    for question in QUESTIONS:
        at, start, end, step = last + 2.3, last - 301.7, last + 2.3, 38.0
        pairs = [(theirs(asked(url, "query", query=question, time=at)), ours(promql, question, round(at * 1000)))]
        range_ms = (round(start * 1000), round(end * 1000), round(step * 1000))
        ranged = asked(url, "query_range", query=question, start=start, end=end, step=step)
        pairs.append((theirs(ranged), ours(promql, question, *range_ms)))
        for expected, got in pairs:
            if isinstance(expected, str) or expected.keys() != got.keys():
                wrong.append(f"{question}: theirs {str(expected)[:500]}\n  ours {str(got)[:500]}")
            elif not all(np.shape(got[key]) == np.shape(v) and np.allclose(got[key], v) for key, v in expected.items()):
                wrong.append(f"{question}: theirs {str(expected)[:900]}\n  ours {str(got)[:900]}")
    assert not wrong, f"{len(wrong)} differ:\n" + "\n".join(wrong[:10])


def test_their_quantiles_lie_within_our_bounds(peer: tuple[str, PromEngine, int]) -> None:
    url, promql, last = peer
    at = last + 2.3
    for question in QUANTILES:
        expected = theirs(asked(url, "query", query=question, time=at))
        low, high = (ours(promql, question, round(at * 1000), edge=edge) for edge in ("lower", "upper"))
        assert isinstance(expected, dict)
        assert expected.keys() == low.keys() == high.keys()
        assert expected
        for key, value in expected.items():
            assert low[key] * (1 - 1e-9) - 1e-9 <= value <= high[key] * (1 + 1e-9) + 1e-9, question
