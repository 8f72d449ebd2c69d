"""What is wrong with a text, in Prometheus's words and with the place, as far as the parser's message tells."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from sanso.promql.lexical import Kind, Token, parts, tokens
from sanso.promql.tree import NOWHERE

_TYPES = {"vector": "instant vector", "matrix": "range vector", "scalar": "scalar", "string": "string"}
_QUOTED = re.compile(r"(name|function|to|label|operator) '([^']*)'")
_TYPED = re.compile(r"expected type (\w+) in (.*), got (\w+)")
_QUOTES = frozenset("\"'`")
_COMPARISONS = frozenset({"==", "!=", "<", ">", "<=", ">="})
_LOOKS_LIKE: dict[str, tuple[Kind, ...]] = {
    "scalar": ("number",), "string": ("string",), "matrix": ("name", "braces"), "vector": ("name", "braces", "call"),
}  # fmt: skip

Finder: TypeAlias = Callable[[str, re.Match[str]], int]


def message(text: str, error: str) -> str:
    """The parser's message about a text as Prometheus would say it."""
    where = position(text, _place(text, error))
    said = _TYPED.sub(_typed, _QUOTED.sub(r'\1 "\2"', error))
    said = said.replace("an vector selector or matrix selector", "an instant vector selector or range vector selector")
    said = said.replace("unexpected end of input inside brackets", "unclosed left bracket")
    said = re.sub(r"unterminated quoted string (.)$", _unterminated, said)
    said = re.sub(
        r"unknown escape sequence '(.)'", lambda found: f"{found[0][:-3]}U+{ord(found[1]):04X} '{found[1]}'", said
    )
    said = re.sub(
        r"scalar or vector, got: (\w+)", lambda found: f'scalar or instant vector, got "{_TYPES.get(found[1])}"', said
    )
    return f"{where}: parse error: {said}" if where else f"parse error: {said}"


def position(text: str, place: int) -> str:
    """Line and column of a place, each from 1; empty where it is not known."""
    if place < 0:
        return ""
    before = text[:place].encode("utf-8", "surrogatepass")
    lines = before.split(b"\n")
    return f"{len(lines)}:{len(lines[-1]) + 1}"


def _typed(found: re.Match[str]) -> str:
    inside = found[2]
    if inside == "aggregation expression" and found[1] in ("scalar", "string"):
        inside = "aggregation parameter"
    return f"expected type {_TYPES.get(found[1], found[1])} in {inside}, got {_TYPES.get(found[3], found[3])}"


def _unterminated(found: re.Match[str]) -> str:
    return f"unterminated {'raw' if found[1] == '`' else 'quoted'} string"


def _place(text: str, error: str) -> int:
    for pattern, find in _FINDERS:
        match = re.search(pattern, error)
        if match is not None:
            return find(text, match)
    return NOWHERE


def _token(text: str, wanted: Callable[[Token], bool]) -> int:
    """Where the first such token begins."""
    return next((token.place for token in tokens(text) if wanted(token)), NOWHERE)


def _part(text: str, *kinds: Kind, after: int = 0) -> int:
    """Where the first part of an expression of one of these kinds (of any, where none is given) begins."""
    known = ((kind, place) for kind, place in parts(text) if kind != "plus" and place >= after)
    return next((place for kind, place in known if kind in kinds or not kinds), NOWHERE)


def _argument(text: str, match: re.Match[str]) -> int:
    """The argument that is of the wrong type: the first that looks like it behind the name."""
    called = _token(text, lambda token: token.text == match["name"])
    return _part(text, *_LOOKS_LIKE.get(match["got"], ()), after=called + 1)


def _escape(text: str, match: re.Match[str]) -> int:
    return _token(text, lambda token: token.kind == "string" and f"\\{match['char']}" in token.text)


def _before_on(text: str, _: re.Match[str]) -> int:
    known = tokens(text)
    words = [token.text.lower() for token in known]
    return known[words.index("on") - 1].place if "on" in words[1:] else NOWHERE


_FINDERS: list[tuple[str, Finder]] = [
    (r"end of input|[Uu]nclosed", lambda text, _: len(text)),
    (r"unterminated", lambda text, _: _token(text, lambda token: token.text in _QUOTES)),
    (
        r"unexpected character: '(?P<char>.)'$",
        lambda text, match: _token(text, lambda token: token.text == match["char"]),
    ),
    (r"unknown escape sequence '(?P<char>.)'", _escape),
    (r"no expression", lambda *_: 0),
    (r"right parenthesis", lambda text, _: text.find(")") + 1),
    (r"call to function '(?P<name>\w+)', got (?P<got>\w+)", _argument),
    (
        r"in aggregation expression, got (?P<got>\w+)",
        lambda text, match: _part(text, *_LOOKS_LIKE.get(match["got"], ()), after=_part(text, "call") + 1),
    ),
    (r"(?:name|to) '(?P<name>\w+)'", lambda text, match: _token(text, lambda token: token.text == match["name"])),
    (r"for aggregate expression", lambda text, _: _part(text, "call")),
    (r"non-empty matcher", lambda text, _: _part(text, "braces", "name")),
    (r"BOOL modifier", lambda text, _: _token(text, lambda token: token.text in _COMPARISONS)),
    (r"only scalar and instant vector", lambda text, _: _part(text, "string")),
    (r"ranges only allowed", lambda text, _: text.find("[")),
    (r"ON and GROUP", _before_on),
    (r"set multiple times", lambda text, _: _part(text, "name", "braces")),
    (r"set operator|must be preceded|unary expression", lambda text, _: _part(text)),
]
