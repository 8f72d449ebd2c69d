"""PromQL answers in Prometheus's JSON, written straight from the columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from starlette.responses import Response

from sanso.model.frame import Floats, Mask, is_absent, is_whole
from sanso.model.labels import Labels, derived
from sanso.model.native_histogram import NativeHistogram
from sanso.model.series import Answer
from sanso.web import counted_text, float_text
from sanso.web.counted_text import countable, padded
from sanso.web.histogram_text import histogram_json
from sanso.web.number_text import number, numbers, unusual

_MOST_TEXTS = 10
"""Warnings, and likewise infos, that an answer carries; the rest is counted."""
_TRUNCATED = "results truncated due to limit"
_JSON = "application/json"


def answered(
    answer: Answer,
    *,
    limit: int = 0,
    stats: Mapping[str, Any] | None = None,
    ends: Mapping[str, Answer] | None = None,
) -> Response:
    """`{"status": "success", "data": {"resultType": …, "result": …}}`.

    Args:
        answer: What was found.
        limit: The most series; 0 for all.
        stats: What the answer cost.
        ends: More answers, by the name under which each stands beside `result`.
    """
    warnings = answer.warnings
    rows = _rows(answer)
    if 0 < limit < len(rows) and answer.kind in ("vector", "matrix"):
        rows, warnings = rows[:limit], (*warnings, _TRUNCATED)
    pieces = _data(answer, rows)
    for name, end in (ends or {}).items():
        pieces += [b',"%b":' % name.encode(), *_data(end, _rows(end)), b"}"]
    if stats is not None:
        pieces.append(b',"stats":' + orjson.dumps(stats))
    return _envelope([*pieces, b"}"], warnings, answer.infos)


def _data(answer: Answer, rows: Sequence[int]) -> list[bytes]:
    """An answer without its last bracket."""
    return [b'{"resultType":"%b","result":' % answer.kind.encode(), *_result(answer, rows)]


def success(data: object, warnings: Sequence[str] = ()) -> Response:
    """`{"status": "success", "data": …}` of plain values."""
    return _envelope([_dumped(data)], warnings, ())


def listed(items: Sequence[Any], limit: int) -> Response:
    """A list, at most `limit` of it (0: all)."""
    if 0 < limit < len(items):
        return success(items[:limit], (_TRUNCATED,))
    return success(items)


def _envelope(data: Sequence[bytes], warnings: Sequence[str], infos: Sequence[str]) -> Response:
    more = [
        b',"%b":%b' % (name, _dumped(_first(texts, kind)))
        for name, kind, texts in ((b"warnings", "warning", warnings), (b"infos", "info", infos))
        if texts
    ]
    body = b"".join([b'{"status":"success","data":', *data, *more, b"}"])  # long answers are copied once
    return Response(body, media_type=_JSON)


def _first(texts: Sequence[str], kind: str) -> list[str]:
    found = list(texts[:_MOST_TEXTS])
    left = len(texts) - len(found)
    return [*found, f"{left} more {kind} annotations omitted"] if left else found


def _dumped(data: object) -> bytes:
    try:
        return orjson.dumps(data)
    except TypeError:  # a name that is not UTF-8 (a file system's): its odd bytes are shown as ?
        return orjson.dumps(_readable(data))


def _readable(data: Any) -> Any:
    if isinstance(data, str):
        return data.encode(errors="replace").decode()
    if isinstance(data, Mapping):
        return {_readable(key): _readable(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_readable(item) for item in data]
    return data


def _rows(answer: Answer) -> list[int]:
    """The rows that hold something."""
    if answer.kind != "vector":
        return list(range(len(answer.labels)))
    held = {row for row, _ in answer.histograms}
    present = ~is_absent(np.ascontiguousarray(answer.values[:, 0])) if answer.values.size else np.empty(0, np.bool_)
    return [row for row, value in enumerate(present.tolist()) if value or row in held]


def _result(answer: Answer, rows: Sequence[int]) -> Iterable[bytes]:
    if answer.kind == "string":
        return [b"[%b,%b]" % (_time(int(answer.times[0])), _dumped(answer.text))]
    if answer.kind == "scalar":
        return [b'[%b,"%b"]' % (_time(int(answer.times[0])), number(float(answer.values[0, 0])).encode())]
    if answer.kind == "vector":
        return [b"[", b",".join(_samples(answer, rows)), b"]"]
    return [b"[", *_matrix(answer, rows), b"]"]


def _matrix(answer: Answer, rows: Sequence[int]) -> Iterable[bytes]:
    points = _Points(answer, len(rows))
    names = derived(answer.labels, "padded json", _padded) if points.all_counted else None
    if names is None:
        return _series(answer, rows, points)
    first, *blocks = points.whole(names)
    return [first[1:], *blocks]  # nothing stands before the first


def _padded(labels: list[Labels]) -> NDArray[np.uint32] | None:
    return padded([b',{"metric":%b,"values":[' % metric for metric in derived(labels, "json", _metrics)])


def _samples(answer: Answer, rows: Sequence[int]) -> Iterator[bytes]:
    time = _time(int(answer.times[0]))
    column = np.ascontiguousarray(answer.values[:, 0])[list(rows)] if rows else np.empty(0)
    odd = unusual(column)
    texts = numbers(column, odd if odd.any() else None)
    for row, text in zip(rows, texts, strict=True):
        histogram = answer.histograms.get((row, 0)) if answer.histograms else None
        metric = _dumped(dict(answer.labels[row]))
        if histogram is None:
            yield b'{"metric":%b,"value":[%b,"%b"]}' % (metric, time, text)
        else:
            yield b'{"metric":%b,"histogram":[%b,%b]}' % (metric, time, histogram_json(histogram))


def _series(answer: Answer, rows: Sequence[int], written: _Points) -> Iterator[bytes]:
    metrics = derived(answer.labels, "json", _metrics)
    before = b'{"metric":'
    for row in rows:
        yield before + metrics[row]
        values, histograms = written.values(row), written.histograms(row)
        if values:
            yield b',"values":['
            yield values
            yield b"]"
        if histograms:
            yield b',"histograms":[%b]' % histograms
        before = b'},{"metric":'
    if rows:
        yield b"}"


def _metrics(labels: list[Labels]) -> list[bytes]:
    return [_dumped(dict(each)) for each in labels]


class _Points:
    """The points of a matrix's first rows: times are written once, and rows of one kind many together."""

    def __init__(self, answer: Answer, rows: int) -> None:
        self._values = np.ascontiguousarray(answer.values[:rows])
        self._times = [_time(time) for time in answer.times.tolist()]
        self._held = None if is_whole(self._values) else ~is_absent(self._values)
        self._counted = countable(self._values, self._held)
        self._histograms: dict[int, list[tuple[int, NativeHistogram]]] = {}
        for (row, step), histogram in answer.histograms.items():
            self._histograms.setdefault(row, []).append((step, histogram))

    @property
    def all_counted(self) -> bool:
        """Whether every row has points, and nothing but numbers of few decimals, as most counters have."""
        if self._histograms or not self._values.size or not self._counted.all():
            return False
        return self._held is None or bool(self._held.any(axis=1).all())

    def whole(self, names: NDArray[np.uint32]) -> Iterator[bytes]:
        """All series with their names, where all are counted."""
        return counted_text.series(self._values, self._times, names, self._held)

    @cached_property
    def _counted_points(self) -> Iterator[bytes]:
        return counted_text.points(*self._of(self._counted))

    @cached_property
    def _other_points(self) -> Iterator[bytes]:
        return float_text.points(*self._of(~self._counted))

    def _of(self, rows: Mask) -> tuple[Floats, list[bytes], Mask | None]:
        return self._values[rows], self._times, None if self._held is None else self._held[rows]

    def values(self, row: int) -> bytes:
        """`[time,"value"],…`; nothing where there is none. Rows are asked for as they rise, each once."""
        return next(self._counted_points if self._counted[row] else self._other_points)

    def histograms(self, row: int) -> bytes:
        """`[time,{…}],…`; nothing where there is none."""
        if row not in self._histograms:
            return b""
        found = sorted(self._histograms[row], key=lambda item: item[0])
        return b",".join(b"[%b,%b]" % (self._times[step], histogram_json(held)) for step, held in found)


def _time(time_ms: int) -> bytes:
    sign = b"-" if time_ms < 0 else b""
    whole, milli = divmod(abs(time_ms), 1000)
    return b"%b%d.%03d" % (sign, whole, milli) if milli else b"%b%d" % (sign, whole)
