"""OpenMetrics 1.0, read strictly: what the standard forbids is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from sanso.exposition.layout import Known, Layout, Shape, is_number, plain_numbers
from sanso.exposition.number_labels import NUMBER_LABELS
from sanso.exposition.openmetrics_families import Section, read_section
from sanso.exposition.openmetrics_rules import CompiledRules, NumberRules
from sanso.exposition.page import NO_TIME, Exemplar, Limits, Page
from sanso.exposition.parse import check_samples, page_lines
from sanso.exposition.series_text import BRACES, STRICT_PREFIX, SeriesTexts, label_pairs, shown
from sanso.model.errors import DecodeError, LineError
from sanso.model.frame import Floats, Row, Times
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
_MOST_EXEMPLAR_CHARACTERS = 128
_NOTHING_KNOWN: dict[bytes, Labels] = {}
_LATEST_MS = 9e18
"""The standard allows any time; one beyond what an int64 of milliseconds holds is told as this."""

_Key: TypeAlias = tuple[str, tuple[bytes, ...], tuple[bytes, ...]]


@dataclass(frozen=True)
class _Numbers:
    values: Floats
    times: Times | None = None
    exemplars: tuple[Exemplar, ...] = ()


@dataclass(frozen=True)
class _Learned:
    """A page's shape: where it is the same again, only numbers are read.

    Attributes:
        layout: The lines.
        rules: For the numbers.
        bounds: The most that an exemplar of each sample line may be; None where it may have none.
        sections: By the number label in force, metadata lines and line prefixes: those that the next page repeats are
            not judged again.
    """

    layout: Layout
    rules: CompiledRules
    bounds: list[float | None]
    sections: dict[_Key, Section]


class OpenMetricsParser:
    """Reads the pages of one target; remembers the last page's shape, nothing else.

    Args:
        limits: What is accepted.
        texts: Reads the beginnings of lines, where parsers share that.
    """

    def __init__(self, limits: Limits | None = None, texts: SeriesTexts | None = None) -> None:
        self._limits = limits or Limits()
        self._texts = texts or SeriesTexts(self._limits, strict=True, most=0)
        self._learned: _Learned | None = None
        self._read: Callable[[list[bytes]], _Numbers | None] = _plain

    def parse(self, body: bytes) -> Page:
        """One page.

        `_created` samples are series like others. Of a metric with several points the last one counts, of several in
        one millisecond the first of them.

        Raises:
            DecodeError: Names the line and the rule that it breaks; nothing of the page is taken.
        """
        lines = page_lines(body, self._limits)
        learned = self._learned
        tails = learned.layout.tails(lines) if learned is not None else None
        if learned is None or tails is None:
            learned = self._learn(lines)
            tails = learned.layout.tails(lines) or []
        numbers, layout = self._numbers(tails, learned), learned.layout
        broken = learned.rules.judge(numbers.values, numbers.times)
        if broken is not None:
            line, rule = broken
            raise LineError(layout.samples[line] + 1, f"{metric_name(layout.labels[line])} {rule}")
        self._learned = learned
        values, times = numbers.values, None
        if numbers.times is not None:
            values, times = learned.rules.settle(values, numbers.times), layout.in_columns(numbers.times)
        row = Row(layout.columns, layout.in_columns(values))
        return Page(row, layout.families, times, numbers.exemplars, len(layout.twice), twice=layout.twice)

    def _numbers(self, tails: list[bytes], learned: _Learned) -> _Numbers:
        numbers = self._read(tails)
        if numbers is not None:
            return numbers
        numbers = self._full_numbers(tails, learned)
        self._read = _plain if numbers.times is None else _timed
        return numbers

    def _full_numbers(self, tails: list[bytes], learned: _Learned) -> _Numbers:
        """Values with times and exemplars."""
        values, times, exemplars = [], [], []
        layout = learned.layout
        for place, series, bound, tail in zip(layout.samples, layout.labels, learned.bounds, tails, strict=True):
            found = _TAIL.fullmatch(tail)
            if found is None or not is_number(found[1]):
                raise LineError(place + 1, f"a number is expected, not {shown(tail)}")
            values.append(float(found[1]))
            times.append(_milliseconds(found[2]))
            if found[3] is not None:
                try:
                    exemplars.append(self._exemplar(series, bound, found))
                except DecodeError as error:
                    raise LineError(place + 1, error) from error
        stamps = None if all(time == NO_TIME for time in times) else np.array(times, np.int64)
        return _Numbers(np.array(values, np.float64), stamps, tuple(exemplars))

    def _exemplar(self, series: Labels, bound: float | None, found: re.Match[bytes]) -> Exemplar:
        if bound is None:
            raise DecodeError("only buckets and counters have exemplars")
        labels = label_pairs(found[3], self._limits)
        if sum(len(key) + len(value) for key, value in labels) > _MOST_EXEMPLAR_CHARACTERS:
            raise DecodeError(f"the labels of an exemplar are longer than {_MOST_EXEMPLAR_CHARACTERS} characters")
        value = float(found[4])
        if value > bound or not is_number(found[4]):
            raise DecodeError(f"the exemplar {shown(found[4])} is no number that its bucket holds")
        time_ms = _milliseconds(found[5])
        return Exemplar(series, labels, value, None if time_ms == NO_TIME else time_ms)

    def _learn(self, lines: Sequence[bytes]) -> _Learned:
        end = len(lines) - 1 if lines[-1] else len(lines) - 2
        if end < 0 or lines[end] != b"# EOF":
            raise LineError(max(end, 0) + 1, "the page must end with # EOF")
        last = self._learned
        known = last.layout.known if last is not None else {}
        sections: dict[_Key, Section] = {}
        shape, rules, bounds = Shape(), NumberRules(), list[float | None]()
        names: set[str] = set()
        for start, key in _sections(lines, end, known):
            section = last.sections.get(key) if last is not None else None
            if section is None:
                section = self._section(start, key, known)
            sections[key] = section
            for name, taken in section.names:
                if not names.isdisjoint(taken):
                    raise LineError(start + 1, f"the family {name} was told before, or clashes with another")
                names.update(taken)
            rules.take(section.rules, len(shape.samples))
            bounds += section.bounds
            number_label, metadata, prefixes = key
            shape.turn(number_label)
            first = start + len(metadata)
            shape.samples += range(first, first + len(prefixes))
            shape.prefixes += prefixes
            shape.labels += section.labels
            shape.families += section.families
        check_samples(shape.samples, self._limits)
        layout = Layout(lines, shape, last.layout if last is not None else None, last_wins=True)
        return _Learned(layout, rules.compiled(), bounds, sections)

    def _section(self, start: int, key: _Key, known: Known) -> Section:
        number_label, metadata, prefixes = key
        here = known.get(number_label, {})

        def labels_of(prefix: bytes) -> Labels:
            return here.get(prefix) or self._texts.labels(prefix, number_label)

        return read_section(metadata, prefixes, labels_of, start)


def _sections(lines: Sequence[bytes], end: int, known: Known) -> Iterator[tuple[int, _Key]]:
    """The parts of a page that each begin with metadata, with their first line."""
    start, metadata, prefixes = 0, list[bytes](), list[bytes]()
    number_label, here = "", known.get("", _NOTHING_KNOWN)
    for place in range(end):
        line = lines[place]
        if line[:1] == b"#":
            if prefixes:
                yield start, (number_label, tuple(metadata), tuple(prefixes))
                start, metadata, prefixes = place, [], []
            metadata.append(line)
            if line[:7] == b"# TYPE ":
                kind = "histogram" if line.endswith(b" histogram") else "summary" if line.endswith(b" summary") else ""
                number_label = NUMBER_LABELS.get(kind, "")
                here = known.get(number_label, _NOTHING_KNOWN)
            continue
        prefix = line[: line.rfind(b" ") + 1]
        if prefix not in here:
            found = STRICT_PREFIX.match(line)
            if found is None:
                wanted = 'name{label="value"} and a number are expected'
                raise LineError(place + 1, f"{wanted}, not {shown(line)}")
            prefix = found[0]
        prefixes.append(prefix)
    if metadata or prefixes:
        yield start, (number_label, tuple(metadata), tuple(prefixes))


def _plain(tails: list[bytes]) -> _Numbers | None:
    """Numbers alone, read quickly; None where there is more."""
    values = plain_numbers(tails, b"")
    return None if values is None else _Numbers(values)


def _timed(tails: list[bytes]) -> _Numbers | None:
    """Numbers with a time each, read quickly; None where there is more, or less."""
    parts = [tail.partition(b" ") for tail in tails]
    values = plain_numbers([part[0] for part in parts], b"")
    seconds = plain_numbers([part[2] for part in parts], b"")
    if values is None or seconds is None or not (np.abs(seconds) < _LATEST_MS / 1000).all():
        return None
    return _Numbers(values, np.rint(seconds * 1000).astype(np.int64))


def _milliseconds(seconds: bytes | None) -> int:
    """A time of a sample; NO_TIME where it has none."""
    if seconds is None:
        return NO_TIME
    return round(min(max(float(seconds) * 1000, -_LATEST_MS), _LATEST_MS))
