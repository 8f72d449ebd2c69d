"""PromQL answers as people read them: a table, a small plot, JSON or CSV."""

from __future__ import annotations

import csv
import io
import json
import math
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np

from sanso.client.bounds import Bounded
from sanso.model.frame import Floats, is_absent
from sanso.model.labels import render
from sanso.model.native_histogram import NativeHistogram
from sanso.model.series import Answer
from sanso.promql.histograms.text import described
from sanso.web.histogram_text import histogram_json

_BARS = "▁▂▃▄▅▆▇█"
_PLOTTED = 12
"""More plots than this do not fit a screen."""


def table(answer: Answer, bounds: Bounded | None = None) -> str:
    """One line a series with its value; for ranges a plot (on a terminal) with minimum, mean, maximum and last."""
    if answer.kind == "string":
        return answer.text
    if answer.kind == "scalar":
        return _number(float(answer.values[0, 0]))
    if not answer.labels:
        return "(no series)"
    if answer.kind == "vector":
        return "\n".join(_lines(answer, bounds))
    return _ranges(answer, bounds)


def as_json(answer: Answer, bounds: Bounded | None = None) -> str:
    """Prometheus's `data` object, one line; with bounds, `bounds` beside every value: [low, high], or with its time."""
    if answer.kind == "string":
        return json.dumps({"resultType": "string", "result": answer.text}, ensure_ascii=False)
    times = [time / 1000 for time in answer.times.tolist()]
    if answer.kind == "scalar":
        return json.dumps({"resultType": "scalar", "result": [times[0], _number(float(answer.values[0, 0]))]})
    result: list[dict[str, Any]] = []
    for row, labels in enumerate(answer.labels):
        floats, natives = _steps(answer, row)
        entry: dict[str, Any] = {"metric": dict(labels)}
        points = [[times[step], _number(float(answer.values[row, step]))] for step in floats]
        shown = [[times[step], _native(answer.histograms[row, step])] for step in natives]
        between = [_between(bounds, row, step) for step in floats] if bounds else []
        if answer.kind == "matrix":
            entry |= {"values": points} if points or not shown else {}
            entry |= {"histograms": shown} if shown else {}
            entry |= (
                {"bounds": [[times[step], *pair] for step, pair in zip(floats, between, strict=True)]}
                if between
                else {}
            )
        else:
            entry |= {"histogram": shown[0]} if shown else {"value": points[0] if points else None}
            entry |= {"bounds": list(between[0])} if between else {}
        result.append(entry)
    return json.dumps({"resultType": answer.kind, "result": result}, ensure_ascii=False)


def as_csv(answer: Answer, bounds: Bounded | None = None) -> str:
    """`time,series,value`, one line a sample, with bounds `low,high` too; the time in ISO 8601 UTC."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["time", "series", "value", *(("low", "high") if bounds else ())])
    for row, series in enumerate(answer.labels or [()] * len(answer.values)):
        floats, natives = _steps(answer, row)
        for step in sorted([*floats, *natives]):
            native = answer.histograms.get((row, step))
            value = _number(float(answer.values[row, step])) if native is None else described(native)
            between = _between(bounds, row, step) if bounds and native is None else ()
            writer.writerow([_moment(int(answer.times[step])), render(series), value, *between])
    return out.getvalue().rstrip("\n")


FORMATS: dict[str, Callable[[Answer, Bounded | None], str]] = {"table": table, "json": as_json, "csv": as_csv}


def spark(values: Floats, width: int) -> str:
    """A row of bars, `width` wide at most; gaps are spaces, the lowest value is the lowest bar."""
    cells = [part[np.isfinite(part)] for part in np.array_split(values, min(width, len(values)))]
    means = [float(part.mean()) if len(part) else math.nan for part in cells]
    known = [mean for mean in means if not math.isnan(mean)]
    if not known:
        return " " * len(means)
    low, span = min(known), (max(known) - min(known)) or 1.0
    return "".join(
        " " if math.isnan(mean) else _BARS[min(int((mean - low) / span * len(_BARS)), len(_BARS) - 1)] for mean in means
    )


def _steps(answer: Answer, row: int) -> tuple[list[int], list[int]]:
    """At which steps a series has a float, and at which a histogram."""
    floats: list[int] = np.flatnonzero(~is_absent(np.ascontiguousarray(answer.values[row]))).tolist()
    return floats, sorted(step for number, step in answer.histograms if number == row)


def _lines(answer: Answer, bounds: Bounded | None) -> Iterator[str]:
    for row, labels in enumerate(answer.labels):
        native = answer.histograms.get((row, 0))
        if native is not None:
            yield f"{render(labels)}  {described(native)}"
        elif not is_absent(np.ascontiguousarray(answer.values[row]))[0]:
            yield f"{render(labels)}  {_number(float(answer.values[row, 0]))}{_beside(bounds, row, 0)}"


def _beside(bounds: Bounded | None, row: int, step: int) -> str:
    """`  0.5 … 1`: between what a value lies."""
    return f"  {' … '.join(_between(bounds, row, step))}" if bounds else ""


def _between(bounds: Bounded, row: int, step: int) -> tuple[str, str]:
    pair = np.array([bounds.low[row, step], bounds.high[row, step]])
    low, high = ("-" if gap else _number(value) for value, gap in zip(pair.tolist(), is_absent(pair), strict=True))
    return low, high


def _native(histogram: NativeHistogram) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(histogram_json(histogram))
    return found


def _ranges(answer: Answer, bounds: Bounded | None) -> str:
    width = shutil.get_terminal_size().columns
    plots = sys.stdout.isatty() and len(answer.labels) <= _PLOTTED
    blocks = []
    for row, (labels, values) in enumerate(zip(answer.labels, answer.values, strict=True)):
        lines = [render(labels)]
        finite = np.flatnonzero(np.isfinite(values))
        if len(finite):
            known = values[finite]
            figures = f"min {known.min():.6g}  mean {known.mean():.6g}  max {known.max():.6g}  last {known[-1]:.6g}"
            lines += [spark(values, width - 2)] if plots else []
            lines.append(f"{figures}{_beside(bounds, row, int(finite[-1]))}")
        natives = _steps(answer, row)[1]
        if natives:
            lines.append(f"{len(natives)} histograms, last {described(answer.histograms[row, natives[-1]])}")
        if len(lines) > 1:
            blocks.append("\n  ".join(lines))
    if not blocks:
        return "(no samples)"
    span = f"{_moment(int(answer.times[0]))} … {_moment(int(answer.times[-1]))}"
    return "\n".join([*blocks, span])


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else f"{value:.17g}" if value != float(f"{value:.15g}") else f"{value:.15g}"


def _moment(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
