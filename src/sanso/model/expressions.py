"""Regular expressions as Prometheus understands them: RE2's, anchored, `.` matching every character, in linear time."""

from __future__ import annotations

import functools
import re
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import re2

from sanso.model.errors import QueryError

MOST_BYTES = 4 << 20
"""What one expression's program and its automaton may take; what does not fit is refused or is matched without one."""
_REMEMBERED = 128
"""Expressions; with MOST_BYTES this bounds what questions can make us hold."""
_GO_SAYS = {
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid named capture group": "invalid named capture",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid repetition size": "invalid repeat count",
    "missing ]": "missing closing ]",
    "missing )": "missing closing )",
    "no argument for repetition operator": "missing argument to repetition operator",
    "trailing \\": "trailing backslash at end of expression",
    "pattern too large - compile failed": "expression too large",
}
_BYTES = re.compile(r"\\Q.*?(?:\\E|$)|\\(.)", re.DOTALL)
_ESCAPED = re.escape("".join(set(string.punctuation) - {"_"}))
_LITERAL = rf"(?:[^\\.+*?()|\[\]{{}}^$]|\\[{_ESCAPED}])*+"
_WORDS = re.compile(rf"(?P<open>\((?:\?:)?)?(?P<words>{_LITERAL}(?:\|{_LITERAL})*)(?P<close>\))?", re.DOTALL)
_AROUND = re.compile(
    rf"(?P<open>\((?:\?:)?)?(?P<before>\.[*+])?(?P<word>{_LITERAL})(?P<after>\.[*+])?(?P<close>\))?", re.DOTALL
)
_WORD = re.compile(rf"(?:^|\|)({_LITERAL})", re.DOTALL)
_REFERENCE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})")

Judge: TypeAlias = Callable[[str], bool]


class Match:
    """What an expression's groups hold of a text that it matches.

    Args:
        groups: The whole, then each group in turn; None for one that took no part.
        names: Numbers of the groups that have a name.
    """

    def __init__(self, groups: Sequence[str | None], names: Mapping[str, int]) -> None:
        self._groups = groups
        self._names = names

    def expand(self, template: str) -> str:
        """A text with `$1`, `${1}`, `$name` and `$$` resolved as Go does: a group that is not there is empty."""
        return _REFERENCE.sub(self._group, template) if "$" in template else template

    def _group(self, reference: re.Match[str]) -> str:
        if reference[1]:
            return "$"
        name = reference[2] or reference[3]
        if name.isascii() and name.isdigit():
            known = len(name) < 9 and (name == "0" or name[0] != "0") and int(name) < len(self._groups)
            return (self._groups[int(name)] or "") if known else ""
        return (self._groups[self._names[name]] or "") if name in self._names else ""


class Expression:
    """A compiled expression. Those that are a choice of words, or one word and anything around it, need no engine.

    Raises:
        QueryError: It cannot be compiled; the text is Go's.
    """

    def __init__(self, text: str) -> None:
        self._simple = _simple(text)
        if self._simple is None:
            code = text.encode("utf-8", "surrogatepass")
            if any(found[1] == "C" for found in _BYTES.finditer(text)):
                raise QueryError("error parsing regexp: invalid escape sequence: `\\C`")
            self._engine = _engine(code)
            self._plain = _engine(code, groups=False) if self._engine.groups else self._engine
            self._names = {name.decode(): number for name, number in self._engine.groupindex.items()}

    def matches(self, text: str) -> bool:
        """Whether the whole text matches."""
        if self._simple is not None:
            return self._simple[0](text)
        return self._plain.fullmatch(text.encode("utf-8", "surrogatepass")) is not None

    def match(self, text: str) -> Match | None:
        """What the groups hold; None where the text does not match."""
        if self._simple is not None:
            judge, groups = self._simple
            return Match([text] * groups, {}) if judge(text) else None
        found = self._engine.fullmatch(text.encode("utf-8", "surrogatepass"))
        if found is None:
            return None
        held = (found.group(0), *found.groups())
        return Match([each and each.decode("utf-8", "surrogatepass") for each in held], self._names)


@functools.lru_cache(_REMEMBERED)
def compiled(text: str) -> Expression:
    """An expression, remembered.

    Raises:
        QueryError: It cannot be compiled.
    """
    return Expression(text)


def _engine(code: bytes, *, groups: bool = True) -> Any:
    options = re2.Options()
    options.max_mem, options.dot_nl, options.never_capture, options.log_errors = MOST_BYTES, True, not groups, False
    try:
        return re2.compile(code, options)
    except re2.error as error:
        what, colon, where = error.args[0].decode(errors="replace").partition(": ")
        raise QueryError(f"error parsing regexp: {_GO_SAYS.get(what, what)}{colon}{colon and f'`{where}`'}") from error


def _simple(text: str) -> tuple[Judge, int] | None:
    """For an expression that needs no engine: what judges, and how many groups hold the whole; else None."""
    found = _WORDS.fullmatch(text) or _AROUND.fullmatch(text)
    if found is None or bool(found["open"]) != bool(found["close"]):
        return None
    groups = 2 if found["open"] == "(" else 1
    if found.re is _WORDS:
        return frozenset(map(_unescaped, _WORD.findall(found["words"]))).__contains__, groups
    return _around(_unescaped(found["word"]), _least(found["before"]), _least(found["after"])), groups


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def _least(wildcard: str | None) -> int:
    """Characters that a wildcard wants; -1 where there is none."""
    return -1 if wildcard is None else int(wildcard == ".+")


def _around(word: str, before: int, after: int) -> Judge:
    """Whether a text is a word with so many characters at least before and after it; -1 stands for exactly none."""
    length = len(word) + max(before, 0) + max(after, 0)
    if before < 0:
        return lambda text: len(text) >= length and text.startswith(word)
    if after < 0:
        return lambda text: len(text) >= length and text.endswith(word)
    return lambda text: len(text) >= length and text.find(word, before, len(text) - after) >= 0
