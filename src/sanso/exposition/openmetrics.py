"""OpenMetrics 1.0, read strictly: what the standard forbids is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sanso.exposition.layout import Layout, Shape, plain_numbers
from sanso.exposition.openmetrics_rules import CompiledRules, FamilyJudge, NumberRules
from sanso.exposition.page import NO_TIME, Exemplar, Limits, Page
from sanso.exposition.parse import check_samples, page_lines
from sanso.exposition.series_text import BRACES, STRICT_PREFIX, label_pairs, series_labels, shown, unescape, utf8
from sanso.model.errors import DecodeError
from sanso.model.frame import Family, Floats, Row, Times
from sanso.model.labels import Labels, metric_name

_NUMBER = rb"[+-]?(?:(?:\d++(?:\.\d*+)?+|\.\d++)(?:[eE][+-]?\d++)?+|(?i:inf(?:inity)?+))|(?i:nan)"
_REAL = rb"[+-]?(?:\d++(?:\.\d*+)?+|\.\d++)(?:[eE][+-]?\d++)?+"
_TAIL = re.compile(
    rb"("
    + _NUMBER
    + rb")(?: ("
    + _REAL
    + rb"))?(?: # ("
    + BRACES.pattern
    + rb") ("
    + _NUMBER
    + rb")(?: ("
    + _REAL
    + rb"))?)?"
)
_META = re.compile(rb"# (TYPE|HELP|UNIT) ([a-zA-Z_:][a-zA-Z0-9_:]*+) (.*)", re.DOTALL)
_MOST_EXEMPLAR_CHARACTERS = 128
_LATEST_S = 9e15
"""Seconds that still fit into an int64 of milliseconds."""


@dataclass(frozen=True)
class _Numbers:
    values: Floats
    times: Times | None = None
    exemplars: tuple[Exemplar, ...] = ()


class OpenMetricsParser:
    """Reads the pages of one target; remembers the last page's shape, nothing else.

    Args:
        limits: What is accepted.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._layout: Layout | None = None
        self._rules: CompiledRules = NumberRules().compiled()
        self._plain = True

    def parse(self, body: bytes) -> Page:
        """One page.

        `_created` samples are series like others. Of a metric with several points the last one counts.

        Raises:
            DecodeError: Names the line and the rule that it breaks; nothing of the page is taken.
        """
        lines = page_lines(body, self._limits)
        layout, rules = self._layout, self._rules
        tails = layout.tails(lines) if layout is not None else None
        if layout is None or tails is None:
            layout, rules = self._learn(lines)
            tails = layout.tails(lines) or []
        numbers = self._numbers(tails, layout)
        broken = rules.judge(numbers.values, numbers.times)
        if broken is not None:
            line, rule = broken
            raise DecodeError(f"line {layout.samples[line] + 1}: {metric_name(layout.labels[line])} {rule}")
        self._layout, self._rules = layout, rules
        row = Row(layout.columns, layout.in_columns(numbers.values))
        times = None if numbers.times is None else layout.in_columns(numbers.times)
        return Page(row, layout.families, times, numbers.exemplars, layout.duplicates)

    def _numbers(self, tails: list[bytes], layout: Layout) -> _Numbers:
        values = plain_numbers(tails, b"") if self._plain else None
        if values is not None:
            return _Numbers(values)
        numbers = self._full_numbers(tails, layout)
        self._plain = numbers.times is None and not numbers.exemplars
        return numbers

    def _full_numbers(self, tails: list[bytes], layout: Layout) -> _Numbers:
        """Values with times and exemplars."""
        values, times, exemplars = [], [], []
        for place, series, tail in zip(layout.samples, layout.labels, tails, strict=True):
            found = _TAIL.fullmatch(tail)
            if found is None:
                raise DecodeError(f"line {place + 1}: a number is expected, not {shown(tail)}")
            try:
                values.append(float(found[1]))
                times.append(_milliseconds(found[2]))
                if found[3] is not None:
                    exemplars.append(self._exemplar(series, found))
            except DecodeError as error:
                raise DecodeError(f"line {place + 1}: {error}") from error
        stamps = None if all(time == NO_TIME for time in times) else np.array(times, np.int64)
        return _Numbers(np.array(values, np.float64), stamps, tuple(exemplars))

    def _exemplar(self, series: Labels, found: re.Match[bytes]) -> Exemplar:
        name = metric_name(series)
        if not name.endswith(("_bucket", "_total")):
            raise DecodeError("only buckets and counters have exemplars")
        labels = label_pairs(found[3], self._limits)
        if sum(len(key) + len(value) for key, value in labels) > _MOST_EXEMPLAR_CHARACTERS:
            raise DecodeError(f"the labels of an exemplar are longer than {_MOST_EXEMPLAR_CHARACTERS} characters")
        time_ms = _milliseconds(found[5])
        return Exemplar(series, labels, float(found[4]), None if time_ms == NO_TIME else time_ms)

    def _learn(self, lines: Sequence[bytes]) -> tuple[Layout, CompiledRules]:
        known = self._layout.known if self._layout is not None else {}
        end = len(lines) - 1 if lines[-1] else len(lines) - 2
        if end < 0 or lines[end] != b"# EOF":
            raise DecodeError(f"line {max(end, 0) + 1}: the page must end with # EOF")
        walk = _Walk()
        for place, line in enumerate(lines[:end]):
            try:
                if line.startswith(b"#"):
                    walk.metadata(line)
                    continue
                found = STRICT_PREFIX.match(line)
                if found is None:
                    raise DecodeError(f'name{{label="value"}} and a number are expected, not {shown(line)}')
                prefix = found[0]
                walk.sample(place, prefix, known.get(prefix) or series_labels(prefix, self._limits, strict=True))
            except DecodeError as error:
                raise DecodeError(f"line {place + 1}: {error}") from error
        try:
            walk.end_family()
        except DecodeError as error:
            raise DecodeError(f"line {end + 1}: {error}") from error
        check_samples(walk.shape.samples, self._limits)
        return Layout(lines, walk.shape, self._layout, last_wins=True), walk.rules.compiled()


