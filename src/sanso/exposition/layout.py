"""The shape of a target's page, kept from one scrape to the next: where its lines are alike, only numbers are read.

A target repeats its page: the same lines in the same order, other numbers. So a page is first laid over the last one:
every line that is not a sample must be the same, every sample line must begin the same, and what follows is a number.
All of that runs in C, a list at a time. A page that does not fit is read line by line, and becomes the new layout.
"""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from sanso.exposition.page import NO_TIME
from sanso.model.frame import Columns, Family, Floats, Times
from sanso.model.labels import Labels

_Pick = Callable[[Sequence[bytes]], tuple[bytes, ...]]

_Number = TypeVar("_Number", np.float64, np.int64)

Known: TypeAlias = Mapping[str, Mapping[bytes, Labels]]
"""Labels by line prefix, by the number label in force where the line stood."""

_BLANKS = b" \t"
_NUMBER_CHARACTERS = b"0123456789+-.eEnNaAiIfFtTyY"
_NOT_FINITE = re.compile(rb"[+-]?inf(?:inity)?|nan", re.IGNORECASE)


@dataclass
class Shape:
    """What a walk through a page's lines found.

    Attributes:
        families: By the metadata lines.
        samples: The place of each sample line among the lines.
        prefixes: Each sample line up to its value.
        labels: Each sample line's series.
        turns: Number labels (`number_labels`) by the sample line from which on they are in force.
    """

    families: list[Family] = field(default_factory=list)
    samples: list[int] = field(default_factory=list)
    prefixes: list[bytes] = field(default_factory=list)
    labels: list[Labels] = field(default_factory=list)
    turns: list[tuple[int, str]] = field(default_factory=list)

    def turn(self, number_label: str) -> None:
        """The sample lines that follow stand under another type."""
        if number_label != (self.turns[-1][1] if self.turns else ""):
            self.turns.append((len(self.samples), number_label))

    def add(self, place: int, prefix: bytes, labels: Labels) -> None:
        """One sample line more."""
        self.samples.append(place)
        self.prefixes.append(prefix)
        self.labels.append(labels)


class Layout:
    """A page's shape, ready to be laid over the next page.

    Args:
        lines: The page.
        shape: What was found in it.
        previous: The layout before; its columns stay where the set of series is the same.
        last_wins: Which of two lines with one series counts.

    Attributes:
        columns: The series, no two alike.
        families: By the metadata lines.
        known: Labels by line prefix, by the number label in force.
        samples: The place of each sample line among the lines.
        labels: Each sample line's series.
        twice: The series of sample lines that do not count, as another line has the same.
    """

    def __init__(self, lines: Sequence[bytes], shape: Shape, previous: Layout | None, *, last_wins: bool) -> None:
        self.families = tuple(shape.families)
        self.samples = shape.samples
        self.labels = shape.labels
        self.known = _known(shape)
        self._count = len(lines)
        sampled = set(shape.samples)
        self._pick_samples = _picker(shape.samples)
        self._pick_others = _picker([place for place in range(len(lines)) if place not in sampled])
        self._others = self._pick_others(lines)
        self._prefixes = shape.prefixes
        self._slices = [slice(len(prefix), None) for prefix in shape.prefixes]
        before = previous.columns if previous is not None else Columns(())
        self.columns: Columns
        self.columns, self._take = columns_of(shape.labels, before, last_wins=last_wins)
        self.twice = _twice(shape.labels, self.columns)

    def tails(self, lines: Sequence[bytes]) -> list[bytes] | None:
        """What follows each prefix; None where the page is not of this shape."""
        if len(lines) != self._count or self._pick_others(lines) != self._others:
            return None
        samples = self._pick_samples(lines)
        if not all(map(bytes.startswith, samples, self._prefixes)):
            return None
        return list(map(bytes.__getitem__, samples, self._slices))

    def in_columns(self, numbers: NDArray[_Number]) -> NDArray[_Number]:
        """Numbers of the sample lines as numbers of the columns."""
        return numbers if self._take is None else numbers[self._take]


def plain_numbers(tails: list[bytes], blanks: bytes = _BLANKS) -> Floats | None:
    """One number a tail, with nothing but `blanks` around it; None where a tail is something else."""
    if b"".join(tails).translate(None, _NUMBER_CHARACTERS + blanks):
        return None  # float() takes more than the formats do: 1_000, other white space
    try:
        values = np.fromiter(map(float, tails), np.float64, len(tails))
    except ValueError:
        return None
    return values if _well_spelled(values, tails) else None


def timed_numbers(tails: list[bytes]) -> tuple[Floats, Times] | None:
    """A number and perhaps a time in milliseconds a tail; None where a tail is something else."""
    if b"".join(tails).translate(None, _NUMBER_CHARACTERS + _BLANKS):
        return None
    parts = [tail.split() for tail in tails]
    try:
        values = np.array([float(part[0]) for part in parts], np.float64)
        times = np.array([int(part[1]) if len(part) > 1 else NO_TIME for part in parts], np.int64)
    except (ValueError, IndexError, OverflowError):
        return None
    if any(len(part) > 2 for part in parts) or not _well_spelled(values, [part[0] for part in parts]):
        return None
    return values, times


def is_number(text: bytes) -> bool:
    """Whether the text is a number as both formats spell it."""
    return plain_numbers([text], b"") is not None


def _well_spelled(values: Floats, texts: list[bytes]) -> bool:
    """Whether what is not finite was written so: float() takes +nan, and makes an infinity of 1e999."""
    return all(_NOT_FINITE.fullmatch(texts[place].strip()) for place in np.flatnonzero(~np.isfinite(values)))


def _twice(labels: Sequence[Labels], columns: Columns) -> tuple[Labels, ...]:
    if len(labels) == len(columns.labels):
        return ()
    return tuple((Counter(labels) - Counter(columns.labels)).elements())


def _known(shape: Shape) -> Known:
    known: dict[str, dict[bytes, Labels]] = {}
    turns = [(0, ""), *shape.turns, (len(shape.samples), "")]
    for (begin, number_label), (end, _) in pairwise(turns):
        lines = zip(shape.prefixes[begin:end], shape.labels[begin:end], strict=True)
        known.setdefault(number_label, {}).update(lines)
    return known


def _picker(places: list[int]) -> _Pick:
    """Several items of a list in one C call; `itemgetter` gives a tuple for two and more only."""
    if len(places) > 1:
        return operator.itemgetter(*places)
    return lambda lines: tuple(lines[place] for place in places)


def columns_of(labels: list[Labels], before: Columns, *, last_wins: bool) -> tuple[Columns, NDArray[np.intp] | None]:
    """The columns of samples, those before where they are of the same series, and the sample that each column takes.

    None stands for all in order. Of samples with one series the first counts, or the last.
    """
    lines: dict[Labels, int] = {}
    for line, series in enumerate(labels):
        if last_wins or series not in lines:
            lines[series] = line
    columns = before
    if len(columns.labels) != len(lines) or any(series not in lines for series in columns.labels):
        columns = Columns(tuple(lines))
    take = np.array([lines[series] for series in columns.labels], dtype=np.intp)
    same = len(take) == len(labels) and bool((take == np.arange(len(take))).all())
    return columns, None if same else take
