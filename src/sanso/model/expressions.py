"""Regular expressions as Prometheus understands them (RE2's syntax), in Python's."""

from __future__ import annotations

import functools
import re

_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": r"\x00-\x7f", "blank": r"\t ", "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~", "space": r"\t\n\v\f\r ",
    "upper": "A-Z", "word": r"0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_ASCII = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t\n\f\r "}
"""Perl's classes, which RE2 reads as ASCII only."""
_FLAGS = re.compile(r"\(\?([a-zA-Z]*)(?:-([a-zA-Z]+))?(:|\))")
_TOKEN = re.compile(
    r"""\\Q(?P<literal>.*?)(?:\\E|$)|\\x\{(?P<code>[0-9A-Fa-f]+)\}|\[(?P<negated>\^?)(?P<set>\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*)\]
    |(?P<escape>\\.)|(?P<flags>\(\?[a-zA-Z]*(?:-[a-zA-Z]+)?[:)])|(?P<named>\(\?P?<(?P<name>\w+)>)|(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


@functools.lru_cache(maxsize=4096)
def compiled(expression: str) -> re.Pattern[str]:
    """The expression, `.` matching every character; match with `fullmatch`, as Prometheus anchors everything.

    Raises:
        re.error: It cannot be compiled.
    """
    return re.compile(translated(expression), re.DOTALL)


def translated(expression: str) -> str:
    """The expression in Python's syntax."""
    out: list[str] = []
    opened = [0]  # for each open group, how many flag groups must be closed with it
    for match in _TOKEN.finditer(expression):
        if match["flags"]:
            out.append(_flags(match["flags"], opened))
        elif match["other"] == ")":
            out.append(")" * (1 + (opened.pop() if len(opened) > 1 else 0)))
        else:
            if match["other"] == "(" or match["named"]:
                opened.append(0)
            out.append(_piece(match))
    # A group of flags that reaches over alternatives holds them all, as in RE2.
    return "".join(out) + ")" * opened[0]


def _flags(text: str, opened: list[int]) -> str:
    """A group of flags; what is set until the end of the group around it becomes a group of its own."""
    flags = _FLAGS.fullmatch(text)
    assert flags is not None
    on = "".join(flag for flag in flags[1] if flag in "ims")
    off = "".join(flag for flag in flags[2] or "" if flag in "ims")
    written = f"(?{on}{'-' if off else ''}{off}:"
    if flags[3] == ":":
        opened.append(0)
    else:
        opened[-1] += 1
    return written


def _piece(match: re.Match[str]) -> str:
    if match["literal"] is not None:
        return re.escape(match["literal"])
    if match["code"]:
        return re.escape(chr(int(match["code"], 16)))
    if match["set"] is not None:
        return f"[{match['negated']}{_set(match['set'])}]"
    if match["named"]:
        return f"(?P<{match['name']}>"
    return _escape(match["escape"]) if match["escape"] else match["other"]


def _set(inside: str) -> str:
    def one(found: re.Match[str]) -> str:
        if found[1]:
            return _CLASSES.get(found[1], found[0])
        if found[0] == "[":
            return r"\["
        return _ASCII.get(found[0][1:], found[0])

    return re.sub(r"\[:(\w+):\]|\\.|\[", one, inside, flags=re.DOTALL)


def _escape(escape: str) -> str:
    kind = escape[1]
    if kind.lower() in _ASCII:
        return f"[{'^' if kind.isupper() else ''}{_ASCII[kind.lower()]}]"
    return {"z": r"\Z", "C": ".", "a": r"\x07"}.get(kind, escape)
