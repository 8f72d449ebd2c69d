"""How sure a quantile is: the same question with both ends of the buckets that hold the quantiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sanso.client.base import Client
from sanso.model.frame import Floats, absent, is_absent
from sanso.model.series import Answer


@dataclass(frozen=True)
class Bounded:
    """An answer and between what its figures lie.

    Attributes:
        answer: As it is without bounds.
        low: For each of its values, the least it may be; ABSENT where that is not known.
        high: The greatest.
    """

    answer: Answer
    low: Floats
    high: Floats


def bounded(client: Client, expr: str, at_ms: int) -> Bounded:
    """PromQL at one time, with bounds.

    An expression without quantiles of histograms has the value itself for both. Raises what `Client.query` does.
    """
    ends = client.query(expr, at_ms, edge="lower"), client.query(expr, at_ms, edge="upper")
    return _between(client.query(expr, at_ms), *ends)


def bounded_range(client: Client, expr: str, start_ms: int, end_ms: int, step_ms: int) -> Bounded:
    """PromQL at every step, with bounds."""
    ends = (
        client.query_range(expr, start_ms, end_ms, step_ms, edge="lower"),
        client.query_range(expr, start_ms, end_ms, step_ms, edge="upper"),
    )
    return _between(client.query_range(expr, start_ms, end_ms, step_ms), *ends)


def _between(answer: Answer, one: Answer, other: Answer) -> Bounded:
    """Either end may be the lower one: an expression may turn its quantiles around."""
    first, second = _like(answer, one), _like(answer, other)
    gaps = is_absent(first) | is_absent(second)
    low, high = np.minimum(first, second), np.maximum(first, second)
    low[gaps], high[gaps] = absent(1), absent(1)
    return Bounded(answer, low, high)


def _like(answer: Answer, other: Answer) -> Floats:
    """Another answer's values at the places of the first: its series and times may be fewer or more."""
    values = absent(*answer.values.shape)
    rows = {labels: row for row, labels in enumerate(other.labels)}
    times = {time: step for step, time in enumerate(other.times.tolist())}
    steps = [(step, times[time]) for step, time in enumerate(answer.times.tolist()) if time in times]
    mine, theirs = [step for step, _ in steps], [step for _, step in steps]
    for row, labels in enumerate(answer.labels):
        if labels in rows:
            values[row, mine] = other.values[rows[labels], theirs]
    return values
