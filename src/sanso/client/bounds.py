"""How sure a quantile is: a question's answer between those with both ends of the buckets that hold its quantiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sanso.model.frame import Floats, absent, is_absent
from sanso.model.series import Answer, Ends

_ROUNDING = 1e-9


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


def bounded(ends: Ends) -> Bounded:
    """An answer with its bounds.

    Either end may be the lower one: an expression may turn its quantiles around. An expression without quantiles of
    histograms has the value itself for both. Where a value lies beyond both ends (a difference of two quantiles may),
    the ends are no bounds, and none are known.
    """
    values = ends.answer.values
    first, second = _like(ends.answer, ends.lower), _like(ends.answer, ends.upper)
    low, high = np.minimum(first, second), np.maximum(first, second)
    with np.errstate(invalid="ignore"):  # infinities
        slack = np.abs(values) * _ROUNDING
        beyond = (values < low - slack) | (values > high + slack)
    unknown = is_absent(first) | is_absent(second) | is_absent(values) | beyond
    # A point inside a bucket is computed from its ends and rounded: it may miss one by the last digit.
    low, high = np.fmin(low, values), np.fmax(high, values)
    low[unknown], high[unknown] = absent(1), absent(1)
    return Bounded(ends.answer, low, high)


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
