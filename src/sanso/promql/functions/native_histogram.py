"""Figures of native histograms: count, sum, mean, deviation; quantiles and fractions for `histogram`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sanso.model.frame import Floats, absent
from sanso.model.labels import metric_name
from sanso.promql.functions.registry import PLAIN, Call
from sanso.promql.histograms import notes
from sanso.promql.histograms.notes import Note
from sanso.promql.histograms.quantiles import fractions, quantiles, variances
from sanso.promql.histograms.table import Ints, Table
from sanso.promql.values import Vector, drop_name, empty, trimmed


def quantile_of_natives(call: Call, vector: Vector) -> Vector:
    """A quantile of each histogram, or an edge of its bucket; names stay."""
    places, table = _listed(vector)
    found = quantiles(table, call.scalar(0)[places % len(call.steps)])
    _say(call, vector, places[found.unreached], notes.quantile_unreached)
    _say(call, vector, places[found.skewed], notes.quantile_skewed)
    chosen = {"inside": found.value, "lower": found.lower, "upper": found.upper}[call.edge]
    return _filled(vector, places, chosen)


def fraction_of_natives(call: Call, vector: Vector) -> Vector:
    """The share of each histogram's observations between two values; names stay."""
    places, table = _listed(vector)
    steps = places % len(call.steps)
    share, partial = fractions(table, call.scalar(0)[steps], call.scalar(1)[steps])
    _say(call, vector, places[partial], notes.fraction_partial)
    return _filled(vector, places, share)


def _say(call: Call, vector: Vector, places: Ints, note: Callable[[str], Note]) -> None:
    """Say a note of the series that have something at flat places."""
    for row in np.unique(places // len(call.steps)).tolist():
        call.notes.say(note(metric_name(vector.labels[row])), call.place(0))


def _listed(vector: Vector) -> tuple[Ints, Table]:
    assert vector.histograms is not None
    return vector.histograms.listed()


def _filled(vector: Vector, places: Ints, values: Floats) -> Vector:
    """A vector of floats at flat places."""
    filled = absent(*vector.values.shape)
    filled.reshape(-1)[places] = values
    return Vector(vector.labels, filled)


def _register(name: str, figure: Callable[[Table], Floats]) -> None:
    def of(call: Call) -> Vector:
        vector = call.vector(0)
        if vector.histograms is None:
            return empty(len(call.steps))
        places, table = vector.histograms.listed()
        return drop_name(trimmed(_filled(vector, places, figure(table))))

    PLAIN[name] = of


def _mean(table: Table) -> Floats:
    with np.errstate(all="ignore"):
        return table.sum / table.count


for _name, _figure in {
    "histogram_count": lambda table: table.count,
    "histogram_sum": lambda table: table.sum,
    "histogram_avg": _mean,
    "histogram_stdvar": variances,
    "histogram_stddev": lambda table: np.sqrt(variances(table)),
}.items():
    _register(_name, _figure)