class _Walk:
    """Through the lines of a page, family by family."""

    def __init__(self) -> None:
        self.shape = Shape()
        self.rules = NumberRules()
        self._family: FamilyJudge | None = None
        self._names: set[str] = set()

    def metadata(self, line: bytes) -> None:
        """A line that begins with `#`."""
        found = _META.fullmatch(line)
        if found is None:
            raise DecodeError(f"# TYPE, # HELP or # UNIT, a name and a text are expected, not {shown(line)}")
        name = found[2].decode()
        if self._family is None or self._family.name != name or name in self._names:
            self.end_family()
            self._family = FamilyJudge(name, self.rules)
        text = unescape(found[3]) if found[1] == b"HELP" else found[3]
        self._family.describe(found[1].decode(), utf8(text, "a metadata text"))

    def sample(self, place: int, prefix: bytes, labels: Labels) -> None:
        """A sample line."""
        name = metric_name(labels)
        family = self._family
        if family is None or not family.takes(name):
            self.end_family()
            self._family = family = FamilyJudge(name, self.rules)
        family.sample(len(self.shape.samples), labels)
        self.shape.add(place, prefix, labels)

    def end_family(self) -> None:
        """The family that was open has no more lines."""
        family, self._family = self._family, None
        if family is None:
            return
        names = family.sample_names()
        clash = next((name for name in names if name in self._names), None)
        if clash is not None:
            raise DecodeError(f"the family {family.name} was told before, or clashes with {clash}")
        self._names.update(names)
        told: Family = family.end()
        if family.described:
            self.shape.families.append(told)


def _milliseconds(seconds: bytes | None) -> int:
    """A time of a sample; NO_TIME where it has none."""
    if seconds is None:
        return NO_TIME
    number = float(seconds)
    if abs(number) > _LATEST_S:
        raise DecodeError(f"the time {shown(seconds)} is out of range")
    return round(number * 1000)
