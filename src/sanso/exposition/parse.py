"""Prometheus text 0.0.4, read as Prometheus reads it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import cast

from sanso.exposition.layout import Known, Layout, Shape, is_number, plain_numbers, timed_numbers
from sanso.exposition.number_labels import NUMBER_LABELS
from sanso.exposition.page import NO_TIME, Limits, Page
from sanso.exposition.series_text import QUOTED, TEXT_PREFIX, SeriesTexts, shown, unescape, utf8
from sanso.model.errors import DecodeError, LineError
from sanso.model.frame import Family, FamilyType, Floats, Row, Times

_META = re.compile(
    rb"[ \t]*+#[ \t]++(HELP|TYPE)[ \t]++(?:([a-zA-Z_:][a-zA-Z0-9_:]*+)|(" + QUOTED.pattern + rb"))(?:[ \t](.*))?\Z",
    re.DOTALL,
)
_NAMELESS = re.compile(rb"[ \t]*+#[ \t]++(?:TYPE[ \t]|HELP[ \t]++(?![a-zA-Z_:]))")
"""Metadata of nothing; a help text whose name goes on with other characters is passed over, as in Prometheus."""
_HELP_ESCAPE = re.compile(rb"\\([\\n])")
_TAIL = re.compile(rb"[ \t]*+([^ \t]++)(?:[ \t]++([+-]?\d++))?+[ \t]*+")
_TYPES = {b"counter", b"gauge", b"histogram", b"summary", b"untyped"}


class TextParser:
    """Reads the pages of one target; remembers the last page's shape, nothing else.

    Args:
        limits: What is accepted.
        texts: Reads the beginnings of lines, where parsers share that.
    """

    def __init__(self, limits: Limits | None = None, texts: SeriesTexts | None = None) -> None:
        self._limits = limits or Limits()
        self._texts = texts or SeriesTexts(self._limits, strict=False, most=0)
        self._layout: Layout | None = None
        self._timed = False

    def parse(self, body: bytes) -> Page:
        """One page.

        Of a series that stands in the page twice the first line counts.

        Raises:
            DecodeError: Names the line; nothing of the page is taken.
        """
        lines = page_lines(body, self._limits)
        last = self._layout
        layout, numbers = last, self._laid(last, lines)
        if numbers is None and last is not None:
            layout = self._learn(lines, last.known)
            numbers = self._laid(layout, lines)
        if layout is None or numbers is None:  # without `known`: after the name `a ` braces may follow now
            layout = self._learn(lines, {})
            numbers = self._laid(layout, lines)
            if numbers is None:
                raise _wrong_number(lines, layout)
        self._layout = layout
        values, times = numbers
        row = Row(layout.columns, layout.in_columns(values))
        placed = None if times is None else layout.in_columns(times)
        return Page(row, layout.families, placed, duplicates=len(layout.twice), twice=layout.twice)

    def _laid(self, layout: Layout | None, lines: Sequence[bytes]) -> tuple[Floats, Times | None] | None:
        """Values and times of the page; None where it is not of this layout, or a line holds no number."""
        tails = layout.tails(lines) if layout is not None else None
        if tails is None:
            return None
        values = None if self._timed else plain_numbers(tails)
        if values is not None:
            return values, None
        timed = timed_numbers(tails)
        if timed is None:
            return None
        self._timed = bool((timed[1] != NO_TIME).any())
        return timed if self._timed else (timed[0], None)

    def _learn(self, lines: Sequence[bytes], known: Known) -> Layout:
        shape, metadata = Shape(), _Metadata()
        here = known.get("", {})
        for place, line in enumerate(lines):
            end = line.rfind(b" ")
            prefix = line[: (line.rfind(b" ", 0, end) if self._timed else end) + 1]
            labels = here.get(prefix)
            if labels is not None:
                shape.add(place, prefix, labels)
                continue
            start = line.lstrip(b" \t")
            try:
                if not start:
                    continue
                if start.startswith(b"#"):
                    if metadata.read(line):
                        shape.turn(metadata.number_label)
                        here = known.get(metadata.number_label, {})
                    continue
                found = TEXT_PREFIX.match(line)
                if found is None:
                    raise DecodeError(f'name{{label="value"}} and a number are expected, not {shown(line)}')
                labels = here.get(found[0]) or self._texts.labels(found[0], metadata.number_label)
                shape.add(place, found[0], labels)
            except DecodeError as error:
                raise LineError(place + 1, error) from error
        check_samples(shape.samples, self._limits)
        shape.families = metadata.families()
        return Layout(lines, shape, self._layout, last_wins=False)


class _Metadata:
    """Types and help texts as the lines of a page tell them; the last one counts.

    Attributes:
        number_label: The label that holds a number in what follows the last type; empty for none.
    """

    def __init__(self) -> None:
        self.number_label = ""
        self._types: dict[str, FamilyType] = {}
        self._helps: dict[str, str] = {}

    def read(self, line: bytes) -> bool:
        """A line that begins with `#`; what is neither HELP nor TYPE is a comment. Whether the number label changed."""
        found = _META.match(line)
        if found is None:
            if _NAMELESS.match(line):
                raise DecodeError(f"a metric name is expected in {shown(line)}")
            return False
        kind, plain, quoted, rest = found.groups()
        name = plain.decode() if plain is not None else utf8(unescape(quoted[1:-1]), "a metric name")
        text = (rest or b"").strip(b" \t")
        if kind == b"HELP":
            unescaped = _HELP_ESCAPE.sub(lambda e: b"\n" if e[1] == b"n" else b"\\", text)
            self._helps[name] = utf8(unescaped, f"the help text of {name}")
            return False
        if text not in _TYPES:
            raise DecodeError(f"{shown(text)} is not a type of text 0.0.4")
        kind = text.decode()
        self._types[name] = cast("FamilyType", "unknown" if kind == "untyped" else kind)
        before, self.number_label = self.number_label, NUMBER_LABELS.get(kind, "")
        return self.number_label != before

    def families(self) -> list[Family]:
        names = dict.fromkeys((*self._types, *self._helps))
        return [Family(name, self._types.get(name, "unknown"), self._helps.get(name, "")) for name in names]


def page_lines(body: bytes, limits: Limits) -> list[bytes]:
    """The lines of a page.

    Raises:
        DecodeError: There are more bytes or lines than the limits allow.
    """
    if len(body) > limits.body_bytes:
        line = body.count(b"\n", 0, limits.body_bytes) + 1
        raise DecodeError(f"line {line}: the page has {len(body)} bytes, more than the limit of {limits.body_bytes}")
    most = 4 * limits.samples + 1024
    if len(body) > most and body.count(b"\n") > most:
        raise DecodeError(f"line {most + 1}: more lines than {limits.samples} samples, the limit, can need")
    return body.split(b"\n")


def check_samples(places: Sequence[int], limits: Limits) -> None:
    """Raise a DecodeError where a page has too many sample lines."""
    if len(places) > limits.samples:
        line = places[limits.samples] + 1
        raise DecodeError(f"line {line}: {len(places)} samples, more than the limit of {limits.samples}")


def _wrong_number(lines: Sequence[bytes], layout: Layout) -> DecodeError:
    for place, tail in zip(layout.samples, layout.tails(lines) or (), strict=True):
        found = _TAIL.fullmatch(tail)
        if found is None or not is_number(found[1]):
            return LineError(place + 1, f"a number and perhaps a time in ms are expected, not {shown(tail)}")
        if found[2] is not None and abs(int(found[2][:21])) >= 2**63:
            return LineError(place + 1, f"the time {shown(found[2])} is out of range")
    return DecodeError("a number is expected after every series")
