"""The catalogue: which series there are, and which of them a question means."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sanso.model.labels import NAME, Labels, metric_name
from sanso.model.matchers import Matcher

_REMEMBERED = 256


@dataclass(frozen=True)
class Entry:
    """One series of one frame."""

    number: int
    frame: int
    labels: Labels


class Catalog:
    """Series by number and by metric name. Written by one thread, read by any."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}
        self._by_key: dict[tuple[int, Labels], int] = {}
        self._by_name: dict[str, list[Entry]] = {}
        self._answers: OrderedDict[tuple[Matcher, ...], list[Entry]] = OrderedDict()
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
        name = metric_name(labels)
        self._by_name.setdefault(name, []).append(entry)
        self._answers = OrderedDict()
        return entry.number, True

    def entry(self, frame: int, labels: Labels) -> Entry | None:
        """One series of one frame, where there is such a one."""
        number = self._by_key.get((frame, labels))
        return None if number is None else self._entries[number]

    def remove(self, numbers: Iterable[int]) -> None:
        """Forget series."""
        for number in numbers:
            entry = self._entries.pop(number, None)
            if entry is None:
                continue
            del self._by_key[entry.frame, entry.labels]
            name = metric_name(entry.labels)
            kept = [other for other in self._by_name[name] if other.number != number]
            if kept:
                self._by_name[name] = kept
            else:
                del self._by_name[name]
        self._answers = OrderedDict()

    def numbers(self) -> set[int]:
        """Every series."""
        return set(self._entries)

    def frames(self) -> set[int]:
        """Every frame that has a series."""
        return {entry.frame for entry in self._entries.values()}

    def find(self, matchers: Sequence[Matcher]) -> list[Entry]:
        """The series that satisfy every matcher; remembered until a series comes or goes."""
        key = tuple(matchers)
        answers = self._answers
        found = answers.get(key)
        if found is None:
            found = [entry for entry in self._candidates(matchers) if all(m.accepts(entry.labels) for m in matchers)]
            answers[key] = found
            while len(answers) > _REMEMBERED:
                answers.popitem(last=False)
        return found

    def _candidates(self, matchers: Sequence[Matcher]) -> list[Entry]:
        for matcher in matchers:
            if matcher.name == NAME and matcher.op == "=":
                return list(self._by_name.get(matcher.value, ()))
        for matcher in matchers:
            if matcher.name == NAME:
                names = [name for name in list(self._by_name) if matcher.matches(name)]
                return [entry for name in names for entry in list(self._by_name.get(name, ()))]
        return list(self._entries.values())
