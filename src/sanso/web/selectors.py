"""`match[]`: a selector's text as matchers."""

from __future__ import annotations

import promql_parser

from sanso.model.errors import QueryError
from sanso.model.labels import NAME
from sanso.model.matchers import Matcher, MatchOp

_OPERATORS: dict[str, MatchOp] = {
    "MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~",
}  # fmt: skip


def matchers_of(text: str) -> tuple[Matcher, ...]:
    """The matchers of `name{label="value"}`.

    Raises:
        QueryError: It is not a selector.
    """
    try:
        node = promql_parser.parse(text)
    except ValueError as error:
        raise QueryError(f'invalid parameter "match[]": {error}') from error
    if not isinstance(node, promql_parser.VectorSelector):
        raise QueryError(f'invalid parameter "match[]": {text} is not a series selector')
    named = [Matcher(NAME, "=", node.name)] if node.name else []
    return (*named, *(Matcher(m.name, _OPERATORS[str(m.op)], m.value) for m in node.matchers.matchers))
