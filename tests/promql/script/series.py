"""A line of a script that is a series: `name{label="value"} 0+10x3 _ stale {{…}}`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

from sanso.model.frame import STALE
from sanso.model.labels import NAME, Labels, labels_of
from sanso.model.native_histogram import NativeHistogram
from tests.promql.script.histograms import added, literal

Point: TypeAlias = float | NativeHistogram | None
"""A sample, a histogram, or nothing at that step."""

_NUMBER = r"[+-]?(?:inf|nan|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)"
_HISTOGRAM = r"\{\{[^}]*\}\}"
_ITEM = re.compile(
    rf"\s*(?:(?P<gap>_)(?:x(?P<gaps>\d+))?|(?P<stale>stale)"
    rf"|(?P<histogram>{_HISTOGRAM})(?:(?P<sign>[+-])(?P<more>{_HISTOGRAM}))?(?:x(?P<turns>\d+))?"
    rf"|(?P<number>{_NUMBER})(?P<by>[+-]{_NUMBER[5:]})?(?:x(?P<times>\d+))?)(?=\s|$)",
    re.IGNORECASE,
)
_STRING = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
_NAMED = re.compile(r"[A-Za-z_:][\w:]*")
_PAIR = re.compile(rf"\s*(?:({_STRING})|([A-Za-z_]\w*))\s*(?:=\s*({_STRING}))?\s*(?:,|(?=\}}))")


def series_line(text: str) -> tuple[Labels, list[Point]]:
    """Labels and points of a line."""
    labels, rest = metric(text)
    return labels, list(points(rest))


def metric(text: str) -> tuple[Labels, str]:
    """The labels that a text begins with, and what follows."""
    pairs: list[tuple[str, str]] = []
    name = _NAMED.match(text)
    place = 0
    if name:
        pairs.append((NAME, name[0]))
        place = name.end()
    if text[place : place + 1] == "{":
        place += 1
        while text[place] != "}":
            pair = _PAIR.match(text, place)
            if pair is None:
                raise ValueError(f"not labels: {text[place:]}")
            key = unquoted(pair[1]) if pair[1] else pair[2]
            pairs.append((key, unquoted(pair[3])) if pair[3] else (NAME, key))
            place = pair.end()
            place += len(text[place:]) - len(text[place:].lstrip())
        place += 1
    elif not name:
        raise ValueError(f"not a series: {text}")
    return labels_of(pairs), text[place:]


def unquoted(text: str) -> str:
    """What stands between quotes."""
    if "\\" not in text:
        return text[1:-1]
    return text[1:-1].encode("latin-1", "backslashreplace").decode("unicode_escape")


def points(text: str) -> Iterator[Point]:
    """The points of a notation."""
    place, text = 0, text.rstrip()
    while place < len(text):
        item = _ITEM.match(text, place)
        if item is None:
            raise ValueError(f"not points: {text[place:]}")
        yield from _spread(item)
        place = item.end()


def _spread(item: re.Match[str]) -> Iterator[Point]:
    if item["gap"]:
        yield from [None] * int(item["gaps"] or 1)
    elif item["stale"]:
        yield STALE
    elif item["histogram"]:
        histogram = literal(item["histogram"][2:-2])
        yield histogram
        for _ in range(int(item["turns"] or 0)):
            if item["more"]:
                histogram = added(histogram, literal(item["more"][2:-2]), -1.0 if item["sign"] == "-" else 1.0)
            yield histogram
    else:
        value, step = float(item["number"]), float(item["by"] or 0)
        for _ in range(int(item["times"] or 0) + 1):
            yield value
            value += step
