"""A script as a list of commands: load, clear, eval with what is expected of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from sanso.model.durations import parse_duration_ms
from sanso.model.labels import Labels
from tests.promql.script.series import Point, metric, points, series_line, unquoted


@dataclass(frozen=True)
class Load:
    """Samples to add.

    Attributes:
        step_ms: Between two points; the first is at 0.
        series: Labels and points.
        with_custom: Whether classic histograms come as native ones with custom buckets too (`load_with_nhcb`).
    """

    step_ms: int
    series: list[tuple[Labels, list[Point]]]
    with_custom: bool


@dataclass(frozen=True)
class Clear:
    """Forget everything."""


@dataclass(frozen=True)
class Note:
    """An `expect` line: what (fail, warn, info, no_warn, no_info, ordered, string) and, where given, its text."""

    what: str
    text: str = ""
    pattern: bool = False

    def met_by(self, text: str) -> bool:
        """Whether a message is the one."""
        if self.pattern:
            return re.search(self.text, text) is not None
        return not self.text or self.text == text


@dataclass(frozen=True)
class Eval:
    """A question and its answer.

    Attributes:
        line: Where it stands.
        start_ms: The time, or the range's start.
        end_ms: The range's end.
        step_ms: The range's step; 0 for an instant question.
        expr: The question.
        notes: What it must say beside the values.
        strict: Annotations that are not expected are wrong.
        scalar: The expected number where it is no vector.
        series: The expected series, in order.
    """

    line: int
    start_ms: int
    end_ms: int
    step_ms: int
    expr: str
    notes: list[Note] = field(default_factory=list)
    strict: bool = True
    scalar: float | None = None
    series: list[tuple[Labels, list[Point]]] = field(default_factory=list)

    def wants(self, what: str) -> list[Note]:
        """The notes of one kind."""
        return [note for note in self.notes if note.what == what]


Command: TypeAlias = Load | Clear | Eval

_INSTANT = re.compile(r"eval(?:_(fail|warn|info|ordered))?\s+instant\s+at\s+(\S+)\s+(.+)")
_RANGE = re.compile(r"eval(?:_(fail|warn|info))?\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+(.+)")
_EXPECT = re.compile(r"expect\s+(fail|warn|info|no_warn|no_info|ordered|string)\b\s*(?:(msg|regex):)?\s*(.*)")
_SCALAR = re.compile(r"[+-]?(?:inf|nan|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)", re.IGNORECASE)


def commands(path: Path) -> list[Command]:
    """The commands of a script.

    Raises:
        ValueError: A line cannot be read; it says which.
    """
    found: list[Command] = []
    for number, head, body in _blocks(path.read_text(encoding="utf-8")):
        try:
            found.append(_command(number, head, body))
        except (ValueError, KeyError, IndexError) as error:
            raise ValueError(f"{path.name}:{number}: {error}") from error
    return found


def _blocks(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """Each command's line number, its line and the lines under it, without comments."""
    head, number, body = "", 0, list[str]()
    for place, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line.startswith("#"):
            continue
        if re.match(r"(load|load_with_nhcb|clear|eval\w*)(\s|$)", line):
            if head:
                yield number, head, body
            head, number, body = line, place, []
        elif line:
            body.append(line)
    if head:
        yield number, head, body


def _command(number: int, head: str, body: list[str]) -> Command:
    if head == "clear":
        return Clear()
    if head.startswith("load"):
        word, step = head.split()
        return Load(parse_duration_ms(step), [series_line(line) for line in body], word.endswith("nhcb"))
    return _eval(number, head, body)


def _eval(number: int, head: str, body: list[str]) -> Eval:
    instant, ranged = _INSTANT.fullmatch(head), _RANGE.fullmatch(head)
    if instant:
        mark, at, expr = instant.groups()
        question = Eval(number, parse_duration_ms(at), parse_duration_ms(at), 0, expr)
    elif ranged:
        mark, *times, expr = ranged.groups()
        start, end, step = (parse_duration_ms(time) for time in times)
        question = Eval(number, start, end, step, expr)
    else:
        raise ValueError(f"not a question: {head}")
    if mark:
        question.notes.append(Note(mark))
    expected = any(line.startswith("expect ") for line in body)
    for line in body:
        question = _answer(question, line)
    return replace(question, strict=not expected and mark != "ordered")


def _answer(question: Eval, line: str) -> Eval:
    note = _EXPECT.fullmatch(line)
    if note:
        text = unquoted(note[3]) if note[1] == "string" else note[3]
        question.notes.append(Note(note[1], text, note[2] == "regex"))
    elif line.startswith("expected_fail_message "):
        question.notes.append(Note("fail", line.split(None, 1)[1]))
    elif line.startswith("expected_fail_regexp "):
        question.notes.append(Note("fail", line.split(None, 1)[1], pattern=True))
    elif _SCALAR.fullmatch(line):
        return replace(question, scalar=float(line))
    else:
        labels, rest = metric(line)
        question.series.append((labels, list(points(rest))))
    return question
