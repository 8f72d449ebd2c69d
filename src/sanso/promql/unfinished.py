"""Questions that end too early: the parser says only that they are none; what can follow them says what is missing."""

from __future__ import annotations

import promql_parser as parser

from sanso.promql.lexical import tokens

NOT_PROMQL = "invalid promql query"
_CLAUSES = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_END = "unexpected end of input"
_GROUPS = ("(a) x", "(a)", "(a) (x)", "x")


def missing(text: str) -> str:
    """What Prometheus says of a text that something can follow; empty where nothing can."""
    known = tokens(text)
    if known and known[-1].text.lower() in _CLAUSES and _goes_on(text, *_GROUPS):
        return f'{_END} in grouping opts, expected "("'
    if _goes_on(text, "x"):
        return _END
    return f"{_END} in aggregation" if _goes_on(text, "(x)") else ""


def _goes_on(text: str, *endings: str) -> bool:
    return any(_is_read(f"{text}\n{ending}") for ending in endings)


def _is_read(text: str) -> bool:
    try:
        parser.parse(text)
    except ValueError as error:  # of a wrong type, perhaps: a sentence all the same
        return NOT_PROMQL not in str(error)
    return True
