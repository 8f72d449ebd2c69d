"""`match[]`: a selector's text as matchers."""

from __future__ import annotations

from typing import Any

import promql_parser

from sanso.model.errors import QueryError
from sanso.model.labels import NAME
from sanso.model.matchers import Matcher, MatchOp

OPERATORS: dict[str, MatchOp] = {
    "MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~",
}  # fmt: skip
"""By the parser's names."""


def matchers_of(text: str) -> tuple[Matcher, ...]:
    """The matchers of `name{label="value"}`.

    Raises:
        QueryError: It is not a selector.
    """
    try:
        node = promql_parser.parse(text)
    except ValueError as error:
        if "at least one non-empty matcher" in str(error):
            raise QueryError("match[] must contain at least one non-empty matcher") from error
        raise QueryError(f'invalid parameter "match[]": parse error: {error}') from error
    if not isinstance(node, promql_parser.VectorSelector) or node.offset is not None or node.at is not None:
        raise QueryError(f'invalid parameter "match[]": parse error: {text} is not a series selector')
    return matchers_in(node)


def matchers_in(node: Any) -> tuple[Matcher, ...]:
    """The matchers of a parsed selector.

    Raises:
        QueryError: It has `or` between matchers, or a regular expression is wrong.
    """
    if node.matchers.or_matchers:
        raise QueryError(f"parse error: {node.prettify()}: `or` between matchers")
    named = [Matcher(NAME, "=", node.name)] if node.name else []
    return (*named, *(Matcher(m.name, OPERATORS[str(m.op)], m.value) for m in node.matchers.matchers))
