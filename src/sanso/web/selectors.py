"""`match[]`: a selector's text as matchers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from sanso.model.errors import QueryError
from sanso.model.matchers import Matcher
from sanso.promql.parse import parsed
from sanso.promql.tree import Node, Selector, When

_OF_A_QUESTION = 'invalid parameter "query": '


def matchers_of(text: str) -> tuple[Matcher, ...]:
    """The matchers of `name{label="value"}`.

    Raises:
        QueryError: It is not a selector.
    """
    try:
        node = parsed(text).tree
    except QueryError as error:
        if "at least one non-empty matcher" in str(error):
            raise QueryError("match[] must contain at least one non-empty matcher") from error
        raise QueryError(str(error).removeprefix(_OF_A_QUESTION)) from error
    if not isinstance(node, Selector) or node.when != When():
        raise QueryError(f"parse error: {text} is not a series selector")
    if len(node.choices) > 1:
        raise QueryError(f"parse error: {text}: `or` between matchers")
    return node.choices[0]


def selectors_in(node: Node) -> Iterator[Selector]:
    """The selectors of an expression, those of ranges too."""
    if isinstance(node, Selector):
        yield node
        return
    for field in fields(node):
        inner = getattr(node, field.name)
        for part in inner if isinstance(inner, tuple) else (inner,):
            if isinstance(part, Node):
                yield from selectors_in(part)
