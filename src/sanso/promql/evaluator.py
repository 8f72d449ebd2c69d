"""Evaluation of the parsed tree: every node over all steps at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import promql_parser as parser

from sanso.model.control import QueryControl
from sanso.model.errors import QueryError
from sanso.model.frame import Frame, Times
from sanso.model.labels import NAME, labels_of
from sanso.model.series import SeriesReader
from sanso.promql import aggregations, matching, operators, selectors
from sanso.promql.functions.presence import nothing_where
from sanso.promql.functions.registry import PLAIN, RANGE, Call, Value
from sanso.promql.matching import Matching
from sanso.promql.values import (
    Samples,
    Scalar,
    Text,
    Vector,
    blank,
    drop_name,
    joined,
    present,
    trimmed,
    windows,
)

_SETS = {"and": matching.intersection, "or": matching.union, "unless": matching.difference}
_SIMPLE = frozenset({"sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"})
_SUBQUERY_STEP_MS = 60_000
"""Prometheus's default evaluation interval."""


class Evaluator:
    """Evaluates trees at given steps.

    Args:
        reader: Where samples come from.
        steps: Milliseconds, shape [S].
        lookback_ms: How old an instant selector's sample may be.
        control: Limits of the whole query.
        outer: Start and end of the whole query.
    """

    def __init__(
        self, reader: SeriesReader, steps: Times, lookback_ms: int, control: QueryControl, outer: tuple[int, int]
    ) -> None:
        self._reader = reader
        self._steps = steps
        self._lookback_ms = lookback_ms
        self._control = control
        self._outer = outer
        self._nodes: dict[type, Callable[[Any], Value]] = {
            parser.NumberLiteral: lambda node: Scalar(np.full(len(steps), node.val)),
            parser.StringLiteral: lambda node: Text(node.val),
            parser.ParenExpr: lambda node: self.value(node.expr),
            parser.UnaryExpr: self._negated,
            parser.VectorSelector: self._selected,
            parser.MatrixSelector: self._ranged,
            parser.SubqueryExpr: self._subquery,
            parser.Call: self._call,
            parser.AggregateExpr: self._aggregate,
            parser.BinaryExpr: self._binary,
        }

    def value(self, node: Any) -> Value:
        """A node's value.

        Raises:
            QueryError: It cannot be had.
        """
        self._control.check()
        return self._nodes[type(node)](node)

    def _vector(self, node: Any) -> Vector:
        value = self.value(node)
        if not isinstance(value, Vector):
            raise QueryError("expected an instant vector here")
        return trimmed(value)

    def _scalar(self, node: Any) -> Scalar:
        value = self.value(node)
        if not isinstance(value, Scalar):
            raise QueryError("expected a scalar here")
        return value

    def _negated(self, node: Any) -> Value:
        value = self.value(node.expr)
        if isinstance(value, Scalar):
            return Scalar(-value.values)
        assert isinstance(value, Vector)
        return drop_name(Vector(value.labels, blank(-value.values, present(value.values))))

    def _selected(self, node: Any) -> Vector:
        times = selectors.shifted(node, self._steps, self._outer)
        found, _ = selectors.instant(self._reader, selectors.matchers_of(node), times, self._lookback_ms)
        self._control.hold(found.values.size, read=found.values.size)
        return found

    def _ranged(self, node: Any) -> Samples:
        selector = node.vector_selector
        times = selectors.shifted(selector, self._steps, self._outer)
        found = selectors.ranged(
            self._reader, selectors.matchers_of(selector), times, selectors.milliseconds(node.range)
        )
        read = sum(frame.values.size for frame in found.frames)
        self._control.hold(read, read=read)
        return found

    def _subquery(self, node: Any) -> Samples:
        times = selectors.shifted(node, self._steps, self._outer)
        step = selectors.milliseconds(node.step) or _SUBQUERY_STEP_MS
        starts = times - selectors.milliseconds(node.range)
        first = int(starts.min()) // step * step + step
        inner_steps = np.arange(first, int(times.max()) + 1, step, dtype=np.int64)
        if not len(inner_steps):
            return Samples([], starts, times)
        inner = Evaluator(self._reader, inner_steps, self._lookback_ms, self._control, self._outer)
        value = inner.value(node.expr)
        if isinstance(value, Scalar):
            value = Vector([()], value.values[None, :])
        assert isinstance(value, Vector)
        self._control.hold(value.values.size)
        return Samples([Frame(value.labels, inner_steps, np.ascontiguousarray(value.values))], starts, times)

    def _call(self, node: Any) -> Value:
        name = node.func.name
        special = {"absent": self._absent, "absent_over_time": self._absent, "timestamp": self._timestamp}.get(name)
        if special is not None:
            return special(node)
        if name not in RANGE and name not in PLAIN:
            raise QueryError(f"not supported yet: {name}()")
        args = [self.value(arg) for arg in node.args]
        call = Call([trimmed(arg) if isinstance(arg, Vector) else arg for arg in args], self._steps)
        return self._over_windows(name, call) if name in RANGE else PLAIN[name](call)

    def _over_windows(self, name: str, call: Call) -> Vector:
        definition = RANGE[name]
        samples = next(arg for arg in call.args if isinstance(arg, Samples))
        parts = []
        for window in windows(samples):
            values = definition.kernel(window, call)
            enough = window.last - window.first >= definition.least
            parts.append(Vector(window.labels, blank(values, np.broadcast_to(enough, values.shape))))
        found = joined(parts, len(self._steps))
        return trimmed(found if definition.keeps_name else drop_name(trimmed(found)))

    def _absent(self, node: Any) -> Vector:
        argument = node.args[0]
        value = self.value(argument)
        if isinstance(value, Samples):
            counted = [
                Vector(w.labels, blank(np.ones((len(w.labels), len(w.first))), np.broadcast_to(
                    w.last > w.first, (len(w.labels), len(w.first))))) for w in windows(value)
            ]  # fmt: skip
            value = joined(counted, len(self._steps))
        assert isinstance(value, Vector)
        return trimmed(Vector([_labels_meant(argument)], nothing_where(value.values)))

    def _timestamp(self, node: Any) -> Vector:
        argument = node.args[0]
        while isinstance(argument, parser.ParenExpr):
            argument = argument.expr
        if isinstance(argument, parser.VectorSelector):
            times = selectors.shifted(argument, self._steps, self._outer)
            matchers = selectors.matchers_of(argument)
            found, own = selectors.instant(self._reader, matchers, times, self._lookback_ms)
        else:
            found = self._vector(argument)
            own = np.broadcast_to(self._steps / 1000, found.values.shape)
        return drop_name(Vector(found.labels, blank(own, present(found.values))))

    def _aggregate(self, node: Any) -> Vector:
        name = str(node.op)
        vector = self._vector(node.expr)
        modifier = node.modifier
        by = modifier is None or modifier.type == parser.AggModifierType.By
        name_of = aggregations.grouping(list(modifier.labels) if modifier is not None else [], by=by)
        if name in _SIMPLE:
            return aggregations.aggregate(name, vector, name_of)
        if name == "count_values":
            label = self.value(node.param)
            assert isinstance(label, Text)
            return aggregations.count_values(vector, name_of, label.text)
        if name == "quantile":
            return aggregations.quantile(vector, name_of, self._scalar(node.param).values)
        if name in ("topk", "bottomk"):
            amount = self._scalar(node.param).values
            return aggregations.best(vector, name_of, amount, largest=name == "topk")
        if name == "limitk":
            return trimmed(aggregations.limitk(vector, name_of, self._scalar(node.param).values))
        raise QueryError(f"not supported yet: {name}")

    def _binary(self, node: Any) -> Value:
        op = str(node.op)
        left, right = self.value(node.lhs), self.value(node.rhs)
        how = _matching(node.modifier)
        if isinstance(left, Vector) and isinstance(right, Vector):
            left, right = trimmed(left), trimmed(right)
            if op in _SETS:
                return trimmed(_SETS[op](left, right, how))
            return trimmed(matching.matched(op, left, right, how))
        if isinstance(left, Scalar) and isinstance(right, Scalar):
            return operators.between_scalars(op, left, right)
        if isinstance(left, Vector) and isinstance(right, Scalar):
            return trimmed(operators.with_scalar(op, trimmed(left), right.values, swapped=False, as_bool=how.as_bool))
        if isinstance(left, Scalar) and isinstance(right, Vector):
            return trimmed(operators.with_scalar(op, trimmed(right), left.values, swapped=True, as_bool=how.as_bool))
        raise QueryError(f"binary operator {op} needs scalars or instant vectors")


def _matching(modifier: Any) -> Matching:
    if modifier is None:
        return Matching()
    many: Literal["left", "right", ""] = ""
    if modifier.card == parser.VectorMatchCardinality.ManyToOne:
        many = "left"
    elif modifier.card == parser.VectorMatchCardinality.OneToMany:
        many = "right"
    how = modifier.matching
    return Matching(
        labels=tuple(how.labels) if how is not None else (),
        on=how is not None and how.type == parser.LabelModifierType.Include,
        many=many,
        include=tuple(modifier.group_labels or ()) if many else (),
        as_bool=bool(modifier.return_bool),
    )


def _labels_meant(node: Any) -> tuple[tuple[str, str], ...]:
    """What an absent series would be called: the labels that its selector names by equality, once each."""
    if isinstance(node, parser.ParenExpr):
        return _labels_meant(node.expr)
    selector = node.vector_selector if isinstance(node, parser.MatrixSelector) else node
    if not isinstance(selector, parser.VectorSelector):
        return ()
    matchers = [m for m in selectors.matchers_of(selector) if m.name != NAME]
    names = [m.name for m in matchers]
    return labels_of({m.name: m.value for m in matchers if m.op == "=" and names.count(m.name) == 1})
