"""An expression set out over lines: the parser's layout, with what it spells otherwise than Prometheus put right."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from sanso.promql.lexical import NEGATIVE_TIMES, Token, parts, tokens
from sanso.promql.reading import prettified

_DURATION = re.compile(r"[\d_]+(?:ms|[smhdwy])(?:\d+(?:ms|[smhdwy]))*")
_UNITS = {
    "y": (31_536_000_000, True), "w": (604_800_000, True), "d": (86_400_000, True),
    "h": (3_600_000, False), "m": (60_000, False), "s": (1000, False), "ms": (1, False),
}  # fmt: skip
"""How long each is, and whether it is told only where nothing is left over."""
_PART = re.compile(r"(\d+)(ms|[smhdwy])")


def set_out(text: str) -> str:
    """An expression over lines, as Prometheus sets it out.

    Raises:
        QueryError: It is not PromQL.
    """
    laid = _with_pluses(text, prettified(text))
    numbers = _numbers(text)
    spelled = dict(zip((place for kind, place in parts(laid) if kind == "number"), numbers, strict=False))
    out, done = [], 0
    for token, before in _with_before(tokens(laid)):
        other = _duration(spelled[token.place]) if token.place in spelled else ""
        other = other or _respelled(token, before)
        if other:
            out += [laid[done : token.place], other]
            done = token.place + len(token.text)
    return "".join([*out, laid[done:]])


def _with_pluses(text: str, laid: str) -> str:
    """The layout with the signs as they stand in the text: the parser leaves out a plus."""
    if "+" not in text:
        return laid
    out, done = [], 0
    for (signs, _), (laid_signs, place) in zip(_signed(text), _signed(laid), strict=False):
        if "+" in signs:
            out += [laid[done : place - len(laid_signs)], signs]
            done = place
    return "".join([*out, laid[done:]])


def _signed(text: str) -> Iterator[tuple[str, int]]:
    """What an expression is made of, in order: the signs before it, and where it begins; a number's are its own."""
    known = tokens(text)
    followed = {token.place: after.text for token, after in itertools.pairwise(known)}
    signs = ""
    for kind, place in parts(text):
        if kind in ("sign", "plus"):
            signs += "+" if kind == "plus" else "-"
            continue
        yield "" if kind == "number" and followed.get(place) != "^" else signs, place
        signs = ""


def _numbers(text: str) -> list[str]:
    """The numbers of a text that are operands, as they are spelled."""
    at = {token.place: token.text for token in tokens(text)}
    return [at[place] for kind, place in parts(text) if kind == "number"]


def _with_before(known: list[Token]) -> Iterator[tuple[Token, str]]:
    """Every token with the text of the one before it."""
    return zip(known, ["", *(token.text for token in known)], strict=False)


def _duration(spelled: str) -> str:
    """A duration in Prometheus's spelling; empty where it is a plain number."""
    if not _DURATION.fullmatch(spelled):
        return ""
    left = sum(int(count) * _UNITS[unit][0] for count, unit in _PART.findall(spelled.replace("_", "")))
    out = ""
    for unit, (length, whole) in _UNITS.items():
        if left >= length and not (whole and left % length):
            out += f"{left // length}{unit}"
            left %= length
    return out or "0s"


def _respelled(token: Token, before: str) -> str:
    """A token in Prometheus's spelling; empty where it is in it."""
    if token.text == "Inf" and before not in ("-", "+"):
        return "+Inf"
    if token.text in ("group_left", "group_right") and before != ")":
        return f"ignoring () {token.text}"  # without labels it is still said
    if before == "@" and token.kind == "number" and float(token.text) > NEGATIVE_TIMES:
        return f"-{float(token.text) - NEGATIVE_TIMES:.3f}"
    return ""
