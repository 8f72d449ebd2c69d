"""Groups with histograms in them: sum and avg make one of them, count and group count them as any other sample."""

from __future__ import annotations

import numpy as np

from sanso.model.labels import metric_name
from sanso.promql.aggregations.groups import Grouping, grouped
from sanso.promql.aggregations.simple import aggregate
from sanso.promql.evaluation import Evaluation
from sanso.promql.histograms import notes
from sanso.promql.histograms.grouping import grouped as summed
from sanso.promql.histograms.merging import FINE
from sanso.promql.tree import Aggregate, bare
from sanso.promql.values import Vector, blank, present

NATIVE = frozenset({"sum", "avg", "count", "group"})
IGNORING = frozenset({"min", "max", "stddev", "stdvar", "quantile", "topk", "bottomk"})
"""Aggregations that leave histograms out, and say so."""


def native(evaluation: Evaluation, node: Aggregate, vector: Vector, name_of: Grouping) -> Vector:
    """One of `NATIVE` of a vector that has histograms."""
    histograms = vector.histograms
    assert histograms is not None
    if node.name in ("count", "group"):
        return aggregate(node.name, Vector(vector.labels, np.where(histograms.held, 0.0, vector.values)), name_of)
    floats = aggregate(node.name, vector.floats(), name_of)
    groups = grouped(vector, name_of)
    member = np.empty(len(groups.order), dtype=np.int64)
    member[groups.order] = np.repeat(np.arange(len(groups.labels)), groups.sizes)
    found = summed(histograms, present(vector.values), member, len(groups.labels), mean=node.name == "avg")
    if found.mixed.any():
        evaluation.notes.say(notes.mixed_in_aggregation(), bare(node.expr).place)
    for outcome in np.unique(found.outcome[found.outcome != FINE]).tolist():
        for group in np.flatnonzero((found.outcome == outcome).any(axis=1)).tolist():
            name = metric_name(vector.labels[int(groups.order[groups.starts[group]])])
            evaluation.notes.say(notes.incompatible(outcome, name), bare(node.expr).place)
    values = blank(floats.values, present(floats.values) & ~found.mixed)
    return Vector(groups.labels, values, found.histograms)
