"""A parsed expression as JSON, as Prometheus gives it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import promql_parser as parser

from sanso.promql import layout
from sanso.promql.aggregations.counted import go_float
from sanso.promql.lexical import NEGATIVE_TIMES
from sanso.promql.parse import parsed
from sanso.promql.reading import read, shown

_CARDS = {
    "VectorMatchCardinality.OneToOne": "one-to-one",
    "VectorMatchCardinality.ManyToOne": "many-to-one",
    "VectorMatchCardinality.OneToMany": "one-to-many",
    "VectorMatchCardinality.ManyToMany": "many-to-many",
}
_OPERATORS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}
_EDGES = {"AtModifierType.Start": "start", "AtModifierType.End": "end"}


def syntax(text: str) -> Any:
    """An expression as the parser gives it.

    Raises:
        QueryError: It is not PromQL.
    """
    parsed(text)  # which refuses more than the parser does
    return read(text)


def set_out(text: str) -> str:
    """An expression over lines.

    Raises:
        QueryError: It is not PromQL.
    """
    parsed(text)
    return layout.set_out(text)


def tree_json(node: Any) -> dict[str, Any] | None:
    """A node and what is below it."""
    return None if node is None else _NODES[type(node)](node)


def _aggregation(node: Any) -> dict[str, Any]:
    modifier = node.modifier
    return {
        "type": "aggregation",
        "op": str(node.op),
        "expr": tree_json(node.expr),
        "param": tree_json(node.param),
        "grouping": [] if modifier is None else list(modifier.labels),
        "without": modifier is not None and modifier.type == parser.AggModifierType.Without,
    }


def _binary(node: Any) -> dict[str, Any]:
    modifier = node.modifier
    return {
        "type": "binaryExpr",
        "op": str(node.op),
        "lhs": tree_json(node.lhs),
        "rhs": tree_json(node.rhs),
        "matching": _matching(node),
        "bool": modifier is not None and bool(modifier.return_bool),
    }


def _matching(node: Any) -> dict[str, Any] | None:
    """How two vectors are matched; a scalar on a side is matched with nothing."""
    if _is_scalar(node.lhs) or _is_scalar(node.rhs):
        return None
    modifier = node.modifier
    found: dict[str, Any] = {"card": "one-to-one", "labels": [], "on": False, "include": []}
    if str(node.op) in ("and", "or", "unless"):
        found["card"] = "many-to-many"
    if modifier is not None:
        found["card"] = _CARDS[str(modifier.card)] if found["card"] == "one-to-one" else found["card"]
        found["include"] = list(modifier.group_labels or ())
        if modifier.matching is not None:
            found["labels"] = list(modifier.matching.labels)
            found["on"] = modifier.matching.type == parser.LabelModifierType.Include
    return {**found, "fillValues": {"lhs": None, "rhs": None}}


def _is_scalar(node: Any) -> bool:
    while isinstance(node, parser.ParenExpr | parser.UnaryExpr):
        node = node.expr
    if isinstance(node, parser.Call):
        return bool(node.func.return_type == parser.ValueType.Scalar)
    if isinstance(node, parser.BinaryExpr):
        return _is_scalar(node.lhs) and _is_scalar(node.rhs)
    return isinstance(node, parser.NumberLiteral)


def _call(node: Any) -> dict[str, Any]:
    function = node.func
    return {
        "type": "call",
        "func": {
            "name": function.name,
            "argTypes": [_kind(kind) for kind in function.arg_types],
            "variadic": function.variadic,
            "returnType": _kind(function.return_type),
        },
        "args": [tree_json(argument) for argument in node.args],
    }


def _selector(node: Any) -> dict[str, Any]:
    named = [{"name": "__name__", "value": node.name, "type": "="}] if node.name else []
    return {
        "type": "vectorSelector",
        "name": node.name or "",
        **_moved(node),
        "matchers": [
            *({"name": m.name, "value": shown(m.value), "type": _OPERATORS[str(m.op)]} for m in node.matchers.matchers),
            *named,
        ],
        "anchored": False,
        "smoothed": False,
    }


def _matrix(node: Any) -> dict[str, Any]:
    return {
        **_selector(node.vector_selector),
        "type": "matrixSelector",
        "range": _milliseconds(node.range),
        "rangeExpr": None,
    }


def _subquery(node: Any) -> dict[str, Any]:
    return {
        "type": "subquery",
        "expr": tree_json(node.expr),
        "range": _milliseconds(node.range),
        "rangeExpr": None,
        **_moved(node),
        "step": _milliseconds(node.step),
        "stepExpr": None,
    }


def _moved(node: Any) -> dict[str, Any]:
    """`offset` and `@`."""
    kind = "" if node.at is None else str(node.at.type)
    edge = _EDGES.get(kind)
    at = node.at.at if kind and edge is None else None
    return {
        "offset": _milliseconds(node.offset),
        "offsetExpr": None,
        "timestamp": None if at is None else _time_ms(at),
        "startOrEnd": edge,
    }


def _time_ms(at: datetime) -> int:
    seconds = at.timestamp()
    return round((NEGATIVE_TIMES - seconds if seconds > NEGATIVE_TIMES else seconds) * 1000)


def _milliseconds(duration: timedelta | None) -> int:
    return 0 if duration is None else round(duration / timedelta(milliseconds=1))


def _kind(kind: Any) -> str:
    """`vector`, `matrix`, `scalar`, `string`."""
    return str(kind).rpartition(".")[2].lower()


_NODES: dict[type, Callable[[Any], dict[str, Any]]] = {
    parser.AggregateExpr: _aggregation,
    parser.BinaryExpr: _binary,
    parser.Call: _call,
    parser.MatrixSelector: _matrix,
    parser.SubqueryExpr: _subquery,
    parser.VectorSelector: _selector,
    parser.NumberLiteral: lambda node: {"type": "numberLiteral", "val": go_float(node.val)},
    parser.StringLiteral: lambda node: {"type": "stringLiteral", "val": node.val},
    parser.ParenExpr: lambda node: {"type": "parenExpr", "expr": tree_json(node.expr)},
    parser.UnaryExpr: lambda node: {"type": "unaryExpr", "op": "-", "expr": tree_json(node.expr)},
}
