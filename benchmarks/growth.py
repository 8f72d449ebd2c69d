"""How a question's cost grows: with twice the series, up to 50,000, and with twice the range, up to 24 hours.

`sum by (code) (rate(x[..]))` over HTTP, the median of several, beside the peers. The factor of each doubling is
printed; 2.2 is the most that Sanso allows itself. `python benchmarks/growth.py [REPEATS]` (9).
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlencode

import numpy as np

from harness.remote_write import requests, send
from harness.servers import Server, asked_ms, get_json, installed, serving
from sanso.model.labels import Labels, series_of

SERIES = (6_250, 12_500, 25_000, 50_000)
SAMPLES, STEP_S = 300, 3
HOURS = (1.5, 3, 6, 12, 24)
LONG_SERIES, LONG_INTERVAL_S = 500, 15
CODES = ("200", "201", "301", "404", "500")


def counters(name: str, series: int, times: Sequence[int]) -> Iterator[bytes]:
    """Requests with counters of this name."""
    dice = np.random.default_rng(series)
    labels: list[Labels] = [series_of(name, code=CODES[n % 5], path=f"/v1/things/{n}") for n in range(series)]
    values = np.zeros((series, 1))
    for begin in range(0, len(times), 50):
        span = times[begin : begin + 50]
        grown = np.cumsum(dice.integers(0, 100, (series, len(span))), axis=1) + values[:, -1:]
        values = grown.astype(float)
        yield from requests(labels, span, values)


def questions(now_ms: int) -> dict[str, list[tuple[str, str]]]:
    """Names and paths by what grows."""
    end = now_ms / 1000
    short = {"start": end - 240, "end": end - 3, "step": STEP_S, "nocache": 1}
    wide = [(f"{n} series", urlencode({"query": f"sum by (code) (rate(wide_{n}[1m]))", **short})) for n in SERIES]
    expr = "sum by (code) (rate(long[5m]))"
    long = [
        (f"{hours:g} h", urlencode({"query": expr, "start": end - hours * 3600, "end": end, "step": 60, "nocache": 1}))
        for hours in HOURS
    ]
    return {"series": wide, "range": long}


def settled(server: Server, now_ms: int) -> None:
    """Wait until the last samples can be asked for."""
    wanted = {f"wide_{n}": n for n in SERIES} | {"long": LONG_SERIES}
    for name, series in wanted.items():
        for _ in range(200):
            found = get_json(server, f"/api/v1/query?query=count({name})&time={now_ms / 1000}")["data"]["result"]
            if found and float(found[0]["value"][1]) == series:
                break
            time.sleep(0.2)


def main() -> None:
    """Print the medians and the factor of each doubling."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    now_ms = int(time.time()) * 1000
    short = [now_ms - (SAMPLES - 1 - row) * 1000 for row in range(SAMPLES)]
    rows = 24 * 3600 // LONG_INTERVAL_S + 20
    long = [now_ms - (rows - 1 - row) * LONG_INTERVAL_S * 1000 for row in range(rows)]
    with tempfile.TemporaryDirectory() as folder:
        for name in installed():
            with serving(name, Path(folder)) as server:
                send(server, counters("long", LONG_SERIES, long))
                for series in SERIES:
                    send(server, counters(f"wide_{series}", series, short))
                settled(server, now_ms)
                for growing, asked in questions(now_ms).items():
                    before = 0.0
                    for what, question in asked:
                        wall, _, _ = asked_ms(server, f"/api/v1/query_range?{question}", repeats)
                        factor = f"{wall / before:5.2f}x" if before else ""
                        print(f"{name:22} {growing:8} {what:>14} {wall:9.2f} ms {factor}", flush=True)
                        before = wall


if __name__ == "__main__":
    main()
