"""What Prometheus refuses and the parser takes, or dies of, or says otherwise: numbers, durations, patterns."""

from __future__ import annotations

from math import inf
from typing import Any

import promql_parser as parser

from sanso.model.errors import QueryError
from sanso.model.expressions import compiled
from sanso.promql.amounts import amount
from sanso.promql.lexical import is_text, quoted, string_spelled, tokens
from sanso.promql.messages import position

_LONGEST_S = (2**63 - 1) / 1e9
"""Go counts nanoseconds."""


def refuse(text: str) -> None:
    """Return where nothing is wrong with the numbers, durations and regular expressions of a question.

    Raises:
        QueryError: Something is; in Prometheus's words and with its place.
    """
    known = tokens(text)
    for number, token in enumerate(known):
        before, earlier = known[number - 1].text.lower() if number else "", known[max(number - 2, 0)]
        said, place = "", token.place
        if token.kind == "number":
            said = _number(token.text, before, earlier.text.lower())
        elif token.kind == "string" and before in ("=~", "!~"):
            said, place = _pattern(token.text), earlier.place
        if said:
            raise QueryError(f'invalid parameter "query": {position(text, place)}: parse error: {said}')


def unquoted(text: str) -> str:
    """What a string with its quotes stands for.

    Raises:
        ValueError: It has an escape that there is not.
    """
    literal: Any = parser.parse(string_spelled(text))
    value: str = literal.val
    return value


def _number(text: str, before: str, earlier: str) -> str:
    try:
        found, wrong = amount(text), "value out of range"
    except ValueError as error:
        found, wrong = inf, str(error)
    timed = text[-1] in "smhdwy" and text[:2].lower() != "0x"
    lasts = timed or before in ("[", ":", "offset") or (before in ("-", "+") and earlier == "offset")
    if found == inf:
        return f'error parsing number: strconv.ParseFloat: parsing "{text}": {wrong}'
    if before in ("[", ":") and found == 0:
        return "duration must be greater than 0"
    return "duration out of range" if lasts and found > _LONGEST_S else ""


def _pattern(text: str) -> str:
    try:
        pattern = unquoted(text)
    except ValueError:  # an escape that there is not: the parser says it of the whole
        return ""
    if not is_text(pattern):
        return f"error parsing regexp: invalid UTF-8: `{quoted(pattern)[1:-1]}`"
    try:
        compiled(pattern)
    except QueryError as error:
        return str(error)
    return ""
