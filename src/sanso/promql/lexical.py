"""The text of a question: spelled as the parser understands it, and where its parts begin.

The parser tells no positions and refuses some of Prometheus's spellings (hexadecimal numbers, digits grouped with
underscores, several signs, an offset of zero, times before 1970 after `@`) and reads byte escapes in strings as
characters. Here the text is rewritten, and every part of an expression gets its place in the original text.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sanso.model.errors import QueryError
from sanso.promql.amounts import amount

Kind: TypeAlias = Literal["name", "braces", "call", "number", "string", "paren", "sign", "plus"]

NEGATIVE_TIMES = 200_000_000_000
"""Seconds (the year 8307): `@ -5` is handed to the parser as this plus 5."""
_STRAY = 0x10FF00
"""A byte of a string that is not UTF-8 becomes this plus the byte, a character that nobody uses."""

_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
    |(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)
    |(?P<number>0[xX][0-9a-fA-F_]*|(?:\d[\d_]*(?:ms|[smhdwy])(?![A-Za-z_]))+(?:\d+(?:ms|[smhdwy]))*
        |(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?)
    |(?P<word>(?!:[\d.])[A-Za-z_:][A-Za-z0-9_:]*)
    |(?P<sign>=~|!~|==|!=|<=|>=|.)""",
    re.VERBOSE | re.DOTALL,
)
_NESTING = frozenset({*"(+-*/%^<>", "==", "!=", "<=", ">=", "and", "or", "unless", "atan2"})
_MOST_NESTED = 2_000
TOO_DEEP = 'invalid parameter "query": parse error: operators and parentheses nest too deeply: ask in parts'
_CLAUSES = frozenset(
    {"by", "without", "on", "ignoring", "group_left", "group_right", "fill", "fill_left", "fill_right"}
)
_INFIX = frozenset({"and", "or", "unless", "atan2", "bool"})
_LONGEST_RANGE = 16
"""Tokens between a bracket and the colon behind it."""
_ESCAPE = re.compile(r"(?:\\x[0-9a-fA-F]{2}|\\[0-7]{3})+")


@dataclass(frozen=True)
class Token:
    """A word, number, string or sign and where it begins."""

    kind: str
    text: str
    place: int


def tokens(text: str) -> list[Token]:
    """The tokens of a text, without space and comments."""
    found = (Token(match.lastgroup or "", match[0], match.start()) for match in _TOKEN.finditer(text))
    return [token for token in found if token.kind != "space"]


def rewritten(text: str) -> str:
    """The text as the parser takes it.

    Raises:
        QueryError: It would nest so deeply that the parser's stack ends, and the process with it.
    """
    out, done = [], 0
    known = tokens(text)
    if sum(token.text.lower() in _NESTING for token in known) > _MOST_NESTED:
        raise QueryError(TOO_DEEP)
    signs = _signs(known)
    for number, token in enumerate(known):
        before = known[number - 1].text if number else ""
        if number in signs:
            out += [text[done : token.place], signs[number]]
            done = token.place + 1
            continue
        other = _spelled(token, before, known[number - 2].text if number > 1 else "")
        if other == token.text:
            continue
        start = known[number - 1].place if other == "" or other.startswith("@") else token.place
        if other.startswith("@"):
            start = known[number - 2].place
        out += [text[done:start], other]
        done = token.place + len(token.text)
    return "".join([*out, text[done:]])


def _signs(known: list[Token]) -> dict[int, str]:
    """What is left of signs that the parser does not take: one of an offset's, none of a range's."""
    found = {}
    for number in range(len(known)):
        ranged = begins_range(known, number)
        if ranged or _begins_offset(known, number):
            run = sign_run(known, number + 1)
            kept = "" if ranged else "-" if is_negative(run) else "+"
            found.update({number + 1 + place: "" if place else kept for place in range(len(run))})
    return found


def _begins_offset(known: list[Token], number: int) -> bool:
    """Whether this token is the modifier and no metric of that name."""
    if not number or known[number].text.lower() != "offset":
        return False
    before = known[number - 1]
    return before.text in (")", "]", "}") or before.kind == "number" or _is_name(before)


def _is_name(token: Token) -> bool:
    return token.kind == "word" and token.text.lower() not in _INFIX


def sign_run(known: list[Token], number: int) -> str:
    """The signs that stand from there on."""
    run = itertools.takewhile(lambda token: token.text in ("-", "+"), itertools.islice(known, number, None))
    return "".join(token.text for token in run)


def is_negative(run: str) -> bool:
    """Whether the signs are minus together."""
    return run.count("-") % 2 == 1


def begins_range(known: list[Token], number: int) -> bool:
    """Whether this token is a bracket behind which a range comes, or the colon behind which its step does."""
    if known[number].text != ":":
        return known[number].text == "["
    before = itertools.takewhile(
        lambda token: token.text != "]", reversed(known[max(number - _LONGEST_RANGE, 0) : number])
    )
    return any(token.text == "[" for token in before)


