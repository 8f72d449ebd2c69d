"""The series that senders write: a number for each label set, and the frame and column where its samples go.

Series that come together share a frame, as their times are the same: a target's among themselves, small ones with
whatever they come with. Which those are is seen the first time they come, and stays so.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sanso.model.frame import Columns
from sanso.model.labels import NAME, Labels, render, value_of
from sanso.model.native_histogram import COMPONENT, component

_MOST_LABELS, _LONGEST_NAME, _LONGEST_VALUE = 128, 1024, 16_384
_OWN_FRAME = 32
"""Series of one target that come together for the first time, from which on the target has a frame of its own."""
_WIDEST = 4_096
_MOST_NAMED = 10
_FIRST = 1_024

Numbers = NDArray[np.int64]


@dataclass
class FrameOfSeries:
    """A frame: its name, its series in the order of its columns."""

    name: str
    series: list[int] = field(default_factory=list)
    columns: Columns | None = None


class SeriesBook:
    """Numbers, labels, frames of series. One thread at a time.

    Attributes:
        labels: By number.
        frames: By number.
        frame: The number of each series' frame; below 0 where it has none yet.
        place: Its column there.
        seen_s: When it last came, by a clock that never steps back.
        now_s: What that clock says.
        problems: What was refused, and how often.
    """

    def __init__(self) -> None:
        self.problems: Counter[str] = Counter()
        self.now_s = 0.0
        self.clear()

    def __len__(self) -> int:
        return len(self.labels)

    def clear(self) -> None:
        """Forget everything."""
        self.labels: list[Labels] = []
        self.frames: list[FrameOfSeries] = []
        self.frame = np.full(_FIRST, -1, dtype=np.int64)
        self.place = np.zeros(_FIRST, dtype=np.int64)
        self.seen_s = np.zeros(_FIRST, dtype=np.float64)
        self._numbers: dict[Labels, int] = {}
        self._parts: dict[int, dict[str, int]] = {}
        self._frame_names: set[str] = set()

    def numbered(self, labels: Labels) -> int:
        """The number of a label set as it was sent; -1 where it is refused, which `problems` then says."""
        number = self._numbers.get(labels)
        if number is not None:
            return number
        canonical = tuple(sorted(pair for pair in labels if pair[1]))
        number = self._numbers.get(canonical)
        if number is None:
            problem = _problem(canonical, labels)
            if problem:
                shown = render(labels).encode(errors="backslashreplace").decode()
                self.complain(f"series {shown[:200]}: {problem}")
                return -1
            number = self._add(canonical)
        return number

    @property
    def has_histograms(self) -> bool:
        """Whether any series is a native histogram."""
        return bool(self._parts)

    def part(self, number: int, part: str) -> int:
        """The number of the column that is one part of a native histogram."""
        parts = self._parts.setdefault(number, {})
        found = parts.get(part)
        if found is None:
            found = parts[part] = self._add(component(self.labels[number], part))
        return found

    def parts(self, number: int) -> Iterable[int]:
        """Every part that a histogram had so far; nothing where the series is none."""
        return self._parts.get(number, {}).values()

    def histograms(self, series: Numbers) -> NDArray[np.bool_]:
        """Which of these are native histograms."""
        return np.isin(series, list(self._parts)) if self._parts else np.zeros(len(series), dtype=bool)

    def columns(self, frame: int) -> Columns:
        """The columns of a frame: the same object for as long as no series joins it."""
        held = self.frames[frame]
        if held.columns is None:
            held.columns = Columns(tuple(self.labels[number] for number in held.series))
        return held.columns

    def settle(self, series: Numbers) -> None:
        """Give a frame to those of a row's series that have none."""
        numbers = list(dict.fromkeys(series.tolist()))
        targets = {number: _target(self.labels[number]) for number in numbers}
        fresh: dict[tuple[str, str], list[int]] = {}
        known: dict[tuple[str, str], Counter[int]] = {}
        for number in numbers:
            frame = int(self.frame[number])
            if frame < 0:
                fresh.setdefault(targets[number], []).append(number)
            else:
                known.setdefault(targets[number], Counter())[frame] += 1
        small = []
        for target, members in fresh.items():
            if target in known:
                self._join(members, known[target].most_common(1)[0][0])
            elif len(members) >= _OWN_FRAME:
                self._join(members, self._new_frame(members[0]))
            else:
                small += members
        if small:
            everywhere = sum(known.values(), Counter())
            self._join(small, everywhere.most_common(1)[0][0] if everywhere else self._new_frame(small[0]))

    def sweep(self, before_s: float) -> bool:
        """Forget series that have not come since, once they are a quarter of all; whether numbers changed."""
        alive = self.seen_s[: len(self)] >= before_s
        if alive.sum() * 4 > len(self) * 3:
            return False
        labels, frames, parts = self.labels, self.frames, self._parts
        seen = self.seen_s[: len(self)]
        self.clear()
        moved: dict[int, int] = {}
        for number in np.flatnonzero(alive).tolist():
            moved[number] = self._add(labels[number])
            self.seen_s[moved[number]] = seen[number]
        for frame in frames:
            kept = [moved[number] for number in frame.series if number in moved]
            if kept:
                self._join(kept, self._new_frame(kept[0], frame.name))
        for number, held in parts.items():
            if number in moved:
                self._parts[moved[number]] = {name: moved[each] for name, each in held.items() if each in moved}
        return True

    def complain(self, problem: str, times: int = 1) -> None:
        """Count what was refused; the first few are named."""
        if problem not in self.problems and len(self.problems) >= _MOST_NAMED:
            problem = "other problems"
        self.problems[problem] += times

    def _add(self, labels: Labels) -> int:
        number = self._numbers[labels] = len(self.labels)
        self.labels.append(labels)
        if number == len(self.frame):
            self.frame = np.concatenate([self.frame, np.full(number, -1, dtype=np.int64)])
            self.place = np.concatenate([self.place, np.zeros(number, dtype=np.int64)])
            self.seen_s = np.concatenate([self.seen_s, np.zeros(number)])
        return number

    def _join(self, members: list[int], frame: int) -> None:
        while members:
            held = self.frames[frame]
            room = max(_WIDEST - len(held.series), 0)
            joining, members = members[:room], members[room:]
            self.frame[joining] = frame
            self.place[joining] = np.arange(len(held.series), len(held.series) + len(joining))
            held.series += joining
            held.columns = None
            if members:
                frame = self._new_frame(members[0])

    def _new_frame(self, first: int, name: str = "") -> int:
        """A frame, named by its first series: the same after a restart, where the sender goes on as before."""
        name = name or f"write:{hashlib.blake2b(repr(self.labels[first]).encode(), digest_size=8).hexdigest()}"
        while name in self._frame_names:
            name += "+"
        self._frame_names.add(name)
        self.frames.append(FrameOfSeries(name))
        return len(self.frames) - 1


def _target(labels: Labels) -> tuple[str, str]:
    return value_of(labels, "job"), value_of(labels, "instance")


def _problem(labels: Labels, sent: Labels) -> str:
    """What is wrong with a label set; empty where nothing is."""
    names = [name for name, _ in labels]
    if NAME not in names:
        return "no metric name"
    if len(set(names)) < len(names):
        return "a label stands twice"
    if not all(name for name, _ in sent):
        return "a label without a name"
    if COMPONENT in names:
        return f"the label {COMPONENT} is not for senders: send native histograms as such"
    if len(names) > _MOST_LABELS:
        return f"{len(names)} labels, more than {_MOST_LABELS}"
    if any(len(name) > _LONGEST_NAME or len(value) > _LONGEST_VALUE for name, value in labels):
        return "a label is too long"
    if not all(_is_text(name) and _is_text(value) for name, value in labels):
        return "a text that is not UTF-8"
    return ""


def _is_text(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)
