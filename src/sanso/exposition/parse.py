"""Prometheus text 0.0.4, read as Prometheus reads it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import cast

from sanso.exposition.layout import Layout, Shape, plain_numbers, timed_numbers
from sanso.exposition.page import NO_TIME, Limits, Page
from sanso.exposition.series_text import QUOTED, TEXT_PREFIX, series_labels, shown, unescape, utf8
from sanso.model.errors import DecodeError
from sanso.model.frame import Family, FamilyType, Floats, Row, Times

_META = re.compile(
    rb"[ \t]*+#[ \t]++(HELP|TYPE)[ \t]++(?:([a-zA-Z_:][a-zA-Z0-9_:]*+)|(" + QUOTED.pattern + rb"))(?:[ \t](.*))?\Z",
    re.DOTALL,
)
_META_START = re.compile(rb"[ \t]*+#[ \t]++(?:HELP|TYPE)[ \t]")
_HELP_ESCAPE = re.compile(rb"\\([\\n])")
_TAIL = re.compile(rb"[ \t]*+([^ \t]++)(?:[ \t]++(-?\d++))?+[ \t]*+")
_NUMBER = re.compile(rb"[+-]?(?:(?:\d++\.?\d*+|\.\d++)(?:e[+-]?\d++)?+|inf(?:inity)?+|nan)", re.IGNORECASE)
_TYPES = {b"counter", b"gauge", b"histogram", b"summary", b"untyped"}


class TextParser:
    """Reads the pages of one target; remembers the last page's shape, nothing else.

    Args:
        limits: What is accepted.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._layout: Layout | None = None
        self._timed = False

    def parse(self, body: bytes) -> Page:
        """One page.

        Of a series that stands in the page twice the first line counts.

        Raises:
            DecodeError: Names the line; nothing of the page is taken.
        """
        lines = page_lines(body, self._limits)
        layout = self._layout
        tails = layout.tails(lines) if layout is not None else None
        if layout is None or tails is None:
            layout = self._learn(lines)
            tails = layout.tails(lines) or []
        values, times = self._numbers(tails, layout)
        self._layout = layout
        row = Row(layout.columns, layout.in_columns(values))
        placed = None if times is None else layout.in_columns(times)
        return Page(row, layout.families, placed, duplicates=layout.duplicates)

    def _numbers(self, tails: list[bytes], layout: Layout) -> tuple[Floats, Times | None]:
        values = None if self._timed else plain_numbers(tails)
        if values is not None:
            return values, None
        timed = timed_numbers(tails)
        if timed is None:
            raise _wrong_number(tails, layout)
        self._timed = bool((timed[1] != NO_TIME).any())
        return timed if self._timed else (timed[0], None)

    def _learn(self, lines: Sequence[bytes]) -> Layout:
        known = self._layout.known if self._layout is not None else {}
        shape, metadata = Shape(), _Metadata()
        for place, line in enumerate(lines):
            prefix = line[: line.rfind(b" ") + 1]
            labels = known.get(prefix)
            if labels is not None:
                shape.add(place, prefix, labels)
                continue
            start = line.lstrip(b" \t")
            try:
                if not start:
                    continue
                if start.startswith(b"#"):
                    metadata.read(line)
                    continue
                found = TEXT_PREFIX.match(line)
                if found is None:
                    raise DecodeError(f'name{{label="value"}} and a number are expected, not {shown(line)}')
                labels = known.get(found[0]) or series_labels(found[0], self._limits, strict=False)
                shape.add(place, found[0], labels)
            except DecodeError as error:
                raise DecodeError(f"line {place + 1}: {error}") from error
        check_samples(len(shape.samples), self._limits)
        shape.families = metadata.families()
        return Layout(lines, shape, self._layout, last_wins=False)


class _Metadata:
    """Types and help texts as the lines of a page tell them; the last one counts."""

    def __init__(self) -> None:
        self._types: dict[str, FamilyType] = {}
        self._helps: dict[str, str] = {}

    def read(self, line: bytes) -> None:
        """A line that begins with `#`; what is neither HELP nor TYPE is a comment."""
        found = _META.match(line)
        if found is None:
            if _META_START.match(line):
                raise DecodeError(f"a metric name is expected in {shown(line)}")
            return
        kind, plain, quoted, rest = found.groups()
        name = plain.decode() if plain is not None else utf8(unescape(quoted[1:-1]), "a metric name")
        text = (rest or b"").strip(b" \t")
        if kind == b"HELP":
            self._helps[name] = _HELP_ESCAPE.sub(lambda e: b"\n" if e[1] == b"n" else b"\\", text).decode(
                errors="replace"
            )
        elif text not in _TYPES:
            raise DecodeError(f"{shown(text)} is not a type of text 0.0.4")
        else:
            self._types[name] = cast("FamilyType", "unknown" if text == b"untyped" else text.decode())

    def families(self) -> list[Family]:
        names = dict.fromkeys((*self._types, *self._helps))
        return [Family(name, self._types.get(name, "unknown"), self._helps.get(name, "")) for name in names]


def page_lines(body: bytes, limits: Limits) -> list[bytes]:
    """The lines of a page.

    Raises:
        DecodeError: There are more bytes or lines than the limits allow.
    """
    if len(body) > limits.body_bytes:
        raise DecodeError(f"{len(body)} bytes, more than the limit of {limits.body_bytes}")
    most = 4 * limits.samples + 1024
    if len(body) > most and body.count(b"\n") > most:
        raise DecodeError(f"more than {most} lines")
    return body.split(b"\n")


def check_samples(count: int, limits: Limits) -> None:
    """Raise a DecodeError where a page has too many samples."""
    if count > limits.samples:
        raise DecodeError(f"{count} samples, more than the limit of {limits.samples}")


def _wrong_number(tails: list[bytes], layout: Layout) -> DecodeError:
    for place, tail in zip(layout.samples, tails, strict=True):
        found = _TAIL.fullmatch(tail)
        if found is None or not _NUMBER.fullmatch(found[1]):
            return DecodeError(f"line {place + 1}: a number and perhaps a time in ms are expected, not {shown(tail)}")
        if found[2] is not None and abs(int(found[2][:21])) >= 2**63:
            return DecodeError(f"line {place + 1}: the time {shown(found[2])} is out of range")
    return DecodeError("a number is expected after every series")
