"""Quantiles and fractions of histograms, classic ones interpolated here as Prometheus does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import ABSENT, Floats, absent
from sanso.model.labels import Labels, labels_of, metric_name, value_of, without
from sanso.model.series import Edge
from sanso.promql.annotations import for_metric
from sanso.promql.functions.native_histogram import fraction_of_natives, quantile_of_natives
from sanso.promql.functions.registry import PLAIN, Call, function
from sanso.promql.histograms.notes import mixed_with_classic
from sanso.promql.values import Vector, blank, drop_name, joined, present, trimmed

_TOLERANCE = 1e-12
"""Buckets that differ by less differ by floating point's doing only."""
_NUMBER = re.compile(r"[+-]?(?:inf(?:inity)?|nan|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)", re.IGNORECASE)
_MONOTONIC = (
    "input to histogram_quantile needed to be fixed for monotonicity "
    "(see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)"
)

Measure: TypeAlias = Callable[[Floats, Floats, NDArray[np.intp]], tuple[Floats, bool]]
"""Of bounds [B], counts [K, B, S] and the numbers [S] of those steps: values [K, S], and whether counts had to be
made monotonic."""


@function("histogram_quantile")
def histogram_quantile(call: Call) -> Vector:
    """A quantile from buckets by `le`."""
    wanted = call.scalar(0)
    for value in dict.fromkeys(wanted[~((wanted >= 0) & (wanted <= 1))].tolist()):
        call.notes.bad_quantile(value, call.place(0))

    def measure(bounds: Floats, counts: Floats, steps: NDArray[np.intp]) -> tuple[Floats, bool]:
        return _quantiles(wanted[steps], bounds, counts, call.edge)

    return _of_both(call, 1, measure, quantile_of_natives)


@function("histogram_quantiles")
def histogram_quantiles(call: Call) -> Vector:
    """Several quantiles at once, told apart by a label."""
    label = call.text(1)
    found = []
    for number in range(2, len(call.args)):
        one = replace(call, args=[call.args[number], call.args[0]], places=(call.place(number), call.place(0)))
        for wanted in dict.fromkeys(call.scalar(number).tolist()):
            quantile = PLAIN["histogram_quantile"](one)
            assert isinstance(quantile, Vector)
            labels = [labels_of({**dict(series), label: repr(wanted)}) for series in quantile.labels]
            here = np.broadcast_to(call.scalar(number) == wanted, quantile.values.shape)
            found.append(Vector(labels, blank(quantile.values, here & present(quantile.values))))
    return joined(found, len(call.steps))


@function("histogram_fraction")
def histogram_fraction(call: Call) -> Vector:
    """The share of observations between two values, from buckets by `le`."""
    lower, upper = call.scalar(0), call.scalar(1)

    def measure(bounds: Floats, counts: Floats, steps: NDArray[np.intp]) -> tuple[Floats, bool]:
        return _fractions(lower[steps], upper[steps], bounds, counts), False

    return _of_both(call, 2, measure, fraction_of_natives)


def _of_both(call: Call, argument: int, measure: Measure, native: Callable[[Call, Vector], Vector]) -> Vector:
    """A measure of every classic and every native histogram of a vector; one that is there in both forms has none."""
    vector = call.vector(argument)
    classic = _measured(call, argument, trimmed(vector.floats()), measure)
    if vector.histograms is None:
        return drop_name(classic)
    natives = native(call, vector.rows(np.flatnonzero(vector.histograms.held.any(axis=1)).tolist()))
    rows = {labels: row for row, labels in enumerate(classic.labels)}
    for row, labels in enumerate(natives.labels):
        if labels not in rows:
            continue
        both = present(classic.values[rows[labels]]) & present(natives.values[row])
        if both.any():
            call.notes.say(mixed_with_classic(metric_name(labels)), call.place(argument))
            classic.values[rows[labels], both] = natives.values[row, both] = ABSENT
    return trimmed(drop_name(joined([classic, natives], len(call.steps))))


def _measured(call: Call, argument: int, vector: Vector, measure: Measure) -> Vector:
    """A measure of every classic histogram of a vector of floats."""
    histograms = _histograms(call, argument, vector)
    values = absent(len(histograms), len(call.steps))
    alike: dict[tuple[float, ...], list[int]] = {}
    for place, buckets in enumerate(histograms.values()):
        buckets.sort()
        alike.setdefault(tuple(bound for bound, _ in buckets), []).append(place)
    members = list(histograms.items())
    for bounds, places in alike.items():
        rows = [[row for _, row in members[place][1]] for place in places]
        for some, steps, kept in _complete(vector.values[rows]):
            chosen, counts = _coalesced(np.array(bounds)[kept], vector.values[rows][some][:, kept][:, :, steps])
            found, forced = measure(chosen, counts, steps)
            values[np.ix_(np.array(places)[some], steps)] = found
            if forced:
                for place in np.array(places)[some].tolist():
                    name = metric_name(members[place][0])
                    call.notes.info(f"{_MONOTONIC}{for_metric(name)}", call.place(argument))
    return Vector([labels for labels, _ in members], values)


def _histograms(call: Call, argument: int, vector: Vector) -> dict[Labels, list[tuple[float, int]]]:
    """The rows of each histogram, with their upper bounds."""
    found: dict[Labels, list[tuple[float, int]]] = {}
    for row, labels in enumerate(vector.labels):
        bound = value_of(labels, "le")
        if _NUMBER.fullmatch(bound):
            found.setdefault(without(labels, ("le",)), []).append((float(bound), row))
        else:
            call.notes.warn(
                f'bucket label "le" is missing or has a malformed value of "{bound}"{for_metric(metric_name(labels))}',
                call.place(argument),
            )
    return found


