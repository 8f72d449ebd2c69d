"""Quantiles of classic histograms, interpolated as Prometheus does."""

from __future__ import annotations

import numpy as np

from sanso.model.frame import Floats, absent
from sanso.model.labels import NAME, Labels, value_of, without
from sanso.promql.functions.registry import Call, function
from sanso.promql.values import Vector, present

_TOLERANCE = 1e-12
"""Buckets that fall by less are floating point's doing, and are made monotonic in silence."""


@function("histogram_quantile")
def histogram_quantile(call: Call) -> Vector:
    """A quantile from buckets by `le`."""
    wanted, vector = call.scalar(0), call.vector(1)
    groups: dict[Labels, list[tuple[float, int]]] = {}
    for row, labels in enumerate(vector.labels):
        try:
            bound = float(value_of(labels, "le"))
        except ValueError:  # not a bucket
            continue
        groups.setdefault(without(labels, (NAME, "le")), []).append((bound, row))
    values = absent(len(groups), len(call.steps))
    for place, buckets in enumerate(groups.values()):
        buckets.sort()
        bounds = np.array([bound for bound, _ in buckets])
        counts = vector.values[[row for _, row in buckets]]
        _fill(values[place], wanted, bounds, counts)
    return Vector(list(groups), values)


def _fill(out: Floats, wanted: Floats, bounds: Floats, counts: Floats) -> None:
    """One histogram: steps that have the same buckets are computed together."""
    held = present(counts)
    masks, groups = np.unique(held, axis=1, return_inverse=True)
    for number, mask in enumerate(masks.T):
        steps = np.flatnonzero(groups.ravel() == number)
        if mask.any():
            out[steps] = _quantiles(wanted[steps], bounds[mask], counts[mask][:, steps])


def _quantiles(wanted: Floats, bounds: Floats, counts: Floats) -> Floats:
    """Quantiles [S] of cumulative counts [B, S] at rising bounds [B]."""
    unique, places = np.unique(bounds, return_inverse=True)
    if len(unique) != len(bounds):
        merged = np.zeros((len(unique), counts.shape[1]))
        np.add.at(merged, places, counts)
        bounds, counts = unique, merged
    answer = np.full(len(wanted), np.nan)
    if len(bounds) < 2 or not np.isposinf(bounds[-1]):
        return _outside(answer, wanted, known=False)
    counts = np.maximum.accumulate(counts, axis=0)
    total = counts[-1]
    with np.errstate(all="ignore"):
        rank = wanted * total
        place = np.minimum((counts[:-1] < rank).sum(axis=0), len(bounds) - 1)
        steps = np.arange(len(wanted))
        below = np.where(place > 0, counts[np.maximum(place - 1, 0), steps], 0.0)
        start = np.where(place > 0, bounds[np.maximum(place - 1, 0)], 0.0)
        end = bounds[place]
        inside = start + (end - start) * ((rank - below) / (counts[place, steps] - below))
    answer = np.where(place == len(bounds) - 1, bounds[-2], inside)
    answer = np.where((place == 0) & (bounds[0] <= 0), bounds[0], answer)
    answer = np.where((total == 0) | np.isnan(total), np.nan, answer)
    return _outside(answer, wanted, known=True)


def _outside(answer: Floats, wanted: Floats, *, known: bool) -> Floats:
    answer = np.where(np.isnan(wanted), np.nan, answer)
    if not known:
        return answer
    return np.where(wanted < 0, -np.inf, np.where(wanted > 1, np.inf, answer))
