"""RE2's regular expressions, which Prometheus writes, compiled by Python's `re`."""

from __future__ import annotations

import re

_FLAGS = re.compile(r"\(\?([imsU]+)\)")
_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": r"\x00-\x7F", "blank": r"\t ", "cntrl": r"\x00-\x1F\x7F",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~", "space": r"\t\n\v\f\r ",
    "upper": "A-Z", "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_CLASS = re.compile(r"\[:(\w+):\]")
_QUOTED = re.compile(r"\\Q(.*?)(?:\\E|\Z)", re.DOTALL)
_NAMED = re.compile(r"\(\?<([A-Za-z_]\w*)>")


def compiled(text: str) -> re.Pattern[str]:
    """A pattern for `fullmatch`; `.` matches a line's end too, and classes are ASCII, as in RE2.

    Raises:
        ValueError: It is not a regular expression, or one that RE2 does not have.
    """
    for sign in ("(?=", "(?!", "(?<=", "(?<!", "(?>", "*+", "++", "?+"):
        if sign in text:
            raise ValueError(f"{text!r} is not a regular expression of RE2: {sign} is not known")
    pattern = _QUOTED.sub(lambda found: re.escape(found[1]), text)
    pattern = _CLASS.sub(_class, pattern)
    pattern = _NAMED.sub(r"(?P<\1>", pattern).replace(r"\z", r"\Z")
    try:
        return re.compile(_scoped(pattern), re.DOTALL | re.ASCII)
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from error


def _class(found: re.Match[str]) -> str:
    inside = _CLASSES.get(found[1])
    if inside is None:
        raise ValueError(f"{found[0]} is not a character class")
    return inside


def _scoped(pattern: str) -> str:
    """`(?i)` counts to the end of its group in RE2; Python wants it as a group of its own."""
    found = _FLAGS.search(pattern)
    if found is None:
        return pattern
    flags = "".join(flag for flag in found[1] if flag != "U")
    before, after = pattern[: found.start()], _scoped(pattern[found.end() :])
    depth, end = 0, len(after)
    for place, sign in enumerate(after):
        if place and after[place - 1] == "\\":
            continue
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth < 0:
            end = place
            break
    return f"{before}(?{flags}:{after[:end]}){after[end:]}" if flags else before + after
