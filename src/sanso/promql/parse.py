"""From text to tree: promql-parser reads it; errors are said as Prometheus says them, trees are kept."""

from __future__ import annotations

import functools
from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import promql_parser as parser

from sanso.model.errors import QueryError
from sanso.model.labels import NAME
from sanso.model.matchers import Matcher, MatchOp
from sanso.promql.lexical import NEGATIVE_TIMES, TOO_DEEP, Kind, parts
from sanso.promql.messages import position
from sanso.promql.reading import read, shown
from sanso.promql.tree import (
    NOWHERE,
    Aggregate,
    Binary,
    Function,
    Matching,
    Negative,
    Node,
    Number,
    Paren,
    Range,
    Selector,
    String,
    Subquery,
    When,
    bare,
)

_OPERATORS: dict[str, MatchOp] = {
    "MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Question:
    """A text and its tree."""

    text: str
    tree: Node


@functools.lru_cache(maxsize=1024)
def parsed(text: str) -> Question:
    """The tree of an expression.

    Raises:
        QueryError: It is not PromQL; the message is Prometheus's as far as that is known.
    """
    root = read(text)
    try:
        return Question(text, _Conversion(text).node(root))
    except RecursionError:
        raise QueryError(TOO_DEEP) from None


def milliseconds(duration: timedelta | None) -> int:
    """A duration of the parser."""
    return 0 if duration is None else round(duration / timedelta(milliseconds=1))


class _Conversion:
    """The parser's tree as ours; places are taken from the text's parts, which come in the same order."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._parts = deque(parts(text))
        self._lost = False
        self._last = ""

    def _place(self, *kinds: Kind) -> int:
        """The place of the next part, which should be of one of these kinds; once it is not, places are unknown."""
        if self._lost:
            return NOWHERE
        self._plus()
        self._last, place = self._parts.popleft() if self._parts else ("", NOWHERE)
        self._lost = self._last not in kinds
        return NOWHERE if self._lost else place

    def node(self, node: Any) -> Node:
        """A node and all under it."""
        kind = type(node).__name__
        plus = NOWHERE if self._lost or kind == "BinaryExpr" else self._plus()  # it belongs to what stands on the left
        convert: Any = getattr(self, f"_{kind}")
        converted: Node = convert(node)
        if plus != NOWHERE:
            self._check_signed(converted, plus)
        return converted

    def _plus(self) -> int:
        """The place of the last plus that stands here before a value, which the parser passes over."""
        place = NOWHERE
        while self._parts and self._parts[0][0] == "plus":
            place = self._parts.popleft()[1]
        return place

    def _check_signed(self, converted: Node, plus: int) -> None:
        inner = bare(converted)
        got = "string" if isinstance(inner, String) else "range vector" if isinstance(inner, Range | Subquery) else ""
        if got:
            where = (
                f'invalid parameter "query": {position(self._text, plus)}: parse error: unary expression only allowed'
            )
            raise QueryError(f'{where} on expressions of type scalar or instant vector, got "{got}"')

    def _NumberLiteral(self, node: Any) -> Node:  # noqa: N802 - named as the parser names its nodes
        place = self._place("number", "sign")
        while self._last == "sign":  # the parser has made sign and number one
            self._place("number", "sign")
        return Number(node.val, place)

    def _StringLiteral(self, node: Any) -> Node:  # noqa: N802
        return String(node.val, self._place("string"))

    def _ParenExpr(self, node: Any) -> Node:  # noqa: N802
        place = self._place("paren")
        return Paren(self.node(node.expr), place)

    def _UnaryExpr(self, node: Any) -> Node:  # noqa: N802
        place = self._place("sign")
        return Negative(self.node(node.expr), place)

    def _VectorSelector(self, node: Any) -> Selector:  # noqa: N802
        named = [Matcher(NAME, "=", node.name)] if node.name else []
        choices = [node.matchers.matchers, *node.matchers.or_matchers]
        built = [
            (*named, *(Matcher(m.name, _OPERATORS[str(m.op)], shown(m.value)) for m in choice)) for choice in choices
        ]
        kept = [choice for choice in built if choice != tuple(named)] or built[:1]
        return Selector(tuple(kept), _when(node), self._place("name", "braces"))

    def _MatrixSelector(self, node: Any) -> Node:  # noqa: N802
        selector = self._VectorSelector(node.vector_selector)
        return Range(selector, milliseconds(node.range), selector.place)

    def _SubqueryExpr(self, node: Any) -> Node:  # noqa: N802
        expr = self.node(node.expr)
        return Subquery(expr, milliseconds(node.range), milliseconds(node.step), _when(node), expr.place)

    def _Call(self, node: Any) -> Node:  # noqa: N802
        place = self._place("call")
        return Function(node.func.name, tuple(self.node(arg) for arg in node.args), place)

    def _AggregateExpr(self, node: Any) -> Node:  # noqa: N802
        place = self._place("call")
        param = None if node.param is None else self.node(node.param)
        modifier = node.modifier
        by = modifier is None or modifier.type == parser.AggModifierType.By
        labels = () if modifier is None else tuple(modifier.labels)
        return Aggregate(str(node.op), self.node(node.expr), param, labels, by, place)

    def _BinaryExpr(self, node: Any) -> Node:  # noqa: N802
        left = self.node(node.lhs)
        return Binary(str(node.op), left, self.node(node.rhs), _matching(node.modifier), left.place)


def _when(node: Any) -> When:
    at: int | Literal["start", "end"] | None = None
    if node.at is not None:
        kind = node.at.type
        if kind == parser.AtModifierType.Start:
            at = "start"
        elif kind == parser.AtModifierType.End:
            at = "end"
        else:
            seconds = _seconds(node.at)
            at = round((NEGATIVE_TIMES - seconds if seconds > NEGATIVE_TIMES else seconds) * 1000)
    return When(at, milliseconds(node.offset))


def _seconds(at: Any) -> float:
    try:
        return float(at.at.timestamp())
    except (ValueError, OverflowError):  # no datetime holds it
        raise QueryError("timestamp out of bounds for @ modifier") from None


def _matching(modifier: Any) -> Matching:
    if modifier is None:
        return Matching()
    many: Literal["left", "right", ""] = ""
    if modifier.card == parser.VectorMatchCardinality.ManyToOne:
        many = "left"
    elif modifier.card == parser.VectorMatchCardinality.OneToMany:
        many = "right"
    how, fill = modifier.matching, modifier.fill_values
    return Matching(
        labels=tuple(how.labels) if how is not None else (),
        on=how is not None and how.type == parser.LabelModifierType.Include,
        many=many,
        include=tuple(modifier.group_labels or ()) if many else (),
        as_bool=bool(modifier.return_bool),
        fill=(None, None) if fill is None else (fill.lhs, fill.rhs),
    )
