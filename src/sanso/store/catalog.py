"""The catalogue: which series there are, and which of them a question means."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from sanso.model.labels import NAME, Labels, LabelSets, metric_name
from sanso.model.matchers import Matcher
from sanso.model.native_histogram import part_of, plain
from sanso.store.places import Numbers

_REMEMBERED, _REMEMBERED_SERIES = 256, 200_000
"""Answers kept, and series in them, of each metric name and of questions that name none."""


@dataclass(frozen=True)
class Entry:
    """One series of one frame."""

    number: int
    frame: int
    labels: Labels


@dataclass(frozen=True)
class Group:
    """The series of one frame that a question means: numbers and label sets, in one order."""

    frame: int
    numbers: Numbers
    labels: LabelSets


@dataclass(frozen=True)
class Found:
    """What a question means.

    Attributes:
        groups: Series by frame.
        repeated: Label sets that stand in more than one frame.
    """

    groups: list[Group]
    repeated: frozenset[Labels]

    @property
    def size(self) -> int:
        """How many series."""
        return sum(len(group.labels) for group in self.groups)


class _Answers:
    """What was found before, while the series it was found among are the same."""

    def __init__(self) -> None:
        self._found: OrderedDict[tuple[Matcher, ...], Found] = OrderedDict()
        self._series = 0

    def get(self, key: tuple[Matcher, ...]) -> Found | None:
        return self._found.get(key)

    def keep(self, key: tuple[Matcher, ...], found: Found) -> None:
        if len(self._found) >= _REMEMBERED or self._series + found.size > _REMEMBERED_SERIES:
            self._found, self._series = OrderedDict(), 0
        self._found[key] = found
        self._series += found.size


class _Named:
    """The series of one metric name."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.answers = _Answers()


class Catalog:
    """Series by number and by metric name. Written by one thread, read by any."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}
        self._by_key: dict[tuple[int, Labels], int] = {}
        self._by_name: dict[str, _Named] = {}
        self._answers = _Answers()
        self._next = 1

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, frame: int, labels: Labels, number: int = 0) -> tuple[int, bool]:
        """The number of a series, and whether it is new."""
        known = self._by_key.get((frame, labels))
        if known is not None:
            return known, False
        entry = Entry(number or self._next, frame, labels)
        self._next = max(self._next, entry.number + 1)
        self._entries[entry.number] = entry
        self._by_key[frame, labels] = entry.number
        named = self._by_name.setdefault(metric_name(labels), _Named())
        named.entries.append(entry)
        named.answers = _Answers()  # not emptied: a reader may be putting an old answer into the old one
        self._answers = _Answers()
        return entry.number, True

    def entry(self, frame: int, labels: Labels) -> Entry | None:
        """One series of one frame, where there is such a one."""
        number = self._by_key.get((frame, labels))
        return None if number is None else self._entries[number]

    def remove(self, numbers: Iterable[int]) -> None:
        """Forget series."""
        gone: defaultdict[str, set[int]] = defaultdict(set)
        for number in numbers:
            entry = self._entries.pop(number, None)
            if entry is not None:
                del self._by_key[entry.frame, entry.labels]
                gone[metric_name(entry.labels)].add(number)
        for name, dead in gone.items():
            named = self._by_name[name]
            named.entries = [entry for entry in named.entries if entry.number not in dead]
            named.answers = _Answers()
            if not named.entries:
                del self._by_name[name]
        if gone:
            self._answers = _Answers()

    def numbers(self) -> set[int]:
        """Every series."""
        return set(self._entries)

    def leaders(self, frame: int) -> dict[int, int]:
        """Of each series of a frame that is part of a native histogram, the one that says where there is one."""
        held = [entry for entry in list(self._entries.values()) if entry.frame == frame and part_of(entry.labels)]
        schemas = {plain(entry.labels): entry.number for entry in held if part_of(entry.labels) == "schema"}
        return {entry.number: schemas.get(plain(entry.labels), entry.number) for entry in held}

    def frames(self) -> set[int]:
        """Every frame that has a series."""
        return {entry.frame for entry in self._entries.values()}

    def find(self, matchers: Sequence[Matcher]) -> Found:
        """The series that satisfy every matcher; remembered until one of their name comes or goes."""
        exact = next((matcher for matcher in matchers if matcher.name == NAME and matcher.op == "="), None)
        named = self._by_name.get(exact.value) if exact is not None else None
        if exact is not None and named is None:
            return Found([], frozenset())
        answers = named.answers if named is not None else self._answers  # before the entries: else it could be late
        key = tuple(matchers)
        found = answers.get(key)
        if found is None:
            entries = list(named.entries) if named is not None else self._candidates(matchers)
            rest = [matcher for matcher in matchers if matcher is not exact]
            found = _grouped([entry for entry in entries if all(m.accepts(entry.labels) for m in rest)])
            answers.keep(key, found)
        return found

    def _candidates(self, matchers: Sequence[Matcher]) -> list[Entry]:
        for matcher in matchers:
            if matcher.name == NAME:
                chosen = [named for name, named in list(self._by_name.items()) if matcher.matches(name)]
                return [entry for named in chosen for entry in list(named.entries)]
        return list(self._entries.values())


def _grouped(entries: Iterable[Entry]) -> Found:
    frames: defaultdict[int, list[Entry]] = defaultdict(list)
    for entry in entries:
        frames[entry.frame].append(entry)
    groups = [
        Group(
            frame, np.array([entry.number for entry in each], dtype=np.int64), LabelSets(entry.labels for entry in each)
        )
        for frame, each in frames.items()
    ]
    if len(groups) < 2:
        return Found(groups, frozenset())
    times = Counter(labels for group in groups for labels in group.labels)
    return Found(groups, frozenset(labels for labels, count in times.items() if count > 1))
