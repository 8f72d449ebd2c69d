"""PromQL answers in Prometheus's JSON, written straight from the columns."""

from __future__ import annotations

import json
import math

from starlette.responses import Response

from sanso.model.frame import is_absent
from sanso.model.labels import Labels
from sanso.model.series import Answer


def answered(answer: Answer) -> Response:
    """`{"status": "success", "data": {"resultType": …, "result": …}}`."""
    data = f'{{"resultType":"{answer.kind}","result":{_result(answer)}}}'
    return _envelope(data, answer.warnings, answer.infos)


def success(data: object) -> Response:
    """`{"status": "success", "data": …}` of plain values."""
    return _envelope(json.dumps(data, ensure_ascii=False, separators=(",", ":")), (), ())


def number(value: float) -> str:
    """A value as Prometheus prints it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(value)
    if "e" in text:
        mantissa, _, exponent = text.partition("e")
        return f"{mantissa.removesuffix('.0')}e{exponent}" if abs(value) >= 1e21 or abs(value) < 1e-6 else _plain(value)
    return text.removesuffix(".0")


def _plain(value: float) -> str:
    text = f"{value:.20f}".rstrip("0").rstrip(".")
    return text if float(text) == value else repr(value)


def _envelope(data: str, warnings: tuple[str, ...], infos: tuple[str, ...]) -> Response:
    more = "".join(
        f',"{name}":{json.dumps(list(texts), ensure_ascii=False)}'
        for name, texts in (("warnings", warnings), ("infos", infos))
        if texts
    )
    return Response(f'{{"status":"success","data":{data}{more}}}', media_type="application/json")


def _result(answer: Answer) -> str:
    times = [_time(time) for time in answer.times.tolist()]
    if answer.kind == "string":
        return f"[{times[0]},{json.dumps(answer.text, ensure_ascii=False)}]"
    if answer.kind == "scalar":
        return f'[{times[0]},"{number(float(answer.values[0, 0]))}"]'
    if answer.kind == "vector":
        parts = (
            f'{{"metric":{_metric(labels)},"value":[{times[0]},"{number(value)}"]}}'
            for labels, value in answer.samples()
        )
        return f"[{','.join(parts)}]"
    return f"[{','.join(_series(answer, times))}]"


def _series(answer: Answer, times: list[str]) -> list[str]:
    parts = []
    gaps = is_absent(answer.values)
    for row, labels in enumerate(answer.labels):
        values = answer.values[row].tolist()
        if gaps[row].any():
            points = [(t, v) for t, v, gap in zip(times, values, gaps[row].tolist(), strict=True) if not gap]
        else:
            points = list(zip(times, values, strict=True))
        text = ",".join(f'[{time},"{number(value)}"]' for time, value in points)
        parts.append(f'{{"metric":{_metric(labels)},"values":[{text}]}}')
    return parts


def _metric(labels: Labels) -> str:
    return json.dumps(dict(labels), ensure_ascii=False, separators=(",", ":"))


def _time(time_ms: int) -> str:
    whole, milli = divmod(time_ms, 1000)
    return f"{whole}.{milli:03d}" if milli else str(whole)
