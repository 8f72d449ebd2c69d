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
from sanso.promql.tree import Aggregate, Node
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
        place = node.place if node.name in ("topk", "bottomk") else node.expr.place
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
        for value in dict.fromkeys(param[~((param >= 0) & (param <= 1))].tolist()):
            evaluation.notes.bad_quantile(value, node.param.place)
        return quantile(vector, name_of, param)
    if node.name in ("topk", "bottomk"):
        return best(vector, name_of, param, largest=node.name == "topk")
    if node.name == "limitk":
        return trimmed(limitk(vector, name_of, param))
    if node.name == "limit_ratio":
        _warn_of_ratios(evaluation, param, node.param)
        return trimmed(limit_ratio(vector, param))
    raise QueryError(f"not supported: {node.name}")


def _warn_of_ratios(evaluation: Evaluation, ratio: Floats, node: Node) -> None:
    for value in dict.fromkeys(ratio[np.abs(ratio) > 1].tolist()):
        capped = "1" if value > 0 else "-1"
        evaluation.notes.warn(
            f"ratio value should be between -1 and 1, got {go_number(value)}, capping to {capped}", node.place
        )
