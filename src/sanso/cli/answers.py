"""PromQL answers as people read them: a table, a small plot, JSON or CSV."""

from __future__ import annotations

import csv
import io
import json
import math
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np

from sanso.model.frame import Floats, is_absent
from sanso.model.labels import render
from sanso.model.series import Answer

_BARS = "▁▂▃▄▅▆▇█"
_PLOTTED = 12
"""More plots than this do not fit a screen."""


def table(answer: Answer) -> str:
    """One line a series with its value; for ranges a plot (on a terminal) with minimum, mean, maximum and last."""
    if answer.kind == "string":
        return answer.text
    if answer.kind == "scalar":
        return _number(float(answer.values[0, 0]))
    if not answer.labels:
        return "(no series)"
    if answer.kind == "vector":
        return "\n".join(f"{render(labels)}  {_number(value)}" for labels, value in answer.samples())
    return _ranges(answer)


def as_json(answer: Answer) -> str:
    """Prometheus's `data` object, one line."""
    if answer.kind == "string":
        return json.dumps({"resultType": "string", "result": answer.text}, ensure_ascii=False)
    times = [time / 1000 for time in answer.times.tolist()]
    if answer.kind == "scalar":
        return json.dumps({"resultType": "scalar", "result": [times[0], _number(float(answer.values[0, 0]))]})
    result = []
    for labels, values in zip(answer.labels, answer.values, strict=True):
        points = [
            [time, _number(value)] for time, value, gap in zip(times, values, is_absent(values), strict=True) if not gap
        ]
        key, given = ("values", points) if answer.kind == "matrix" else ("value", points[0] if points else None)
        result.append({"metric": dict(labels), key: given})
    return json.dumps({"resultType": answer.kind, "result": result}, ensure_ascii=False)


def as_csv(answer: Answer) -> str:
    """`time,series,value`, one line a sample; the time in ISO 8601 UTC."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["time", "series", "value"])
    labels = answer.labels or [()]
    for series, values in zip(labels, answer.values, strict=False):
        for time, value, gap in zip(answer.times.tolist(), values.tolist(), is_absent(values), strict=True):
            if not gap:
                writer.writerow([_moment(time), render(series), _number(value)])
    return out.getvalue().rstrip("\n")


FORMATS: dict[str, Callable[[Answer], str]] = {"table": table, "json": as_json, "csv": as_csv}


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


def _ranges(answer: Answer) -> str:
    width = shutil.get_terminal_size().columns
    plots = sys.stdout.isatty() and len(answer.labels) <= _PLOTTED
    blocks = []
    for labels, values in zip(answer.labels, answer.values, strict=True):
        known = values[np.isfinite(values)]
        if not len(known):
            continue
        figures = f"min {known.min():.6g}  mean {known.mean():.6g}  max {known.max():.6g}  last {known[-1]:.6g}"
        lines = [render(labels), *([spark(values, width - 2)] if plots else []), figures]
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
