"""Figures of histograms: quantiles with the bucket that holds them, fractions, variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sanso.model.frame import Floats, Mask
from sanso.promql.histograms.bounds import edges
from sanso.promql.histograms.table import Ints, Table


@dataclass(frozen=True)
class Quantiles:
    """A quantile of each histogram.

    Attributes:
        value: Interpolated within its bucket: [C].
        lower: Where that bucket begins; the quantile of the observations themselves is not below.
        upper: Where it ends.
        unreached: NaN observations lie where the quantile is.
        skewed: NaN observations count as above all others, so the value is too high.
    """

    value: Floats
    lower: Floats
    upper: Floats
    unreached: Mask
    skewed: Mask


def quantiles(table: Table, wanted: Floats) -> Quantiles:
    """The quantile [C] of each; -Inf and +Inf outside 0 to 1, NaN of nothing."""
    forward = np.isnan(table.sum) | (wanted < 0.5)
    rank = np.where(forward, wanted, 1 - wanted) * table.count
    with np.errstate(all="ignore"):
        place = _placed(table.buckets, forward, rank)
        found = edges(table)
        lower, upper = found.at(place.row)
        lower, upper = np.where(place.populated, lower, 0.0), np.where(place.populated, upper, 0.0)
        lower, upper, known = _naturally(table, lower, upper)
        reached = np.minimum(place.reached, table.count)
        inside = np.where(forward, rank - (reached - place.held), reached - rank) / place.held
        value = _interpolated(lower, upper, inside, linear=table.custom | ((lower <= 0) & (upper >= 0)))
    short = reached < rank
    has_nan = np.isnan(table.sum)
    value = np.where(short, np.where(has_nan, np.nan, upper), value)
    value = np.where(np.isnan(known), value, known)
    plain = (wanted >= 0) & (wanted <= 1) & (table.count != 0)
    outside = np.where(wanted < 0, -np.inf, np.where(wanted > 1, np.inf, np.nan))
    unreached = plain & short & has_nan & np.isnan(known)
    skewed = plain & ~short & has_nan & np.isnan(known) & (np.minimum(place.total, table.count) < table.count)
    value = np.where(plain, value, outside)
    boxed = plain & ~np.isnan(value)
    return Quantiles(value, np.where(boxed, lower, value), np.where(boxed, upper, value), unreached, skewed)


def fractions(table: Table, low: Floats, high: Floats) -> tuple[Floats, Mask]:
    """How much of each lies between two values [C], and where NaN observations are left out of it."""
    has_nan = np.isnan(table.sum)
    with np.errstate(all="ignore"):
        total = np.where(has_nan, table.buckets.sum(axis=0), table.count)
        bounds = edges(table).all()
        share = (_ranked(table, bounds, high, total) - _ranked(table, bounds, low, total)) / table.count
    share = np.where(low >= high, 0.0, share)
    share = np.where((table.count == 0) | np.isnan(low) | np.isnan(high), np.nan, share)
    return share, has_nan & (total < table.count) & ~np.isnan(share) & (low < high)


def variances(table: Table) -> Floats:
    """The variance of the observations, each taken to be in the middle of its bucket: [C]."""
    lower, upper = edges(table).all()
    with np.errstate(all="ignore"):
        geometric = np.copysign(np.sqrt(lower * upper), lower)
        middle = np.where((lower <= 0) & (upper >= 0), 0.0, geometric)
        middle = np.where(table.custom, (lower + upper) / 2, middle)
        apart = table.buckets * (middle - table.sum / table.count) ** 2
        spread: Floats = np.where(table.buckets != 0, apart, 0.0).sum(axis=0) / table.count
    return spread


@dataclass(frozen=True)
class _Place:
    """Where a rank falls: the bucket's row and observations, those up to its end, those of all buckets."""

    row: Ints
    held: Floats
    reached: Floats
    total: Floats
    populated: Mask


def _placed(buckets: Floats, forward: Mask, rank: Floats) -> _Place:
    """The first populated bucket, from below or from above, that reaches the rank; the last one where none does."""
    ordered = buckets if forward.all() else np.where(forward, buckets, buckets[::-1])
    summed = np.cumsum(ordered, axis=0)
    populated = ordered != 0
    hit = populated & (summed >= rank)
    last = len(buckets) - 1 - populated[::-1].argmax(axis=0)
    row = np.where(hit.any(axis=0), hit.argmax(axis=0), last)
    cells = np.arange(buckets.shape[1])
    place = np.where(forward, row, len(buckets) - 1 - row)
    return _Place(place, ordered[row, cells], summed[row, cells], summed[-1], populated.any(axis=0))


def _naturally(table: Table, lower: Floats, upper: Floats) -> tuple[Floats, Floats, Floats]:
    """Bounds where zero is a natural one, and values known without interpolation (NaN elsewhere)."""
    crossing = ~table.custom & (lower < 0) & (upper > 0)
    lower, upper = _one_sided(table, lower, upper, crossing)
    first = table.custom & np.isneginf(lower)
    last = table.custom & np.isposinf(upper) & ~first
    known = np.where(first & (upper <= 0), upper, np.where(last, lower, np.nan))
    return np.where(first & (upper > 0), 0.0, lower), upper, known


def _one_sided(table: Table, lower: Floats, upper: Floats, crossing: Mask) -> tuple[Floats, Floats]:
    """A bucket around zero ends at zero where all other buckets are on one side."""
    zero = table.zero
    below = (table.buckets[:zero] != 0).any(axis=0)
    above = (table.buckets[zero + 1 :] != 0).any(axis=0)
    return np.where(crossing & above & ~below, 0.0, lower), np.where(crossing & below & ~above, 0.0, upper)


def _interpolated(lower: Floats, upper: Floats, inside: Floats, *, linear: Mask) -> Floats:
    """Between two bounds, `inside` from 0 to 1: evenly, or evenly on a logarithmic scale."""
    start, end = np.log2(np.abs(lower)), np.log2(np.abs(upper))
    positive = np.exp2(start + (end - start) * inside)
    negative = -np.exp2(end + (start - end) * (1 - inside))
    return np.where(linear, lower + (upper - lower) * inside, np.where(lower > 0, positive, negative))


def _ranked(table: Table, bounds: tuple[Floats, Floats], value: Floats, total: Floats) -> Floats:
    """How many observations of each are below a value [C]."""
    crossing = ~table.custom & (bounds[0] <= 0) & (bounds[1] >= 0)
    lower, upper = _one_sided(table, *bounds, crossing)
    first = table.custom & np.isneginf(lower)
    lower = np.where(first & (upper > 0), 0.0, lower)
    even = (value - lower) / (upper - lower)
    start, end, at = np.log2(np.abs(lower)), np.log2(np.abs(upper)), np.log2(np.abs(value))
    scaled = np.where(value > 0, (at - start) / (end - start), 1 - (at - end) / (start - end))
    part = np.where(table.custom | crossing, even, scaled)
    part = np.where(first & (upper <= 0), 1.0, part)  # nothing is known inside a bucket without a beginning
    part = np.where(lower >= value, 0.0, np.where(upper <= value, 1.0, part))
    populated = table.buckets != 0
    below = np.where(populated, table.buckets * part, 0.0).sum(axis=0)
    beyond = ~(populated & (upper > value)).any(axis=0)
    return np.minimum(np.where(beyond, total, below), total)
