"""Selectors: from matchers to samples, and from samples to the value at each step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import promql_parser as parser

from sanso.model.errors import QueryError
from sanso.model.frame import Floats, Frame, Times, absent, is_absent, is_stale
from sanso.model.labels import NAME
from sanso.model.matchers import Matcher, MatchOp
from sanso.model.series import SeriesReader
from sanso.promql.values import Samples, Vector, joined

_OPERATORS: dict[str, MatchOp] = {
    "MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~",
}  # fmt: skip


def matchers_of(selector: Any) -> tuple[Matcher, ...]:
    """A selector's matchers, the metric name first.

    Raises:
        QueryError: It uses `or` between matchers, or a regular expression is wrong.
    """
    if selector.matchers.or_matchers:
        raise QueryError("not supported yet: `or` between label matchers")
    named = [Matcher(NAME, "=", selector.name)] if selector.name else []
    return (*named, *(Matcher(m.name, _OPERATORS[str(m.op)], m.value) for m in selector.matchers.matchers))


def milliseconds(duration: timedelta | None) -> int:
    """A duration of the parser."""
    return 0 if duration is None else round(duration / timedelta(milliseconds=1))


def shifted(node: Any, steps: Times, outer: tuple[int, int]) -> Times:
    """The steps that a node's `@` and `offset` mean.

    Args:
        node: A selector or subquery.
        steps: The steps asked for.
        outer: Start and end of the whole query, for `@ start()` and `@ end()`.
    """
    times = steps
    if node.at is not None:
        kind = node.at.type
        if kind == parser.AtModifierType.Start:
            at = outer[0]
        elif kind == parser.AtModifierType.End:
            at = outer[1]
        else:
            at = round(node.at.at.timestamp() * 1000)
        times = np.full(len(steps), at, dtype=np.int64)
    return times - milliseconds(node.offset)


def instant(reader: SeriesReader, matchers: Sequence[Matcher], times: Times, lookback_ms: int) -> tuple[Vector, Floats]:
    """The newest sample of each series in (time - lookback, time]: a vector, and the samples' own times in seconds."""
    frames = reader.select(matchers, int(times.min()) - lookback_ms + 1, int(times.max()))
    vectors, own = [], []
    for frame in frames:
        values, sampled = _latest(frame, times, lookback_ms)
        vectors.append(Vector(frame.labels, values))
        own.append(sampled)
    return joined(vectors, len(times)), np.concatenate(own) if own else absent(0, len(times))


def ranged(reader: SeriesReader, matchers: Sequence[Matcher], times: Times, range_ms: int) -> Samples:
    """The samples of each series in (time - range, time]."""
    starts = times - range_ms
    frames = reader.select(matchers, int(starts.min()) + 1, int(times.max()))
    return Samples(frames, starts, times)


def _latest(frame: Frame, times: Times, lookback_ms: int) -> tuple[Floats, Floats]:
    place = np.searchsorted(frame.timeline, times, "right") - 1
    hole = is_absent(frame.values)
    if hole.any():
        rows = np.arange(len(frame.timeline))
        newest = np.maximum.accumulate(np.where(hole, -1, rows), axis=1)
        places = np.where(place >= 0, newest[:, np.maximum(place, 0)], -1)
    else:
        places = np.broadcast_to(place, (len(frame.labels), len(times)))
    reached = np.maximum(places, 0)
    sampled = frame.timeline[reached]
    values = np.take_along_axis(frame.values, reached, axis=1)
    known = (places >= 0) & (sampled > times - lookback_ms) & ~is_stale(values)
    out = absent(*values.shape)
    np.copyto(out, values, where=known)
    return out, sampled / 1000