def _complete(counts: Floats) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]]:
    """Histograms [K, B, S] and steps that have the same buckets: which histograms, which steps, which buckets."""
    held = present(counts)
    everyone, everywhere = np.arange(counts.shape[0]), np.arange(counts.shape[2])
    if held.all():
        yield everyone, everywhere, np.arange(counts.shape[1])
        return
    for number in everyone.tolist():
        masks, groups = np.unique(held[number], axis=1, return_inverse=True)
        for place, mask in enumerate(masks.T):
            if mask.any():
                yield everyone[number : number + 1], np.flatnonzero(groups.ravel() == place), np.flatnonzero(mask)


def _coalesced(bounds: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Buckets of one bound, spelled differently, as one."""
    unique, places = np.unique(bounds, return_inverse=True)
    if len(unique) == len(bounds):
        return bounds, counts
    merged = np.zeros((counts.shape[0], len(unique), counts.shape[2]))
    for place, target in enumerate(places.tolist()):
        merged[:, target] += counts[:, place]
    return unique, merged


def _quantiles(wanted: Floats, bounds: Floats, counts: Floats, edge: Edge) -> tuple[Floats, bool]:
    """Quantiles [K, S] of cumulative counts [K, B, S] at rising bounds [B], or an edge of their buckets."""
    shape = counts.shape[0], counts.shape[2]
    if not np.isposinf(bounds[-1]) or len(bounds) < 2:
        return _outside(np.full(shape, np.nan), wanted), False
    counts, forced = _monotonic(counts)
    total = counts[:, -1]
    with np.errstate(all="ignore"):
        rank = wanted * total
        place = np.minimum((~(counts[:, :-1] >= rank[:, None])).sum(axis=1), len(bounds) - 1)
        here = np.take_along_axis(counts, place[:, None], axis=1)[:, 0]
        before = np.take_along_axis(counts, np.maximum(place - 1, 0)[:, None], axis=1)[:, 0]
        below = np.where(place > 0, before, 0.0)
        start = np.where(place > 0, bounds[np.maximum(place - 1, 0)], 0.0)
        answer = start + (bounds[place] - start) * ((rank - below) / (here - below))
    if edge == "inside":
        answer = np.where(place == len(bounds) - 1, bounds[-2], answer)
        answer = np.where((place == 0) & (bounds[0] <= 0), bounds[0], answer)
    else:
        first = np.where(bounds[0] <= 0, -np.inf, 0.0)
        answer = bounds[place] if edge == "upper" else np.where(place > 0, bounds[np.maximum(place - 1, 0)], first)
    return _outside(np.where(total == 0, np.nan, answer), wanted), forced


def _monotonic(counts: Floats) -> tuple[Floats, bool]:
    """Counts that never fall; whether any fell by more than floating point explains."""
    if not (counts[:, 1:] < counts[:, :-1]).any() and not _nearly(counts[:, 1:], counts[:, :-1]).any():
        return counts, False
    fixed, forced = counts.copy(), False
    for place in range(1, counts.shape[1]):
        before, now = fixed[:, place - 1], fixed[:, place]
        near = _nearly(now, before)
        fallen = (now < before) & ~near
        forced = forced or bool(fallen.any())
        fixed[:, place] = np.where(near | fallen, before, now)
    return fixed, forced


def _nearly(one: Floats, other: Floats) -> NDArray[np.bool_]:
    """Whether counts differ, but by no more than floating point explains."""
    with np.errstate(invalid="ignore"):
        near: NDArray[np.bool_] = np.abs(one - other) < _TOLERANCE * (np.abs(one) + np.abs(other))
    return np.asarray(near & (one != other))


def _outside(answer: Floats, wanted: Floats) -> Floats:
    answer = np.where(np.isnan(wanted), np.nan, answer)
    return np.where(wanted < 0, -np.inf, np.where(wanted > 1, np.inf, answer))


def _fractions(lower: Floats, upper: Floats, bounds: Floats, counts: Floats) -> Floats:
    """Shares [K, S] of the observations between two values [S]."""
    total = counts[:, -1]
    if not np.isposinf(bounds[-1]):
        return np.full(total.shape, np.nan)
    with np.errstate(all="ignore"):
        share = (_rank(upper, bounds, counts) - _rank(lower, bounds, counts)) / total
    share = np.where(lower >= upper, 0.0, share)
    return np.where((total == 0) | np.isnan(lower) | np.isnan(upper), np.nan, share)


def _rank(values: Floats, bounds: Floats, counts: Floats) -> Floats:
    """How many observations are below each value [S]: [K, S]. Nothing is known inside buckets without an end.

    As for quantiles, the first bucket begins at 0 where it ends above it.
    """
    if bounds[0] > 0:
        bounds, counts = np.append(0.0, bounds), np.pad(counts, ((0, 0), (1, 0), (0, 0)))
    place = np.minimum(np.searchsorted(bounds, values, "right"), len(bounds) - 1)
    before = np.maximum(place - 1, 0)
    steps = np.arange(len(values))
    below, here = counts[:, before, steps], counts[:, place, steps]
    start = bounds[before]
    inside = below + (here - below) * (values - start) / (bounds[place] - start)
    found = np.where(place == 0, np.where(np.isneginf(values), 0.0, here), inside)
    return np.minimum(np.where(np.isposinf(values), counts[:, -1], found), counts[:, -1])
