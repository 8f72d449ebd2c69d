"""What Prometheus refuses and the parser takes, or dies of, or says otherwise: numbers, durations, patterns."""

from __future__ import annotations

import re
from math import inf
from typing import Any

import promql_parser as parser

from sanso.model.errors import QueryError
from sanso.model.expressions import compiled
from sanso.promql.amounts import amount
from sanso.promql.lexical import Token, begins_range, is_negative, is_text, quoted, sign_run, string_spelled, tokens
from sanso.promql.messages import position

_LONGEST_S = (2**63 - 1) / 1e9
"""Go counts nanoseconds."""
_NOT_POSITIVE = "duration must be greater than 0"
_BETWEEN_DIGITS = re.compile(r"(?<=[0-9])_(?=[0-9])"), re.compile(r"(?<=[0-9a-fA-FxX])_(?=[0-9a-fA-F])")


def refuse(text: str) -> None:
    """Return where nothing is wrong with the numbers, durations and regular expressions of a question.

    Raises:
        QueryError: Something is; in Prometheus's words and with its place.
    """
    known = tokens(text)
    for number, token in enumerate(known):
        before, earlier = known[number - 1].text.lower() if number else "", known[max(number - 2, 0)]
        said, place = "", token.place
        if begins_range(known, number) and is_negative(sign_run(known, number + 1)):
            said, place = _NOT_POSITIVE, known[number + 1].place
        elif token.kind == "number":
            said = _misspelled(token, text) or _number(token.text, before, earlier.text.lower())
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


def _misspelled(token: Token, text: str) -> str:
    """What is wrong with the underscores of a number; they stand between digits, and not in durations."""
    spelled, hexadecimal = token.text, token.text[:2].lower() == "0x"
    if spelled[-1] in "smhdwy" and not hexadecimal:
        return _not_a_duration(spelled) if "_" in spelled else ""
    invalid = f'error parsing number: strconv.ParseFloat: parsing "{spelled}": invalid syntax'
    if hexadecimal and not spelled[2:].strip("_"):
        return invalid
    place = _BETWEEN_DIGITS[hexadecimal].sub("-", spelled).find("_")
    if place < 0:
        return ""
    after = text[token.place + len(spelled) :][:1]
    if place == len(spelled) - 1 and after and not after.isalnum() and spelled[place - 1] not in "._":
        return invalid
    shown = spelled[: place + 1] if spelled[place - 1] in "._eE+-" and not hexadecimal else spelled[: place + 2]
    return f'bad number or duration syntax: "{shown}"'


def _not_a_duration(spelled: str) -> str:
    """What Prometheus says of an underscore in a duration."""
    before = spelled[: spelled.index("_")]
    if before.isdigit():
        return f'unknown unit "_" in duration "{spelled}"'
    return f'bad number or duration syntax: "{before}"'


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
        return _NOT_POSITIVE
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
