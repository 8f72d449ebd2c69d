"""The same samples in Debian's Prometheus and here, several hundred questions, the same answers.

Prometheus 2.x ranges are closed on the left, ours (3.x) open: questions are asked at times off the samples' grid.
"""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sanso.model.errors import QueryError
from sanso.model.frame import Frame, absent, is_absent
from sanso.model.labels import Labels, labels_of, series_of
from sanso.model.labels import render as render_series
from sanso.model.series import Answer
from sanso.promql.engine import PromEngine
from tests.peers import free_port, require_program
from tests.promql.edges import EDGES
from tests.promql.memory import MemoryReader
from tests.promql.random_questions import RandomQuestions

pytestmark = pytest.mark.peer

START = 1_700_000_000_000
STEP, ROWS = 15_000, 120
AT = START + 1_503_000
RANGE = (START + 300_700, START + 1_500_700, 60_000)


def frames() -> list[Frame]:
    dice = np.random.default_rng(7)
    times = START + np.arange(ROWS, dtype=np.int64) * STEP
    labels: list[Labels] = []
    rows: list[Any] = []
    for number in range(12):
        about = {"code": ["200", "404", "500"][number % 3], "instance": f"h{number % 4}"}
        # Far from zero at first: there 3.x clamps the extrapolation otherwise than 2.x.
        counter = 5000.0 + np.cumsum(dice.integers(0, 50, ROWS))
        counter[ROWS // 2 + number :] -= counter[ROWS // 2 + number] - 3.0  # a restart
        labels.append(series_of("requests_total", **about))
        rows.append(counter)
        gauge = np.round(dice.normal(20, 8, ROWS), 3)
        gauge[dice.random(ROWS) < 0.1] = gauge[0]
        labels.append(series_of("temperature", **about))
        rows.append(gauge)
    for instance in ("h0", "h1"):
        counts = np.cumsum(dice.integers(0, 20, (6, ROWS)), axis=1).astype(float)
        for bound, row in zip(["0.1", "0.5", "1", "2.5", "10", "+Inf"], np.cumsum(counts, axis=0), strict=True):
            labels.append(series_of("latency_bucket", instance=instance, le=bound))
            rows.append(row)
    labels.append(series_of("info", instance="h0", version="1.2"))
    labels.append(series_of("info", instance="h1", version="1.3"))
    rows += [np.ones(ROWS), np.ones(ROWS)]
    values = np.array(rows)
    holes = absent(1, ROWS)[0]
    values[3, 20:26] = holes[20:26]  # a short gap
    values[5, 60:] = holes[60:]  # a series that ends
    values[7, :40] = holes[:40]  # one that begins late
    return [Frame(labels, times, values)]


def questions() -> list[str]:
    counters, gauges = (
        ["requests_total", 'requests_total{code=~"2..|5.."}'],
        ["temperature", 'temperature{code!="404"}'],
    )
    found = [
        f"{name}({s}[{w}])"
        for name in ("rate", "increase", "irate", "resets", "delta")
        for s in counters
        for w in ("1m", "4m10s", "9m")
    ]
    family = ("avg", "min", "max", "sum", "count", "last", "stddev", "stdvar", "present")
    found += [f"{name}_over_time({s}[{w}])" for name in family for s in gauges for w in ("1m", "5m10s")]
    found += [
        f"{name}(temperature[{w}])" for name in ("deriv", "idelta", "delta", "changes") for w in ("1m", "4m", "9m")
    ]
    found += [f"quantile_over_time({q}, temperature[{w}])" for q in (0, 0.3, 0.95, 1.5) for w in ("2m", "7m")]
    found += [f"predict_linear(temperature[{w}], {s})" for w in ("2m", "8m") for s in (60, 3600)]
    plain = ("sum", "avg", "min", "max", "count", "group", "stddev", "stdvar")
    for name in plain:
        found += [f"{name}(temperature)", f"{name} by (code) (temperature)", f"{name} without (code) (requests_total)"]
        found += [f"{name} by (instance) (rate(requests_total[3m]))"]
    found += [f"{name}({k}, temperature)" for name in ("topk", "bottomk") for k in (1, 3, 100)]
    found += [f"{name} by (code) (2, temperature)" for name in ("topk", "bottomk")]
    found += [f"quantile by (code) ({q}, temperature)" for q in (0, 0.1, 0.5, 0.99, 1)]
    found += ['count_values("value", round(temperature))', 'count_values by (code) ("v", floor(temperature / 10))']
    found += [f"histogram_quantile({q}, latency_bucket)" for q in (0, 0.1, 0.5, 0.9, 0.99, 1, -1, 2)]
    found += [f"histogram_quantile({q}, sum by (le) (rate(latency_bucket[5m])))" for q in (0.25, 0.5, 0.95, 0.999)]
    maths = [
        "abs",
        "ceil",
        "floor",
        "exp",
        "ln",
        "log2",
        "log10",
        "sqrt",
        "sgn",
        "sin",
        "cos",
        "tan",
        "atan",
        "sinh",
        "cosh",
        "tanh",
        "deg",
        "rad",
    ]
    found += [f"{name}(temperature - 20)" for name in maths]
    found += [
        "round(temperature, 0.5)",
        "clamp(temperature, 10, 20)",
        "clamp_min(temperature, 15)",
        "clamp_max(temperature, 15)",
    ]
    found += [f"temperature {op} 3" for op in ("+", "-", "*", "/", "%", "^")]
    found += [f"3 {op} temperature" for op in ("+", "-", "*", "/", "%", "^")]
    comparisons = ("==", "!=", ">", "<", ">=", "<=")
    found += [f"temperature {op} {b}20" for op in comparisons for b in ("", "bool ")]
    found += [f"20 {op} temperature" for op in comparisons]
    found += [f"temperature {op} requests_total" for op in ("+", "/", ">", "<", "== bool")]
    found += [f"requests_total {op} on (code, instance) temperature" for op in ("-", "*", ">")]
    found += ["sum by (instance) (requests_total) / on (instance) sum by (instance) (temperature)"]
    found += [
        "requests_total * on (instance) group_left (version) info",
        "info * on (instance) group_right () temperature",
    ]
    found += ["temperature / ignoring (code) group_left sum without (code) (temperature)"]
    for op in ("and", "or", "unless"):
        found += [f'temperature {op} temperature{{code="200"}}', f"temperature {op} requests_total"]
        found += [f"temperature {op} on (instance) info", f"info {op} ignoring (version, code) temperature"]
    found += [
        "-temperature",
        "temperature offset 2m",
        "rate(requests_total[5m] offset 1m)",
        "temperature @ 1700000700.5",
    ]
    found += ["temperature offset -1m", "sum(temperature @ end())", "rate(requests_total[2m] @ start())"]
    found += ["max_over_time(rate(requests_total[2m])[10m:1m])", "avg_over_time(temperature[6m:45s])"]
    found += [
        "sum_over_time((temperature > 20)[5m:30s])",
        "time()",
        "vector(3)",
        "scalar(sum(temperature))",
        "1 + 2 * 3 ^ 2",
    ]
    found += [
        "timestamp(temperature)",
        "timestamp(temperature offset 1m)",
        "absent(temperature)",
        'absent(nothing{a="b"})',
    ]
    found += ["absent_over_time(nothing[5m])", 'absent(sum(nothing{a="b"}))', "hour()", "minute(vector(1700000000))"]
    found += [
        f"{name}(temperature * 1e8)"
        for name in ("day_of_month", "day_of_week", "days_in_month", "month", "year", "day_of_year")
    ]
    found += [
        'label_replace(temperature, "host", "$1-x", "instance", "h(.)")',
        'label_join(info, "j", "-", "instance", "version")',
    ]
    found += ['label_replace(temperature, "code", "", "code", "404")', "sum by (code) (rate(requests_total[2m])) > 0.5"]
    found += ["sort(temperature)", "sort_desc(temperature)", '{__name__=~"info|temperature", instance="h0"}', "nothing"]
    found += [
        "sum(nothing) or vector(0)",
        "temperature[1m]",
        "requests_total + on (code) temperature",
        "rate(temperature[1s])",
    ]
    found += [
        "pi()",
        "temperature * 0 / 0",
        "max(temperature * 0 / 0)",
        "1 / (temperature - temperature)",
        "group by (code) (nothing)",
    ]
    windows = ("45s", "1m30s", "2m", "3m", "6m", "7m30s")
    found += [f"sum by (code) (rate(requests_total[{w}]))" for w in windows]
    found += [f"max_over_time(temperature[{w}]) - min_over_time(temperature[{w}])" for w in windows]
    found += [f"avg without (instance) (increase(requests_total[{w}]))" for w in windows]
    found += [f"topk by (code) (1, temperature offset {w})" for w in windows]
    found += [f"temperature offset {w}" for w in windows]
    found += [f"stddev by (code) (delta(temperature[{w}]))" for w in windows]
    found += [f"bottomk by (instance) (2, temperature offset {w}) > 15" for w in windows]
    found += [f"quantile without (code) (0.7, deriv(temperature[{w}]))" for w in windows]
    found += EDGES
    return list(dict.fromkeys(found))


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program, tool = require_program("prometheus"), require_program("promtool")
    folder = tmp_path_factory.mktemp("prometheus")
    lines = []
    for frame in frames():
        for labels, values in zip(frame.labels, frame.values, strict=True):
            for time_ms, value, gap in zip(frame.timeline.tolist(), values.tolist(), is_absent(values), strict=True):
                if not gap:
                    lines.append(f"{render_series(labels).replace(', ', ',')} {value!r} {time_ms / 1000}")
    lines.sort(key=lambda line: line.split("{")[0])
    (folder / "samples.om").write_text("\n".join(lines) + "\n# EOF\n")
    import_command: list[str | Path] = [
        tool,
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        folder / "samples.om",
        folder / "data",
    ]
    subprocess.run(import_command, check=True, capture_output=True)
    (folder / "p.yml").write_text("global: {}\n")
    port = free_port()
    command = [program, f"--config.file={folder / 'p.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=100y"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/-/ready")
        yield url
        child.terminate()


def wait_for(url: str) -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"{url} does not answer")


def asked(url: str, path: str, **given: object) -> Any:
    try:
        with urllib.request.urlopen(f"{url}/api/v1/{path}?{urllib.parse.urlencode(given)}", timeout=20) as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        return json.load(error)["error"]


Samples = dict[tuple[Labels, int], float]


def theirs(data: Any) -> Samples | str:
    if isinstance(data, str):
        return "error"
    if data["resultType"] == "scalar":
        return {((), round(data["result"][0] * 1000)): float(data["result"][1])}
    found = {}
    for series in data["result"]:
        for seconds, text in series.get("values") or [series["value"]]:
            found[labels_of(series["metric"]), round(seconds * 1000)] = float(text)
    return found


def ours(answer: Answer) -> Samples:
    found = {}
    for labels, values in zip(answer.labels, answer.values, strict=True):
        for time_ms, value, gap in zip(answer.times.tolist(), values.tolist(), is_absent(values), strict=True):
            if not gap:
                found[labels, time_ms] = value
    return found


def test_there_are_enough_questions() -> None:
    assert len(questions()) >= 300


def test_answers_are_prometheus_s(prometheus: str) -> None:
    wrong = differing(prometheus, questions())
    assert not wrong, f"{len(wrong)} differ:\n" + "\n".join(wrong[:20])


def test_answers_to_random_questions_are_prometheus_s(prometheus: str) -> None:
    made = RandomQuestions(seed=1)
    wrong = differing(prometheus, [made.question() for _ in range(1200)])
    assert not wrong, f"{len(wrong)} differ:\n" + "\n".join(wrong[:20])


def differing(prometheus: str, asked_both: list[str]) -> list[str]:
    """What is answered otherwise here than there."""
    engine = PromEngine(MemoryReader(frames()))
    wrong = []
    for question in asked_both:
        start, end, step = RANGE
        known = question.replace("double_exponential_smoothing", "holt_winters")  # its name until 3.0
        pairs: list[tuple[str, Any, tuple[int, ...]]] = [
            ("instant", asked(prometheus, "query", query=known, time=AT / 1000), (AT,))
        ]
        times = {"start": start / 1000, "end": end / 1000, "step": step / 1000}
        pairs.append(("range", asked(prometheus, "query_range", query=known, **times), RANGE))
        for kind, data, when in pairs:
            expected = theirs(data)
            try:
                got: Samples | str = ours(getattr(engine, kind)(question, *when))
            except QueryError as error:
                got = "error"
                data = f"{data} / {error}"
            if not same(expected, got):
                wrong.append(f"{kind} {question}\n  theirs {str(expected)[:400]}\n  ours   {str(got)[:400]}")
    return wrong


def same(expected: Samples | str, got: Samples | str) -> bool:
    if isinstance(expected, str) or isinstance(got, str):
        return expected == got
    if expected.keys() != got.keys():
        return False
    return all(np.isclose(got[key], value, rtol=1e-9, atol=1e-11, equal_nan=True) for key, value in expected.items())
