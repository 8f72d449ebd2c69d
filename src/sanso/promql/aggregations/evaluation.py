"""Aggregations in a question: their argument and parameter evaluated, then the family that does them."""

from __future__ import annotations

import numpy as np

from sanso.model.errors import QueryError
from sanso.model.frame import Floats
from sanso.promql.aggregations.chosen import best, limit_ratio, limitk
from sanso.promql.aggregations.counted import count_values
from sanso.promql.aggregations.groups import grouping
from sanso.promql.aggregations.native import IGNORING, NATIVE, native
from sanso.promql.aggregations.simple import SIMPLE, aggregate, quantile
from sanso.promql.annotations import go_number
from sanso.promql.evaluation import Evaluation
from sanso.promql.histograms.notes import ignored_in_aggregation
from sanso.promql.tree import Aggregate, Node, bare
from sanso.promql.values import Scalar, Text, Vector, trimmed


def aggregated(evaluation: Evaluation, node: Aggregate) -> Vector:
    """An aggregation's value.

    Raises:
        QueryError: Its parameter is wrong.
    """
    vector = evaluation.vector(node.expr)
    # Sorting keeps several copies at once.
    evaluation.hold(vector, results=1 if node.name in SIMPLE else 4)
    name_of = grouping(node.labels, by=node.by)
    if vector.histograms is not None and node.name in NATIVE:
        return native(evaluation, node, vector, name_of)
    if vector.histograms is not None and node.name in IGNORING:
        place = node.place if node.name in ("topk", "bottomk") else bare(node.expr).place
        evaluation.notes.say(ignored_in_aggregation(node.name), place)
        vector = trimmed(vector.floats())
    if node.name in SIMPLE:
        return aggregate(node.name, vector, name_of)
    assert node.param is not None
    if node.name == "count_values":
        text = evaluation.expect(Text, node.param).text
        return count_values(vector, name_of, text, evaluation.source.control)
    param = evaluation.expect(Scalar, node.param).values
    if node.name == "quantile":
        for value in _extremes(param, 0.0):
            evaluation.notes.bad_quantile(value, bare(node.param).place)
        return quantile(vector, name_of, param)
    if node.name in ("topk", "bottomk"):
        return best(vector, name_of, param, largest=node.name == "topk")
    if node.name == "limitk":
        return trimmed(limitk(vector, name_of, param))
    if node.name == "limit_ratio":
        _warn_of_ratios(evaluation, param, node.param)
        return trimmed(limit_ratio(vector, param))
    raise QueryError(f"not supported: {node.name}")


def _extremes(param: Floats, least: float) -> list[float]:
    """What is told of a parameter [S] that should be between `least` and 1: NaN, the largest and the smallest."""
    missing, known = np.isnan(param), param[~np.isnan(param)]
    found = [np.nan] if missing.any() else []
    if len(known):
        found += [edge for edge in (float(known.max()),) if edge > 1]
        found += [edge for edge in (float(known.min()),) if edge < least]
    return found


def _warn_of_ratios(evaluation: Evaluation, ratio: Floats, node: Node) -> None:
    for value in _extremes(ratio, -1.0):
        capped = "1" if value > 0 else "-1"
        evaluation.notes.warn(
            f"ratio value should be between -1 and 1, got {go_number(value)}, capping to {capped}", bare(node).place
        )
