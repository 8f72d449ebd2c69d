"""Questions in PromQL: `query`, `query_range`, `query_exemplars`, `format_query`, `parse_query`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from starlette.responses import Response

from sanso.model.errors import QueryError
from sanso.model.exemplars import Exemplar
from sanso.model.series import EDGES, Answer, Edge, Engine, HeldEngine
from sanso.promql.lexical import TOO_DEEP
from sanso.promql.parse import parsed
from sanso.web.answers import answered, success
from sanso.web.door import Asked
from sanso.web.number_text import number
from sanso.web.parameters import Parameters, invalid
from sanso.web.selectors import selectors_in
from sanso.web.services import Services
from sanso.web.tree import set_out, syntax, tree_json

_MOST_STEPS = 11_000


def query(services: Services, asked: Asked) -> Response:
    """An expression at one time."""
    given = asked.given
    limit, at = given.limit(), given.time_ms("time", services.clock.now_ms())
    engine, expr = _engine(services, given), _expr(given)
    return _edges(engine, asked, limit, lambda of, edge: of.instant(expr, at, asked.control, edge=edge))


def query_range(services: Services, asked: Asked) -> Response:
    """An expression at every step."""
    given = asked.given
    limit, start, end = given.limit(), given.time_ms("start"), given.time_ms("end")
    if end < start:
        raise invalid("end", "end timestamp must not be before start time")
    step = given.duration_ms("step")
    if step <= 0:
        why = "zero or negative query resolution step widths are not accepted. Try a positive integer"
        raise invalid("step", why)
    if (end - start) // step > _MOST_STEPS:
        raise QueryError(
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution "
            "(?step=XX)"
        )
    engine, expr = _engine(services, given), _expr(given)
    return _edges(engine, asked, limit, lambda of, edge: of.range(expr, start, end, step, asked.control, edge=edge))


def query_exemplars(services: Services, asked: Asked) -> Response:
    """Exemplars of the series that an expression names."""
    start, end = asked.given.time_ms("start", -(1 << 62)), asked.given.time_ms("end", 1 << 62)
    if end < start:
        raise QueryError("end timestamp must not be before start timestamp")
    named = [choice for selector in selectors_in(parsed(_expr(asked.given)).tree) for choice in selector.choices]
    return success(
        [
            {"seriesLabels": dict(series), "exemplars": [_exemplar(exemplar) for exemplar in exemplars]}
            for series, exemplars in services.exemplars.exemplars(named, start, end)
        ]
    )


def format_query(_: Services, asked: Asked) -> Response:
    """The expression, set out over lines."""
    return success(set_out(_expr(asked.given)))


def parse_query(_: Services, asked: Asked) -> Response:
    """The expression's tree."""
    try:
        return success(tree_json(syntax(_expr(asked.given))))
    except orjson.JSONEncodeError:  # it writes 254 levels
        raise QueryError(TOO_DEEP) from None


def _exemplar(exemplar: Exemplar) -> dict[str, Any]:
    whole = exemplar.time_ms % 1000 == 0
    return {
        "labels": dict(exemplar.labels),
        "value": number(exemplar.value),
        "timestamp": exemplar.time_ms // 1000 if whole else exemplar.time_ms / 1000,
    }


def _edges(engine: HeldEngine, asked: Asked, limit: int, ask: Callable[[Engine, Edge], Answer]) -> Response:
    """Answers with the end of quantiles' buckets that is meant, or with all, of one state: Sanso's own parameter."""
    wanted = asked.given.text("edge", "inside")
    if wanted == "all":
        steady = engine.steady()
        inside, lower, upper = (ask(steady, edge) for edge in EDGES)
        return _answered(inside, asked, limit, {"lower": lower, "upper": upper})
    for edge in EDGES:
        if edge == wanted:
            return _answered(ask(engine, edge), asked, limit)
    raise invalid("edge", f"{wanted!r} is not one of {', '.join(EDGES)}, all")


def _answered(answer: Answer, asked: Asked, limit: int, ends: Mapping[str, Answer] | None = None) -> Response:
    if not asked.given.text("stats"):
        return answered(answer, limit=limit, ends=ends)
    asked.control.spent("evaluating")  # what comes behind the sorting
    seconds = asked.control.seconds
    total = seconds["preparing"] + seconds["evaluating"] + seconds["sorting"]
    stats: dict[str, Any] = {
        "timings": {
            "evalTotalTime": total,
            "resultSortTime": seconds["sorting"],
            "queryPreparationTime": seconds["preparing"],
            "innerEvalTime": seconds["evaluating"],
            "execQueueTime": seconds["waiting"],
            "execTotalTime": seconds["waiting"] + total,
        },
        "samples": {
            "totalQueryableSamples": asked.control.total_samples,
            "peakSamples": asked.control.peak_samples,
        },
    }
    return answered(answer, limit=limit, stats=stats, ends=ends)


def _engine(services: Services, given: Parameters) -> HeldEngine:
    if not given.text("lookback_delta"):
        return services.engine
    try:
        lookback = given.duration_ms("lookback_delta")
    except QueryError as error:
        reason = str(error).partition(": ")[2]
        raise QueryError(f"error parsing lookback delta duration: {reason}") from error
    return services.engine_for(lookback) if lookback > 0 else services.engine


def _expr(given: Parameters) -> str:
    text = given.text("query")
    if not text:
        raise invalid("query", "unknown position: parse error: no expression found in input")
    return text
