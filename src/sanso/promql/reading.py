"""A text as the parser reads it, whose own engine for regular expressions must not judge those of a question."""

from __future__ import annotations

import re
from typing import Any

import promql_parser as parser

from sanso.model.errors import QueryError
from sanso.model.expressions import compiled
from sanso.promql.lexical import rewritten, tokens
from sanso.promql.messages import message
from sanso.promql.refused import refuse, unquoted
from sanso.promql.unfinished import NOT_PROMQL, missing

_HIDDEN = "\U0010fe00"
"""Before the code of a hidden pattern; a character that nobody uses."""
_CODE = re.compile(rf"\|?{_HIDDEN}([0-9a-f]*)")
_ESCAPES = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"})


def read(text: str) -> Any:
    """The parser's tree; what it calls the value of a pattern goes through `shown`.

    Raises:
        QueryError: It is not PromQL; the message is Prometheus's as far as that is known.
    """
    refuse(text)
    spelled = rewritten(text)
    try:
        return _parsed(spelled)
    except ValueError as error:
        said = str(error)
        if NOT_PROMQL in said:
            said = missing(_hidden(spelled)) or said
        raise QueryError(f'invalid parameter "query": {message(text, said)}') from error


def shown(value: str) -> str:
    """The value of a matcher as it was asked for."""
    found = _CODE.fullmatch(value)
    return bytes.fromhex(found[1]).decode() if found else value


def prettified(text: str) -> str:
    """An expression set out in lines."""
    out: str = read(text).prettify()
    return _CODE.sub(lambda found: bytes.fromhex(found[1]).decode().translate(_ESCAPES), out)


def _parsed(spelled: str) -> Any:
    try:
        return parser.parse(spelled)
    except ValueError as error:
        if "illegal regex" not in str(error):
            raise
    return parser.parse(_hidden(spelled))


def _hidden(spelled: str) -> str:
    """The text with a word in place of every pattern, which accepts the empty text where the pattern does."""
    out, done, before = [], 0, ""
    for token in tokens(spelled):
        if token.kind == "string" and before in ("=~", "!~"):
            pattern = unquoted(token.text)
            empty = "|" if compiled(pattern).matches("") else ""
            out += [spelled[done : token.place], f'"{empty}{_HIDDEN}{pattern.encode().hex()}"']
            done = token.place + len(token.text)
        before = token.text
    return "".join([*out, spelled[done:]])
