"""Evaluation of a question's tree: every node over all steps at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from sanso.model.errors import QueryError
from sanso.model.frame import Times
from sanso.model.series import Edge
from sanso.promql import matching, operators
from sanso.promql.aggregations.evaluation import aggregated
from sanso.promql.annotations import Annotations
from sanso.promql.functions.evaluation import called
from sanso.promql.histograms.notes import Note
from sanso.promql.selectors import Source, shifted
from sanso.promql.tree import (
    Aggregate,
    Binary,
    Function,
    Negative,
    Node,
    Number,
    Paren,
    Range,
    Selector,
    String,
    Subquery,
)
from sanso.promql.values import Samples, Scalar, Text, Value, Vector, ranged, trimmed

_SETS = {"and": matching.intersection, "or": matching.union, "unless": matching.difference}
_SUBQUERY_STEP_MS = 60_000
"""Prometheus's default evaluation interval."""

Kind = TypeVar("Kind", Vector, Scalar, Samples, Text)


@dataclass(frozen=True)
class Evaluator:
    """Evaluates trees at given steps.

    Attributes:
        source: Where samples come from.
        steps: Milliseconds, shape [S].
        outer: Start, end and step of the whole question.
        notes: What is to be said beside the values.
        edge: What quantiles of histograms answer.
    """

    source: Source
    steps: Times
    outer: tuple[int, int, int]
    notes: Annotations
    edge: Edge = "inside"

    def value(self, node: Node) -> Value:
        """A node's value.

        Raises:
            QueryError: It cannot be had.
        """
        self.source.control.check()
        return _NODES[type(node)](self, node)

    def expect(self, kind: type[Kind], node: Node) -> Kind:
        """A node's value, which the parser has checked to be of a kind.

        Raises:
            QueryError: It is of another all the same.
        """
        value = self.value(node)
        if not isinstance(value, kind):
            raise QueryError(f"expected a {kind.__name__.lower()} here, got a {type(value).__name__.lower()}")
        return value

    def vector(self, node: Node) -> Vector:
        """A node's instant vector, without series that have nothing."""
        return trimmed(self.expect(Vector, node))

    def hold(self, *vectors: Vector | Scalar, results: int = 1) -> None:
        """Say that so many results as large as these are about to be in memory beside them.

        Raises:
            QueryError: That would be too much.
        """
        self.source.control.hold(sum(vector.size for vector in vectors) * (1 + results))

    def times(self, node: Selector | Subquery) -> Times:
        """The steps that a node's `@` and `offset` mean."""
        return shifted(node.when, self.steps, self.outer[:2])

    def within(self, steps: Times, step_ms: int) -> Evaluator:
        """An evaluator of other steps of the same question."""
        return replace(self, source=replace(self.source, step_ms=step_ms), steps=steps)


def _number(evaluator: Evaluator, node: Number) -> Scalar:
    return Scalar(np.full(len(evaluator.steps), node.value))


def _negative(evaluator: Evaluator, node: Negative) -> Value:
    value = evaluator.value(node.expr)
    if isinstance(value, Scalar):
        return Scalar(-value.values)
    assert isinstance(value, Vector)
    evaluator.hold(value)
    return operators.negated(value)


def _selected(evaluator: Evaluator, node: Selector) -> Vector:
    return evaluator.source.instant(node, evaluator.times(node))[0]


def _ranged(evaluator: Evaluator, node: Range) -> Samples:
    return evaluator.source.ranged(node.selector, evaluator.times(node.selector), node.range_ms)


def _subquery(evaluator: Evaluator, node: Subquery) -> Samples:
    times = evaluator.times(node)
    step = node.step_ms or _SUBQUERY_STEP_MS
    starts = times - node.range_ms
    first = int(starts.min()) // step * step + step
    count = max(0, (int(times.max()) - first) // step + 1)
    evaluator.source.control.hold(count)
    steps = first + np.arange(count, dtype=np.int64) * step
    if not count:
        return Samples([], starts, times)
    value = evaluator.within(steps, step).value(node.expr)
    if isinstance(value, Scalar):
        value = Vector([()], value.values[None, :])
    assert isinstance(value, Vector)
    evaluator.hold(value)
    return ranged(value, steps, starts, times)


def _binary(evaluator: Evaluator, node: Binary) -> Value:
    op, how = node.op, node.matching

    def say(note: Note) -> None:
        evaluator.notes.say(note, node.place)

    left, right = evaluator.value(node.left), evaluator.value(node.right)
    if isinstance(left, Scalar) and isinstance(right, Scalar):
        return operators.between_scalars(op, left, right)
    if isinstance(left, Vector) and isinstance(right, Vector):
        left, right = trimmed(left), trimmed(right)
        evaluator.hold(left, right)
        if op in _SETS:
            return trimmed(_SETS[op](left, right, how))
        return trimmed(matching.matched(op, left, right, how, say))
    if isinstance(left, Vector) and isinstance(right, Scalar):
        evaluator.hold(left)
        left = trimmed(left)
        return trimmed(operators.with_scalar(op, left, right.values, swapped=False, as_bool=how.as_bool, say=say))
    if isinstance(left, Scalar) and isinstance(right, Vector):
        evaluator.hold(right)
        right = trimmed(right)
        return trimmed(operators.with_scalar(op, right, left.values, swapped=True, as_bool=how.as_bool, say=say))
    raise QueryError(f"binary operator {op} needs scalars or instant vectors")


_NODES: dict[type, Callable[[Evaluator, Any], Value]] = {
    Number: _number,
    String: lambda _, node: Text(node.text),
    Paren: lambda evaluator, node: evaluator.value(node.expr),
    Negative: _negative,
    Selector: _selected,
    Range: _ranged,
    Subquery: _subquery,
    Function: called,
    Aggregate: aggregated,
    Binary: _binary,
}