def _spelled(token: Token, before: str, earlier: str) -> str:
    """A token as the parser takes it; an empty string drops it and the one before."""
    if token.kind == "string":
        return string_spelled(token.text)
    if token.kind != "number":
        return token.text
    spelled = token.text.replace("_", "")
    if spelled[:2].lower() == "0x":
        spelled = str(int(spelled, 16))
    if spelled.startswith("."):
        spelled = f"0{spelled}"
    if before == "-" and earlier == "@":
        return f"@ {NEGATIVE_TIMES + amount(spelled)}"
    if before.lower() == "offset" and not re.search("[1-9]", spelled):
        return ""
    return spelled


def string_spelled(text: str) -> str:
    """A string, with its quotes, as the parser takes it."""
    return text if text.startswith("`") else _ESCAPE.sub(_decoded, text)


def _decoded(match: re.Match[str]) -> str:
    codes = [int(hexa or octal, 16 if hexa else 8) for hexa, octal in re.findall(r"\\x(..)|\\(\d{3})", match[0])]
    if all(code < 0x80 for code in codes):
        return match[0]
    text = bytes(code & 0xFF for code in codes).decode("utf-8", "surrogateescape")
    return "".join(_plain(char) for char in text)


def _plain(char: str) -> str:
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    return chr(_STRAY + code - 0xDC00) if 0xDC80 <= code <= 0xDCFF else char


def is_text(text: str) -> bool:
    """Whether a string of a question was UTF-8."""
    return not any(_STRAY <= ord(char) <= _STRAY + 0xFF for char in text)


def quoted(text: str) -> str:
    """A string as Go prints it between quotes."""
    out = []
    for char in text:
        stray = ord(char) - _STRAY
        out.append(f"\\x{stray:02x}" if 0 <= stray <= 0xFF else {'"': '\\"', "\\": "\\\\", "\n": "\\n"}.get(char, char))
    return f'"{"".join(out)}"'


def parts(text: str) -> Iterator[tuple[Kind, int]]:
    """What an expression is made of, in the order of the text: what it is and where it begins."""
    known = tokens(text)
    number, before = 0, ""  # `before`: what the last token was: an operand, a call's name or an operator
    while number < len(known):
        token, after = known[number], known[number + 1].text if number + 1 < len(known) else ""
        step = _skipped(known, number, before)
        if step:
            number += step
            continue
        kind = _kind(token, after, before)
        if kind is not None:
            yield kind, token.place
        before = _stands_for(token, kind)
        number += 1


def _skipped(known: list[Token], number: int, before: str) -> int:
    """How many tokens from here on are no parts of an expression."""
    token, word = known[number], known[number].text.lower()
    after = known[number + 1].text if number + 1 < len(known) else ""
    if token.kind == "word" and word in _CLAUSES and (after == "(" or word.startswith("group_")):
        return 1 + (_length(known, number + 1, "(", ")") if after == "(" else 0)
    if token.text == "{" and before == "operand":
        return _length(known, number, "{", "}")
    if number and known[number - 1].text == "{":  # what stands in braces that are a part of their own
        return _length(known, number - 1, "{", "}") - 1
    if token.text == "[":
        return _length(known, number, "[", "]")
    if token.text == "@" or (word == "offset" and before == "operand"):
        signed = len(sign_run(known, number + 1))
        called = known[number + 2 : number + 3]
        return 2 + signed + (2 if called and called[0].text == "(" and after in ("start", "end") else 0)
    return 0


def _length(known: list[Token], number: int, opening: str, closing: str) -> int:
    """How many tokens a bracket and what it holds are."""
    depth = 0
    for place in range(number, len(known)):
        depth += {opening: 1, closing: -1}.get(known[place].text, 0)
        if depth == 0:
            return place - number + 1
    return len(known) - number


def _kind(token: Token, after: str, before: str) -> Kind | None:
    if token.kind in ("number", "string"):
        return "number" if token.kind == "number" else "string"
    if token.kind == "word":
        return _word_kind(token.text.lower(), after)
    if token.text == "{":
        return "braces"
    if token.text == "(" and before != "call":
        return "paren"
    if before == "operand":
        return None
    return "sign" if token.text == "-" else "plus" if token.text == "+" else None


def _word_kind(word: str, after: str) -> Kind | None:
    if word in _INFIX:
        return None
    if word in ("inf", "nan"):
        return "number"
    return "call" if after == "(" or after.lower() in ("by", "without") else "name"


def _stands_for(token: Token, kind: Kind | None) -> str:
    if kind == "call":
        return "call"
    if kind in ("name", "braces", "number", "string") or token.text in (")", "}"):
        return "operand"
    return "operator"
